// SPDX-License-Identifier: Apache-2.0
#include "monitoring/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "monitoring/learner_metrics.h"
#include "monitoring/log.h"
#include "monitoring/practice_metrics.h"
#include "monitoring/risk_metrics.h"
#include "monitoring/safety_metrics.h"
#include "tests/monitoring/everything.h"

namespace nightshift::monitoring {
namespace {

using testing::HasSubstr;
using testing::Not;

int Occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Metrics, EveryProcessTellsItsBuildAndItsUseOfTheMachine) {
  const Metrics metrics("learner", "1.2.3");
  const auto text = metrics.Exposition();
  EXPECT_THAT(text, HasSubstr(R"(nightshift_build_info{compiler=)"));
  EXPECT_THAT(text, HasSubstr(R"(process="learner",version="1.2.3"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(nightshift_process_resident_memory_bytes{process="learner"} )"));
  EXPECT_THAT(text, HasSubstr(R"(nightshift_process_open_fds{process="learner"} )"));
  EXPECT_THAT(text, Not(HasSubstr(R"(nightshift_process_start_time_seconds{process="learner"} 0)")));
}

TEST(Metrics, AnEpisodeIsCountedByTaskOutcomeAndSkill) {
  EXPECT_THAT(TouchEverything().supervisor,
              HasSubstr(R"(nightshift_episodes_total{outcome="success",skill="learned",task="pick"} 1)"));
}

TEST(Metrics, ARecoveryEpisodeCountsAsAttemptAndWhenSolvedAsRecovery) {
  Metrics metrics("supervisor", "1");
  PracticeMetrics practice(metrics);
  core::Episode episode;
  episode.task = "free a wedged object";
  episode.outcome = core::Outcome::kFailure;
  practice.CountEpisode(episode, "wedged");
  episode.outcome = core::Outcome::kSuccess;
  practice.CountEpisode(episode, "wedged");
  EXPECT_THAT(metrics.Exposition(), HasSubstr(R"(nightshift_recovery_attempts_total{kind="wedged"} 2)"));
  EXPECT_THAT(metrics.Exposition(), HasSubstr(R"(nightshift_recoveries_total{kind="wedged"} 1)"));
}

TEST(Metrics, TaskLabelsStayBoundedWhateverTasksAreMade) {
  Metrics metrics("supervisor", "1");
  PracticeMetrics practice(metrics);
  for (int i = 0; i < 100; ++i) practice.CountPromoted("recovery " + std::to_string(i));
  const auto text = metrics.Exposition();
  EXPECT_EQ(Occurrences(text, "nightshift_policy_promoted_total{"), 33);
  EXPECT_THAT(text, HasSubstr(R"(nightshift_policy_promoted_total{task="other"} 68)"));
}

TEST(Metrics, ACandidateThatIsNoLongerJudgedIsShownNoMore) {
  Metrics metrics("supervisor", "1");
  PracticeMetrics practice(metrics);
  const PracticeMetrics::Tried good{.attempts = 40, .success_ratio = 0.75};
  practice.SetPolicies({.task = "pick", .deployed = good, .candidate = PracticeMetrics::Tried{.attempts = 6}});
  const char deployed[] = R"(nightshift_policy_success_ratio{policy="deployed",task="pick"} 0.75)";
  EXPECT_THAT(metrics.Exposition(), HasSubstr(R"(nightshift_policy_attempts{policy="candidate",task="pick"} 6)"));
  EXPECT_THAT(metrics.Exposition(), HasSubstr(deployed));
  practice.SetPolicies({.task = "pick", .deployed = good});
  EXPECT_THAT(metrics.Exposition(), HasSubstr(deployed));
  EXPECT_THAT(metrics.Exposition(), Not(HasSubstr("candidate\"")));
}

TEST(Metrics, APolicyThatWasNotTriedHasNoShareOfSuccesses) {
  Metrics metrics("supervisor", "1");
  PracticeMetrics practice(metrics);
  practice.SetPolicies({.task = "pick", .candidate = PracticeMetrics::Tried{}});
  EXPECT_THAT(metrics.Exposition(), HasSubstr(R"(nightshift_policy_attempts{policy="candidate",task="pick"} 0)"));
  EXPECT_THAT(metrics.Exposition(), Not(HasSubstr("nightshift_policy_success_ratio{")));
}

TEST(Metrics, VerdictsAreCountedFromZeroSoThatTheFirstIsAnIncrease) {
  Metrics metrics("supervisor", "1");
  PracticeMetrics practice(metrics);
  practice.SetPolicies({.task = "pick"});
  for (const char* verdict : {"promoted", "rejected", "refused", "rolled_back"})
    EXPECT_THAT(metrics.Exposition(),
                HasSubstr(std::string("nightshift_policy_") + verdict + "_total{task=\"pick\"} 0"));
}

TEST(Metrics, ADegradedModeThatIsOverGoesToZero) {
  Metrics metrics("supervisor", "1");
  PracticeMetrics practice(metrics);
  practice.SetDegraded({"learner is dead"});
  practice.SetDegraded({});
  EXPECT_THAT(metrics.Exposition(), HasSubstr(R"(nightshift_degraded{mode="learner is dead"} 0)"));
}

TEST(Metrics, ALatchIsCountedOnceHoweverLongItHolds) {
  Metrics metrics("safety", "1");
  SafetyMetrics safety(metrics);
  core::PeriodReport report;
  report.latch = {.first = core::StopCause::kHot, .worst = core::StopCause::kHot, .id = 1, .nonce = 1, .epoch = 1};
  for (int period = 0; period < 50; ++period) safety.SetPeriod(report);
  report.latch.id = 2;
  safety.SetPeriod(report);
  EXPECT_THAT(metrics.Exposition(), HasSubstr(R"(nightshift_safety_latches_total{cause="hot"} 2)"));
  EXPECT_THAT(metrics.Exposition(), HasSubstr(R"(nightshift_safety_latched{cause="hot"} 1)"));
  safety.SetPeriod({});
  EXPECT_THAT(metrics.Exposition(), HasSubstr(R"(nightshift_safety_latched{cause="hot"} 0)"));
}

TEST(Metrics, TicksFallIntoTheirBuckets) {
  Metrics metrics("safety", "1");
  SafetyMetrics safety(metrics);
  for (const int us : {10, 60, 70, 3000, 1000000})
    safety.CountTick({core::Verdict::kPass, core::LimitId::kNone, std::chrono::microseconds(us), {}});
  safety.SetPeriod({});
  const auto text = metrics.Exposition();
  EXPECT_THAT(text, HasSubstr(R"(nightshift_safety_tick_duration_seconds_bucket{le="5e-05"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(nightshift_safety_tick_duration_seconds_bucket{le="0.0001"} 3)"));
  EXPECT_THAT(text, HasSubstr(R"(nightshift_safety_tick_duration_seconds_bucket{le="0.005"} 4)"));
  EXPECT_THAT(text, HasSubstr(R"(nightshift_safety_tick_duration_seconds_bucket{le="+Inf"} 5)"));
  EXPECT_THAT(text, HasSubstr(R"(nightshift_safety_judgements_total{limit="none",verdict="pass"} 5)"));
  EXPECT_THAT(text, HasSubstr("nightshift_safety_ticks_total 5"));
}

TEST(Metrics, TheRiskCriticsStepsAreCountedByAdviceFromTheBeginning) {
  Metrics metrics("supervisor", "1");
  RiskActedMetrics risk(metrics);
  for (const char* advice : {"full", "slowed", "refused"})
    EXPECT_THAT(metrics.Exposition(),
                HasSubstr("nightshift_risk_steps_total{advice=\"" + std::string(advice) + "\"} 0"));
  risk.Set({.acts = RiskActed::Acts::kYes, .full = 90, .slowed = 8, .refused = 2});
  const auto text = metrics.Exposition();
  EXPECT_THAT(text, HasSubstr("nightshift_risk_acts 1"));
  EXPECT_THAT(text, HasSubstr(R"(nightshift_risk_steps_total{advice="slowed"} 8)"));
  EXPECT_THAT(text, HasSubstr(R"(nightshift_risk_steps_total{advice="refused"} 2)"));
}

TEST(Metrics, TheRiskCriticsEvidenceIsShownWithAndWithoutIt) {
  const auto text = TouchEverything().learner;
  EXPECT_THAT(text, HasSubstr("nightshift_risk_trusted 1"));
  EXPECT_THAT(text, HasSubstr("nightshift_risk_auc_low 0.93"));
  EXPECT_THAT(text, HasSubstr(R"(nightshift_risk_episodes_near_miss{group="advised"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(nightshift_risk_episodes_near_miss{group="control"} 1)"));
}

TEST(Metrics, ATotalThatBeganAnewElsewhereNeverGoesBack) {
  Metrics metrics("learner", "1");
  LearnerMetrics learner(metrics);
  learner.SetTraining({.transitions_consumed = 500, .update_ratio = 1, .update_ratio_target = 1});
  learner.SetTraining({.transitions_consumed = 20, .update_ratio = 1, .update_ratio_target = 1});
  EXPECT_THAT(metrics.Exposition(), HasSubstr("nightshift_learner_transitions_consumed_total 500"));
}

TEST(Metrics, FiguresThatAnAlgorithmDoesNotComputeAreAbsent) {
  Metrics metrics("learner", "1");
  LearnerMetrics learner(metrics);
  learner.SetAgent({.task = "pick",
                    .updates = 1,
                    .samples = 1,
                    .critic_loss = 1,
                    .q_mean = 1,
                    .entropy = 1,
                    .temperature = 1,
                    .q_bias = {},
                    .dormant_ratio = {},
                    .feature_rank = {},
                    .features = {},
                    .weight_norm = {}});
  EXPECT_THAT(metrics.Exposition(), HasSubstr("nightshift_learner_q_mean"));
  EXPECT_THAT(metrics.Exposition(), Not(HasSubstr("nightshift_learner_q_bias{")));
}

TEST(Log, LevelsAreKnownByNameAndAnUnknownOneNamesThem) {
  EXPECT_EQ(ParseLogLevel("warning").value(), LogLevel::kWarning);
  EXPECT_THAT(ParseLogLevel("loud").error().detail, HasSubstr("debug, info, warning or error"));
}

TEST(Log, LinesGoToStandardErrorWithTheProcessAndNothingBelowTheLevel) {
  unsetenv("JOURNAL_STREAM");
  testing::internal::CaptureStderr();
  StartLog("nightshift-test", LogLevel::kWarning);
  LogInfo("not this");
  LogFault("opening the bus", {core::FaultCode::kDriverLost, "/dev/ttyACM0: gone"});
  const auto text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("nightshift-test: opening the bus: [driver_lost] /dev/ttyACM0: gone"));
  EXPECT_THAT(text, Not(HasSubstr("not this")));
}

TEST(Log, UnderJournaldLinesBeginWithTheirPriority) {
  setenv("JOURNAL_STREAM", "8:1", 1);
  testing::internal::CaptureStderr();
  StartLog("nightshift-test");
  LogWarning("warm");
  LogError("hot");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "<4>nightshift-test: warm\n<3>nightshift-test: hot\n");
  unsetenv("JOURNAL_STREAM");
  StartLog("nightshift");
}

}  // namespace
}  // namespace nightshift::monitoring
