// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/astray.h"

#include <gtest/gtest.h>

#include "tests/safety/ideal_arm.h"

namespace nightshift::safety {
namespace {

constexpr double kTickS = 0.004;

struct Story {
  Limits limits;
  AstrayBudget budget{limits};
  core::JointState seen{.axes = core::kArmAxes};
  core::AxisArray told_q_rad{}, told_v_rad_s{};

  /// Seconds until an axis is called astray; nothing within ten.
  std::optional<double> SecondsUntilAstray() {
    for (int tick = 1; tick <= 2500; ++tick)
      if (budget.Spend(seen, told_q_rad, told_v_rad_s)) return tick * kTickS;
    return std::nullopt;
  }
};

TEST(Astray, AnErrorThatStaysIsCalledSoTheSoonerTheLargerItIs) {
  for (const auto& [error_rad, expected_s] : {std::pair{0.35, 2.0}, {0.30, 0.4 / 0.15}, {0.25, 4.0}}) {
    Story story;
    story.told_q_rad[core::kElbow] = -error_rad;
    const auto took_s = story.SecondsUntilAstray();
    ASSERT_TRUE(took_s) << error_rad;
    EXPECT_NEAR(*took_s, expected_s, 2 * kTickS) << error_rad;
  }
}

TEST(Astray, SaysWhichShareIsSpentOfTheBudgetThatIsNearestToItsEnd) {
  Story story;
  EXPECT_EQ(story.budget.used(), 0);
  story.told_q_rad[core::kElbow] = 0.35;
  story.told_q_rad[core::kLift] = 0.2;
  for (int tick = 0; tick < 250; ++tick) (void)story.budget.Spend(story.seen, story.told_q_rad, story.told_v_rad_s);
  EXPECT_NEAR(story.budget.used(), 0.5, 1e-9) << "of the elbow's, after one of two seconds";
  story.budget.Reset();
  EXPECT_EQ(story.budget.used(), 0);
}

TEST(Astray, SagIsNone) {
  Story story;
  story.told_q_rad[core::kLift] = story.limits.astray_free_rad;
  EXPECT_FALSE(story.SecondsUntilAstray());
}

TEST(Astray, AServoMayLagAsFarAsItsSpeedExplainsEitherWay) {
  for (const double speed_rad_s : {4.0, -4.0}) {
    Story story;
    story.told_v_rad_s[core::kPan] = speed_rad_s;
    story.told_q_rad[core::kPan] = 0.15 + 0.07 * 4;
    EXPECT_FALSE(story.SecondsUntilAstray());
    story.told_v_rad_s[core::kPan] = 0;
    EXPECT_TRUE(story.SecondsUntilAstray());
  }
}

TEST(Astray, WhatTheJawHoldsKeepsItFromWhereItIsToldToGo) {
  Story story;
  story.told_q_rad[core::kJaw] = 1.2;
  EXPECT_FALSE(story.SecondsUntilAstray());
}

TEST(Astray, ErrorsThatPassAreForgottenAsQuicklyAsTheyCame) {
  Story story;
  for (int round = 0; round < 20; ++round) {
    story.told_q_rad[core::kWrist] = 0.35;
    for (int tick = 0; tick < 400; ++tick) EXPECT_FALSE(story.budget.Spend(story.seen, story.told_q_rad, {}));
    story.told_q_rad[core::kWrist] = 0;
    for (int tick = 0; tick < 600; ++tick) EXPECT_FALSE(story.budget.Spend(story.seen, story.told_q_rad, {}));
  }
}

TEST(Astray, SaysWhichAxisAndHowMuchAndBeginsAnewAfterAReset) {
  Story story;
  story.told_q_rad[core::kWrist] = 0.4;
  std::optional<AxisExcess> astray;
  for (int tick = 0; tick < 2500 && !astray; ++tick) astray = story.budget.Spend(story.seen, story.told_q_rad, {});
  ASSERT_TRUE(astray);
  EXPECT_EQ(astray->axis, core::kWrist);
  EXPECT_GT(astray->wanted, astray->allowed);
  EXPECT_EQ(astray->allowed, story.limits.astray_rad_s_max);
  story.budget.Reset();
  EXPECT_FALSE(story.budget.Spend(story.seen, story.told_q_rad, {}));
}

TEST(Filter, AnArmThatNeverFollowsIsStoppedThoughNothingPushes) {
  IdealArm arm;
  arm.Arm();
  arm.stuck = true;  // Its torques read zero.
  for (int period = 0; period < 40 && !arm.filter.latch().latched(); ++period) {
    auto target = arm.seen.q_rad;
    target[core::kPan] += 0.35;
    arm.Period(arm.Propose(target));
  }
  EXPECT_EQ(arm.filter.latch().first, core::StopCause::kTrackingError);
}

}  // namespace
}  // namespace nightshift::safety
