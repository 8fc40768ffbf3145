// SPDX-License-Identifier: Apache-2.0
#include "runtime/practice_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace nightshift::runtime {
namespace {

using testing::HasSubstr;

void ExpectRefused(const PracticeConfig& config, const std::string& key) {
  const auto valid = Validate(config);
  ASSERT_FALSE(valid) << key;
  EXPECT_EQ(valid.error().code, core::FaultCode::kInvalidConfig);
  EXPECT_THAT(valid.error().detail, HasSubstr(key));
}

TEST(PracticeConfig, TheDefaultIsValid) { EXPECT_TRUE(Validate({})); }

TEST(PracticeConfig, RefusesWhatIsOutOfRangeAndNamesItsKey) {
  ExpectRefused({.scripted_share = 1.5}, "scripted_share");
  ExpectRefused({.judged_after_attempts = 0}, "judged_after_attempts");
  ExpectRefused({.forgetting = 0.1}, "forgetting");
  ExpectRefused({.retries_without_recovery = 0}, "retries_without_recovery");
  ExpectRefused({.plan = {.attempts_max = 0}}, "plan.attempts_max");
  ExpectRefused({.plan = {.attempts_before_going_on = -1}}, "plan.attempts_before_going_on");
}

TEST(PracticeConfig, RefusesWhatIsNotANumber) {
  ExpectRefused({.promotion_margin = std::numeric_limits<double>::quiet_NaN()}, "promotion_margin");
}

}  // namespace
}  // namespace nightshift::runtime
