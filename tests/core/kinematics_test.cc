// SPDX-License-Identifier: Apache-2.0
#include "core/kinematics.h"

#include <gtest/gtest.h>

#include <limits>
#include <numbers>

#include "core/random.h"

namespace nightshift::core {
namespace {

TEST(ForwardKinematics, StandsStraightUpInTheZeroPose) {
  const ArmGeometry arm;
  const TipPose pose = ForwardKinematics(arm, {});
  EXPECT_NEAR(pose.position_m.x, arm.shoulder_offset_m, 1e-12);
  EXPECT_NEAR(pose.position_m.y, arm.grasp_offset_m, 1e-12);
  EXPECT_NEAR(pose.position_m.z, arm.base_height_m + arm.upper_arm_m + arm.forearm_m + arm.hand_m, 1e-12);
}

TEST(InverseKinematics, PutsTheGraspPointWhereItWasAskedToBe) {
  const ArmGeometry arm;
  Random random(7);
  for (int i = 0; i < 20000; ++i) {
    const Vec3 wanted{random.Uniform(0.11, 0.29), random.Uniform(-0.11, 0.11), random.Uniform(0.005, 0.12)};
    const auto q = InverseKinematics(arm, wanted, 0);
    ASSERT_TRUE(q) << wanted.x << " " << wanted.y << " " << wanted.z << ": " << q.error().detail;
    const TipPose reached = ForwardKinematics(arm, *q);
    ASSERT_LT(Norm(reached.position_m - wanted), 6e-4) << wanted.x << " " << wanted.y << " " << wanted.z;
    ASSERT_NEAR(reached.yaw_rad, 0, 1e-9);
  }
}

TEST(InverseKinematics, PointsTheHandDownWhereTheReachAllows) {
  const ArmGeometry arm;
  const auto q = InverseKinematics(arm, {0.2, 0.05, 0.02}, 0.3);
  ASSERT_TRUE(q);
  EXPECT_NEAR(ForwardKinematics(arm, *q).tilt_rad, 0, 1e-9);
}

TEST(InverseKinematics, RefusesWhatIsOutOfReach) {
  const auto q = InverseKinematics({}, {0.6, 0, 0.05}, 0);
  ASSERT_FALSE(q);
  EXPECT_EQ(q.error().code, FaultCode::kOutOfReach);
}

TEST(InverseKinematics, RefusesWhatIsNotFinite) {
  const auto q = InverseKinematics({}, {std::numeric_limits<double>::quiet_NaN(), 0, 0.05}, 0);
  ASSERT_FALSE(q);
  EXPECT_EQ(q.error().code, FaultCode::kNotFinite);
}

}  // namespace
}  // namespace nightshift::core
