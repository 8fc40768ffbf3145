// SPDX-License-Identifier: Apache-2.0
#include "monitoring/practice_metrics.h"

#include <array>
#include <set>

#include "monitoring/families.h"
#include "monitoring/labels.h"

namespace nightshift::monitoring {
namespace {

constexpr std::array kActivities = {Activity::kPractice,       Activity::kRecovery,     Activity::kCanary,
                                    Activity::kEvaluation,     Activity::kMoving,       Activity::kAwaitingLearner,
                                    Activity::kAwaitingPerson, Activity::kAwaitingDisk, Activity::kStopped,
                                    Activity::kPaused};
constexpr std::array kFrameHealths = {core::FrameHealth::kGood, core::FrameHealth::kAbsent, core::FrameHealth::kBlind,
                                      core::FrameHealth::kFrozen};

// Robot seconds: one policy second to half an hour.
const std::vector<double> kEpisodeBounds = {1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 60, 120, 300, 600, 1800};
const std::vector<double> kWaitBounds = {1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600, 12 * 3600};

std::string HealthName(core::FrameHealth health) {
  switch (health) {
    case core::FrameHealth::kGood: return "good";
    case core::FrameHealth::kAbsent: return "absent";
    case core::FrameHealth::kBlind: return "blind";
    case core::FrameHealth::kFrozen: return "frozen";
  }
  return "?";
}

void SetOrRemove(prometheus::Family<prometheus::Gauge>& family, const prometheus::Labels& labels,
                 std::optional<double> value) {
  auto& gauge = family.Add(labels);
  if (value)
    gauge.Set(*value);
  else
    family.Remove(&gauge);
}

}  // namespace

std::string_view Name(Activity activity) {
  switch (activity) {
    case Activity::kPractice: return "practice";
    case Activity::kRecovery: return "recovery";
    case Activity::kCanary: return "canary";
    case Activity::kEvaluation: return "evaluation";
    case Activity::kMoving: return "moving";
    case Activity::kAwaitingLearner: return "awaiting_learner";
    case Activity::kAwaitingPerson: return "awaiting_person";
    case Activity::kAwaitingDisk: return "awaiting_disk";
    case Activity::kStopped: return "stopped";
    case Activity::kPaused: return "paused";
  }
  return "?";
}

class PracticeMetrics::Figures {
 public:
  explicit Figures(prometheus::Registry& registry)
      : episodes(Counters(registry, "episodes_total", "Closed episodes.")),
        episode_seconds(OneHistogram(registry, "episode_duration_seconds",
                                     "Robot time from the begin to the end of an episode.", kEpisodeBounds)),
        success_ratio(Gauges(registry, "success_ratio",
                             "Success of a task by a kind of skill, recent attempts weighing more; 0 to 1.")),
        robot_seconds(Counters(registry, "robot_seconds_total", "Robot time, by what it went to.")),
        practised(Gauges(registry, "practised_seconds", "Robot time of all sessions on this data.").Add({})),
        practising(Gauges(registry, "practising", "1 while episodes run or follow each other, else 0.").Add({})),
        degraded(Gauges(registry, "degraded", "1 while the named degraded mode is in force, else 0.")),
        interventions(Counters(registry, "interventions_total", "Times that a person was asked for help.")),
        open_interventions(Gauges(registry, "interventions_open", "Interventions that nobody has resolved.").Add({})),
        intervention_wait(OneHistogram(registry, "intervention_wait_seconds",
                                       "Robot time from asking a person to the help.", kWaitBounds)),
        failures(Counters(registry, "failures_total", "Failures seen, by kind.")),
        recovery_attempts(
            Counters(registry, "recovery_attempts_total", "Episodes of recovery tasks, by failure kind.")),
        recoveries(Counters(registry, "recoveries_total", "Recovery episodes that regained what was lost.")),
        recovery_tasks(Gauges(registry, "recovery_tasks", "Tasks that were made from failures.").Add({})),
        recovery_seconds(OneHistogram(registry, "recovery_duration_seconds",
                                      "Robot time from a failure to the end of what solved it.", kEpisodeBounds)),
        frames(Counters(registry, "camera_frames_total", "Frames looked at, one a policy step, by health.")),
        frame_health(Gauges(registry, "camera_health", "1 for the health of the newest frame, else 0.")),
        frame_age(Gauges(registry, "camera_frame_age_seconds", "Robot time since the newest good frame.").Add({})),
        promoted(Counters(registry, "policy_promoted_total", "Candidates that became the task's policy.")),
        rejected(Counters(registry, "policy_rejected_total", "Candidates that the evidence did not support.")),
        refused(Counters(registry, "policy_refused_total", "Candidates that were refused before they acted.")),
        rolled_back(Counters(registry, "policy_rolled_back_total", "Policies that were taken back for regression.")),
        attempts(Gauges(registry, "policy_attempts", "Attempts of the deployed policy and of the candidate.")),
        tried_ratio(Gauges(registry, "policy_success_ratio", "Their success as the gate weighs it, 0 to 1.")),
        regression_odds(Gauges(registry, "policy_regression_odds", "Odds that the deployed policy has regressed.")),
        version(Gauges(registry, "policy_version", "Version of the policy in use; 0: the script acts.")),
        staleness(Gauges(registry, "policy_staleness_seconds", "Robot time since the policy in use was swapped in.")) {
    for (const Activity activity : kActivities) robot_seconds.Add({{"activity", std::string(Name(activity))}});
    for (const auto health : kFrameHealths) frames.Add({{"health", HealthName(health)}});
  }

  prometheus::Family<prometheus::Counter>& episodes;
  prometheus::Histogram& episode_seconds;
  prometheus::Family<prometheus::Gauge>& success_ratio;
  prometheus::Family<prometheus::Counter>& robot_seconds;
  prometheus::Gauge& practised;
  prometheus::Gauge& practising;
  prometheus::Family<prometheus::Gauge>& degraded;
  prometheus::Family<prometheus::Counter>& interventions;
  prometheus::Gauge& open_interventions;
  prometheus::Histogram& intervention_wait;
  prometheus::Family<prometheus::Counter>& failures;
  prometheus::Family<prometheus::Counter>& recovery_attempts;
  prometheus::Family<prometheus::Counter>& recoveries;
  prometheus::Gauge& recovery_tasks;
  prometheus::Histogram& recovery_seconds;
  prometheus::Family<prometheus::Counter>& frames;
  prometheus::Family<prometheus::Gauge>& frame_health;
  prometheus::Gauge& frame_age;
  prometheus::Family<prometheus::Counter>& promoted;
  prometheus::Family<prometheus::Counter>& rejected;
  prometheus::Family<prometheus::Counter>& refused;
  prometheus::Family<prometheus::Counter>& rolled_back;
  prometheus::Family<prometheus::Gauge>& attempts;
  prometheus::Family<prometheus::Gauge>& tried_ratio;
  prometheus::Family<prometheus::Gauge>& regression_odds;
  prometheus::Family<prometheus::Gauge>& version;
  prometheus::Family<prometheus::Gauge>& staleness;

  BoundedLabel task{kTaskLabelsMax};
  BoundedLabel kind{kKindLabelsMax};
  BoundedLabel reason{kReasonLabelsMax};
  BoundedLabel mode{kReasonLabelsMax};
  std::mutex mutex;  // Guards modes_seen.
  std::set<std::string> modes_seen;
};

PracticeMetrics::PracticeMetrics(Metrics& metrics) : figures_(std::make_unique<Figures>(metrics.registry())) {}
PracticeMetrics::~PracticeMetrics() = default;

void PracticeMetrics::CountEpisode(const core::Episode& episode, const std::string& failure_kind) {
  figures_->episodes
      .Add({{"task", figures_->task.Value(episode.task)},
            {"outcome", std::string(core::Name(episode.outcome))},
            {"skill", std::string(core::Name(episode.skill))}})
      .Increment();
  figures_->episode_seconds.Observe(core::ToSeconds(episode.ended - episode.started));
  if (failure_kind.empty()) return;
  const prometheus::Labels kind = {{"kind", figures_->kind.Value(failure_kind)}};
  figures_->recovery_attempts.Add(kind).Increment();
  figures_->recoveries.Add(kind).Increment(episode.outcome == core::Outcome::kSuccess ? 1 : 0);
}

void PracticeMetrics::SetCompetence(const core::Competence& competence) {
  figures_->success_ratio
      .Add({{"task", figures_->task.Value(competence.task)}, {"skill", std::string(core::Name(competence.skill))}})
      .Set(competence.mean());
}

void PracticeMetrics::AddRobotTime(Activity activity, core::Duration spent) {
  figures_->robot_seconds.Add({{"activity", std::string(Name(activity))}}).Increment(core::ToSeconds(spent));
}

void PracticeMetrics::SetPractised(core::Duration practised) { figures_->practised.Set(core::ToSeconds(practised)); }

void PracticeMetrics::SetPractising(Practising practising) {
  figures_->practising.Set(practising == Practising::kYes ? 1 : 0);
}

void PracticeMetrics::SetDegraded(const std::vector<std::string>& modes) {
  const std::lock_guard lock(figures_->mutex);
  std::set<std::string> in_force;
  for (const auto& mode : modes) in_force.insert(figures_->mode.Value(mode));
  figures_->modes_seen.insert(in_force.begin(), in_force.end());
  for (const auto& mode : figures_->modes_seen)
    figures_->degraded.Add({{"mode", mode}}).Set(in_force.contains(mode) ? 1 : 0);
}

void PracticeMetrics::CountIntervention(const std::string& reason) {
  figures_->interventions.Add({{"reason", figures_->reason.Value(reason)}}).Increment();
}

void PracticeMetrics::SetOpenInterventions(int open) { figures_->open_interventions.Set(open); }

void PracticeMetrics::ObserveInterventionWait(core::Duration wait) {
  figures_->intervention_wait.Observe(core::ToSeconds(wait));
}

void PracticeMetrics::CountFailure(const std::string& kind) {
  figures_->failures.Add({{"kind", figures_->kind.Value(kind)}}).Increment();
}

void PracticeMetrics::SetRecoveryTasks(int tasks) { figures_->recovery_tasks.Set(tasks); }

void PracticeMetrics::ObserveTimeToRecover(core::Duration took) {
  figures_->recovery_seconds.Observe(core::ToSeconds(took));
}

void PracticeMetrics::ObserveFrame(core::FrameHealth health, core::Duration age) {
  figures_->frames.Add({{"health", HealthName(health)}}).Increment();
  figures_->frame_age.Set(core::ToSeconds(age));
  for (const auto each : kFrameHealths)
    figures_->frame_health.Add({{"health", HealthName(each)}}).Set(each == health ? 1 : 0);
}

void PracticeMetrics::CountPromoted(const std::string& task) {
  figures_->promoted.Add({{"task", figures_->task.Value(task)}}).Increment();
}

void PracticeMetrics::CountRejected(const std::string& task) {
  figures_->rejected.Add({{"task", figures_->task.Value(task)}}).Increment();
}

void PracticeMetrics::CountRefused(const std::string& task) {
  figures_->refused.Add({{"task", figures_->task.Value(task)}}).Increment();
}

void PracticeMetrics::CountRolledBack(const std::string& task) {
  figures_->rolled_back.Add({{"task", figures_->task.Value(task)}}).Increment();
}

void PracticeMetrics::SetPolicies(const Policies& policies) {
  const prometheus::Labels task = {{"task", figures_->task.Value(policies.task)}};
  // At 0 from the start, or the first of each would not be seen as an increase.
  for (auto* counter : {&figures_->promoted, &figures_->rejected, &figures_->refused, &figures_->rolled_back})
    counter->Add(task);
  figures_->version.Add(task).Set(static_cast<double>(policies.version));
  figures_->staleness.Add(task).Set(core::ToSeconds(policies.staleness));
  figures_->regression_odds.Add(task).Set(policies.regression_odds);
  const auto set = [&](const char* which, const std::optional<Tried>& tried) {
    const prometheus::Labels labels = {*task.begin(), {"policy", which}};
    SetOrRemove(figures_->attempts, labels, tried ? std::optional<double>(tried->attempts) : std::nullopt);
    SetOrRemove(figures_->tried_ratio, labels, tried ? tried->success_ratio : std::nullopt);
  };
  set("deployed", policies.deployed);
  set("candidate", policies.candidate);
}

}  // namespace nightshift::monitoring
