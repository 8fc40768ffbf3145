// SPDX-License-Identifier: Apache-2.0
#include "learner/replay.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace nightshift::learner {

bool IsFinite(const Sample& sample) {
  const auto finite = [](float v) { return std::isfinite(v); };
  return std::all_of(sample.before.begin(), sample.before.end(), finite) &&
         std::all_of(sample.action.begin(), sample.action.end(), finite) &&
         std::all_of(sample.after.begin(), sample.after.end(), finite) && finite(sample.reward) &&
         finite(sample.discount);
}

Replay::Replay(std::size_t samples_max) : samples_max_(samples_max) { NIGHTSHIFT_CHECK(samples_max > 0); }

bool Replay::Add(const Sample& sample) {
  if (!IsFinite(sample)) {
    ++refused_;
    return false;
  }
  if (samples_.size() < samples_max_) {
    samples_.push_back(sample);
    return true;
  }
  samples_[oldest_] = sample;
  oldest_ = (oldest_ + 1) % samples_max_;
  ++overflowed_;
  return true;
}

const Sample& Replay::Draw(Dice& dice) const {
  NIGHTSHIFT_CHECK(!samples_.empty());
  return samples_[dice.Index(samples_.size())];
}

}  // namespace nightshift::learner
