// SPDX-License-Identifier: Apache-2.0
#include "runtime/episode.h"

namespace nightshift::runtime {
namespace {

constexpr int kStepsMax = 6000;  // Ten minutes: the longest time limit that a task may have.

core::Outcome OutcomeOf(const skills::Task& task, core::Outcome judged, EndsAt ends_at, core::Duration spent) {
  const bool counts =
      judged == core::Outcome::kSuccess || (judged == core::Outcome::kFailure && ends_at == EndsAt::kFirstFailure);
  if (counts) return judged;
  return spent >= task.spec().time_limit ? core::Outcome::kTimeout : core::Outcome::kRunning;
}

constexpr int kRefusedInARowMax = 3;  // One may be the noise of exploration.

/// Steps in a row, up to the newest, that the risk critic refused.
int RefusedInARow(const core::Transition& step, int before) { return step.risk_scale == 0.0f ? before + 1 : 0; }

constexpr double kLiftedM = 0.045;  // Above the tray's walls: what was only pinched was never held.

bool Lifted(const skills::Facts& facts) {
  return Get(facts, skills::Fact::kHeld) != 0 && Get(facts, skills::Fact::kObjectZ) > kLiftedM;
}

}  // namespace

bool Sees(const core::Observation& seen) {
  return seen.frame == core::FrameHealth::kGood || seen.frame_age <= core::Seconds(0.5);
}

core::Result<Attempt> RunEpisode(Body& body, const skills::Task& task, const skills::Scene& scene, skills::Skill& skill,
                                 core::Episode episode, EndsAt ends_at, const OnStep& on_step, RiskGuard* risk) {
  Attempt attempt;
  skills::Trial trial(task);
  episode.started = body.seen().time;
  core::Observation previous = body.seen();
  attempt.was_held = Lifted(FactsOf(previous, episode.target, scene));
  if (risk) risk->Begin(episode.id);
  int refused = 0;
  for (int i = 0; i < kStepsMax && episode.outcome == core::Outcome::kRunning; ++i) {
    core::Transition step;
    step.before = body.seen();
    step.proposed = skill.Act(step.before, previous);
    const auto scale =
        risk ? risk->Scale(FeaturesOf(step.before, previous, episode.target, scene), step.proposed) : std::nullopt;
    if (scale) step.risk_scale = static_cast<float>(*scale);
    auto moved = body.Act(step.proposed, scale.value_or(1));
    if (!moved) return tl::make_unexpected(moved.error());
    const skills::Facts facts = FactsOf(moved->after, episode.target, scene);
    attempt.was_held = attempt.was_held || Lifted(facts);
    step.applied = moved->applied;
    step.verdict = moved->report.verdict;
    step.limit = moved->report.limit;
    step.strain = static_cast<float>(moved->report.strain);
    step.stop = moved->report.latch.first;
    step.after = moved->after;
    step.ended = OutcomeOf(task, trial.Next(facts, moved->after.time), ends_at, moved->after.time - episode.started);
    if (step.ended == core::Outcome::kRunning && moved->report.latch.latched()) {
      attempt.stop = moved->report.latch.worst;
      const bool by_a_person = attempt.stop == core::StopCause::kPersonNear;  // Who comes by says nothing of the skill.
      step.ended = by_a_person ? core::Outcome::kInterrupted : core::Outcome::kFailure;
    }
    refused = RefusedInARow(step, refused);
    if (step.ended == core::Outcome::kRunning && refused >= kRefusedInARowMax) step.ended = core::Outcome::kFailure;
    if (step.ended == core::Outcome::kRunning && !Sees(moved->after)) step.ended = core::Outcome::kInterrupted;
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
