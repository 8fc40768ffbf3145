// SPDX-License-Identifier: Apache-2.0
#include "tests/monitoring/everything.h"

#include <array>

#include "monitoring/journal_metrics.h"
#include "monitoring/learner_metrics.h"
#include "monitoring/metrics.h"
#include "monitoring/practice_metrics.h"
#include "monitoring/risk_metrics.h"
#include "monitoring/safety_metrics.h"

namespace nightshift::monitoring {
namespace {

std::string Safety() {
  Metrics metrics("safety", "1.2.3");
  SafetyMetrics safety(metrics);
  safety.CountTick({core::Verdict::kLimited, core::LimitId::kVelocity, std::chrono::microseconds(80), {}});
  core::PeriodReport period;
  period.joints.axes = 6;
  period.joints.temperature_c = {31, 32, 33, 34, 35, 36};
  period.joints.powered = true;
  period.commanded_q_rad = {0.01, 0.02};
  period.verdict = core::Verdict::kLimited;
  period.limit = core::LimitId::kVelocity;
  period.margin = -0.1;
  period.latch = {
      .first = core::StopCause::kStall, .worst = core::StopCause::kOperator, .id = 4, .nonce = 1, .epoch = 2};
  period.person = {.presence = core::Presence::kSeen, .distance_m = 1.5, .speed_scale = 0.4};
  safety.SetPeriod(period);
  safety.SetBudgets(std::array{core::BudgetUse{core::Budget::kTravel, 1, 0.25}});
  safety.CountBusError(core::FaultCode::kDriverTimeout);
  safety.SetTotals({.ticks_missed = 5, .readings_old = 1, .audit_written = 300, .audit_lost = 2});
  safety.SetDegraded({{"no_real_time_priority", true}, {"audit_loses_records", false}});
  metrics.CountFault(core::FaultCode::kDriverTimeout);
  return metrics.Exposition();
}

void PractiseOnce(PracticeMetrics& practice) {
  core::Episode episode;
  episode.task = "pick";
  episode.skill = core::SkillKind::kLearned;
  episode.outcome = core::Outcome::kSuccess;
  episode.started = core::Instant(core::Seconds(10));
  episode.ended = core::Instant(core::Seconds(14));
  practice.CountEpisode(episode, "");
  episode.task = "recover dropped";
  practice.CountEpisode(episode, "dropped");
  practice.SetCompetence({"pick", core::SkillKind::kLearned, 8, 2, 10, 8});
  practice.SetCompetence({"pick", core::SkillKind::kScripted, 5, 5, 10, 5});
  practice.AddRobotTime(Activity::kPractice, core::Seconds(4));
  practice.SetPractised(core::Seconds(3600));
  practice.SetPractising(PracticeMetrics::Practising::kYes);
}

std::string Supervisor() {
  Metrics metrics("supervisor", "1.2.3");
  PracticeMetrics practice(metrics);
  JournalMetrics journal(metrics);
  PractiseOnce(practice);
  practice.SetDegraded({"learner is dead"});
  practice.CountIntervention("object out of reach");
  practice.SetOpenInterventions(1);
  practice.ObserveInterventionWait(core::Seconds(60));
  practice.CountFailure("dropped");
  practice.SetRecoveryTasks(1);
  practice.ObserveTimeToRecover(core::Seconds(7));
  practice.ObserveFrame(core::FrameHealth::kFrozen, core::Seconds(0.5));
  practice.CountPromoted("pick");
  practice.CountRejected("pick");
  practice.CountRefused("pick");
  practice.CountRolledBack("pick");
  practice.SetPolicies({.task = "pick",
                        .version = 7,
                        .staleness = core::Seconds(90),
                        .deployed = PracticeMetrics::Tried{.attempts = 40, .success_ratio = 0.8},
                        .candidate = PracticeMetrics::Tried{.attempts = 6, .success_ratio = 0.5},
                        .regression_odds = 3});
  RiskActedMetrics(metrics).Set({.acts = RiskActed::Acts::kYes, .full = 90, .slowed = 8, .refused = 2});
  journal.CountCommit({.transitions = 40, .seconds = 0.002, .bytes = 81920});
  journal.SetLearnerLag(12);
  metrics.CountFault(core::FaultCode::kCameraTimeout);
  metrics.SetMalformed(3);
  return metrics.Exposition();
}

std::string Learner() {
  Metrics metrics("learner", "1.2.3");
  LearnerMetrics learner(metrics);
  AgentFigures agent{.task = "pick",
                     .updates = 1000,
                     .samples = 500,
                     .critic_loss = 0.1,
                     .q_mean = 0.6,
                     .entropy = -2,
                     .temperature = 0.02,
                     .q_bias = 0.05,
                     .dormant_ratio = 0.01,
                     .feature_rank = 60,
                     .features = 128,
                     .weight_norm = 9,
                     .value_error = 0.3,
                     .value_range = 2,
                     .held_out_episodes = 12,
                     .q_size = 1.1,
                     .saturated_ratio = 0.2};
  learner.SetAgent(agent);
  learner.SetTraining({.transitions_consumed = 500,
                       .update_ratio = 1.9,
                       .update_ratio_target = 2,
                       .degraded = {{"learner_diverges", false}}});
  learner.CountPublished("pick");
  RiskLearnedMetrics(metrics).Set({.trusted = RiskLearned::Trusted::kYes,
                                   .updates = 700,
                                   .near_misses = 60,
                                   .auc = 0.95,
                                   .auc_low = 0.93,
                                   .auc_high = 0.97,
                                   .calibration_error = 0.03,
                                   .slowed_share = 0.12,
                                   .advised = {.episodes = 30, .solved = 21, .near_misses = 2},
                                   .control = {.episodes = 10, .solved = 7, .near_misses = 1}});
  return metrics.Exposition();
}

}  // namespace

Everything TouchEverything() { return {.safety = Safety(), .supervisor = Supervisor(), .learner = Learner()}; }

}  // namespace nightshift::monitoring
