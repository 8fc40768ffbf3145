// SPDX-License-Identifier: Apache-2.0
#include "runtime/earl/regain.h"

#include <algorithm>
#include <cmath>

namespace nightshift::runtime::earl {

namespace {

constexpr int kPhaseStepsMax = 60;  // Then it goes on regardless: what is stuck is tried again from the start.
constexpr int kCloseSteps = 25;     // The fingers take about twenty to close on the peg.
constexpr int kReleaseSteps = 12;
constexpr float kOpen = -1, kClosed = 1;
constexpr float kGraspX = 0.19f;     // Behind the head, where demonstrations hold it; clear of the hole's face.
constexpr float kGraspZ = 0.033f;    // Of the hand above the peg's axis.
constexpr float kAboveZ = 0.12f;     // Of the hand above the peg's axis: fingers clear of it.
constexpr float kCarryZ = 0.14f;     // Of the hand over the table: the peg clear of it.
constexpr float kReleaseZ = 0.055f;  // Of the hand: the peg all but on the table.
constexpr float kFreeX = -0.14f;     // Of the head: its tip is out of the hole, whose face is at -0.204.
constexpr float kInHoleX = -0.17f;
constexpr float kNearM = 0.012f, kLevelM = 0.012f;
constexpr float kSlowM = 0.05f;  // Nearer than this a full action would overshoot: the hand trails its target.

}  // namespace

Regain::Step Regain::Toward(std::span<const float> s, float x, float y, float z, float grip) const {
  const float away[] = {x - s[0], y - s[1], z - s[2]};
  Step step{{0, 0, 0, grip}, true};
  for (std::size_t k = 0; k < 3; ++k) {
    step.action[k] = std::clamp(away[k] / kSlowM, -1.0f, 1.0f);
    step.arrived = step.arrived && std::fabs(away[k]) < (k == 2 ? kLevelM : kNearM);
  }
  return step;
}

Regain::Step Regain::Act(std::span<const float> s) const {
  const float grasp_x = s[4] + kGraspX, offset_x = s[0] - s[4], offset_y = s[1] - s[5];
  const float over = std::max(s[6] + kAboveZ, kCarryZ);
  switch (phase_) {
    case Phase::kLift: return Toward(s, s[0], s[1], over, kOpen);
    case Phase::kApproach: return Toward(s, grasp_x, s[5], over, kOpen);
    case Phase::kDescend: return Toward(s, grasp_x, s[5], s[6] + kGraspZ, kOpen);
    case Phase::kClose: return {Toward(s, s[0], s[1], s[2], kClosed).action, steps_in_phase_ >= kCloseSteps};
    case Phase::kPull: return {Toward(s, s[0] + kSlowM, s[1], s[2], kClosed).action, s[4] > kFreeX};
    case Phase::kRaise: return Toward(s, s[0], s[1], kCarryZ, kClosed);
    case Phase::kCarry: return Toward(s, goal_[4] + offset_x, goal_[5] + offset_y, kCarryZ, kClosed);
    case Phase::kLower: return Toward(s, s[0], s[1], kReleaseZ, kClosed);
    case Phase::kRelease: return {{0, 0, 0.5f, kOpen}, steps_in_phase_ >= kReleaseSteps};
    case Phase::kDone: break;
  }
  return {{0, 0, 0, kOpen}, true};
}

std::optional<std::vector<float>> Regain::Next(std::span<const float> state) {
  Step step = Act(state);
  while (phase_ != Phase::kDone && (step.arrived || steps_in_phase_ >= kPhaseStepsMax)) {
    phase_ = static_cast<Phase>(static_cast<int>(phase_) + 1);
    if (phase_ == Phase::kPull && state[4] > kInHoleX) phase_ = Phase::kRaise;
    steps_in_phase_ = 0;
    step = Act(state);
    if (phase_ == Phase::kClose || phase_ == Phase::kRelease) break;
  }
  if (phase_ == Phase::kDone) return std::nullopt;
  ++steps_in_phase_;
  return std::move(step.action);
}

}  // namespace nightshift::runtime::earl
