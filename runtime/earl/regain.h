// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "io/earl/rules.h"

namespace nightshift::runtime::earl {

/// The scripted motion of the peg's recovery task: opens the fingers, lifts the hand over the peg's rear, takes it,
/// pulls it out of the hole where it is in it, carries it to where the goal has it, and lets go. It knows what the
/// observation says and assumes that the peg lies along x. One object per attempt. Pure but for its phase.
class Regain {
 public:
  /// @param goal whose object part says where the head shall lie.
  explicit Regain(io::earl::State goal) : goal_(std::move(goal)) {}

  /// The next action, or none once it is through.
  std::optional<std::vector<float>> Next(std::span<const float> state);

 private:
  enum class Phase { kLift, kApproach, kDescend, kClose, kPull, kRaise, kCarry, kLower, kRelease, kDone };
  struct Step {
    std::vector<float> action;
    bool arrived = false;
  };
  Step Toward(std::span<const float> state, float x, float y, float z, float grip) const;
  Step Act(std::span<const float> state) const;

  io::earl::State goal_;
  Phase phase_ = Phase::kLift;
  int steps_in_phase_ = 0;
};

}  // namespace nightshift::runtime::earl
