// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/strain.h"

#include <gtest/gtest.h>

#include "tests/safety/ideal_arm.h"

namespace nightshift::safety {
namespace {

struct StrainedArm {
  double Strain() const { return safety::Strain(limits, seen, commanded_q_rad, stall, astray); }

  Limits limits;
  StallBudget stall{limits};
  AstrayBudget astray{limits};
  core::JointState seen{.axes = core::kArmAxes, .q_rad = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6}};
  core::AxisArray commanded_q_rad = seen.q_rad;
};

TEST(Strain, IsNoneOfAnArmThatIsWhereItIsToBe) { EXPECT_EQ(StrainedArm{}.Strain(), 0); }

TEST(Strain, IsTheLargestShareOfADistanceFromTheCommandThatStopsTheArm) {
  for (const std::size_t axis : {0u, 3u, 5u}) {
    for (const double way : {1.0, -1.0}) {
      StrainedArm arm;
      arm.commanded_q_rad[1] += 0.1 * arm.limits.tracking_error_rad_max[1];
      arm.commanded_q_rad[axis] += way * 0.4 * arm.limits.tracking_error_rad_max[axis];
      EXPECT_NEAR(arm.Strain(), 0.4, 1e-12) << axis;
    }
  }
}

TEST(Strain, IsTheShareOfAStallBudgetThatIsSpentWhereThatIsLarger) {
  StrainedArm arm;
  auto pushing = arm.seen;
  pushing.torque_nm[1] = 2.5;
  auto ahead = arm.commanded_q_rad;
  ahead[1] += 0.4;
  for (int tick = 0; tick < 150; ++tick) (void)arm.stall.Spend(pushing, ahead);
  ASSERT_GT(arm.stall.used(), 0.5);
  ASSERT_LT(arm.stall.used(), 1);
  EXPECT_EQ(arm.Strain(), arm.stall.used());
}

TEST(Strain, IsTheShareOfTheTimeAstrayThatIsSpentWhereThatIsLarger) {
  StrainedArm arm;
  auto off = arm.commanded_q_rad;
  off[2] += 0.3;
  for (int tick = 0; tick < 10'000 && arm.astray.used() < 0.8; ++tick) (void)arm.astray.Spend(arm.seen, off, {});
  ASSERT_GE(arm.astray.used(), 0.8);
  ASSERT_LT(arm.astray.used(), 1);
  EXPECT_EQ(arm.Strain(), arm.astray.used());
}

TEST(Strain, IsOneAtMost) {
  StrainedArm arm;
  arm.commanded_q_rad[2] += 100;
  EXPECT_EQ(arm.Strain(), 1);
}

TEST(Strain, AxesThatTheArmDoesNotHaveAreNotStrained) {
  StrainedArm arm;
  arm.commanded_q_rad[6] += 1;
  EXPECT_EQ(arm.Strain(), 0);
}

TEST(Strain, OfAnArmThatIsBlockedRisesToTheStopAndTheReportSaysSo) {
  IdealArm arm;
  arm.Arm();
  arm.stuck = true;
  auto target = arm.seen.q_rad;
  target[core::kPan] += 0.3;
  double before = 0, last = 0;
  for (int tick = 0; tick < 2000 && !arm.filter.latch().latched(); ++tick) {
    arm.seen.torque_nm[core::kPan] = 2.5;
    before = last;
    last = arm.Tick(tick % 25 == 0 ? std::optional(arm.Propose(target)) : std::nullopt).strain;
  }
  ASSERT_EQ(arm.filter.latch().first, core::StopCause::kStall);
  EXPECT_EQ(last, 1);
  EXPECT_GT(before, 0.9) << "it was near before it came";
  EXPECT_LT(before, 1);
}

}  // namespace
}  // namespace nightshift::safety
