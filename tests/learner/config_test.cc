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

TEST(LearnerConfig, RefusesNaN) {
  Config config;
  config.update_ratio = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(Validate(config));
}

}  // namespace
}  // namespace nightshift::learner
