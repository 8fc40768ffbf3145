// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/catalogue.h"
#include "core/fault.h"
#include "io/earl/world.h"
#include "learner/actor_critic.h"
#include "learner/hindsight.h"
#include "runtime/earl/acting.h"
#include "runtime/earl/earl_config.h"
#include "runtime/earl/earl_tasks.h"
#include "runtime/earl/straighten.h"
#include "skills/task.h"

namespace nightshift::runtime::earl {

/// What a run is for. The controls learn less: from demonstrations alone, or not at all after cloning them.
enum class Learning { kAll, kDemonstrationsOnly, kCloningOnly };
/// Whether attempts begin where the last one ended, or, for the oracle, from the initial distribution. Continuing is
/// the benchmark's other life without resets: the goal changes every so many steps, forward and reverse in turn,
/// whatever has come of it, and each step at which it holds is a reward.
enum class Starts { kAutonomous, kEpisodic, kContinuing };

struct LifeOptions {
  io::earl::Scene scene = io::earl::Scene::kTabletop;
  EarlConfig config;
  std::uint64_t seed = 0;
  Learning learning = Learning::kAll;
  Starts starts = Starts::kAutonomous;
  std::string data;  // The benchmark's folder.
};

/// What came of the attempts that ended within a window of steps.
struct Tally {
  std::array<int, kKinds> attempts{}, wins{};
  int wins_in_hole = 0;      // Of forward wins, the peg's head truly in the hole.
  double overlap_m_max = 0;  // At those wins.
  std::int64_t steps = 0;
  std::int64_t reward = 0;       // Attempts won; in a continuing life steps at which the goal held.
  std::int64_t shielded = 0;     // Steps whose action the shield changed.
  std::int64_t home_steps = 0;   // Of the script that frees the hand.
  std::int64_t press_steps = 0;  // Of the scripts that turn the peg straight.
  std::int64_t unreachable = 0;  // Steps with the thing out of reach.
};

/// Counts of a whole life.
struct Course {
  std::int64_t steps = 0;
  std::int64_t last_win_step = 0;
  std::int64_t last_reset_step = 0;
  std::int64_t lost_steps = 0;  // Before interventions, from the last win on.
  int interventions = 0;        // Resets by rule and asked for.
  int asked = 0;                // Of these, asked for.
  int failures_in_a_row = 0;
  Kind last = Kind::kReverse;  // Attempted.
  int recoveries_failed = 0;   // Since the last win.
  double update_debt = 0;
  std::int64_t reward = 0;  // As Tally's.
  Turn pitch, yaw;          // Of the peg.

  /// Steps from which nothing was won again until an intervention or now.
  std::int64_t lost_until_now() const { return lost_steps + steps - last_win_step; }
};

/// One life of practice without resets in one world: tasks are chosen, attempted, judged and learned from, all in one
/// thread. Deterministic given its options. Thread: one at a time.
class Life {
 public:
  /// Reads the demonstrations and clones them. Faults: those of MakeWorld and ReadDemos.
  static core::Result<std::unique_ptr<Life>> Make(const LifeOptions& options);
  /// One that Save has told of. Faults: those of Make, and kCorruptState.
  static core::Result<std::unique_ptr<Life>> GoOn(const LifeOptions& options, std::string_view saved);

  /// One attempt, its learning, and the resets that fall due after it. Faults: none that a reset mends.
  core::Result<void> Attempt();

  const Course& course() const { return course_; }
  const Tally& tally() const { return tally_; }
  void StartTally() { tally_ = {}; }
  const learner::ActorCritic& agent() const { return agent_; }
  const learner::UpdateFacts& facts() const { return facts_; }
  io::earl::World& world() { return *world_; }

  /// Everything the future depends on. To be taken between attempts; taking it does not change the future, as long as
  /// it is taken at the same steps.
  std::string Save();

 private:
  struct Choice {
    Kind kind = Kind::kForward;
    io::earl::State goal;
  };
  struct Manner;  // How one attempt acts.

  Life(const LifeOptions& options, std::unique_ptr<io::earl::World> world, std::vector<skills::Task> tasks);
  static core::Result<std::unique_ptr<Life>> Unborn(const LifeOptions& options);
  core::Result<void> Restore(std::string_view bytes);
  core::Result<void> ReadDemonstrations();
  void CloneDemonstrations();
  Choice ChooseTask();
  io::earl::State GoalOfRecovery();
  bool MayStart(const Choice& choice) const;
  core::Result<void> ChooseAndAttempt();
  core::Result<void> FreeHand();
  core::Result<void> PursueUntilTheGoalChanges();
  Choice NextGoal();
  core::Result<void> Straighten();
  core::Result<void> Press(int steps);
  core::Result<void> Unturn();
  core::Result<void> Lever(int steps);
  /// Until it is won, or for `until` steps of the life whatever comes of it.
  core::Result<bool> Pursue(const Choice& choice, std::optional<std::int64_t> until = std::nullopt);
  core::Result<bool> Recover(const Choice& choice);
  std::vector<float> ChooseAction(const Choice& choice, Manner& manner);
  core::Result<void> Move(std::vector<float>& action);
  void Learn();
  void Judge(const Choice& choice, bool won);
  void Remember(const Choice& choice, learner::GoalEpisode episode, bool imitable);
  void ResetWorld();
  bool MustAsk() const;
  void ResetWhenDue();
  std::int64_t StepsBetweenResets() const;

  LifeOptions options_;
  std::unique_ptr<io::earl::World> world_;
  std::vector<skills::Task> tasks_;
  learner::GoalSpace space_;
  learner::Hindsight demonstrations_, wins_, practice_;
  const learner::Hindsight nothing_;  // Practised by whoever learns from demonstrations alone.
  learner::ActorCritic agent_;
  learner::Dice dice_;
  std::array<core::Competence, kKinds> competence_;
  Course course_;
  io::earl::State goal_in_force_;  // Of a continuing life.
  Tally tally_;
  learner::UpdateFacts facts_;
};

}  // namespace nightshift::runtime::earl
