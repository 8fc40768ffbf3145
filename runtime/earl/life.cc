// SPDX-License-Identifier: Apache-2.0
#include "runtime/earl/life.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "core/check.h"
#include "core/random.h"
#include "io/earl/demos.h"
#include "runtime/earl/shield.h"
#include "runtime/scheduler.h"

namespace nightshift::runtime::earl {

namespace {

using io::earl::Scene;

constexpr int kGoalDrawsMax = 10;     // Until a task with this goal may start.
constexpr int kImitableStepsMin = 5;  // A shorter win was won by the one before.

std::size_t At(Kind kind) { return static_cast<std::size_t>(kind); }

/// Own wins and demonstrations, drawn from by share.
class Shown final : public learner::Experience {
 public:
  Shown(const learner::Hindsight& demonstrations, const learner::Hindsight& wins, double win_share)
      : demonstrations_(demonstrations), wins_(wins), win_share_(win_share) {}
  std::size_t size() const override { return demonstrations_.size() + wins_.size(); }
  void Draw(learner::Dice& dice, learner::Batch& batch, int row) const override {
    // Few wins are not drawn again and again.
    const double share = std::min(win_share_, static_cast<double>(wins_.size()) / static_cast<double>(size()));
    (share > 0 && dice.Unit() < share ? wins_ : demonstrations_).Draw(dice, batch, row);
  }

 private:
  const learner::Hindsight& demonstrations_;
  const learner::Hindsight& wins_;
  double win_share_;
};

/// What is imitated keeps its own goal or one that it achieved: the way to the other task's goal it does not show.
learner::HindsightConfig ForImitation(const EarlConfig& config) {
  learner::HindsightConfig shown = config.hindsight;
  shown.other_share = config.imitation_other_share;
  return shown;
}

learner::HindsightConfig ForWins(const EarlConfig& config) {
  learner::HindsightConfig wins = ForImitation(config);
  wins.steps_max = static_cast<std::size_t>(config.win_steps_max);
  return wins;
}

}  // namespace

/// How one attempt acts.
struct Life::Manner {
  std::optional<Acting> greedy;  // The averaged actor's mean; else the raw actor samples.
  bool random = false;           // Before the first update.
  bool perturbs = false;
  int perturbation_left = 0;
  std::vector<float> perturbation;
  bool disturbed = false;  // By a perturbation or the shield: not to be imitated.
};

Life::Life(const LifeOptions& options, std::unique_ptr<io::earl::World> world, std::vector<skills::Task> tasks)
    : options_(options),
      world_(std::move(world)),
      tasks_(std::move(tasks)),
      space_(GoalSpaceOf(options.scene)),
      demonstrations_(space_, ForImitation(options.config)),
      wins_(space_, ForWins(options.config)),
      practice_(space_, options.config.hindsight),
      nothing_(space_, options.config.hindsight),
      agent_(options.config.agent, space_.sizes(), options.seed),
      dice_(options.seed ^ 0x9e3779b97f4a7c15u) {}

core::Result<std::unique_ptr<Life>> Life::Make(const LifeOptions& options) {
  auto life = Unborn(options);
  if (!life) return life;
  (*life)->CloneDemonstrations();
  (*life)->world_->Reset((*life)->dice_.Draw());
  return life;
}

core::Result<std::unique_ptr<Life>> Life::GoOn(const LifeOptions& options, std::string_view saved) {
  auto life = Unborn(options);
  if (!life) return life;
  if (auto restored = (*life)->Restore(saved); !restored) return tl::make_unexpected(restored.error());
  return life;
}

/// Knows its world and its demonstrations, has learned nothing and is nowhere yet.
core::Result<std::unique_ptr<Life>> Life::Unborn(const LifeOptions& options) {
  auto world = io::earl::MakeWorld(options.scene, options.data);
  if (!world) return tl::make_unexpected(world.error());
  std::vector<skills::Task> tasks;
  for (const auto& spec : TaskSpecsOf(options.scene)) {
    auto task = skills::Task::Make(spec);
    if (!task) return tl::make_unexpected(task.error());
    tasks.push_back(std::move(*task));
  }
  std::unique_ptr<Life> life(new Life(options, std::move(*world), std::move(tasks)));
  if (auto read = life->ReadDemonstrations(); !read) return tl::make_unexpected(read.error());
  return life;
}

core::Result<void> Life::ReadDemonstrations() {
  const auto folder = std::filesystem::path(options_.data) / Name(options_.scene);
  for (const Kind kind : {Kind::kForward, Kind::kReverse}) {
    const char* name = kind == Kind::kForward ? "demos_forward.hdf5" : "demos_reverse.hdf5";
    const auto demos = io::earl::ReadDemos(options_.scene, (folder / name).string());
    if (!demos) return tl::make_unexpected(demos.error());
    for (const auto& demo : *demos) demonstrations_.Add(EpisodeOf(demo, kind));
  }
  return {};
}

void Life::CloneDemonstrations() {
  for (int i = 0; i < options_.config.agent.clone_updates; ++i)
    facts_ = agent_.Update(learner::Phase::kCloning, demonstrations_, demonstrations_);
  agent_.MarkHealthy();
}

/// Of the tasks that may start where the world is, one by what is left to learn; the ordinary scheduler.
Life::Choice Life::ChooseTask() {
  const int recover_after = options_.config.recover_after_failures;
  if (tasks_.size() == kKinds && recover_after > 0 && course_.failures_in_a_row > 0 &&
      course_.failures_in_a_row % recover_after == 0 && options_.starts == Starts::kAutonomous)
    return {Kind::kRecover, GoalOfRecovery()};
  std::vector<Option> options;
  std::vector<Choice> choices;
  const auto& goals = io::earl::ForwardGoals(options_.scene);
  for (int draw = 0; draw < kGoalDrawsMax && options.empty(); ++draw) {
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      const Kind kind = static_cast<Kind>(i);
      if (options_.starts == Starts::kEpisodic && kind != Kind::kForward) continue;
      io::earl::State goal;
      switch (kind) {
        case Kind::kForward: goal = goals[dice_.Index(goals.size())]; break;
        case Kind::kReverse: goal = world_->DrawInitial(dice_.Draw()); break;
        case Kind::kRecover: goal = GoalOfRecovery(); break;
      }
      Choice choice{kind, std::move(goal)};
      if (!MayStart(choice)) continue;
      const core::Competence& known = competence_[i];
      options.push_back({tasks_[i].spec().name, 0, known.mean(), known.attempts});
      choices.push_back(std::move(choice));
    }
  }
  if (options.empty()) return {Kind::kForward, goals.front()};
  if (options_.config.alternate != 0 && choices.size() > 1)
    for (std::size_t i = 0; i < choices.size(); ++i)
      if (choices[i].kind != course_.last) return choices[i];
  core::Random random(dice_.Draw());
  return choices[runtime::Choose(options, random).index];
}

/// A start; a door that stands half open is closed, which is where the reverse task begins.
io::earl::State Life::GoalOfRecovery() {
  if (options_.scene == Scene::kSawyerDoor && Practised(options_.scene, world_->state()))
    return io::earl::ForwardGoals(options_.scene).front();
  return world_->DrawInitial(dice_.Draw());
}

bool Life::MayStart(const Choice& choice) const {
  return tasks_[At(choice.kind)].MayStart(FactsOf(options_.scene, world_->state(), choice.goal));
}

core::Result<void> Life::Attempt() {
  const bool continuing = options_.starts == Starts::kContinuing;
  auto done = continuing ? PursueUntilTheGoalChanges() : ChooseAndAttempt();
  if (done) return done;
  // A world whose physics broke down is put right by a person.
  if (done.error().code != core::FaultCode::kNotFinite) return done;
  ++course_.asked;
  ++course_.interventions;
  ResetWorld();
  return {};
}

core::Result<void> Life::ChooseAndAttempt() {
  core::Result<void> freed;
  if (options_.starts == Starts::kAutonomous) freed = Straighten();
  Choice choice = ChooseTask();
  if (freed && choice.kind != Kind::kRecover && options_.config.home_share > 0 &&
      dice_.Unit() < options_.config.home_share) {
    freed = FreeHand();
    if (!MayStart(choice)) choice = ChooseTask();  // A door goes on swinging meanwhile.
  }
  if (!freed) return freed;
  const auto won = choice.kind == Kind::kRecover ? Recover(choice) : Pursue(choice);
  if (!won) return tl::make_unexpected(won.error());
  Judge(choice, *won);
  ResetWhenDue();
  if (*won && choice.kind == Kind::kForward && options_.starts == Starts::kAutonomous) return Unturn();
  return {};
}

/// With the same scripts beforehand as an attempt; their steps are the goal's, too.
core::Result<void> Life::PursueUntilTheGoalChanges() {
  const Choice choice = NextGoal();
  goal_in_force_ = choice.goal;
  const std::int64_t until = course_.steps + world_->rules().steps_between_goals;
  auto freed = Straighten();
  if (freed && !Practised(options_.scene, world_->state())) {
    const Choice recovery{Kind::kRecover, GoalOfRecovery()};
    const auto recovered = Recover(recovery);
    if (!recovered) return tl::make_unexpected(recovered.error());
    Judge(recovery, *recovered);
  }
  if (freed && options_.config.home_share > 0 && dice_.Unit() < options_.config.home_share) freed = FreeHand();
  if (!freed) return freed;
  const auto won = Pursue(choice, until);
  if (!won) return tl::make_unexpected(won.error());
  Judge(choice, *won);
  ResetWhenDue();
  return {};
}

Life::Choice Life::NextGoal() {
  const auto& goals = io::earl::ForwardGoals(options_.scene);
  const io::earl::State goal = goals[dice_.Index(goals.size())];
  const bool forward = course_.last != Kind::kForward || options_.scene == Scene::kTabletop;
  return forward ? Choice{Kind::kForward, goal} : Choice{Kind::kReverse, world_->DrawInitial(dice_.Draw())};
}

/// One step of the world and of its learner; the action becomes what the shield let through.
core::Result<void> Life::Move(std::vector<float>& action) {
  tally_.shielded += Shield(options_.config.shield, options_.scene, world_->state(), action) ? 1 : 0;
  if (auto moved = world_->Step(action); !moved) return moved;
  ++course_.steps;
  ++tally_.steps;
  if (options_.starts == Starts::kContinuing && io::earl::Succeeded(options_.scene, world_->state(), goal_in_force_)) {
    ++tally_.reward;
    ++course_.reward;
  }
  tally_.unreachable += Reachable(options_.scene, world_->state()) ? 0 : 1;
  Learn();
  return {};
}

void Life::Learn() {
  if (options_.learning == Learning::kCloningOnly || course_.steps < options_.config.random_steps) return;
  const Shown shown(demonstrations_, wins_, options_.config.win_share);
  const bool all = options_.learning == Learning::kAll;
  course_.update_debt += options_.config.updates_per_step;
  for (; course_.update_debt >= 1; course_.update_debt -= 1) {
    const bool frozen = agent_.state().updates < options_.config.agent.actor_frozen_updates;
    facts_ = agent_.Update(frozen ? learner::Phase::kWarmingUp : learner::Phase::kLearning, all ? practice_ : nothing_,
                           shown);
  }
}

std::vector<float> Life::ChooseAction(const Choice& choice, Manner& manner) {
  const auto random = [this] {
    std::vector<float> action(static_cast<std::size_t>(space_.action));
    for (float& a : action) a = 2 * dice_.Unit() - 1;
    return action;
  };
  if (manner.random) return random();
  const EarlConfig& c = options_.config;
  if (manner.perturbs && manner.perturbation_left == 0 && dice_.Unit() < c.perturbation_chance) {
    const int spread = c.perturbation_steps_max - c.perturbation_steps_min + 1;
    manner.perturbation_left =
        c.perturbation_steps_min + static_cast<int>(dice_.Index(static_cast<std::size_t>(spread)));
    manner.perturbation = random();
  }
  if (manner.perturbation_left > 0) {
    --manner.perturbation_left;
    manner.disturbed = true;
    return manner.perturbation;
  }
  if (manner.greedy) return manner.greedy->Choose(world_->state(), choice.goal);
  return Acting(agent_, learner::Actor::kRaw).Choose(world_->state(), choice.goal, &dice_);
}

core::Result<bool> Life::Pursue(const Choice& choice, std::optional<std::int64_t> until) {
  const EarlConfig& c = options_.config;
  Manner manner{.random = course_.steps < c.random_steps,
                .perturbs = course_.failures_in_a_row >= c.perturbation_after_failures};
  if (dice_.Unit() < c.greedy_share) manner.greedy.emplace(agent_, learner::Actor::kDeployed);
  learner::GoalEpisode episode{
      .states = world_->state(), .actions = {}, .goal = choice.goal, .kind = static_cast<int>(choice.kind)};
  const skills::Task& task = tasks_[At(choice.kind)];
  bool won = false;
  int steps = 0;
  const auto goes_on = [&] { return until ? course_.steps < *until : steps < world_->rules().attempt_steps && !won; };
  for (; goes_on(); ++steps) {
    std::vector<float> action = ChooseAction(choice, manner);
    const std::int64_t shielded = tally_.shielded;
    if (auto moved = Move(action); !moved) return tl::make_unexpected(moved.error());
    manner.disturbed = manner.disturbed || tally_.shielded > shielded;
    episode.actions.insert(episode.actions.end(), action.begin(), action.end());
    episode.states.insert(episode.states.end(), world_->state().begin(), world_->state().end());
    won = won || task.Judge(FactsOf(options_.scene, world_->state(), choice.goal)) == core::Outcome::kSuccess;
  }
  Remember(choice, std::move(episode),
           won && !until && !manner.disturbed && !manner.random && steps >= kImitableStepsMin);
  return won;
}

void Life::Remember(const Choice& choice, learner::GoalEpisode episode, bool imitable) {
  if (options_.learning == Learning::kCloningOnly) return;
  const auto peg = world_->peg();
  const bool clean = choice.kind != Kind::kForward || !peg || peg->InHole();
  if (imitable && clean && options_.config.win_share > 0 && options_.learning == Learning::kAll) wins_.Add(episode);
  practice_.Add(std::move(episode));
}

void Life::Judge(const Choice& choice, bool won) {
  ++tally_.attempts[At(choice.kind)];
  course_.last = choice.kind;
  core::Competence& known = competence_[At(choice.kind)];
  known.successes = known.successes * options_.config.competence_forgetting + (won ? 1 : 0);
  known.failures = known.failures * options_.config.competence_forgetting + (won ? 0 : 1);
  ++known.attempts;
  course_.failures_in_a_row = won ? 0 : course_.failures_in_a_row + 1;
  if (choice.kind == Kind::kRecover && !won) ++course_.recoveries_failed;
  if (choice.kind != Kind::kRecover && won) course_.recoveries_failed = 0;
  if (!won) return;
  ++known.solved;
  ++tally_.wins[At(choice.kind)];
  if (options_.starts != Starts::kContinuing) ++tally_.reward, ++course_.reward;
  if (choice.kind == Kind::kRecover) return;  // Lying where it can be practised with is not yet a win.
  course_.last_win_step = course_.steps;
  if (const auto peg = world_->peg(); peg && choice.kind == Kind::kForward) {
    tally_.wins_in_hole += peg->InHole() ? 1 : 0;
    tally_.overlap_m_max = std::max(tally_.overlap_m_max, peg->overlap());
  }
}

void Life::ResetWorld() {
  course_.lost_steps += course_.steps - course_.last_win_step;
  course_.last_win_step = course_.last_reset_step = course_.steps;
  course_.failures_in_a_row = course_.recoveries_failed = 0;
  course_.pitch = course_.yaw = {.seen_step = course_.steps};
  world_->Reset(dice_.Draw());
}

/// Whether only a person can help.
bool Life::MustAsk() const {
  const EarlConfig& c = options_.config;
  const bool out_of_reach = !Reachable(options_.scene, world_->state());
  const int recoveries_enough = out_of_reach ? 1 : c.ask_after_recoveries;
  return (c.ask_after_recoveries > 0 && course_.recoveries_failed >= recoveries_enough) ||
         (c.ask_after_steps > 0 && course_.steps - course_.last_win_step >= c.ask_after_steps);
}

std::int64_t Life::StepsBetweenResets() const {
  const io::earl::Rules& rules = world_->rules();
  return options_.starts == Starts::kContinuing ? rules.continuing_reset_every_steps : rules.steps_between_resets;
}

void Life::ResetWhenDue() {
  if (options_.starts == Starts::kEpisodic) {
    world_->Reset(dice_.Draw());
  } else if (course_.steps - course_.last_reset_step >= StepsBetweenResets()) {
    ++course_.interventions;
    ResetWorld();
  } else if (MustAsk()) {
    ++course_.interventions;
    ++course_.asked;
    ResetWorld();
  }
}

}  // namespace nightshift::runtime::earl
