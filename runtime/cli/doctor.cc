// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "io/journal/reader.h"
#include "skills/sealed_file.h"

namespace nightshift::runtime::cli {
namespace {

constexpr std::int64_t kAttemptsMin = 20;    // With fewer, none solved means little.
constexpr std::size_t kLatestEpisodes = 60;  // Looked at step by step.
constexpr std::int64_t kStepsMin = 200;      // With fewer, shares mean little.
constexpr double kTurnsNormal = 0.1;         // An attempt of 40 steps opens and closes once or twice.
constexpr double kTurnsMax = 0.3;
constexpr double kSaturatedMax = 0.9;            // A jaw alone is a quarter.
constexpr double kBacklogMax = 2000;             // Twice what practice waits for.
constexpr double kEpisodeAgeMaxS = 300;          // Attempts take seconds.
constexpr std::int64_t kSampleAgeMax = 20000;    // Updates on what is known already: twenty snapshots.
constexpr std::int64_t kPromotedAgeMax = 20000;  // Twenty candidates in a row that were no better.

double Share(std::int64_t part, std::int64_t of) { return static_cast<double>(part) / static_cast<double>(of); }

void SayReward(const TaskSymptoms& t, std::vector<Checked>& said) {
  const std::string count = fmt::format("a reward was seen in {} of {} attempts", t.solved, t.attempts);
  if (t.attempts == 0)
    return said.push_back({Finding::kWarning, t.task, "was never attempted; does its start ever hold?"});
  if (t.solved > 0 || t.attempts < kAttemptsMin) return said.push_back({Finding::kGood, t.task, count});
  said.push_back(
      {Finding::kBad, t.task,
       count + fmt::format(", normal is at least one in {}: nothing can be learned from that; see whether its "
                           "success condition can hold, and whether its script ever solves it",
                           kAttemptsMin)});
}

void SayManner(const TaskSymptoms& t, std::vector<Checked>& said) {
  if (t.latest_steps < kStepsMin) return;
  const double turns = Share(t.gripper_turns, t.latest_steps);
  const double saturated = Share(t.saturated_parts, t.latest_steps * static_cast<std::int64_t>(core::kActionSize));
  const bool thrashes = turns > kTurnsMax, clipped = saturated > kSaturatedMax;
  const std::string turned =
      fmt::format("the gripper turned round in {:.0f} % of the latest {} steps, normal is below {:.0f} %", 100 * turns,
                  t.latest_steps, 100 * kTurnsNormal);
  said.push_back({thrashes ? Finding::kWarning : Finding::kGood, t.task,
                  turned + (thrashes ? ": it thrashes; raise learner.agent.toggle_cost" : "")});
  said.push_back(
      {clipped ? Finding::kWarning : Finding::kGood, t.task,
       fmt::format("{:.0f} % of its actions' parts are saturated, normal is below {:.0f} %{}", 100 * saturated,
                   100 * kSaturatedMax,
                   clipped ? ": it acts bang-bang; look at the entropy, lower learner.agent.learning_rate" : "")});
}

void SayUpdates(const wire::LearnerStatus& l, Symptoms::Source source, std::vector<Checked>& said) {
  const bool behind = l.backlog() > kBacklogMax;
  said.push_back(
      {behind ? Finding::kWarning : Finding::kGood, "updates",
       fmt::format("{} in all; {:.2f} per step in its session ({:.3g} are configured for each step of a learned "
                   "policy), {:.0f} owed, normal is below {:.0f}{}",
                   l.updates(), l.update_ratio(), l.update_ratio_target(), l.backlog(), kBacklogMax,
                   behind ? ": the learner is too slow; lower learner.update_ratio or give it a core" : "")});
  if (source != Symptoms::Source::kLive) return;
  const bool old = l.seconds_since_episode() > kEpisodeAgeMaxS;
  said.push_back(
      {old ? Finding::kWarning : Finding::kGood, "samples",
       fmt::format("the newest episode came in {:.0f} s ago, normal is below {:.0f} s{}", l.seconds_since_episode(),
                   kEpisodeAgeMaxS, old ? ": see in `nightshift status` why nobody practises" : "")});
}

void SayAge(const wire::AgentStatus& a, std::vector<Checked>& said) {
  if (static_cast<std::int64_t>(a.updates_since_sample()) > kSampleAgeMax)
    said.push_back(
        {Finding::kWarning, a.task(),
         fmt::format("{} updates since its last new sample, normal is below {}: its samples are stale; it is no "
                     "longer practised",
                     a.updates_since_sample(), kSampleAgeMax)});
  if (static_cast<std::int64_t>(a.updates_since_promoted()) > kPromotedAgeMax)
    said.push_back({Finding::kWarning, a.task(),
                    fmt::format("{} updates since the policy that is deployed, normal is below {}: candidates are no "
                                "better; `nightshift status` says why they were rejected",
                                a.updates_since_promoted(), kPromotedAgeMax)});
}

void SayHealth(const wire::AgentStatus& a, std::vector<Checked>& said) {
  if (a.publishing_stopped())
    said.push_back(
        {Finding::kBad, a.task(),
         fmt::format("the learner diverged ({} times so far, normal is 0) and publishes nothing until it is healthy "
                     "again; if this stays, lower learner.agent.learning_rate or begin with a fresh data "
                     "directory",
                     a.divergences())});
  if (!a.has_health()) return;
  const wire::AgentHealth& h = a.health();
  for (const std::string& trouble : h.troubles()) said.push_back({Finding::kWarning, a.task(), trouble});
  if (h.troubles().empty() && h.held_out_episodes() > 0)
    said.push_back({Finding::kGood, a.task(),
                    fmt::format("on {} episodes held out the critic is biased by {:+.2f} and off by {:.2f} in values "
                                "that span {:.3g}",
                                h.held_out_episodes(), h.value_bias(), h.value_error(), h.value_range())});
  said.push_back(
      {Finding::kGood, a.task(),
       fmt::format("values reach {:.2f}, entropy {:.1f} nats, features of rank {:.0f} of {}, {:.0f} % dormant units; "
                   "norms: weights {:.0f}, gradients {:.2g} and {:.2g}",
                   h.q_size(), h.entropy(), h.feature_rank(), h.features(), 100 * h.dormant_share(), h.weight_norm(),
                   h.critic_gradient_norm(), h.actor_gradient_norm())});
}

void CountSteps(const core::Episode& episode, TaskSymptoms& task) {
  constexpr std::size_t kJaw = core::kActionSize - 1;
  for (std::size_t i = 0; i < episode.steps.size(); ++i) {
    const core::PolicyAction& action = episode.steps[i].proposed;
    ++task.latest_steps;
    if (i > 0) task.gripper_turns += (action[kJaw] > 0) != (episode.steps[i - 1].proposed[kJaw] > 0);
    for (const float part : action) task.saturated_parts += std::abs(part) > 0.99f;
  }
}

core::Result<std::map<std::string, TaskSymptoms>> FromJournal(io::JournalReader& reader) {
  std::map<std::string, TaskSymptoms> tasks;
  std::vector<std::int64_t> ids{0};
  for (;;) {
    const auto batch = reader.SummariesAfter(ids.back(), io::kEpisodesPerReadMax);
    if (!batch) return tl::make_unexpected(batch.error());
    if (batch->empty()) break;
    for (const io::EpisodeSummary& one : *batch) {
      ids.push_back(one.episode.id);
      if (one.episode.outcome == core::Outcome::kInterrupted || one.episode.outcome == core::Outcome::kRunning)
        continue;
      ++tasks[one.episode.task].attempts;
      tasks[one.episode.task].solved += one.episode.outcome == core::Outcome::kSuccess;
    }
  }
  std::int64_t cursor = ids[ids.size() - 1 - std::min(ids.size() - 1, kLatestEpisodes)];
  for (;;) {
    const auto latest = reader.ClosedAfter(cursor, 16);
    if (!latest) return tl::make_unexpected(latest.error());
    if (latest->empty()) return tasks;
    for (const core::Episode& episode : *latest)
      if (episode.skill == core::SkillKind::kLearned) CountSteps(episode, tasks[episode.task]);
    cursor = latest->back().id;
  }
}

}  // namespace

core::Result<Symptoms> SymptomsOf(const std::filesystem::path& data_directory) {
  io::JournalReader reader(data_directory);
  const auto tasks = FromJournal(reader);
  if (!tasks) return tl::make_unexpected(tasks.error());
  Symptoms symptoms;
  for (const auto& [name, task] : *tasks) {
    symptoms.tasks.push_back(task);
    symptoms.tasks.back().task = name;
  }
  const auto saved =
      skills::ReadSealed((data_directory / "learner" / "status").string(), core::FaultCode::kCorruptState);
  wire::LearnerStatus status;
  if (saved && status.ParseFromString(*saved)) symptoms.learner = std::move(status);
  return symptoms;
}

std::vector<Checked> Diagnose(const Symptoms& symptoms) {
  std::vector<Checked> said;
  if (symptoms.tasks.empty())
    said.push_back({Finding::kWarning, "practice", "there is no finished attempt yet; let it practise first"});
  for (const TaskSymptoms& task : symptoms.tasks) {
    SayReward(task, said);
    SayManner(task, said);
  }
  if (!symptoms.learner) {
    said.push_back({Finding::kWarning, "learner", "is silent and has saved nothing; see its log in DIR/log/"});
    return said;
  }
  SayUpdates(*symptoms.learner, symptoms.source, said);
  for (const wire::AgentStatus& agent : symptoms.learner->agents()) {
    SayHealth(agent, said);
    SayAge(agent, said);
  }
  return said;
}

int DoctorsExitCode(Finding worst) {
  switch (worst) {
    case Finding::kGood: return 0;
    case Finding::kWarning: return 3;
    case Finding::kBad: return 4;
  }
  return 4;
}

}  // namespace nightshift::runtime::cli
