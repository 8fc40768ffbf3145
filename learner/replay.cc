// SPDX-License-Identifier: Apache-2.0
#include "learner/replay.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/check.h"

namespace nightshift::learner {

bool IsFinite(const SampleView& sample) {
  const auto finite = [](float v) { return std::isfinite(v); };
  return std::all_of(sample.before.begin(), sample.before.end(), finite) &&
         std::all_of(sample.action.begin(), sample.action.end(), finite) &&
         std::all_of(sample.after.begin(), sample.after.end(), finite) && finite(sample.reward) &&
         finite(sample.discount);
}

Replay::Replay(const Sizes& sizes, std::size_t samples_max)
    : sizes_(sizes), stride_(static_cast<std::size_t>(sizes.state + sizes.both() + 2)), samples_max_(samples_max) {
  NIGHTSHIFT_CHECK(samples_max > 0);
}

bool Replay::Add(const SampleView& sample) {
  NIGHTSHIFT_CHECK(std::ssize(sample.before) == sizes_.state && std::ssize(sample.action) == sizes_.action &&
                   std::ssize(sample.after) == sizes_.state);
  if (!IsFinite(sample)) {
    ++refused_;
    return false;
  }
  const std::size_t at = size_ < samples_max_ ? size_ : oldest_;
  if (size_ < samples_max_) {
    values_.resize(++size_ * stride_);
  } else {
    oldest_ = (oldest_ + 1) % samples_max_;
    ++overflowed_;
  }
  float* to = values_.data() + at * stride_;
  to = std::copy(sample.before.begin(), sample.before.end(), to);
  to = std::copy(sample.action.begin(), sample.action.end(), to);
  to = std::copy(sample.after.begin(), sample.after.end(), to);
  to[0] = sample.reward;
  to[1] = sample.discount;
  ++cursor_.added;
  const float* first = values_.data() + at * stride_;
  for (std::size_t i = 0; i < stride_; ++i)
    cursor_.digest = (cursor_.digest ^ std::bit_cast<std::uint32_t>(first[i])) * 0x100000001b3u;
  return true;
}

SampleView Replay::At(std::size_t index) const {
  NIGHTSHIFT_CHECK(index < size_);
  const auto state = static_cast<std::size_t>(sizes_.state), action = static_cast<std::size_t>(sizes_.action);
  const std::span<const float> sample(values_.data() + index * stride_, stride_);
  return {sample.first(state), sample.subspan(state, action), sample[stride_ - 2],
          sample.subspan(state + action, state), sample[stride_ - 1]};
}

void Replay::Draw(Dice& dice, Batch& batch, int row) const {
  NIGHTSHIFT_CHECK(size_ > 0);
  batch.Put(row, At(dice.Index(size_)));
}

}  // namespace nightshift::learner
