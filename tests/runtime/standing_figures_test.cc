// SPDX-License-Identifier: Apache-2.0
// What a person reads at the endpoint is what practice knows of itself.
#include "runtime/standing_figures.h"

#include "monitoring/metrics.h"
#include "tests/runtime/lab.h"

namespace nightshift::runtime {
namespace {

using core::Seconds;
using testing::HasSubstr;
using testing::Not;

struct Standing : Lab {
  std::string Told(double practised_s) {
    figures.Tell(*practice, Seconds(practised_s));
    return metrics.Exposition();
  }

  monitoring::Metrics metrics{"supervisor", "1"};
  monitoring::PracticeMetrics practice_metrics{metrics};
  StandingFigures figures{practice_metrics};
};

TEST_F(Standing, AnOpenQuestionIsShownUntilItIsAnswered) {
  const int cube = world.PutsObject(0.45, 0.20);
  Start();
  EXPECT_THAT(Told(1), HasSubstr("nightshift_interventions_open 0"));
  ASSERT_TRUE(Until([this] { return !world.asked.empty(); }));
  EXPECT_THAT(Told(2), HasSubstr("nightshift_interventions_open 1"));
  world.MovesObject(cube, 0.20, 0.0);
  ASSERT_TRUE(Until([this] { return !ear.helped.empty(); }, 100));
  EXPECT_THAT(Told(3), HasSubstr("nightshift_interventions_open 0"));
}

TEST_F(Standing, TheWaitForAPersonIsToldUnlessRobotTimeBeganAnewMeanwhile) {
  core::InterventionRecord answered{.id = 1, .reason = "", .object = 0, .asked = {}, .resolved = {}};
  answered.asked = core::Instant(Seconds(100));
  answered.resolved = core::Instant(Seconds(130));
  figures.TellHelp(answered);
  answered.resolved = core::Instant(Seconds(3));
  figures.TellHelp(answered);
  EXPECT_THAT(metrics.Exposition(), HasSubstr("nightshift_intervention_wait_seconds_count 1\n"));
  EXPECT_THAT(metrics.Exposition(), HasSubstr("nightshift_intervention_wait_seconds_sum 30\n"));
}

TEST_F(Standing, ThePolicyInUseItsAgeAndWhatSpeaksForItAreShown) {
  PromotesOne();
  (void)Told(100);
  const auto text = Told(160);
  EXPECT_THAT(text, HasSubstr(R"(nightshift_policy_version{task="rise"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(nightshift_policy_staleness_seconds{task="rise"} 60)"));
  EXPECT_THAT(text, HasSubstr(R"(nightshift_policy_attempts{policy="deployed",task="rise"} 4)"));
  EXPECT_THAT(text, HasSubstr(R"(nightshift_policy_success_ratio{policy="deployed",task="rise"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(nightshift_policy_regression_odds{task="rise"} 0)"));
}

TEST_F(Standing, ACandidateIsShownBesideIt) {
  PromotesOne();
  EXPECT_THAT(Told(1), Not(HasSubstr("candidate\"")));
  published = {tests::ConstantPolicy("rise", 2, -3)};
  ASSERT_TRUE(Until([this] {
    const auto standing = practice->slot("rise")->candidate_standing();
    return standing && standing->evidence.attempts > 0;
  }));
  EXPECT_THAT(Told(2), HasSubstr(R"(nightshift_policy_success_ratio{policy="candidate",task="rise"} 0)"));
}

TEST_F(Standing, ATaskWithoutAPolicySaysSo) {
  world.PutsObject(0.20, 0.0);
  Start();
  const auto text = Told(50);
  EXPECT_THAT(text, HasSubstr(R"(nightshift_policy_version{task="pick"} 0)"));
  EXPECT_THAT(text, HasSubstr(R"(nightshift_policy_staleness_seconds{task="pick"} 0)"));
}

TEST_F(Standing, RecoveryTasksOfEarlierSessionsAreCounted) {
  TaskSpec again = Rise();
  again.name = "rise-again";
  again.failure_kind = again.signature = "stuck";
  again.script = "unwedge";
  journal.catalogue.recovery_tasks = {again};
  Start();
  EXPECT_THAT(Told(1), HasSubstr("nightshift_recovery_tasks 1"));
}

}  // namespace
}  // namespace nightshift::runtime
