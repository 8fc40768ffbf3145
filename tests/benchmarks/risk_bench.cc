// SPDX-License-Identifier: Apache-2.0
// What the risk critic would have learned from a journal: reads its episodes in order, trains as the learner would, and
// prints a JSON line for each EVERY episodes and one at the end, with how well what it says of held-out steps agrees
// with what came; then, for some probabilities, what giving up there would have spared and cost.
//
//   [RISK_SAVE=critic.nsrisk] risk_bench CONFIG DATA [EVERY]
//
// Its hyper-parameters are the configuration's [learner.risk]. RISK_SAVE keeps the critic, for practice_bench's
// BENCH_RISK.
#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "io/journal/reader.h"
#include "learner/risk_critic.h"
#include "runtime/config.h"

namespace nightshift {
namespace {

constexpr int kEpisodesPerRead = 64;

void Print(const std::string& at, const skills::RiskReport& r) {
  fmt::print(
      R"({{"at": "{}", "standing": "{}", "updates": {}, "episodes": {}, "steps": {}, "near_misses": {}, )"
      R"("auc": {:.4f}, "auc_low": {:.4f}, "auc_high": {:.4f}, "calibration_error": {:.4f}, "slowed_share": {:.4f}, )"
      R"("slowed_predicted": {:.3f}, "slowed_observed": {:.3f}}})"
      "\n",
      at, skills::Name(r.standing), r.updates, r.episodes, r.steps, r.near_misses, r.auc, r.auc_low, r.auc_high,
      r.calibration_error, r.slowed_share, r.slowed_predicted, r.slowed_observed);
}

/// What giving up at a probability would have come to, in held-out episodes in which nobody gave up.
struct GivingUp {
  double at = 0;
  int stops = 0, stops_averted = 0, solved = 0, solved_lost = 0, warned_steps = 0;

  void Add(const core::Episode& episode, const std::vector<double>& probabilities) {
    const bool stopped = episode.steps.back().stop != core::StopCause::kNone;
    const bool success = episode.outcome == core::Outcome::kSuccess;
    const int left = StepsLeft(probabilities);
    stops += stopped;
    solved += success;
    stops_averted += stopped && left > 1;
    solved_lost += success && left > 0;
    if (stopped) warned_steps += left;
  }

  /// From the third step in a row at or above it, which is given up, to the end; 0: it would not have been.
  int StepsLeft(const std::vector<double>& probabilities) const {
    int in_a_row = 0;
    for (std::size_t i = 0; i < probabilities.size(); ++i) {
      in_a_row = probabilities[i] >= at ? in_a_row + 1 : 0;
      if (in_a_row == 3) return static_cast<int>(probabilities.size() - i);
    }
    return 0;
  }

  void Print() const {
    fmt::print(R"({{"given_up_at": {:.2f}, "stops": {}, "stops_averted": {}, "solved": {}, "solved_lost": {}, )"
               R"("mean_steps_before_the_stop": {:.1f}}})"
               "\n",
               at, stops, stops_averted, solved, solved_lost,
               stops > 0 ? static_cast<double>(warned_steps) / stops : 0.0);
  }
};

std::vector<double> ProbabilitiesOf(skills::RiskModel& model, const core::Episode& episode,
                                    const skills::Scene& scene) {
  std::vector<double> all;
  for (std::size_t i = 0; i < episode.steps.size(); ++i) {
    const core::Transition& step = episode.steps[i];
    const core::Observation& previous = i > 0 ? episode.steps[i - 1].before : step.before;
    all.push_back(model.Probability(skills::FeaturesOf(step.before, previous, episode.target, scene), step.proposed));
  }
  return all;
}

void PrintGivingUp(const skills::RiskSnapshot& snapshot, const std::vector<core::Episode>& held_out,
                   const skills::Scene& scene) {
  auto model = skills::RiskModel::Make(snapshot);
  if (!model) return fmt::print("{}\n", model.error().detail);
  std::vector<GivingUp> thresholds;
  for (const double at : {0.4, 0.5, 0.6, 0.7, 0.8, 0.9}) thresholds.push_back({.at = at});
  for (const core::Episode& episode : held_out) {
    const std::vector<double> probabilities = ProbabilitiesOf(*model, episode, scene);
    for (GivingUp& one : thresholds) one.Add(episode, probabilities);
  }
  for (const GivingUp& one : thresholds) one.Print();
}

int Run(int argc, char** argv) {
  if (argc < 3) return fmt::print("usage: risk_bench CONFIG DATA [EVERY]\n"), 2;
  const auto loaded = runtime::LoadConfig(argv[1]);
  if (!loaded) return fmt::print("{}\n", loaded.error().detail), 2;
  const learner::RiskConfig& config = loaded->learner.risk;
  const int every = argc > 3 ? std::atoi(argv[3]) : 200;
  const skills::Scene& scene = loaded->scene;
  learner::RiskCritic critic(config, 1);
  io::JournalReader reader(argv[2]);
  std::vector<core::Episode> held_out;
  std::int64_t cursor = 0, episodes = 0, steps = 0, stops = 0, near = 0;
  for (;;) {
    const auto read = reader.ClosedAfter(cursor, kEpisodesPerRead);
    if (!read) return fmt::print("{}\n", read.error().detail), 1;
    if (read->empty()) break;
    for (const core::Episode& episode : *read) {
      cursor = episode.id;
      critic.Ingest(episode, scene, learner::RiskCritic::Reading::kNew);
      while (critic.Backlog() >= 1) critic.Update();
      steps += static_cast<std::int64_t>(episode.steps.size());
      bool is_near = false, stopped = false;
      for (const auto& step : episode.steps) {
        is_near = is_near || IsNearMiss(step, config);
        stopped = stopped || step.stop != core::StopCause::kNone;
      }
      near += is_near;
      stops += stopped;
      if (skills::IsRiskControl(episode.id) && !episode.steps.empty()) held_out.push_back(episode);
      if (++episodes % every == 0) Print(fmt::format("{} episodes", episodes), critic.Snapshot().report);
    }
  }
  fmt::print("{{\"episodes\": {}, \"steps\": {}, \"stops\": {}, \"near_miss_episodes\": {}}}\n", episodes, steps, stops,
             near);
  const auto snapshot = critic.Snapshot();
  if (const char* file = std::getenv("RISK_SAVE"))
    if (const auto saved = skills::WriteRiskSnapshot(file, snapshot); !saved) fmt::print("{}\n", saved.error().detail);
  Print("end", snapshot.report);
  PrintGivingUp(snapshot, held_out, scene);
  return 0;
}

}  // namespace
}  // namespace nightshift

int main(int argc, char** argv) { return nightshift::Run(argc, argv); }
