// SPDX-License-Identifier: Apache-2.0
// Practice, learning and evaluation in one process and one thread, by the same code as the real processes run: to find
// out within minutes what a change of configuration is worth. Nothing is kept; the sockets, the journal on disk and the
// control loop's clock are left out, everything else is the product.
//
//   [BENCH_WALLS=1] [BENCH_CONTACT=1] [BENCH_TROUBLE_S=60] [BENCH_RISK=critic.nsrisk] [BENCH_SABOTAGE=0.1]
//     practice_bench CONFIG MINUTES SEED EVALUATION_SEED EPISODES EVERY_MINUTES
//
// Prints a line for each task and each EVERY_MINUTES of robot time: what practice solved since the line before, and
// what the policies solve on fresh scenes. With MINUTES 0 the scripts are measured instead; with BENCH_WALLS in the
// environment, which only then has an effect, on scenes whose object lies at a wall, and also the one that frees it.
// BENCH_CONTACT prints also what torque the arm's model left unexplained; BENCH_TROUBLE_S has something fail about that
// often.
// BENCH_SABOTAGE is the share of published snapshots that are corrupted, negated or shaken on purpose, by turns.
// BENCH_RISK is a risk critic that was learned before: it acts (where the configuration lets it) from the beginning.
#include <fmt/format.h>

#include <unistd.h>
#include <algorithm>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "io/camera/camera_source.h"
#include "learner/trainer.h"
#include "recovery/failure.h"
#include "runtime/config.h"
#include "runtime/evaluation.h"
#include "runtime/practice.h"
#include "tests/benchmarks/contact_log.h"
#include "tests/benchmarks/in_process_cell.h"
#include "tests/fakes/memory_journal.h"
#include "tests/fakes/sabotage.h"

namespace nightshift {
namespace {

using core::Result;

using tests::Borrowed;
using tests::Cell;

class Person final : public core::Attendant {
 public:
  explicit Person(Cell& cell, double after_s) : cell_(cell), world_(cell.world()), after_s_(after_s) {}
  void Ask(const std::string& reason, int object) override {
    fmt::print("a person is asked: {}\n", reason);
    asked_[object] = world_.time() + core::Seconds(after_s_);
  }
  void Attend() {
    for (auto due = asked_.begin(); due != asked_.end();) {
      if (due->second > world_.time()) {
        ++due;
        continue;
      }
      if (due->first == core::kTheRobot)
        (void)cell_.ClearByPerson();
      else
        (void)world_.PutBack(due->first);
      due = asked_.erase(due);
    }
  }

 private:
  Cell& cell_;
  io::cell::CellWorld& world_;
  double after_s_;
  std::map<int, core::Instant> asked_;
};

struct Tally {
  int attempts = 0, solved = 0, stops = 0;
  std::int64_t steps = 0;
};

constexpr const char* kFreeWedged = "free-wedged";

/// Where an object lies at an attempt's start: what decides which grasps there are.
std::string PlaceIn(const skills::Zone& tray, core::Vec3 at, double half_m) {
  const double side_m = std::min(at.y - tray.y_min_m, tray.y_max_m - at.y) - half_m;
  const double end_m = std::min(at.x - tray.x_min_m, tray.x_max_m - at.x) - half_m;
  constexpr double kTouchingM = 0.010;  // A finger and what it needs to come down.
  if (side_m < kTouchingM) return end_m < kTouchingM ? "corner" : "side wall";
  if (end_m >= kTouchingM) return "open";
  return at.x - tray.x_min_m < tray.x_max_m - at.x ? "near wall" : "far wall";
}

class Bench final : public runtime::PracticeListener {
 public:
  enum class Starts { kAnywhere, kWalls };  // Of what is evaluated.

  Bench(const runtime::Config& config, std::uint64_t seed, Starts starts)
      : config_(config),
        starts_(starts),
        cell_(config, seed),
        eyes_(std::make_unique<Borrowed>(cell_), config.perception),
        body_(cell_, eyes_, config.scene),
        person_(cell_, config.practice.person_answers_after_s),
        random_(seed),
        trainer_(Seeded(config.learner, seed), config.scene),
        risk_(config.learner.risk_critic, {.scale_min = config.safety.risk_scale_min}, [this] { return NewRisk(); }) {
    if (std::getenv("BENCH_CONTACT")) contact_.emplace(cell_, config.safety);
    if (const char* every_s = std::getenv("BENCH_TROUBLE_S")) troubles_.emplace(cell_, std::atof(every_s), seed);
    (void)trainer_.Know(config.tasks);
    journal_.on_close = [this](const core::Episode& episode) { (void)trainer_.Ingest(episode); };
    practice_ = *runtime::Practice::Make({.body = body_,
                                          .journal = journal_,
                                          .person = person_,
                                          .listener = *this,
                                          .random = random_,
                                          .new_snapshots = [this] { return NewSnapshots(); },
                                          .snapshot = [](const std::string&, std::int64_t) { return std::nullopt; },
                                          .await_learner = [this] { Train(); },
                                          .risk = &risk_},
                                         config.scene, config.practice, config.tasks);
  }

  double minutes() { return core::ToSeconds(cell_.world().time().time_since_epoch()) / 60; }

  void Practise(double until_minutes) {
    while (minutes() < until_minutes) {
      if (auto done = practice_->Cycle(); !done) {
        fmt::print("fault: {}\n", done.error().detail);
        return;
      }
      person_.Attend();
      if (troubles_) troubles_->Make();
    }
  }

  void Report(std::uint64_t evaluation_seed, int episodes) {
    for (const auto& [key, tally] : tallies_)
      fmt::print("{:6.1f} min  practice    {:26} {:9} {:4}/{:<4} {:3.0f} %  steps {:5}  stops {}\n", minutes(),
                 key.first, key.second, tally.solved, tally.attempts, 100.0 * tally.solved / tally.attempts,
                 tally.steps, tally.stops);
    for (const auto& [kind, count] : failures_)
      fmt::print("{:6.1f} min  failure     {:26} {}\n", minutes(), kind, count);
    for (const auto& [reason, count] : interventions_)
      fmt::print("{:6.1f} min  intervention {:2} {}\n", minutes(), count, reason);
    for (const auto& facts : trainer_.Facts())
      if (facts.updates > 0)
        fmt::print(
            "{:6.1f} min  learner     {:26} updates {} learned steps {} samples {} demos {} q {:.2f} loss {:.4f} "
            "entropy {:.1f} temperature {:.4f} saturated {:.2f} clone {:.3f}\n",
            minutes(), facts.task, facts.updates, facts.learned_steps, facts.samples, facts.demonstrated_episodes,
            facts.last.q_mean, facts.last.critic_loss, facts.last.entropy, facts.last.temperature,
            facts.last.saturated_share, facts.last.clone_error);
    for (const auto& facts : trainer_.Facts())
      if (facts.health.rows > 0) ReportHealth(facts);
    if (contact_) contact_->Print();
    ReportBudgets();
    fmt::print("{:6.1f} min  risk critic {}; steps at full speed {}, slowed {}, refused {}\n", minutes(),
               risk_.InWords(), risk_.counts().full, risk_.counts().slowed, risk_.counts().refused);
    const skills::RiskReport r = trainer_.risk().Snapshot().report;
    fmt::print(
        "{:6.1f} min  risk evidence {} near misses in {} episodes of {} steps held out, AUC {:.3f} [{:.3f}, {:.3f}], "
        "calibration error {:.3f}, slows {:.3f} of steps: says {:.2f}, comes {:.2f}; updates {}\n",
        minutes(), r.near_misses, r.episodes, r.steps, r.auc, r.auc_low, r.auc_high, r.calibration_error,
        r.slowed_share, r.slowed_predicted, r.slowed_observed, r.updates);
    for (const auto& [control, t] : risk_tallies_)
      fmt::print("{:6.1f} min  risk so far {:8} episodes {} solved {} near misses {} stops {} given up {} steps {}\n",
                 minutes(), control ? "control" : "its own", t.episodes, t.solved, t.near_misses, t.stops, t.given_up,
                 t.steps);
    tallies_.clear();
    failures_.clear();
    interventions_.clear();
    std::fflush(stdout);
    // A renderer owns its thread's OpenGL context: the evaluation's cell needs a thread of its own.
    std::thread([&] {
      for (const char* task : {"pick", "place"})
        if (episodes > 0) Evaluate(task, evaluation_seed, episodes);
    }).join();
    std::fflush(stdout);
  }

  void OnEpisode(const runtime::Attempt& attempt, bool) override {
    const core::Episode& e = attempt.episode;
    Tally& tally = tallies_[{e.task, std::string(Name(e.skill))}];
    ++tally.attempts;
    tally.solved += e.outcome == core::Outcome::kSuccess;
    tally.stops += attempt.stop != core::StopCause::kNone;
    RiskTally& risk = risk_tallies_[skills::IsRiskControl(e.id)];
    ++risk.episodes;
    risk.solved += e.outcome == core::Outcome::kSuccess;
    risk.stops += attempt.stop != core::StopCause::kNone;
    risk.near_misses += std::any_of(e.steps.begin(), e.steps.end(), [this](const core::Transition& step) {
      return learner::IsNearMiss(step, config_.learner.risk);
    });
    risk.given_up += e.steps.back().risk_scale == 0.0f && e.outcome == core::Outcome::kFailure;
    risk.steps += static_cast<std::int64_t>(e.steps.size());
    tally.steps += static_cast<std::int64_t>(e.steps.size());
  }
  void OnFailure(const core::FailureRecord& failure) override { ++failures_[failure.kind]; }
  void OnRecoveryTask(const core::TaskSpec& task) override { (void)trainer_.Know({task}); }
  void OnIntervention(const core::InterventionRecord& asked) override { ++interventions_[asked.reason]; }
  void OnHelp(const core::InterventionRecord&) override {}
  void OnRecovered(core::Duration) override {}
  void OnPolicy(const core::SnapshotRecord& record) override {
    if (const auto version = practice_->slot(record.task)->promoted_version()) promoted_[record.task] = version;
    if (std::getenv("BENCH_VERDICTS"))
      fmt::print("{:6.1f} min  {} {} {} {}/{}: {}\n", minutes(), record.state, record.task, record.version,
                 record.solved, record.attempts, record.why);
  }
  void OnStatus(const runtime::PracticeStatus&) override {}
  void OnFault(const core::Fault& fault) override { fmt::print("fault: {}\n", fault.detail); }

 private:
  void ReportHealth(const learner::AgentFacts& facts) {
    const learner::HealthFigures& h = facts.health;
    const skills::HeldOutValue held = h.held_out.value_or(skills::HeldOutValue{});
    fmt::print(
        "{:6.1f} min  health      {:26} held out {} episodes: value error {:.2f} bias {:+.2f}; values up to {:.2f} "
        "saturated {:.2f} dormant {:.2f} rank {:.0f}/{} divergences {}\n",
        minutes(), facts.task, held.episodes, held.error_rms, held.bias, h.q_size, h.saturated_share, h.dormant_share,
        h.feature_rank, h.features, facts.divergences);
    for (const std::string& trouble : facts.troubles) fmt::print("{:6.1f} min  trouble     {}\n", minutes(), trouble);
  }

  /// Of each axis: the wear of the running hour, the most heat so far; then, of each budget, the most that is used.
  void ReportBudgets() {
    const safety::SpentBudgets spent = cell_.spent();
    const safety::WearDay& day = spent.wear;
    const double hours = core::ToSeconds(day.into_hour) / 3600;
    for (std::size_t i = 0; i < core::kArmAxes; ++i)
      fmt::print(
          "{:6.1f} min  budgets     axis {} of the running hour: {:.0f} starts {:.0f} rad {:.0f} impacts in {:.2f} h; "
          "heat now {:.2f}, at most {:.2f}\n",
          minutes(), i, day.hours[0].starts[i], day.hours[0].travel_rad[i], day.hours[0].impacts[i], hours,
          spent.heat[i], cell_.heat_max()[i]);
    std::map<core::Budget, double> most;
    for (const core::BudgetUse& use : safety::UsesOf(spent, config_.safety))
      most[use.budget] = std::max(most[use.budget], use.share);
    for (const auto& [budget, share] : most)
      fmt::print("{:6.1f} min  budgets     {} used to {:.1f} %\n", minutes(), Name(budget), 100 * share);
  }

  static learner::Config Seeded(learner::Config config, std::uint64_t seed) {
    config.seed = seed;
    return config;
  }

  void Train() {
    while (trainer_.Backlog() >= 1) {
      if (!trainer_.UpdateOnce()) break;
      Publish();
    }
    while (trainer_.risk().Backlog() >= 1) trainer_.risk().Update();
    Publish();
  }

  std::optional<skills::RiskSnapshot> NewRisk() {
    if (const char* given = std::getenv("BENCH_RISK")) {
      if (risk_published_++ > 0) return std::nullopt;
      auto snapshot = skills::ReadRiskSnapshot(given);
      if (!snapshot) fmt::print("fault: {}\n", snapshot.error().detail);
      return snapshot ? std::optional(*snapshot) : std::nullopt;
    }
    const std::int64_t updates = trainer_.risk().state().updates;
    if (updates < risk_published_ + config_.learner.risk.publish_every) return std::nullopt;
    risk_published_ = updates;
    return trainer_.risk().Snapshot();
  }

  void Publish() {
    for (const learner::AgentFacts& agent : trainer_.Facts()) {
      if (!trainer_.MayPublish(agent.task)) continue;
      const auto last = published_.find(agent.task);
      const bool due = last == published_.end() || (agent.phase == learner::Phase::kLearning &&
                                                    agent.updates - last->second >= config_.learner.publish_every);
      if (!due) continue;
      published_[agent.task] = agent.updates;
      skills::Snapshot snapshot{.version = ++version_,
                                .task = agent.task,
                                .updates = agent.updates,
                                .weights = *trainer_.Weights(agent.task),
                                .held_out = agent.health.held_out};
      if (const char* share = std::getenv("BENCH_SABOTAGE"); share && saboteur_.Chance(std::atof(share)))
        if (!Sabotage(snapshot)) continue;
      waiting_.push_back(snapshot);
      kept_[version_] = snapshot.weights;
      if (const char* folder = std::getenv("BENCH_SAVE"))
        (void)skills::WriteSnapshot(fmt::format("{}/{}.nspolicy", folder, agent.task), snapshot);
    }
  }

  /// False when the file is found to be damaged, as it must be.
  bool Sabotage(skills::Snapshot& snapshot) {
    const char* kinds[] = {"corrupted", "negated", "shaken"};
    const int kind = sabotaged_++ % 3;
    fmt::print("{:6.1f} min  sabotage    {:26} {} is {}\n", minutes(), snapshot.task, snapshot.version, kinds[kind]);
    if (kind == 1) tests::Negate(snapshot.weights);
    if (kind == 2) tests::Shake(snapshot.weights, 0.5, saboteur_);
    if (kind != 0) return true;
    const auto file = std::filesystem::temp_directory_path() / fmt::format("bench_sabotage_{}", getpid());
    if (!skills::WriteSnapshot(file.string(), snapshot)) return false;
    tests::FlipABit(file, saboteur_);
    const auto read = skills::ReadSnapshot(file.string());
    std::filesystem::remove(file);
    if (read) snapshot = *read;
    return read.has_value();
  }

  std::vector<skills::Snapshot> NewSnapshots() { return std::exchange(waiting_, {}); }

  void Evaluate(const std::string& task, std::uint64_t seed, int episodes) {
    for (const bool newest : {false, true}) {
      std::map<std::string, skills::LearnedPolicy> policies;
      for (const auto& [name, version] : promoted_)
        policies.emplace(name, *skills::LearnedPolicy::Make(kept_.at(version)));
      if (newest) {
        if (!trainer_.HasPolicy(task)) return;
        policies.erase(task);
        policies.emplace(task, *skills::LearnedPolicy::Make(*trainer_.Weights(task)));
      }
      if (!policies.contains(task)) continue;
      EvaluateOne(task, newest ? "newest" : "promoted", policies, runtime::Contender::kLearned, seed, episodes);
    }
  }

 public:
  void EvaluateOne(const std::string& task, const std::string& what,
                   std::map<std::string, skills::LearnedPolicy>& policies, runtime::Contender contender,
                   std::uint64_t seed, int episodes) {
    Cell cell(config_, seed);
    io::CameraSource eyes(std::make_unique<Borrowed>(cell), config_.perception);
    runtime::Body body(cell, eyes, config_.scene);
    int confirmed = 0, scenes = 0, solved_before = 0;
    std::string place;
    std::map<std::string, Tally> by_place;
    runtime::Evaluation evaluation({.body = body,
                                    .scene = config_.scene,
                                    .tasks = config_.tasks,
                                    .policies = policies,
                                    .stage = {.set =
                                                  [&](std::uint64_t s) {
                                                    place = Stage(cell.world(), s, scenes++ % 2);
                                                    return Result<void>{};
                                                  },
                                              .confirm =
                                                  [&](const std::string& name, int object) {
                                                    const auto truth = cell.world().Objects()[std::size_t(object)];
                                                    const core::Vec3 at = truth.position_m;
                                                    const bool lifted = truth.held && at.z > 0.05;
                                                    const bool landed = !truth.held && config_.scene.bin.Contains(at);
                                                    const bool holds = name == "pick" ? lifted : landed;
                                                    confirmed += holds;
                                                    return Result<bool>(holds);
                                                  }},
                                    .progress = [&](int, int solved) {
                                      ++by_place[place].attempts;
                                      by_place[place].solved += solved - std::exchange(solved_before, solved);
                                    }});
    const auto result = evaluation.Run({.task = task, .contender = contender, .episodes = episodes, .seed = seed});
    if (!result) {
      fmt::print("evaluation: {}\n", result.error().detail);
      return;
    }
    const bool has_truth = task == "pick" || task == "place";
    fmt::print("{:6.1f} min  evaluation  {:6} {:14} {:5.1f} % [{:.0f} to {:.0f}] of {}, {}{:.0f} steps\n", minutes(),
               task, what, 100 * result->judged.mean(), 100 * result->judged.low, 100 * result->judged.high,
               result->judged.attempts, has_truth ? fmt::format("{} confirmed, ", confirmed) : "", result->mean_steps);
    if (task != "pick" && task != kFreeWedged) return;  // Elsewhere the start is brought about in the scene.
    for (const auto& [where, tally] : by_place)
      fmt::print("{:6.1f} min              {:6} {:14} {:9} {}/{}\n", minutes(), task, what, where, tally.solved,
                 tally.attempts);
  }

 private:
  /// Where the object lies in the scene of that seed, or, where only walls are wanted, of a later one.
  std::string Stage(io::cell::CellWorld& world, std::uint64_t seed, int object) {
    constexpr std::uint64_t kElsewhere = 1'000'000'000;  // Other evaluations' scenes stay theirs.
    std::string place;
    for (int tries = 0; tries < 100; ++tries, seed += kElsewhere) {
      world.Stage(seed);
      const core::Vec3 at = world.Objects()[static_cast<std::size_t>(object)].position_m;
      place = PlaceIn(config_.scene.tray, at, config_.scene.object_half_m);
      if (place != "open" || starts_ == Starts::kAnywhere) break;
    }
    return place;
  }

  runtime::Config config_;
  Starts starts_;
  Cell cell_;
  io::CameraSource eyes_;
  runtime::Body body_;
  Person person_;
  core::Random random_;
  tests::MemoryJournal journal_;
  learner::Trainer trainer_;
  runtime::RiskGuard risk_;
  std::int64_t risk_published_ = 0;
  std::unique_ptr<runtime::Practice> practice_;
  std::map<std::pair<std::string, std::string>, Tally> tallies_;
  std::map<std::string, int> failures_;
  std::map<std::string, std::int64_t> published_, promoted_;
  std::map<std::int64_t, skills::PolicyWeights> kept_;
  std::vector<skills::Snapshot> waiting_;
  std::int64_t version_ = 0;
  core::Random saboteur_{4711};
  int sabotaged_ = 0;
  std::map<std::string, int> interventions_;
  std::optional<tests::ContactLog> contact_;
  std::optional<tests::Troubles> troubles_;
  struct RiskTally {
    int episodes = 0, solved = 0, near_misses = 0, stops = 0, given_up = 0;
    std::int64_t steps = 0;
  };
  std::map<bool, RiskTally> risk_tallies_;  // Of the whole run; true: episodes that the critic leaves alone.
};

int Main(int argc, char** argv) {
  if (argc != 7) {
    fmt::print("usage: [BENCH_WALLS=1] practice_bench CONFIG MINUTES SEED EVALUATION_SEED EPISODES EVERY_MINUTES\n");
    return 2;
  }
  auto config = runtime::LoadConfig(argv[1]);
  if (!config) {
    fmt::print("{}\n", config.error().detail);
    return 2;
  }
  const double minutes = std::atof(argv[2]), every = std::atof(argv[6]);
  const auto evaluation_seed = static_cast<std::uint64_t>(std::atoll(argv[4]));
  const int episodes = std::atoi(argv[5]);
  const bool walls = minutes <= 0 && std::getenv("BENCH_WALLS") != nullptr;
  if (walls) config->tasks.push_back(*recovery::RecoveryTaskFor(recovery::FailureKind::kWedged, "wedged"));
  Bench bench(*config, static_cast<std::uint64_t>(std::atoll(argv[3])),
              walls ? Bench::Starts::kWalls : Bench::Starts::kAnywhere);
  if (minutes <= 0) {
    std::map<std::string, skills::LearnedPolicy> none;
    const std::vector<std::string> anywhere{"pick", "place", "unload"}, at_walls{"pick", kFreeWedged};
    for (const std::string& task : walls ? at_walls : anywhere)
      for (const auto contender : {runtime::Contender::kScriptedOnce, runtime::Contender::kScriptedRetry})
        bench.EvaluateOne(task, std::string(Name(contender)), none, contender, evaluation_seed, episodes);
    return 0;
  }
  for (double until = every; until <= minutes + 1e-9; until += every) {
    bench.Practise(until);
    bench.Report(evaluation_seed, episodes);
  }
  return 0;
}

}  // namespace
}  // namespace nightshift

int main(int argc, char** argv) { return nightshift::Main(argc, argv); }
