// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/workspace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace nightshift::safety {
namespace {

constexpr double kTickS = 0.004;
constexpr double kRoundingM = 1e-12;

JerkBounds Bounds() {
  return {.q_rad_min = -6,
          .q_rad_max = 6,
          .speed_rad_s_max = 4,
          .acceleration_rad_s2_max = 40,
          .jerk_rad_s3_max = 4000,
          .escape_speed_rad_s_max = 0.2,
          .tick_s = kTickS};
}

/// Over the table, hand down.
core::AxisArray Pose() { return *core::InverseKinematics({}, {0.2, 0.05, 0.1}, 0); }

/// An arm at rest but for one axis.
ArmMotion Moving(std::size_t axis, double v_rad_s, double a_rad_s2 = 0, const JerkBounds& bounds = Bounds()) {
  ArmMotion next;
  const core::AxisArray q_rad = Pose();
  for (std::size_t i = 0; i < core::kArmAxes; ++i) {
    const JerkMotion motion{q_rad[i], i == axis ? v_rad_s : 0, i == axis ? a_rad_s2 : 0};
    next.Set(i, motion, JointStop(motion, bounds));
  }
  return next;
}

/// Where the arm is, `t_s` into its stop.
core::AxisArray PoseAfter(const ArmMotion& next, double t_s) {
  core::AxisArray q_rad = next.q_rad;
  for (std::size_t i = 0; i < core::kArmAxes; ++i) q_rad[i] = next.stop[i].At(t_s).q_rad;
  return q_rad;
}

TEST(Workspace, TellsHowFarTheTipIsBeyondEachOfItsWalls) {
  const core::Vec3 tip = core::ForwardKinematics({}, Pose()).position_m;
  for (double core::Vec3::*along : {&core::Vec3::x, &core::Vec3::y, &core::Vec3::z}) {
    Limits limits;
    limits.workspace_m_min = tip - core::Vec3{0.3, 0.3, 0.3};
    limits.workspace_m_max = tip + core::Vec3{0.3, 0.3, 0.3};
    EXPECT_NEAR(OutsideWorkspace(limits, Pose()), -0.3, kRoundingM);
    limits.workspace_m_min.*along = tip.*along + 0.02;
    EXPECT_NEAR(OutsideWorkspace(limits, Pose()), 0.02, kRoundingM);
    limits.workspace_m_min.*along = tip.*along - 0.1;
    EXPECT_NEAR(OutsideWorkspace(limits, Pose()), -0.1, kRoundingM) << "the nearest wall counts";
    limits.workspace_m_max.*along = tip.*along - 0.05;
    EXPECT_NEAR(OutsideWorkspace(limits, Pose()), 0.05, kRoundingM);
  }
}

TEST(Workspace, OfAnArmAtRestOnlyItsPlaceCounts) {
  const Limits limits;
  EXPECT_EQ(OutsideWhileStopping(limits, Moving(core::kPan, 0)), OutsideWorkspace(limits, Pose()));
}

TEST(Workspace, TheEndOfTheStopCountsOfEachAxisThatMovesTheTip) {
  const Limits limits;
  for (const std::size_t axis : {core::kPan, core::kLift, core::kElbow, core::kWrist})
    for (const double v_rad_s : {-3.0, 3.0}) {
      const ArmMotion next = Moving(axis, v_rad_s);
      double worst_m = OutsideWorkspace(limits, PoseAfter(next, 1));
      for (int tick = 0; tick < 100; ++tick)
        worst_m = std::max(worst_m, OutsideWorkspace(limits, PoseAfter(next, tick * kTickS)));
      EXPECT_NEAR(OutsideWhileStopping(limits, next), worst_m, kRoundingM) << "axis " << axis << " at " << v_rad_s;
    }
}

TEST(Workspace, TheTurningPointOfTheStopCounts) {
  Limits limits;
  limits.workspace_m_min = {-1, -0.01, -1};
  limits.workspace_m_max = {1, 0.01, 1};
  const ArmMotion next = Moving(core::kPan, 0.15, -40);  // It brakes harder than it can leave off, and comes back.
  double farthest_m = OutsideWorkspace(limits, next.q_rad);
  for (double t_s = 0; t_s < 0.1; t_s += 1e-5)
    farthest_m = std::max(farthest_m, OutsideWorkspace(limits, PoseAfter(next, t_s)));
  const double end_m = OutsideWorkspace(limits, PoseAfter(next, 1));
  ASSERT_GT(farthest_m, std::max(end_m, OutsideWorkspace(limits, next.q_rad)) + 2e-5);
  EXPECT_NEAR(OutsideWhileStopping(limits, next), farthest_m, 1e-5);
}

TEST(Workspace, AStopThatDoesNotEndIsInfinitelyFarOutside) {
  JerkBounds weak = Bounds();
  weak.acceleration_rad_s2_max = 0.1;
  EXPECT_EQ(OutsideWhileStopping({}, Moving(core::kPan, 4, 0, weak)), std::numeric_limits<double>::infinity());
  EXPECT_LT(OutsideWhileStopping({}, Moving(core::kJaw, 4, 0, weak)), 0) << "the jaw does not move the tip";
}

TEST(Workspace, AStopThatIsNoNumberIsInfinitelyFarOutside) {
  const double nan = std::nan("");
  EXPECT_EQ(OutsideWhileStopping({}, Moving(core::kPan, nan)), std::numeric_limits<double>::infinity());
  EXPECT_EQ(OutsideWhileStopping({}, Moving(core::kPan, 1, nan)), std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace nightshift::safety
