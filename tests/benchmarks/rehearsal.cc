// SPDX-License-Identifier: Apache-2.0
// One process, one thread, no sockets: cell, practice and learner in turn. Answers "does it learn?" in minutes and
// prints a JSON line per stretch of practice and per evaluation. Figures from here steer development; those that are
// reported come from the real processes (docs/results.md).
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <deque>

#include "core/kinematics.h"
#include "io/camera/camera_source.h"
#include "io/robot/cell/cell_world.h"
#include "learner/trainer.h"
#include "runtime/practice.h"
#include "tests/fakes/memory_journal.h"
#include "tests/benchmarks/rehearsal_cell.h"

namespace nightshift::tests {
namespace {

using core::Outcome;
using core::TaskSpec;

std::vector<TaskSpec> Tasks() {
  return {{.name = "pick", .start = "in_tray && !held && object_seen && reachable",
           .success = "held && object_z > 0.07", .failure = "outside && tip_distance > 0.08",
           .time_limit = core::Seconds(6), .goal = core::GoalKind::kNone, .script = "pick"},
          {.name = "place", .start = "held && object_z > 0.05", .success = "in_bin && !held && !jaw_closing && tip_z > 0.04",
           .failure = "!held && !in_bin && tip_distance > 0.06", .time_limit = core::Seconds(8),
           .goal = core::GoalKind::kBin, .script = "place"},
          {.name = "unload", .start = "in_bin && !held && object_seen",
           .success = "in_tray && !held && !jaw_closing && goal_distance < 0.045 && tip_z > 0.03",
           .failure = "outside && tip_distance > 0.08", .time_limit = core::Seconds(12),
           .goal = core::GoalKind::kTraySpot, .script = "unload"}};
}

struct Person : core::Attendant {
  explicit Person(io::cell::CellWorld& cell) : world(cell) {}
  void Ask(const std::string& reason, int object) override {
    std::printf("{\"asked\":\"%s\",\"object\":%d}\n", reason.c_str(), object);
    (void)world.PutBack(object);
  }
  io::cell::CellWorld& world;
};

struct Listener : runtime::PracticeListener {
  void OnEpisode(const runtime::Attempt& attempt, bool) override {
    auto& tally = tallies[attempt.episode.task + "/" + std::string(Name(attempt.episode.skill))];
    ++tally.first;
    tally.second += attempt.episode.outcome == Outcome::kSuccess;
  }
  void OnFailure(const core::FailureRecord& failure) override { ++failures[failure.signature]; }
  void OnRecoveryTask(const TaskSpec& task) override { std::printf("{\"recovery_task\":\"%s\"}\n", task.name.c_str()); }
  void OnIntervention(const core::InterventionRecord&) override {}
  void OnPolicy(const core::SnapshotRecord& s) override {
    std::printf("{\"policy\":\"%s\",\"task\":\"%s\",\"version\":%ld,\"solved\":%ld,\"of\":%ld}\n", s.state.c_str(),
                s.task.c_str(), s.version, s.solved, s.attempts);
  }
  void OnStatus(const runtime::PracticeStatus&) override {}
  void OnFault(const core::Fault& fault) override { std::printf("{\"fault\":\"%s\"}\n", fault.detail.c_str()); }
  std::map<std::string, std::pair<int, int>> tallies;
  std::map<std::string, int> failures;
};

struct Options {
  double minutes = 20;
  int evaluate_every = 6000;
  int episodes = 100;
  std::uint64_t seed = 1;
  std::string mess = "full";
  std::string eyes = "camera";
  std::string save;
  std::string only_script;
  learner::Config learner;
};

/// Measures one way of acting on staged scenes.
class Evaluation {
 public:
  Evaluation(RehearsalCell& cell, const skills::Scene& scene) : cell_(cell), scene_(scene) {}

  void Measure(const std::string& label, const TaskSpec& spec, skills::LearnedPolicy* pick, skills::LearnedPolicy* policy,
               skills::Persistence persistence, int episodes) {
    int solved = 0, started = 0, truly = 0;
    double steps = 0;
    const auto task = skills::Task::Make(spec);
    for (int i = 0; i < episodes; ++i) {
      cell_.Stage(1000000 + static_cast<std::uint64_t>(i));
      runtime::Body& body = cell_.body();
      (void)body.GoTo({body.seen().tip_m.x, body.seen().tip_m.y, 0.12}, false, 20);
      (void)body.GoTo(scene_.home_m, false, 40);
      (void)body.Rest();
      const int object = i % 2;
      if (spec.name != "pick" && !PickFirst(object, pick)) continue;
      ++started;
      core::Target target{object, body.seen().objects[static_cast<std::size_t>(object)].position_m};
      if (spec.goal == core::GoalKind::kBin) target.goal_m = scene_.bin.Centre(scene_.object_half_m);
      const auto attempt = Run(*task, target, policy, persistence);
      solved += attempt.outcome == Outcome::kSuccess;
      truly += attempt.outcome == Outcome::kSuccess && (spec.name != "pick" || cell_.world().Objects()[static_cast<std::size_t>(object)].held);
      steps += static_cast<double>(attempt.steps.size());
    }
    std::printf("{\"evaluate\":\"%s\",\"solved\":%d,\"truly\":%d,\"of\":%d,\"rate\":%.3f,\"steps\":%.1f}\n", label.c_str(), solved,
                truly, started, started ? 1.0 * solved / started : 0, started ? steps / started : 0);
    std::fflush(stdout);
  }

 private:
  core::Episode Run(const skills::Task& task, const core::Target& target, skills::LearnedPolicy* policy,
                    skills::Persistence persistence) {
    std::unique_ptr<skills::Skill> skill;
    if (policy) skill = std::make_unique<runtime::PolicySkill>(*policy, scene_, target, runtime::PolicySkill::Mode::kMean, random_);
    else skill = std::move(*MakeScript(task.spec().script, scene_, target, persistence, random_));
    core::Episode episode;
    episode.target = target;
    const auto ends = persistence == skills::Persistence::kRetry ? runtime::EndsAt::kTimeOnly : runtime::EndsAt::kFirstFailure;
    auto attempt = RunEpisode(cell_.body(), task, scene_, *skill, episode, ends,
                              [](int, const core::Transition&) { return core::Result<void>{}; });
    return attempt ? attempt->episode : episode;
  }

  bool PickFirst(int object, skills::LearnedPolicy* pick) {
    const auto task = skills::Task::Make(Tasks()[0]);
    for (int i = 0; i < 4; ++i) {
      const core::Target target{object, cell_.body().seen().objects[static_cast<std::size_t>(object)].position_m};
      if (Run(*task, target, pick, skills::Persistence::kOnce).outcome == Outcome::kSuccess) return true;
      (void)cell_.body().GoTo(scene_.home_m, false, 40);
      (void)cell_.body().Rest();
    }
    return false;
  }

  RehearsalCell& cell_;
  skills::Scene scene_;
  core::Random random_{99};
};

void Report(Listener& listener, const RehearsalCell& cell, double wall_s) {
  std::printf("{\"robot_minutes\":%.1f,\"wall_s\":%.0f", ToSeconds(cell.time()) / 60, wall_s);
  for (const auto& [name, tally] : listener.tallies) std::printf(",\"%s\":\"%d/%d\"", name.c_str(), tally.second, tally.first);
  for (const auto& [name, count] : listener.failures) std::printf(",\"failure %s\":%d", name.c_str(), count);
  std::printf("}\n");
  std::fflush(stdout);
  listener.tallies.clear();
  listener.failures.clear();
}

int Rehearse(const Options& options) {
  const skills::Scene scene;
  RehearsalCell cell(scene, options.mess, options.eyes, options.seed);
  RehearsalCell exam(scene, options.mess, options.eyes, 4242);
  Evaluation evaluation(exam, scene);
  if (!options.only_script.empty()) {
    for (const TaskSpec& spec : Tasks()) {
      if (options.only_script != "all" && spec.name != options.only_script) continue;
      if (spec.name == "unload") continue;
      evaluation.Measure("once " + spec.name, spec, nullptr, nullptr, skills::Persistence::kOnce, options.episodes);
      evaluation.Measure("retry " + spec.name, spec, nullptr, nullptr, skills::Persistence::kRetry, options.episodes);
    }
    return 0;
  }
  MemoryJournal journal;
  Listener listener;
  Person person(cell.world());
  core::Random random(options.seed);
  learner::Config config = options.learner;
  config.seed = options.seed;
  learner::Trainer trainer(config, scene);
  std::map<std::string, std::int64_t> updates;
  std::int64_t version = 0;
  std::deque<skills::Snapshot> fresh;
  runtime::PracticeConfig practice_config;
  auto practice = runtime::Practice::Make(
      {.body = cell.body(), .journal = journal, .person = person, .listener = listener, .random = random,
       .new_snapshots = [&] {
         std::vector<skills::Snapshot> all(fresh.begin(), fresh.end());
         fresh.clear();
         return all;
       },
       .snapshot = [](const std::string&, std::int64_t) { return std::nullopt; },
       .await_learner = [&] {
         while (trainer.Backlog() >= 1) {
           const auto update = trainer.UpdateOnce();
           if (!update) break;
           const std::int64_t made = ++updates[update->task];
           if (!trainer.HasPolicy(update->task) || made % config.publish_every != 1) continue;
           if (auto weights = trainer.Weights(update->task))
             fresh.push_back({.version = ++version, .task = update->task, .updates = made, .weights = *weights});
         }
       }},
      scene, practice_config, Tasks());
  if (auto known = trainer.Know(Tasks()); !known) return 1;
  journal.on_close = [&](const core::Episode& episode) { (void)trainer.Ingest(episode, (*practice)->tasks()); };
  const auto began = std::chrono::steady_clock::now();
  const auto wall = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); };
  std::uint64_t next = static_cast<std::uint64_t>(options.evaluate_every);
  while (ToSeconds(cell.time()) < options.minutes * 60) {
    if (auto done = (*practice)->Cycle(); !done) {
      std::printf("{\"fault\":\"%s\"}\n", done.error().detail.c_str());
      return 1;
    }
    if ((*practice)->status().transitions < next) continue;
    next += static_cast<std::uint64_t>(options.evaluate_every);
    std::printf("{\"transitions\":%lu}\n", (*practice)->status().transitions);
    Report(listener, cell, wall());
    for (const auto& a : trainer.Facts())
      std::printf("{\"agent\":\"%s\",\"updates\":%ld,\"samples\":%zu,\"demonstrations\":%zu,\"critic_loss\":%.5f,\"q\":%.3f,"
                  "\"target\":%.3f,\"entropy\":%.2f,\"temperature\":%.4f,\"clone_error\":%.4f,\"saturated\":%.2f,\"backlog\":%.0f}\n",
                  a.task.c_str(), a.updates, a.samples, a.demonstrations, a.last.critic_loss, a.last.q_mean, a.last.target_mean,
                  a.last.entropy, a.last.temperature, a.last.clone_error, a.last.saturated_share, a.backlog);
    auto policy_of = [&](const std::string& task) -> std::optional<skills::LearnedPolicy> {
      auto weights = trainer.Weights(task);
      if (!weights) return std::nullopt;
      auto policy = skills::LearnedPolicy::Make(*weights);
      if (!policy) return std::nullopt;
      return *policy;
    };
    auto pick = policy_of("pick"), place = policy_of("place");
    if (pick) evaluation.Measure("learned pick", Tasks()[0], nullptr, &*pick, skills::Persistence::kOnce, options.episodes);
    if (auto raw = trainer.Weights("pick", learner::Actor::kRaw))
      if (auto policy = skills::LearnedPolicy::Make(*raw))
        evaluation.Measure("raw pick", Tasks()[0], nullptr, &*policy, skills::Persistence::kOnce, options.episodes);
    if (pick && place) evaluation.Measure("learned place", Tasks()[1], &*pick, &*place, skills::Persistence::kOnce, options.episodes);
  }
  Report(listener, cell, wall());
  return 0;
}

}  // namespace
}  // namespace nightshift::tests

int main(int argc, char** argv) {
  nightshift::tests::Options options;
  CLI::App app("Practice, cell and learner in one process");
  app.add_option("--minutes", options.minutes, "Robot minutes");
  app.add_option("--evaluate-every", options.evaluate_every, "Transitions between evaluations");
  app.add_option("--episodes", options.episodes, "Episodes of each evaluation");
  app.add_option("--seed", options.seed, "Seed of practice");
  app.add_option("--mess", options.mess, "clean or full");
  app.add_option("--eyes", options.eyes, "camera or truth");
  app.add_option("--only-script", options.only_script, "Measure the scripts of this task (or all), and stop");
  auto& learner = options.learner;
  app.add_option("--frozen", learner.agent.actor_frozen_updates, "learner.agent.actor_frozen_updates");
  app.add_option("--clone-weight", learner.agent.clone_weight, "learner.agent.clone_weight");
  app.add_option("--clone-fade", learner.agent.clone_fade_updates, "learner.agent.clone_fade_updates");
  app.add_option("--n-step", learner.agent.n_step, "learner.agent.n_step");
  app.add_option("--entropy", learner.agent.target_entropy, "learner.agent.target_entropy");
  app.add_option("--step-cost", learner.agent.step_cost, "learner.agent.step_cost");
  app.add_option("--discount", learner.agent.discount, "learner.agent.discount");
  app.add_option("--demonstrations", learner.agent.demonstrations_start, "learner.agent.demonstrations_start");
  app.add_option("--relabelling", learner.relabelling, "0 off, 1 successes, 2 all");
  app.add_option("--update-ratio", learner.update_ratio, "learner.update_ratio");
  CLI11_PARSE(app, argc, argv);
  return nightshift::tests::Rehearse(options);
}
