// SPDX-License-Identifier: Apache-2.0
#include "runtime/earl/earl_tasks.h"

#include <fmt/format.h>

#include "runtime/earl/shield.h"

namespace nightshift::runtime::earl {

namespace {

using io::earl::Scene;

constexpr double kStepS = 0.1;
constexpr double kDoorRegainedM = 0.08;  // Starts and pushed doors lie so near to the one place that is asked for.

std::size_t At(int i) { return static_cast<std::size_t>(i); }

}  // namespace

skills::Facts FactsOf(Scene scene, std::span<const float> state, std::span<const float> goal) {
  skills::Facts facts{};
  const auto set = [&facts](skills::Fact fact, double value) { facts[static_cast<std::size_t>(fact)] = value; };
  const bool flat = scene == Scene::kTabletop;
  const core::Vec3 tip{state[0], state[1], flat ? 0 : state[2]};
  const std::size_t object = At(io::earl::RulesOf(scene).object);
  const core::Vec3 thing{state[object], state[object + 1], flat ? 0 : state[object + 2]};
  set(skills::Fact::kTipX, tip.x);
  set(skills::Fact::kTipY, tip.y);
  set(skills::Fact::kTipZ, tip.z);
  set(skills::Fact::kJaw, flat ? 0 : state[3]);
  set(skills::Fact::kHeld, flat && state[4] == 0);
  set(skills::Fact::kObjectX, thing.x);
  set(skills::Fact::kObjectY, thing.y);
  set(skills::Fact::kObjectZ, thing.z);
  set(skills::Fact::kObjectSeen, 1);
  set(skills::Fact::kFrameGood, 1);
  set(skills::Fact::kReachable, Reachable(scene, state));
  set(skills::Fact::kOutside, !Practised(scene, state));
  set(skills::Fact::kTipDistance, Norm(thing - tip));
  set(skills::Fact::kGoalDistance, io::earl::DistanceToGoal(scene, state, goal));
  return facts;
}

std::vector<core::TaskSpec> TaskSpecsOf(Scene scene) {
  const io::earl::Rules& rules = io::earl::RulesOf(scene);
  const std::string near = fmt::format("goal_distance <= {:.9g}", rules.tolerance);  // The same float when read back.
  const std::string far = fmt::format("goal_distance > {:.9g}", rules.tolerance);
  const auto task = [&](const char* name, const std::string& start, const std::string& success) {
    core::TaskSpec spec;
    spec.name = name;
    spec.start = start;
    spec.success = success;
    spec.time_limit = core::Seconds(kStepS * rules.attempt_steps);
    return spec;
  };
  std::vector<core::TaskSpec> specs{task("forward", "!outside && " + far, near),
                                    task("reverse", "!outside && " + far, near)};
  if (scene != Scene::kTabletop) {
    specs.push_back(task("recover", "outside",
                         scene == Scene::kSawyerPeg ? near : fmt::format("goal_distance <= {}", kDoorRegainedM)));
    specs.back().failure_kind = "outside";
    specs.back().script = "regain";
  }
  return specs;
}

learner::GoalSpace GoalSpaceOf(Scene scene) {
  const io::earl::Rules& rules = io::earl::RulesOf(scene);
  learner::GoalSpace space{.state = rules.state,
                           .action = rules.action,
                           .achieved_by = std::vector<std::optional<int>>(At(rules.state)),
                           .reached = [scene](std::span<const float> state, std::span<const float> goal) {
                             return io::earl::Succeeded(scene, state, goal);
                           }};
  for (int i = rules.compared; i < rules.compared + rules.compared_count; ++i) space.achieved_by[At(i)] = i;
  return space;
}

learner::GoalEpisode EpisodeOf(const io::earl::Demo& demo, Kind kind) {
  learner::GoalEpisode episode{.states = {}, .actions = {}, .goal = demo.goal, .kind = static_cast<int>(kind)};
  for (const auto& state : demo.states) episode.states.insert(episode.states.end(), state.begin(), state.end());
  for (const auto& action : demo.actions) episode.actions.insert(episode.actions.end(), action.begin(), action.end());
  return episode;
}

}  // namespace nightshift::runtime::earl
