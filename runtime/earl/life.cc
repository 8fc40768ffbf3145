// SPDX-License-Identifier: Apache-2.0
#include "runtime/earl/life.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "core/check.h"
#include "core/random.h"
#include "io/earl/demos.h"
#include "runtime/earl/regain.h"
#include "runtime/earl/shield.h"
#include "runtime/scheduler.h"

namespace nightshift::runtime::earl {

namespace {

using io::earl::Scene;

constexpr int kHomeStepsMax = 80;
constexpr float kHomeLiftZM = 0.18f;     // Fingers clear of a lying peg, before the hand moves sideways.
constexpr float kHomeNearM = 0.02f;      // The hand trails its target: near enough.
constexpr float kHomeSlowM = 0.05f;      // Nearer than this a full action would overshoot.
constexpr float kFreeOfHoleXM = -0.12f;  // Of the head.
constexpr float kLyingZM = 0.1f;         // Of the head: lower, it lies on the table or soon will.
constexpr float kRearM = 0.2f;           // From the head.
constexpr int kPressApproachSteps = 60, kPressRiseSteps = 15;
constexpr float kHeldFingers = 0.45f;  // Of their distance, 0 to 1: the peg lies between them at 0.3.
constexpr float kLeverAside = 0.3f;    // Of a full action: 3 mm a step.
constexpr int kLeverInSteps = 10, kLeverAsideSteps = 8;
constexpr int kGoalDrawsMax = 10;      // Until a task with this goal may start.
constexpr int kRecoverStepsMax = 400;  // The script's phases all take their longest at 600; what drops it ends earlier.
constexpr int kImitableStepsMin = 5;   // A shorter win was won by the one before.

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
  life->CloneDemonstrations();
  life->world_->Reset(life->dice_.Draw());
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
  core::Result<void> freed;
  if (options_.starts == Starts::kAutonomous) freed = Straighten();
  Choice choice = ChooseTask();
  core::Result<bool> won = false;
  if (freed && choice.kind != Kind::kRecover && options_.config.home_share > 0 &&
      dice_.Unit() < options_.config.home_share) {
    freed = FreeHand();
    if (!MayStart(choice)) choice = ChooseTask();  // A door goes on swinging meanwhile.
  }
  if (freed) won = choice.kind == Kind::kRecover ? Recover(choice) : Pursue(choice);
  if (!freed || !won) {
    // A world whose physics broke down is put right by a person.
    const core::Fault& fault = !freed ? freed.error() : won.error();
    if (fault.code != core::FaultCode::kNotFinite) return tl::make_unexpected(fault);
    ++course_.asked;
    ++course_.interventions;
    ResetWorld();
    return {};
  }
  Judge(choice, *won);
  ResetWhenDue();
  if (*won && choice.kind == Kind::kForward && options_.starts == Starts::kAutonomous) return Unturn();
  return {};
}

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
      if (lifted) action[k] = std::clamp(away / kHomeSlowM, -1.0f, 1.0f);
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
    const auto toward = [](float away) { return std::clamp(away / kHomeSlowM, -1.0f, 1.0f); };
    const bool above = step < kPressApproachSteps, down = step < kPressApproachSteps + std::abs(steps);
    std::vector<float> action{toward(x - at[0]), toward(y - at[1]),
                              above  ? toward(kHomeLiftZM - at[2])
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

/// One step of the world and of its learner; the action becomes what the shield let through.
core::Result<void> Life::Move(std::vector<float>& action) {
  tally_.shielded += Shield(options_.config.shield, options_.scene, world_->state(), action) ? 1 : 0;
  if (auto moved = world_->Step(action); !moved) return moved;
  ++course_.steps;
  ++tally_.steps;
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

core::Result<bool> Life::Pursue(const Choice& choice) {
  const EarlConfig& c = options_.config;
  Manner manner{.random = course_.steps < c.random_steps,
                .perturbs = course_.failures_in_a_row >= c.perturbation_after_failures};
  if (dice_.Unit() < c.greedy_share) manner.greedy.emplace(agent_, learner::Actor::kDeployed);
  learner::GoalEpisode episode{
      .states = world_->state(), .actions = {}, .goal = choice.goal, .kind = static_cast<int>(choice.kind)};
  const skills::Task& task = tasks_[At(choice.kind)];
  bool won = false;
  int steps = 0;
  for (; steps < world_->rules().attempt_steps && !won; ++steps) {
    std::vector<float> action = ChooseAction(choice, manner);
    const std::int64_t shielded = tally_.shielded;
    if (auto moved = Move(action); !moved) return tl::make_unexpected(moved.error());
    manner.disturbed = manner.disturbed || tally_.shielded > shielded;
    episode.actions.insert(episode.actions.end(), action.begin(), action.end());
    episode.states.insert(episode.states.end(), world_->state().begin(), world_->state().end());
    won = task.Judge(FactsOf(options_.scene, world_->state(), choice.goal)) == core::Outcome::kSuccess;
  }
  Remember(choice, std::move(episode), won && !manner.disturbed && !manner.random && steps >= kImitableStepsMin);
  return won;
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
  return tasks_[At(choice.kind)].Judge(facts) == core::Outcome::kSuccess;
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
  ++tally_.reward;
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

void Life::ResetWhenDue() {
  if (options_.starts == Starts::kEpisodic) {
    world_->Reset(dice_.Draw());
  } else if (course_.steps - course_.last_reset_step >= world_->rules().steps_between_resets) {
    ++course_.interventions;
    ResetWorld();
  } else if (MustAsk()) {
    ++course_.interventions;
    ++course_.asked;
    ResetWorld();
  }
}

}  // namespace nightshift::runtime::earl
