// SPDX-License-Identifier: Apache-2.0
#include "learner/pixels/image_replay.h"

#include <algorithm>

#include "core/check.h"

namespace nightshift::learner {

ImageReplay::ImageReplay(const ImageShape& shape, const Sizes& sizes, std::size_t samples_max)
    : shape_(shape), samples_max_(samples_max), numbers_(sizes, samples_max) {}

bool ImageReplay::Add(const ImageSampleView& sample) {
  NIGHTSHIFT_CHECK(sample.before.image.size() == shape_.bytes() && sample.after.image.size() == shape_.bytes());
  if (!numbers_.Add({sample.before.state, sample.action, sample.reward, sample.after.state, sample.discount}))
    return false;
  images_.resize(numbers_.size() * 2 * shape_.bytes());
  auto* to = images_.data() + next_ * 2 * shape_.bytes();
  to = std::copy(sample.before.image.begin(), sample.before.image.end(), to);
  std::copy(sample.after.image.begin(), sample.after.image.end(), to);
  next_ = (next_ + 1) % samples_max_;  // As the ring of numbers goes.
  return true;
}

ImageSampleView ImageReplay::At(std::size_t index) const {
  const SampleView numbers = numbers_.At(index);
  const std::span<const std::uint8_t> images(images_.data() + index * 2 * shape_.bytes(), 2 * shape_.bytes());
  return {{images.first(shape_.bytes()), numbers.before},
          numbers.action,
          numbers.reward,
          {images.last(shape_.bytes()), numbers.after},
          numbers.discount};
}

void ShiftAtRandom(const ImageShape& shape, int shift_px, Dice& dice, std::span<const std::uint8_t> from,
                   std::span<std::uint8_t> to) {
  const auto drawn = [&] {
    return static_cast<int>(dice.Index(static_cast<std::size_t>(2 * shift_px + 1))) - shift_px;
  };
  const int down = drawn(), right = drawn();
  auto* out = to.data();
  for (int y = 0; y < shape.height_px; ++y) {
    const int from_y = std::clamp(y - down, 0, shape.height_px - 1);
    for (int x = 0; x < shape.width_px; ++x) {
      const int from_x = std::clamp(x - right, 0, shape.width_px - 1);
      const std::size_t at = (std::size_t(from_y) * shape.width_px + from_x) * static_cast<std::size_t>(shape.channels);
      out = std::copy_n(from.data() + at, shape.channels, out);
    }
  }
}

}  // namespace nightshift::learner
