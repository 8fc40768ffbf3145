// SPDX-License-Identifier: Apache-2.0
#include "learner/episode.h"

#include <algorithm>
#include <cmath>

#include "skills/facts.h"

namespace nightshift::learner {

namespace {

float StepReward(const core::Transition& t, const AgentConfig& config, const skills::Scene& scene) {
  const bool was_wide = t.before.jaw_command_rad > scene.jaw_wide_rad;
  const bool is_wide = t.after.jaw_command_rad > scene.jaw_wide_rad;
  return static_cast<float>(-config.step_cost - (was_wide != is_wide ? config.toggle_cost : 0));
}

/// Paid once, where an attempt is decided. A failure costs what every later step without success would have cost: if it
/// cost nothing, ending an attempt that looks bad by throwing the object away would pay.
float EndReward(core::Outcome outcome, const AgentConfig& config) {
  if (outcome == core::Outcome::kSuccess) return static_cast<float>(config.success_reward);
  if (outcome == core::Outcome::kFailure)
    return static_cast<float>(-config.step_cost * config.discount / (1 - config.discount));
  return 0;
}

/// What was proposed, not what was applied of it: limits are part of the world. A critic that only ever sees limited
/// actions never learns what comes of proposing more, and an actor finds out (docs/decisions/learned-actions.md).
core::PolicyAction LearnedAction(const core::Transition& t) {
  core::PolicyAction action = t.proposed;
  for (float& part : action) part = std::isfinite(part) ? std::clamp(part, -1.0f, 1.0f) : part;
  return action;
}

/// Step `i` of an episode that is looked at from step `first` on.
Step StepOf(const core::Episode& episode, std::size_t i, std::size_t first, const core::Target& target,
            const AgentConfig& config, const skills::Scene& scene) {
  const core::Transition& t = episode.steps[i];
  const core::Observation& previous = i > first ? episode.steps[i - 1].before : t.before;
  return {skills::FeaturesOf(t.before, previous, target, scene), skills::FeaturesOf(t.after, t.before, target, scene),
          LearnedAction(t), StepReward(t, config, scene)};
}

bool KnowsObject(const core::Observation& seen, int object) { return object >= 0 && object < seen.object_count; }

core::Target TargetFor(const skills::Task& task, const core::Episode& episode, std::size_t first,
                       const skills::Scene& scene) {
  core::Target target = episode.target;
  const auto object = static_cast<std::size_t>(target.object);
  switch (task.spec().goal) {
    case core::GoalKind::kNone: target.goal_m = episode.steps[first].before.objects[object].position_m; break;
    case core::GoalKind::kBin: target.goal_m = scene.bin.Centre(scene.object_half_m); break;
    case core::GoalKind::kTraySpot: target.goal_m = episode.steps.back().after.objects[object].position_m; break;
  }
  return target;
}

}  // namespace

Segment SegmentOf(const core::Episode& episode, const AgentConfig& config, const skills::Scene& scene) {
  Segment segment;
  for (std::size_t i = 0; i < episode.steps.size(); ++i) {
    if (!KnowsObject(episode.steps[i].before, episode.target.object)) return {};
    segment.steps.push_back(StepOf(episode, i, 0, episode.target, config, scene));
  }
  if (segment.steps.empty()) return segment;
  segment.solved = episode.outcome == core::Outcome::kSuccess;
  segment.steps.back().reward += EndReward(episode.outcome, config);
  if (segment.solved || episode.outcome == core::Outcome::kFailure) segment.ending = Ending::kTerminal;
  return segment;
}

std::vector<Segment> SegmentsFor(const skills::Task& task, const core::Episode& episode, const AgentConfig& config,
                                 const skills::Scene& scene) {
  std::vector<Segment> segments;
  std::size_t first = 0;
  while (first < episode.steps.size()) {
    if (!KnowsObject(episode.steps[first].before, episode.target.object)) return segments;
    const core::Target target = TargetFor(task, episode, first, scene);
    const auto now = skills::FactsOf(episode.steps[first].before, target, scene);
    if (!task.MayStart(now) || task.Judge(now) != core::Outcome::kRunning) {
      ++first;
      continue;
    }
    Segment segment;
    skills::Trial trial(task);
    std::size_t i = first;
    for (; i < episode.steps.size() && segment.ending == Ending::kCut; ++i) {
      segment.steps.push_back(StepOf(episode, i, first, target, config, scene));
      const core::Observation& after = episode.steps[i].after;
      const core::Outcome outcome = trial.Next(skills::FactsOf(after, target, scene), after.time);
      segment.solved = outcome == core::Outcome::kSuccess;
      segment.steps.back().reward += EndReward(outcome, config);
      if (outcome != core::Outcome::kRunning) segment.ending = Ending::kTerminal;
    }
    // An attempt at another task often ends with what is a failure here: it had no time to hold, and is one.
    if (segment.ending == Ending::kCut && trial.pending() == core::Outcome::kFailure) {
      segment.steps.back().reward += EndReward(core::Outcome::kFailure, config);
      segment.ending = Ending::kTerminal;
    }
    segments.push_back(std::move(segment));
    first = i;
  }
  return segments;
}

void ChargeSurprise(const AgentConfig& config, Familiarity& life, Segment& segment) {
  if (config.surprise_weight == 0 || segment.steps.empty()) return;
  Familiarity here(skills::kFeatureSize);
  Familiarity& familiar = config.surprise_memory == SurpriseMemory::kLife ? life : here;
  familiar.See(segment.steps.front().before);
  for (Step& step : segment.steps) {
    step.reward -= static_cast<float>(config.surprise_weight * familiar.Surprise(step.after));
    familiar.See(step.after);
  }
  if (segment.ending == Ending::kTerminal && !segment.solved)
    segment.steps.back().reward -= static_cast<float>(config.surprise_weight * config.discount / (1 - config.discount));
}

std::vector<Sample> Fold(const Segment& segment, int n, double discount) {
  const std::size_t count = segment.steps.size();
  std::vector<Sample> samples;
  samples.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = std::min(count, i + static_cast<std::size_t>(n));
    Sample sample{segment.steps[i].before, segment.steps[i].action, 0, segment.steps[end - 1].after, 1};
    double factor = 1, sum = 0;
    for (std::size_t k = i; k < end; ++k, factor *= discount) sum += factor * segment.steps[k].reward;
    sample.reward = static_cast<float>(sum);
    const bool over = end == count && segment.ending == Ending::kTerminal;
    sample.discount = over ? 0.0f : static_cast<float>(factor);
    samples.push_back(sample);
  }
  return samples;
}

}  // namespace nightshift::learner
