// SPDX-License-Identifier: Apache-2.0
#include "learner/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace nightshift::learner {
namespace {

using testing::HasSubstr;

TEST(LearnerConfig, DefaultsAreValid) { EXPECT_TRUE(Validate(Config{})); }

TEST(LearnerConfig, RefusesAnImpossibleValueNamingKeyValueAndRange) {
  Config config;
  config.agent.discount = 1.5;
  const auto valid = Validate(config);
  ASSERT_FALSE(valid);
  EXPECT_EQ(valid.error().code, core::FaultCode::kInvalidConfig);
  EXPECT_THAT(valid.error().detail, HasSubstr("learner.agent.discount = 1.5"));
  EXPECT_THAT(valid.error().detail, HasSubstr("[0, 0.9999]"));
}

TEST(LearnerConfig, AttemptsOfSixSecondsAreLearnedAsConfigured) {
  const AgentConfig asked;
  const AgentConfig given = ForTask(asked, core::Seconds(6));
  EXPECT_DOUBLE_EQ(given.discount, asked.discount);
  EXPECT_DOUBLE_EQ(given.step_cost, asked.step_cost);
}

TEST(LearnerConfig, ALongerTaskLooksFurtherAheadAndNeverSucceedingCostsTheSame) {
  const AgentConfig asked;
  const AgentConfig given = ForTask(asked, core::Seconds(12));
  EXPECT_NEAR(1 / (1 - given.discount), 2 / (1 - asked.discount), 1e-6) << "horizon in steps";
  EXPECT_NEAR(given.step_cost / (1 - given.discount), asked.step_cost / (1 - asked.discount), 1e-9);
}

TEST(LearnerConfig, AVeryShortTaskStillHasADiscount) {
  AgentConfig asked;
  asked.discount = 0.9;
  EXPECT_EQ(ForTask(asked, core::Seconds(0.5)).discount, 0);
}

TEST(LearnerConfig, RefusesCostsOfNeverSucceedingThatTheLowestValueHides) {
  Config config;
  config.agent.step_cost = 0.05;
  const auto valid = Validate(config);
  ASSERT_FALSE(valid);
  EXPECT_THAT(valid.error().detail, HasSubstr("learner.agent.value_min"));
}

TEST(LearnerConfig, RefusesARiskCriticThatCouldActWithoutEvidenceNamingTheKey) {
  Config config;
  EXPECT_EQ(config.risk_critic, RiskAdvice::kAuto) << "off by its evidence, not for ever";
  config.risk.evidence.near_misses_min = 0;
  EXPECT_THAT(Validate(config).error().detail, HasSubstr("learner.risk.evidence.near_misses_min = 0"));
  config.risk.evidence = {};
  config.risk.evidence.auc_low_min = 0.4;
  EXPECT_THAT(Validate(config).error().detail, HasSubstr("learner.risk.evidence.auc_low_min = 0.4"));
  config.risk.evidence = {};
  config.risk.near_miss_share = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(Validate(config));
}

TEST(LearnerConfig, RefusesNaN) {
  Config config;
  config.update_ratio = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(Validate(config));
}

}  // namespace
}  // namespace nightshift::learner
