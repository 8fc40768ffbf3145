// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "learner/experience.h"

namespace nightshift::learner {

bool IsFinite(const SampleView& sample);

/// Which samples a replay has been given, in which order: two of one size whose cursors are equal hold the same at the
/// same places.
struct ReplayCursor {
  std::uint64_t added = 0;
  std::uint64_t digest = 0xcbf29ce484222325u;  // Of every number of every sample, in order (FNV-1a over words).

  bool operator==(const ReplayCursor&) const = default;
};

/// A ring of samples, drawn from uniformly. When full the oldest goes, and is counted.
/// Thread: one at a time.
class Replay final : public Experience {
 public:
  Replay(const Sizes& sizes, std::size_t samples_max);

  /// False (and counted) when a number in it is not finite: such a sample would poison every weight.
  bool Add(const SampleView& sample);

  std::size_t size() const override { return size_; }
  void Draw(Dice& dice, Batch& batch, int row) const override;
  /// Valid until the next Add; `index` below size(), in no order that means anything once it is full.
  SampleView At(std::size_t index) const;

  const ReplayCursor& cursor() const { return cursor_; }
  std::uint64_t overflowed() const { return overflowed_; }
  std::uint64_t refused() const { return refused_; }

 private:
  Sizes sizes_;
  std::size_t stride_;         // Of one sample: before, action, after, reward, discount.
  std::vector<float> values_;  // One sample after the other.
  std::size_t samples_max_;
  std::size_t size_ = 0;
  std::size_t oldest_ = 0;
  ReplayCursor cursor_;
  std::uint64_t overflowed_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace nightshift::learner
