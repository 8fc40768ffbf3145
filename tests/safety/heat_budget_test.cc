// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/heat_budget.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nightshift::safety {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A motor whose continuous current is 2 A and whose winding takes 50 s, fed by hand.
struct Motor {
  static constexpr std::size_t kAxis = core::kElbow;

  Motor() {
    limits.current_a_continuous.fill(2);
    limits.current_tau_s = 50;
    limits.current_clear_share = 0.5;
    budget = HeatBudget(limits);
  }
  void Draws(double current_a, core::Duration time, core::Duration between = milliseconds(4)) {
    core::JointState seen{.axes = core::kArmAxes};
    seen.current_a[kAxis] = current_a;
    for (core::Duration at{0}; at < time; at += between) budget.Spend(seen, between);
  }
  double heat() const { return budget.heat()[kAxis]; }

  Limits limits;
  HeatBudget budget{limits};
};

TEST(HeatBudget, GoesToTheSquareOfTheCurrentsShareAsFastAsTheWindingWarms) {
  Motor motor;
  motor.Draws(1, seconds(50));
  EXPECT_NEAR(motor.heat(), 0.25 * (1 - std::exp(-1)), 1e-4);
  motor.Draws(1, seconds(1000));
  EXPECT_NEAR(motor.heat(), 0.25, 1e-6);
}

TEST(HeatBudget, TheContinuousCurrentMayFlowForEverAndALittleMoreMayNot) {
  Motor motor;
  motor.Draws(2, std::chrono::hours(24), seconds(1));
  EXPECT_FALSE(motor.budget.Excess());
  motor.Draws(2.01, std::chrono::hours(1), seconds(1));
  EXPECT_TRUE(motor.budget.Excess());
}

TEST(HeatBudget, TwiceTheContinuousCurrentMayFlowForAsLongAsItTakesToWarmToItsLimit) {
  Motor motor;
  const double limit_s = -50 * std::log(0.75);  // 4 (1 - exp(-t / 50 s)) = 1.
  motor.Draws(4, core::Seconds(limit_s - 0.1));
  EXPECT_FALSE(motor.budget.Excess());
  motor.Draws(4, core::Seconds(0.2));
  const auto excess = motor.budget.Excess();
  ASSERT_TRUE(excess);
  EXPECT_EQ(excess->axis, static_cast<int>(Motor::kAxis));
  EXPECT_EQ(excess->wanted, motor.heat());
  EXPECT_EQ(excess->allowed, 1);
}

TEST(HeatBudget, ACurrentWarmsWhicheverWayItFlows) {
  Motor motor;
  motor.Draws(-4, seconds(60));
  EXPECT_TRUE(motor.budget.Excess());
}

TEST(HeatBudget, HasCooledOnlyBelowItsShareOnEveryAxis) {
  Motor motor;
  motor.Draws(4, seconds(10));
  const double hot = motor.heat();
  ASSERT_GT(hot, 0.5);
  EXPECT_FALSE(motor.budget.HasCooled());
  const double cooling_s = 50 * std::log(hot / 0.5);
  motor.Draws(0, core::Seconds(cooling_s - 0.1));
  EXPECT_FALSE(motor.budget.HasCooled());
  motor.Draws(0, core::Seconds(0.2));
  EXPECT_TRUE(motor.budget.HasCooled());
}

/// Heat that an earlier life has left on one axis.
HeatBudget Left(const Limits& limits, std::size_t axis, double heat) {
  core::AxisArray all{};
  all[axis] = heat;
  return HeatBudget(limits, all);
}

TEST(HeatBudget, AllOfItMayBeUsedAndToHaveCooledIsToBeBelowTheShare) {
  const Limits limits;
  for (const std::size_t axis : {std::size_t{core::kPan}, std::size_t{core::kJaw}}) {
    EXPECT_FALSE(Left(limits, axis, 1).Excess()) << "axis " << axis;
    EXPECT_TRUE(Left(limits, axis, 1.001).Excess()) << "axis " << axis;
    EXPECT_FALSE(Left(limits, axis, limits.current_clear_share).HasCooled()) << "axis " << axis;
    EXPECT_TRUE(Left(limits, axis, limits.current_clear_share - 0.001).HasCooled()) << "axis " << axis;
  }
}

TEST(HeatBudget, WhatIsLeftOfAnAxisThatTheArmDoesNotHaveCountsForNothing) {
  EXPECT_FALSE(Left({}, core::kArmAxes, 2).Excess());
  EXPECT_TRUE(Left({}, core::kArmAxes, 2).HasCooled());
}

TEST(HeatBudget, ComesToTheSameHoweverFarApartTheReadingsAre) {
  Motor often, seldom;
  often.Draws(3, seconds(30));
  seldom.Draws(3, seconds(30), seconds(10));
  EXPECT_NEAR(often.heat(), seldom.heat(), 1e-9);
}

TEST(HeatBudget, EachAxisHasItsOwn) {
  const Limits limits;
  core::JointState seen{.axes = core::kArmAxes};
  for (std::size_t i = 0; i < core::kArmAxes; ++i) seen.current_a[i] = 0.1 * static_cast<double>(i + 1);
  HeatBudget budget(limits);
  budget.Spend(seen, std::chrono::hours(1));
  for (std::size_t i = 0; i < core::kArmAxes; ++i)
    EXPECT_NEAR(budget.heat()[i], std::pow(seen.current_a[i] / limits.current_a_continuous[i], 2), 1e-12);
}

TEST(HeatBudget, LooksAtNoAxisThatTheArmDoesNotHave) {
  Motor motor;
  core::JointState seen{.axes = core::kArmAxes};
  seen.current_a[core::kArmAxes] = 30;
  for (int i = 0; i < 1000; ++i) motor.budget.Spend(seen, seconds(1));
  EXPECT_EQ(motor.budget.heat()[core::kArmAxes], 0);
  EXPECT_FALSE(motor.budget.Excess());
  EXPECT_TRUE(motor.budget.HasCooled());
}

TEST(HeatBudget, GoesOnWhereAnEarlierLifeOfTheProcessLeftIt) {
  Motor motor;
  core::AxisArray heat{};
  heat[Motor::kAxis] = 0.9;
  motor.budget = HeatBudget(motor.limits, heat);
  motor.Draws(4, seconds(2));
  EXPECT_TRUE(motor.budget.Excess());
}

TEST(HeatBudget, AMotorCoolsWhileNobodyLooks) {
  Motor motor;
  core::AxisArray heat{};
  heat[Motor::kAxis] = 0.8;
  EXPECT_NEAR(Cooled(heat, motor.limits, seconds(50))[Motor::kAxis], 0.8 * std::exp(-1), 1e-12);
  EXPECT_EQ(Cooled(heat, motor.limits, seconds(0))[Motor::kAxis], 0.8);
}

/// The defaults: a stalled servo is stopped within a minute, long before its sensor says 70 C.
TEST(HeatBudget, StopsAStalledServoWithinAMinute) {
  const Limits limits;
  for (const double before : {0.0, 0.4}) {
    core::AxisArray heat{};
    heat[core::kLift] = before;
    HeatBudget budget(limits, heat);
    core::JointState seen{.axes = core::kArmAxes};
    seen.current_a[core::kLift] = 2.5;
    int ticks = 0;
    for (; !budget.Excess() && ticks < 20000; ++ticks) budget.Spend(seen, limits.control_period);
    EXPECT_LT(ticks * 0.004, 60) << "warm from " << before;
    EXPECT_GT(ticks * 0.004, 20) << "warm from " << before;
  }
}

}  // namespace
}  // namespace nightshift::safety
