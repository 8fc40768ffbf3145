// SPDX-License-Identifier: Apache-2.0
#include "runtime/earl/regain.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace nightshift::runtime::earl {

namespace {

using io::earl::Scene;
using io::earl::State;

constexpr float kOpen = -1, kClosed = 1;
constexpr float kNearM = 0.012f, kLevelM = 0.012f;
constexpr float kSlowM = 0.05f;  // Nearer than this a full action would overshoot: the hand trails its target.

struct Step {
  std::vector<float> action;
  bool arrived = false;
};

Step Toward(std::span<const float> s, float x, float y, float z, float grip) {
  const float away[] = {x - s[0], y - s[1], z - s[2]};
  Step step{{0, 0, 0, grip}, true};
  for (std::size_t k = 0; k < 3; ++k) {
    step.action[k] = std::clamp(away[k] / kSlowM, -1.0f, 1.0f);
    step.arrived = step.arrived && std::fabs(away[k]) < (k == 2 ? kLevelM : kNearM);
  }
  return step;
}

class RegainPeg final : public Regain {
 public:
  explicit RegainPeg(State goal) : goal_(std::move(goal)) {}

  std::optional<std::vector<float>> Next(std::span<const float> state) override {
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

 private:
  enum class Phase { kLift, kApproach, kDescend, kClose, kPull, kRaise, kCarry, kLower, kRelease, kDone };

  static constexpr int kPhaseStepsMax = 60;  // Then it goes on regardless: what is stuck is tried again from the start.
  static constexpr int kCloseSteps = 25;     // The fingers take about twenty to close on the peg.
  static constexpr int kReleaseSteps = 12;
  static constexpr float kGraspX = 0.19f;   // Behind the head, where demonstrations hold it; clear of the hole's face.
  static constexpr float kGraspZ = 0.033f;  // Of the hand above the peg's axis.
  static constexpr float kAboveZ = 0.12f;   // Of the hand above the peg's axis: fingers clear of it.
  static constexpr float kCarryZ = 0.14f;   // Of the hand over the table: the peg clear of it.
  static constexpr float kReleaseZ = 0.055f;  // Of the hand: the peg all but on the table.
  static constexpr float kFreeX = -0.14f;     // Of the head: its tip is out of the hole, whose face is at -0.204.
  static constexpr float kInHoleX = -0.17f;

  Step Act(std::span<const float> s) const {
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

  State goal_;
  Phase phase_ = Phase::kLift;
  int steps_in_phase_ = 0;
};

class RegainDoor final : public Regain {
 public:
  explicit RegainDoor(const State& goal) : pushed_x_(std::min(goal[4] + kPastM, kClosedX)) {}

  std::optional<std::vector<float>> Next(std::span<const float> state) override {
    Step step = Act(state);
    while (phase_ != Phase::kDone && (step.arrived || steps_in_phase_ >= kPhaseStepsMax)) {
      phase_ = static_cast<Phase>(static_cast<int>(phase_) + 1);
      steps_in_phase_ = 0;
      step = Act(state);
    }
    if (phase_ == Phase::kDone) return std::nullopt;
    ++steps_in_phase_;
    return std::move(step.action);
  }

 private:
  enum class Phase { kLift, kBehind, kDown, kPush, kBack, kDone };

  static constexpr int kPhaseStepsMax = 150;
  static constexpr int kBackSteps = 25;
  static constexpr float kHinge[] = {-0.085f, 0.85f};
  static constexpr float kOverZ = 0.21f;   // Of the hand: its fingers clear of the handle.
  static constexpr float kBehindM = 0.1f;  // Of the handle's middle: closed fingers clear of it.
  static constexpr float kHandleZ = 0.1f;
  static constexpr float kPush = 0.4f, kGentlePush = 0.25f;  // Of a full action: the door swings on when it is let go.
  static constexpr float kPastM = 0.01f;
  static constexpr float kClosedX =
      0.272f;  // Of the handle: demonstrations of the reverse task begin at 0.274 to 0.290.

  Step Act(std::span<const float> s) const {
    // Which way the handle moves where the door closes.
    const float radius = std::max(std::hypot(s[4] - kHinge[0], s[5] - kHinge[1]), kNearM);
    const float x = (kHinge[1] - s[5]) / radius, y = (s[4] - kHinge[0]) / radius;
    const float behind_x = s[4] - kBehindM * x, behind_y = s[5] - kBehindM * y;
    switch (phase_) {
      case Phase::kLift: return {Toward(s, s[0], s[1], kOverZ, kOpen).action, s[2] > kOverZ - kLevelM};
      case Phase::kBehind: return Toward(s, behind_x, behind_y, kOverZ, kClosed);
      case Phase::kDown: return Toward(s, behind_x, behind_y, kHandleZ, kClosed);
      case Phase::kPush: return {Pushing(s, x, y), s[4] > pushed_x_};
      case Phase::kBack: return {{-x, -y, 1, kClosed}, steps_in_phase_ >= kBackSteps};
      case Phase::kDone: break;
    }
    return {{0, 0, 0, kOpen}, true};
  }

  /// Along (x, y), and across it towards the handle's middle.
  std::vector<float> Pushing(std::span<const float> s, float x, float y) const {
    const float across = std::clamp(((s[5] - s[1]) * x - (s[4] - s[0]) * y) / kSlowM, -1.0f, 1.0f);
    const float down = std::clamp((kHandleZ - s[2]) / kSlowM, -1.0f, 1.0f);
    const float push = std::clamp((pushed_x_ - s[4]) / kSlowM, kGentlePush, kPush);
    return {push * x - across * y, push * y + across * x, down, kClosed};
  }

  float pushed_x_;
  Phase phase_ = Phase::kLift;
  int steps_in_phase_ = 0;
};

}  // namespace

std::unique_ptr<Regain> MakeRegain(Scene scene, State goal) {
  NIGHTSHIFT_CHECK(scene != Scene::kTabletop);
  if (scene == Scene::kSawyerPeg) return std::make_unique<RegainPeg>(std::move(goal));
  return std::make_unique<RegainDoor>(goal);
}

}  // namespace nightshift::runtime::earl
