// SPDX-License-Identifier: Apache-2.0
#include "io/earl/rules.h"

#include <cmath>

#include "core/check.h"

namespace nightshift::io::earl {

namespace {

constexpr Rules kTabletop{.state = 6,
                          .action = 3,
                          .object = 2,
                          .object_count = 2,
                          .compared = 0,
                          .compared_count = 4,
                          .tolerance = 0.2f,
                          .attempt_steps = 200,
                          .steps_between_resets = 200000,
                          .steps_between_goals = 400};
constexpr Rules kDoor{.state = 7,
                      .action = 4,
                      .object = 4,
                      .object_count = 3,
                      .compared = 4,
                      .compared_count = 3,
                      .tolerance = 0.02f,
                      .attempt_steps = 300,
                      .steps_between_resets = 200000,
                      .steps_between_goals = 600};
constexpr Rules kPeg{.state = 7,
                     .action = 4,
                     .object = 4,
                     .object_count = 3,
                     .compared = 4,
                     .compared_count = 3,
                     .tolerance = 0.05f,
                     .attempt_steps = 200,
                     .steps_between_resets = 100000,
                     .steps_between_goals = 400};

}  // namespace

std::string_view Name(Scene scene) {
  switch (scene) {
    case Scene::kTabletop: return "tabletop";
    case Scene::kSawyerDoor: return "sawyer_door";
    case Scene::kSawyerPeg: return "sawyer_peg";
  }
  return "?";
}

std::optional<Scene> SceneNamed(std::string_view name) {
  for (const Scene scene : kScenes)
    if (Name(scene) == name) return scene;
  return std::nullopt;
}

const Rules& RulesOf(Scene scene) {
  switch (scene) {
    case Scene::kTabletop: return kTabletop;
    case Scene::kSawyerDoor: return kDoor;
    case Scene::kSawyerPeg: return kPeg;
  }
  return kTabletop;
}

float DistanceToGoal(Scene scene, std::span<const float> state, std::span<const float> goal) {
  const Rules& rules = RulesOf(scene);
  NIGHTSHIFT_CHECK(std::ssize(state) >= rules.state && std::ssize(goal) >= rules.state);
  float sum = 0;
  for (int i = rules.compared; i < rules.compared + rules.compared_count; ++i) {
    const float d = state[static_cast<std::size_t>(i)] - goal[static_cast<std::size_t>(i)];
    sum += d * d;
  }
  return std::sqrt(sum);
}

bool Succeeded(Scene scene, std::span<const float> state, std::span<const float> goal) {
  return DistanceToGoal(scene, state, goal) <= RulesOf(scene).tolerance;  // False for NaN.
}

const std::vector<State>& ForwardGoals(Scene scene) {
  static const std::vector<State> tabletop{
      {0, 0, -2.5f, -1, -1, -1}, {0, 0, -2.5f, 1, -1, -1}, {0, 0, 0, 2, -1, -1}, {0, 0, 0, -2, -1, -1}};
  static const std::vector<State> door{
      {0.29072163f, 0.74286009f, 0.10003595f, 1, 0.29072163f, 0.74286009f, 0.10003595f}};
  static const std::vector<State> peg{{0, 0.6f, 0.2f, 1, -0.27f, 0.6f, 0.13f}};
  switch (scene) {
    case Scene::kTabletop: return tabletop;
    case Scene::kSawyerDoor: return door;
    case Scene::kSawyerPeg: return peg;
  }
  return tabletop;
}

}  // namespace nightshift::io::earl
