// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/stall.h"

#include <gtest/gtest.h>

namespace nightshift::safety {
namespace {

/// Numbers that a double holds exactly: 256 ticks a second, 0.5 Nm rad free, and four ticks of 1 Nm rad more allowed.
Limits ExactLimits() {
  Limits limits;
  limits.control_period = std::chrono::nanoseconds(1'000'000'000 / 256);
  limits.stall_free_nm_rad.fill(0.5);
  limits.stall_nm_rad_s_max.fill(4.0 / 256);
  return limits;
}

struct PushedArm {
  /// Pushes with 2 Nm, 0.75 rad off: 1 Nm rad more than is free.
  void Pushes(std::size_t axis) {
    seen.torque_nm[axis] = 2;
    commanded_q_rad[axis] = seen.q_rad[axis] + 0.75;
  }
  void GivesWay(std::size_t axis) { commanded_q_rad[axis] = seen.q_rad[axis]; }

  std::optional<AxisExcess> Ticks(int count) {
    std::optional<AxisExcess> last;
    for (int i = 0; i < count; ++i) last = budget.Spend(seen, commanded_q_rad);
    return last;
  }

  Limits limits = ExactLimits();
  StallBudget budget{limits};
  core::JointState seen{.axes = core::kArmAxes, .q_rad = {1, 1, 1, 1, 1, 1, 1, 1}};
  core::AxisArray commanded_q_rad = seen.q_rad;
};

TEST(Stall, TellsTheLargestShareOfAnAxissBudgetThatIsSpent) {
  PushedArm arm;
  EXPECT_EQ(arm.budget.used(), 0);
  arm.Pushes(2);
  arm.Ticks(3);
  EXPECT_EQ(arm.budget.used(), 0.75);
  arm.Pushes(core::kJaw);
  arm.Ticks(1);
  EXPECT_EQ(arm.budget.used(), 1);
  arm.GivesWay(2);
  arm.Ticks(2);
  EXPECT_EQ(arm.budget.used(), 0.75) << "the jaw's";
  arm.budget.Reset();
  EXPECT_EQ(arm.budget.used(), 0);
}

TEST(Stall, IsAnAxisThatHasPushedForMoreThanItsBudget) {
  for (std::size_t axis = 0; axis <= core::kJaw; ++axis) {
    PushedArm arm;
    arm.Pushes(axis);
    EXPECT_FALSE(arm.Ticks(4)) << "axis " << axis;
    const auto stalled = arm.Ticks(1);
    ASSERT_TRUE(stalled) << "axis " << axis;
    EXPECT_EQ(stalled->axis, static_cast<int>(axis));
    EXPECT_EQ(stalled->wanted, 5.0 / 256);
    EXPECT_EQ(stalled->allowed, 4.0 / 256);
  }
}

TEST(Stall, CountsAPushEitherWay) {
  PushedArm arm;
  arm.Pushes(core::kLift);
  arm.seen.torque_nm[core::kLift] = -2;
  EXPECT_TRUE(arm.Ticks(5));
}

TEST(Stall, IsForgottenAsQuicklyAsItCameButNeverOwed) {
  PushedArm arm;
  arm.Pushes(core::kPan);
  arm.Ticks(4);
  arm.GivesWay(core::kPan);
  arm.Ticks(4);  // Half of what was spent, at 0.5 Nm rad below what is free.
  arm.Pushes(core::kPan);
  EXPECT_FALSE(arm.Ticks(2));
  EXPECT_TRUE(arm.Ticks(1));
  arm.GivesWay(core::kPan);
  arm.Ticks(1000);
  arm.Pushes(core::kPan);
  EXPECT_FALSE(arm.Ticks(4));
  EXPECT_TRUE(arm.Ticks(1));
}

TEST(Stall, OfTwoAxesNamesTheFirst) {
  PushedArm arm;
  arm.Pushes(core::kElbow);
  arm.Pushes(core::kRoll);
  const auto stalled = arm.Ticks(5);
  ASSERT_TRUE(stalled);
  EXPECT_EQ(stalled->axis, core::kElbow);
}

TEST(Stall, LooksAtNoAxisThatTheArmDoesNotHave) {
  PushedArm arm;
  arm.Pushes(core::kArmAxes);
  EXPECT_FALSE(arm.Ticks(100));
}

TEST(Stall, BeginsAnewAfterAReset) {
  PushedArm arm;
  arm.Pushes(core::kPan);
  arm.Ticks(4);
  arm.budget.Reset();
  EXPECT_FALSE(arm.Ticks(4));
  EXPECT_TRUE(arm.Ticks(1));
}

}  // namespace
}  // namespace nightshift::safety
