// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "learner/dice.h"
#include "skills/features.h"

namespace nightshift::learner {

/// What an agent learns from: n steps of one episode folded into one. The value of (before, action) is
/// reward + discount * value(after).
struct Sample {
  skills::Features before{};
  core::PolicyAction action{};
  float reward = 0;  // Discounted sum over the n steps.
  skills::Features after{};
  float discount = 0;  // gamma^n; 0 where the episode truly ended, so that nothing follows.
};

bool IsFinite(const Sample& sample);

/// A ring of samples, drawn from uniformly. When full the oldest goes, and is counted.
/// Thread: one at a time.
class Replay {
 public:
  explicit Replay(std::size_t samples_max);

  /// False (and counted) when a number in it is not finite: such a sample would poison every weight.
  bool Add(const Sample& sample);
  const Sample& Draw(Dice& dice) const;  // Not when empty.

  std::size_t size() const { return samples_.size(); }
  std::uint64_t overflowed() const { return overflowed_; }
  std::uint64_t refused() const { return refused_; }

 private:
  std::vector<Sample> samples_;
  std::size_t samples_max_;
  std::size_t oldest_ = 0;
  std::uint64_t overflowed_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace nightshift::learner
