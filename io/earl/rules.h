// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// EARL, a public benchmark of autonomous reinforcement learning (Sharma et al., "Autonomous Reinforcement Learning:
/// Formalism and Benchmarking", ICLR 2022), rebuilt on MuJoCo 2.2.2. Distances as the benchmark has them: metres in the
/// sawyer worlds, the tabletop's own unit in the other.
namespace nightshift::io::earl {

enum class Scene { kTabletop, kSawyerDoor, kSawyerPeg };
inline constexpr Scene kScenes[] = {Scene::kTabletop, Scene::kSawyerDoor, Scene::kSawyerPeg};
/// As on the command line and as the folder of its data: "tabletop", "sawyer_door", "sawyer_peg".
std::string_view Name(Scene scene);
std::optional<Scene> SceneNamed(std::string_view name);

/// Numbers of one state, and of one goal: tabletop 6, the others 7. What a learner sees is a state, then a goal.
using State = std::vector<float>;

/// What the benchmark fixes of a scene. Steps are policy steps.
struct Rules {
  int state = 0;
  int action = 0;  // Each in [-1, 1].
  int object = 0;  // Where in a state the manipulated thing's place begins,
  int object_count = 0;
  int compared = 0;  // and where that which success compares with the goal.
  int compared_count = 0;
  float tolerance = 0;                       // Success: no further from the goal than this.
  int attempt_steps = 0;                     // H_eval
  int steps_between_resets = 0;              // H_train
  int steps_between_goals = 0;               // K, of the continuing evaluation,
  int continuing_reset_every_steps = 50000;  // whose resets come so often.
};
const Rules& RulesOf(Scene scene);

/// The benchmark's predicate. A state that is not finite never succeeds.
bool Succeeded(Scene scene, std::span<const float> state, std::span<const float> goal);
/// What the predicate compares with the tolerance.
float DistanceToGoal(Scene scene, std::span<const float> state, std::span<const float> goal);

/// What is asked of the forward task: tabletop four places of the mug, the others one.
const std::vector<State>& ForwardGoals(Scene scene);

/// Where the fingers start, and rest between attempts.
inline constexpr float kDoorHandStart[] = {0, 0.4f, 0.2f};
inline constexpr float kPegHandStart[] = {0, 0.6f, 0.2f};

/// The peg's hole: a square channel along x, open towards +x.
struct Hole {
  float face_x = -0.204f;  // The peg is in the hole where it is beyond this.
  float y = 0.6f, z = 0.13f;
  float half_width = 0.03f;
  float peg_half_width = 0.015f;
};
inline constexpr Hole kHole;

}  // namespace nightshift::io::earl
