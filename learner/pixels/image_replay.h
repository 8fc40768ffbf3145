// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "learner/dice.h"
#include "learner/pixels/config.h"
#include "learner/replay.h"

namespace nightshift::learner {

/// What is seen, and the numbers that are known beside it (joints, for example; there may be none).
struct ImageView {
  std::span<const std::uint8_t> image;
  std::span<const float> state;
};

/// n steps folded into one, as in SampleView.
struct ImageSampleView {
  ImageView before;
  std::span<const float> action;
  float reward = 0;
  ImageView after;
  float discount = 0;
};

/// A ring of samples with images, kept as bytes: 24 KB each at 64 x 64. When full the oldest goes.
/// Thread: one at a time.
class ImageReplay {
 public:
  /// @param sizes of what stands beside the images; sizes.state may be 0.
  ImageReplay(const ImageShape& shape, const Sizes& sizes, std::size_t samples_max);

  /// False (and counted) when a number in it is not finite.
  bool Add(const ImageSampleView& sample);
  /// Valid until the next Add.
  ImageSampleView At(std::size_t index) const;

  std::size_t size() const { return numbers_.size(); }
  std::uint64_t refused() const { return numbers_.refused(); }
  const ImageShape& shape() const { return shape_; }

 private:
  ImageShape shape_;
  std::size_t samples_max_, next_ = 0;
  Replay numbers_;
  std::vector<std::uint8_t> images_;  // Two for each sample: before, after.
};

/// Random shift (DrQ, section 3.1): the image moved by up to shift_px either way, its edge repeated where it moved
/// from.
void ShiftAtRandom(const ImageShape& shape, int shift_px, Dice& dice, std::span<const std::uint8_t> from,
                   std::span<std::uint8_t> to);

}  // namespace nightshift::learner
