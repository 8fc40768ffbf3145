// SPDX-License-Identifier: Apache-2.0
#include "runtime/earl/regain.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "runtime/earl/hand.h"

namespace nightshift::runtime::earl {

namespace {

using io::earl::Scene;
using io::earl::State;

constexpr float kOpen = -1, kClosed = 1;
constexpr float kNearM = 0.012f, kLevelM = 0.012f;

struct Step {
  std::vector<float> action;
  bool arrived = false;
};

Step Toward(std::span<const float> s, float x, float y, float z, float grip) {
  const float away[] = {x - s[0], y - s[1], z - s[2]};
  Step step{{0, 0, 0, grip}, true};
  for (std::size_t k = 0; k < 3; ++k) {
    step.action[k] = Approach(away[k]);
    step.arrived = step.arrived && std::fabs(away[k]) < (k == 2 ? kLevelM : kNearM);
  }
  return step;
}

/// Phase after phase, each until it has arrived or has taken too long: then it goes on regardless, since what is stuck
/// is tried again from the start. `Phase` is counted from 0 and ends with kDone.
template <typename Phase>
class InPhases : public Regain {
 public:
  explicit InPhases(int phase_steps_max) : phase_steps_max_(phase_steps_max) {}

  std::optional<std::vector<float>> Next(std::span<const float> state) final {
    while (phase_ != Phase::kDone) {
      Step step = Act(phase_, state);
      if (!step.arrived && steps_in_phase_ < phase_steps_max_) {
        ++steps_in_phase_;
        return std::move(step.action);
      }
      phase_ = static_cast<Phase>(static_cast<int>(phase_) + 1);
      steps_in_phase_ = 0;
    }
    return std::nullopt;
  }

 protected:
  int steps_in_phase() const { return steps_in_phase_; }

 private:
  virtual Step Act(Phase phase, std::span<const float> state) const = 0;

  int phase_steps_max_;
  Phase phase_{};
  int steps_in_phase_ = 0;
};

enum class PegPhase { kLift, kApproach, kDescend, kClose, kPull, kRaise, kCarry, kLower, kRelease, kDone };

class RegainPeg final : public InPhases<PegPhase> {
 public:
  explicit RegainPeg(State goal) : InPhases(kPhaseStepsMax), goal_(std::move(goal)) {}

 private:
  static constexpr int kPhaseStepsMax = 60;
  static constexpr int kCloseSteps = 25;  // The fingers take about twenty to close on the peg.
  static constexpr int kReleaseSteps = 12;
  static constexpr float kGraspX = 0.19f;   // Behind the head, where demonstrations hold it; clear of the hole's face.
  static constexpr float kGraspZ = 0.033f;  // Of the hand above the peg's axis.
  static constexpr float kAboveZ = 0.12f;   // Of the hand above the peg's axis: fingers clear of it.
  static constexpr float kCarryZ = 0.14f;   // Of the hand over the table: the peg clear of it.
  static constexpr float kReleaseZ = 0.055f;  // Of the hand: the peg all but on the table.
  static constexpr float kFreeX = -0.14f;     // Of the head: its tip is out of the hole, whose face is at -0.204.
  static constexpr float kInHoleX = -0.17f;   // Farther out it is not pulled at all.
  static constexpr float kPullM = 0.05f;      // A full action.

  Step Act(PegPhase phase, std::span<const float> s) const override {
    const float grasp_x = s[4] + kGraspX, offset_x = s[0] - s[4], offset_y = s[1] - s[5];
    const float over = std::max(s[6] + kAboveZ, kCarryZ);
    switch (phase) {
      case PegPhase::kLift: return Toward(s, s[0], s[1], over, kOpen);
      case PegPhase::kApproach: return Toward(s, grasp_x, s[5], over, kOpen);
      case PegPhase::kDescend: return Toward(s, grasp_x, s[5], s[6] + kGraspZ, kOpen);
      case PegPhase::kClose: return {Toward(s, s[0], s[1], s[2], kClosed).action, steps_in_phase() >= kCloseSteps};
      case PegPhase::kPull:
        return {Toward(s, s[0] + kPullM, s[1], s[2], kClosed).action,
                s[4] > (steps_in_phase() == 0 ? kInHoleX : kFreeX)};
      case PegPhase::kRaise: return Toward(s, s[0], s[1], kCarryZ, kClosed);
      case PegPhase::kCarry: return Toward(s, goal_[4] + offset_x, goal_[5] + offset_y, kCarryZ, kClosed);
      case PegPhase::kLower: return Toward(s, s[0], s[1], kReleaseZ, kClosed);
      case PegPhase::kRelease: return {{0, 0, 0.5f, kOpen}, steps_in_phase() >= kReleaseSteps};
      case PegPhase::kDone: break;
    }
    return {{0, 0, 0, kOpen}, true};
  }

  State goal_;
};

enum class DoorPhase { kLift, kBehind, kDown, kPush, kBack, kDone };

class RegainDoor final : public InPhases<DoorPhase> {
 public:
  explicit RegainDoor(const State& goal) : InPhases(kPhaseStepsMax), pushed_x_(std::min(goal[4] + kPastM, kClosedX)) {}

 private:
  static constexpr int kPhaseStepsMax = 150;
  static constexpr int kBackSteps = 25;
  static constexpr float kHinge[] = {-0.085f, 0.85f};
  static constexpr float kOverZ = 0.21f;   // Of the hand: its fingers clear of the handle.
  static constexpr float kBehindM = 0.1f;  // Of the handle's middle: closed fingers clear of it.
  static constexpr float kHandleZ = 0.1f;
  static constexpr float kPush = 0.4f, kGentlePush = 0.25f;  // Of a full action: the door swings on when it is let go.
  static constexpr float kPastM = 0.01f;
  // Of the handle: demonstrations of the reverse task begin at 0.274 to 0.290.
  static constexpr float kClosedX = 0.272f;
  static constexpr float kBrakeM = 0.05f;  // Of the handle's way: pushed more and more gently.

  Step Act(DoorPhase phase, std::span<const float> s) const override {
    // Which way the handle moves where the door closes.
    const float radius = std::max(std::hypot(s[4] - kHinge[0], s[5] - kHinge[1]), kNearM);
    const float x = (kHinge[1] - s[5]) / radius, y = (s[4] - kHinge[0]) / radius;
    const float behind_x = s[4] - kBehindM * x, behind_y = s[5] - kBehindM * y;
    switch (phase) {
      case DoorPhase::kLift: return {Toward(s, s[0], s[1], kOverZ, kOpen).action, s[2] > kOverZ - kLevelM};
      case DoorPhase::kBehind: return Toward(s, behind_x, behind_y, kOverZ, kClosed);
      case DoorPhase::kDown: return Toward(s, behind_x, behind_y, kHandleZ, kClosed);
      case DoorPhase::kPush: return {Pushing(s, x, y), s[4] > pushed_x_};
      case DoorPhase::kBack: return {{-x, -y, 1, kClosed}, steps_in_phase() >= kBackSteps};
      case DoorPhase::kDone: break;
    }
    return {{0, 0, 0, kOpen}, true};
  }

  /// Along (x, y), and across it towards the handle's middle.
  std::vector<float> Pushing(std::span<const float> s, float x, float y) const {
    const float across = Approach((s[5] - s[1]) * x - (s[4] - s[0]) * y);
    const float push = std::clamp((pushed_x_ - s[4]) / kBrakeM, kGentlePush, kPush);
    return {push * x - across * y, push * y + across * x, Approach(kHandleZ - s[2]), kClosed};
  }

  float pushed_x_;
};

}  // namespace

std::unique_ptr<Regain> MakeRegain(Scene scene, State goal) {
  NIGHTSHIFT_CHECK(scene != Scene::kTabletop);
  if (scene == Scene::kSawyerPeg) return std::make_unique<RegainPeg>(std::move(goal));
  return std::make_unique<RegainDoor>(goal);
}

}  // namespace nightshift::runtime::earl
