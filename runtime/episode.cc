// SPDX-License-Identifier: Apache-2.0
#include "runtime/episode.h"

#include <optional>

namespace nightshift::runtime {
namespace {

constexpr int kStepsMax = 6000;  // Ten minutes: the longest time limit that a task may have.

core::Outcome OutcomeOf(const skills::Task& task, core::Outcome judged, EndsAt ends_at, core::Duration spent) {
  const bool counts =
      judged == core::Outcome::kSuccess || (judged == core::Outcome::kFailure && ends_at == EndsAt::kFirstFailure);
  if (counts) return judged;
  return spent >= task.spec().time_limit ? core::Outcome::kTimeout : core::Outcome::kRunning;
}

constexpr double kClearOfObjectsM = 0.05;  // Of the grasp point: fingertips are 10 mm below it, objects 28 mm high.
constexpr double kLiftedM = 0.045;         // Above the tray's walls: what was only pinched was never held.

bool Lifted(const skills::Facts& facts) {
  return Get(facts, skills::Fact::kHeld) != 0 && Get(facts, skills::Fact::kObjectZ) > kLiftedM;
}

/// Up and empty, the hand turns to how the object lies; with the object, to how it shall lie. None: it stays as it is,
/// because low down it would sweep objects away, and closed on something it may hold what is not seen.
/// docs/decisions/turned-hand.md
std::optional<double> TurnOfHand(const core::Observation& seen, const core::Target& target, core::GoalKind goal,
                                 const skills::Scene& scene) {
  const skills::Facts facts = FactsOf(seen, target, scene);
  if (seen.tip_m.z < kClearOfObjectsM) return std::nullopt;
  if (Get(facts, skills::Fact::kHeld) != 0)
    return goal == core::GoalKind::kNone ? std::nullopt : std::optional(JawYawOver(scene, target.goal_m));
  const bool empty = seen.jaw_command_rad > scene.jaw_wide_rad || seen.jaw_rad < scene.jaw_empty_rad;
  if (!empty || Get(facts, skills::Fact::kObjectSeen) == 0) return std::nullopt;
  return JawYawOver(scene, seen.objects[static_cast<std::size_t>(target.object)].position_m);
}

}  // namespace

core::Result<Attempt> RunEpisode(Body& body, const skills::Task& task, const skills::Scene& scene, skills::Skill& skill,
                                 core::Episode episode, EndsAt ends_at, const OnStep& on_step) {
  Attempt attempt;
  skills::Trial trial(task);
  episode.started = body.seen().time;
  core::Observation previous = body.seen();
  attempt.was_held = Lifted(FactsOf(previous, episode.target, scene));
  for (int i = 0; i < kStepsMax && episode.outcome == core::Outcome::kRunning; ++i) {
    core::Transition step;
    step.before = body.seen();
    step.proposed = skill.Act(step.before, previous);
    body.TurnHand(TurnOfHand(step.before, episode.target, task.spec().goal, scene));
    auto moved = body.Act(step.proposed);
    if (!moved) return tl::make_unexpected(moved.error());
    const skills::Facts facts = FactsOf(moved->after, episode.target, scene);
    attempt.was_held = attempt.was_held || Lifted(facts);
    step.applied = moved->applied;
    step.verdict = moved->report.verdict;
    step.limit = moved->report.limit;
    step.after = moved->after;
    step.ended = OutcomeOf(task, trial.Next(facts, moved->after.time), ends_at, moved->after.time - episode.started);
    if (step.ended == core::Outcome::kRunning && moved->report.latch.latched()) {
      attempt.stop = moved->report.latch.worst;
      step.ended = core::Outcome::kFailure;
    }
    if (step.ended == core::Outcome::kRunning && moved->after.frame != core::FrameHealth::kGood &&
        moved->after.frame_age > core::Seconds(0.5))
      step.ended = core::Outcome::kInterrupted;  // Blind: no policy may act on what it does not see.
    if (step.ended == core::Outcome::kRunning && skill.Finished()) step.ended = core::Outcome::kTimeout;
    step.reward = step.ended == core::Outcome::kSuccess ? 1.0f : 0.0f;
    episode.outcome = step.ended;
    if (auto told = on_step(i, step); !told) return tl::make_unexpected(told.error());
    previous = step.before;
    episode.steps.push_back(std::move(step));
  }
  if (episode.outcome == core::Outcome::kRunning) episode.outcome = core::Outcome::kTimeout;
  episode.ended = body.seen().time;
  attempt.episode = std::move(episode);
  return attempt;
}

core::PolicyAction PolicySkill::Act(const core::Observation& seen, const core::Observation& previous) {
  const skills::Features features = FeaturesOf(seen, previous, target_, scene_);
  switch (mode_) {
    case Mode::kMean: return policy_.Mean(features);
    case Mode::kSample: return policy_.Sample(features, random_);
  }
  return {};
}

}  // namespace nightshift::runtime
