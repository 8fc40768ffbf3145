// SPDX-License-Identifier: Apache-2.0
// What a life does by script: the retreat of the hand, the recovery task, and turning the peg straight.
#include <algorithm>
#include <cmath>

#include "runtime/earl/hand.h"
#include "runtime/earl/life.h"
#include "runtime/earl/regain.h"

namespace nightshift::runtime::earl {

namespace {

using io::earl::Scene;

constexpr int kHomeStepsMax = 80;
constexpr float kHomeLiftZM = 0.18f;     // Fingers clear of a lying peg, before the hand moves sideways.
constexpr float kHomeNearM = 0.02f;      // The hand trails its target: near enough.
constexpr float kFreeOfHoleXM = -0.12f;  // Of the head.
constexpr float kLyingZM = 0.1f;         // Of the head: lower, it lies on the table or soon will.
constexpr float kRearM = 0.2f;           // From the head.
constexpr int kPressApproachSteps = 60, kPressRiseSteps = 15;
constexpr float kHeldFingers = 0.45f;  // Of their distance, 0 to 1: the peg lies between them at 0.3.
constexpr float kLeverAside = 0.3f;    // Of a full action: 3 mm a step.
constexpr int kLeverInSteps = 10, kLeverAsideSteps = 8;
constexpr int kRecoverStepsMax = 400;  // The script's phases all take their longest at 600; what drops it ends earlier.

}  // namespace

/// Opens the fingers, lifts the hand and brings it to where attempts begin: a scripted retreat.
core::Result<void> Life::FreeHand() {
  if (options_.scene == Scene::kTabletop) return {};
  const float* start = options_.scene == Scene::kSawyerDoor ? io::earl::kDoorHandStart : io::earl::kPegHandStart;
  bool lifted = false;
  for (int step = 0; step < kHomeStepsMax; ++step) {
    const io::earl::State& at = world_->state();
    lifted = lifted || at[2] >= kHomeLiftZM;
    std::vector<float> action{0, 0, 1, -1};
    float furthest = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      const float away = start[k] - at[k];
      furthest = std::max(furthest, std::fabs(away));
      if (lifted) action[k] = Approach(away);
    }
    if (lifted && furthest < kHomeNearM) break;
    ++tally_.home_steps;
    if (auto moved = Move(action); !moved) return moved;
  }
  return {};
}

/// Where it is due and the peg lies free on the table: lets go of it, looks how it lies, and presses it flat.
core::Result<void> Life::Straighten() {
  const int every = options_.config.straighten_every_steps;
  if (options_.scene != Scene::kSawyerPeg || every == 0 || course_.steps - course_.pitch.seen_step < every) return {};
  const auto lies_free = [this] {
    const io::earl::State& at = world_->state();
    return at[4] > kFreeOfHoleXM && at[6] < kLyingZM;
  };
  if (!lies_free()) return {};
  if (auto freed = FreeHand(); !freed || !lies_free()) return freed;
  course_.pitch = Seen(course_.pitch, PitchOf(world_->state()), course_.steps);
  return Press(PressSteps(course_.pitch));
}

/// Closed fingers on the peg's head, or for negative steps on its rear.
core::Result<void> Life::Press(int steps) {
  const float offset = steps > 0 ? 0 : kRearM;
  const float x = world_->state()[4] + offset, y = world_->state()[5];
  for (int step = 0; steps != 0 && step < kPressApproachSteps + std::abs(steps) + kPressRiseSteps; ++step) {
    const io::earl::State& at = world_->state();
    const bool above = step < kPressApproachSteps, down = step < kPressApproachSteps + std::abs(steps);
    std::vector<float> action{Approach(x - at[0]), Approach(y - at[1]),
                              above  ? Approach(kHomeLiftZM - at[2])
                              : down ? -1.0f
                                     : 1.0f,
                              1};
    if (!above) action[0] = action[1] = 0;  // Chasing the head would drag it along.
    ++tally_.press_steps;
    if (auto moved = Move(action); !moved) return moved;
  }
  return {};
}

/// After a forward win the fingers hold the peg in the hole: the moment to see whether it points straight.
core::Result<void> Life::Unturn() {
  const int every = options_.config.straighten_every_steps;
  if (options_.scene != Scene::kSawyerPeg || every == 0 || course_.steps - course_.yaw.seen_step < every) return {};
  if (world_->state()[3] > kHeldFingers || world_->state()[4] > io::earl::kHole.face_x) return {};
  course_.yaw = Seen(course_.yaw, YawOf(world_->state()), course_.steps);
  return Lever(LeverSteps(course_.yaw));
}

/// Pushes the peg in, its rear aside for so many steps (towards -y where negative), and back.
core::Result<void> Life::Lever(int steps) {
  const float aside = steps > 0 ? kLeverAside : -kLeverAside;
  const int in = kLeverInSteps, out = in + kLeverAsideSteps, back = out + std::abs(steps),
            end = back + kLeverAsideSteps;
  for (int step = 0; steps != 0 && step < end; ++step) {
    std::vector<float> action{step < in ? -kLeverAside : 0, 0, 0, 1};
    if (step >= in && step < out) action[1] = aside;
    if (step >= back) action[1] = -aside;
    ++tally_.press_steps;
    if (auto moved = Move(action); !moved) return moved;
  }
  return {};
}

/// By script, to its end. What it did is experience, too.
core::Result<bool> Life::Recover(const Choice& choice) {
  const auto script = MakeRegain(options_.scene, choice.goal);
  learner::GoalEpisode episode{
      .states = world_->state(), .actions = {}, .goal = choice.goal, .kind = static_cast<int>(choice.kind)};
  for (int steps = 0; steps < kRecoverStepsMax; ++steps) {
    auto action = script->Next(world_->state());
    if (!action) break;
    if (auto moved = Move(*action); !moved) return tl::make_unexpected(moved.error());
    episode.actions.insert(episode.actions.end(), action->begin(), action->end());
    episode.states.insert(episode.states.end(), world_->state().begin(), world_->state().end());
  }
  const auto facts = FactsOf(options_.scene, world_->state(), choice.goal);
  Remember(choice, std::move(episode), false);
  return tasks_[static_cast<std::size_t>(choice.kind)].Judge(facts) == core::Outcome::kSuccess;
}

}  // namespace nightshift::runtime::earl
