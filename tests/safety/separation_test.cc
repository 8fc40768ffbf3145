// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/separation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "safety/checks/arm_shape.h"
#include "tests/safety/hostile_joint.h"
#include "tests/safety/person.h"

namespace nightshift::safety {
namespace {

constexpr double kRounding = 1e-12;

/// Of the part of the default arm that is farthest from a joint.
double ReachM(int joint) {
  const ArmShape shape = ShapeOf({});
  double reach_m = 0;
  for (int capsule = 0; capsule < shape.capsules; ++capsule)
    reach_m = std::max(reach_m, safety::ReachM(shape, capsule, joint));
  return reach_m;
}

TEST(Separation, IsTheSumOfItsTerms) {
  const Limits limits;
  const Separation separation(limits);
  double arm_m_s = 0;  // V: at full speed, all joints towards the person.
  for (int joint = 0; joint < limits.axes; ++joint)
    arm_m_s += ReachM(joint) * limits.speed_rad_s_max[static_cast<std::size_t>(joint)];
  EXPECT_NEAR(separation.full_speed_m_s(), arm_m_s, kRounding);
  constexpr double kTickS = 0.004, kDelayS = 0.1, kEveryS = 0.1, kLagS = 0.07;
  constexpr double kBrakeS = 0.1, kRampS = 0.01;  // 4 / 40 and 40 / 4000, of the jaw, too.
  for (const double share : {0.0, 0.1, 0.5, 1.0}) {
    const double v_h = 1.6, v_r = arm_m_s * share;
    const double t_r = kTickS + kDelayS + kEveryS, t_s = share * kBrakeS + 2 * kRampS + kLagS;
    const double b = v_r * (share * kBrakeS / 2 + 1.5 * kRampS);
    const double c = 0.85, z_d = 0.1, z_r = 0.03;
    EXPECT_NEAR(separation.NeededM(share) + separation.UnseenM(v_r),
                v_h * (t_r + t_s) + v_r * (t_r + kLagS) + b + c + z_d + z_r, kRounding)
        << share;
  }
}

/// While one joint still brakes the others go on at their share: were they counted as stopped, their way would be
/// missing.
TEST(Separation, CountsEveryJointAsStoppingAsSlowlyAsTheSlowest) {
  Limits limits;
  const Separation even(limits);
  limits.acceleration_rad_s2_max[core::kRoll] = 4;  // A second from full speed instead of a tenth.
  const Separation one_slow(limits);
  const double v_r = even.full_speed_m_s();
  EXPECT_NEAR(one_slow.NeededM(1) - even.NeededM(1), 0.9 * (1.6 + v_r / 2), kRounding);
}

TEST(Separation, ASwitchIsLookedAtAsOftenAsItIsPolled) {
  Limits limits;
  limits.presence.source = PresenceSource::kGpio;
  EXPECT_NEAR(Separation(limits).UnseenM(2), 1.6 * (0.1 + 0.02) + 2 * (0.1 + 0.02 + 0.07), kRounding);
}

TEST(Separation, RisesWithTheShareOfTheSpeed) {
  core::Random random(1);
  for (int i = 0; i < 200; ++i) {
    const Separation separation(AnyMovingLimits(random));
    for (double share = 0; share < 1; share += 0.01)
      ASSERT_LT(separation.NeededM(share), separation.NeededM(share + 0.01)) << "limits " << i << " at " << share;
  }
}

TEST(Separation, TheLargestShareNeedsWhatThereIsAndAHairMoreNeedsMore) {
  core::Random random(2);
  for (int i = 0; i < 2000; ++i) {
    const Separation separation(AnyMovingLimits(random));
    const double room_m = random.Uniform(separation.NeededM(0), separation.NeededM(1));
    const double share = separation.SpeedScaleWithin(room_m);
    ASSERT_NEAR(separation.NeededM(share), room_m, 1e-9) << "limits " << i;
    ASSERT_GT(separation.NeededM(share + 1e-6), room_m) << "limits " << i;
  }
}

TEST(Separation, LeavesTheWholeSpeedFarAwayAndNoneTooNear) {
  const Separation separation{Limits{}};
  EXPECT_EQ(separation.SpeedScaleWithin(separation.NeededM(1) + 1e-9), 1);
  EXPECT_EQ(separation.SpeedScaleWithin(100), 1);
  EXPECT_EQ(separation.SpeedScaleWithin(separation.NeededM(0)), 0);
  EXPECT_EQ(separation.SpeedScaleWithin(0), 0);
  EXPECT_EQ(separation.SpeedScaleWithin(-1), 0);
  EXPECT_EQ(separation.SpeedScaleWithin(std::nan("")), 0);
}

TEST(Separation, AnArmWithHardlyAnySpeedOrReachGoesOnWhileThereIsRoomAtAll) {
  Limits limits;
  limits.speed_rad_s_max.fill(1e-9);
  const Separation separation(limits);
  EXPECT_EQ(separation.SpeedScaleWithin(separation.NeededM(0) + 1e-6), 1);
}

/// Any motion within a share of the bounds, on each joint, and the stop from it.
TEST(Separation, CoversTheStopFromAnyStateWithinTheShare) {
  core::Random random(3);
  double nearest = 0;  // To the bound: below 1, or it does not hold; far below, or it is too wide.
  for (int i = 0; i < 20'000; ++i) {
    const Limits limits = AnyMovingLimits(random);
    const Separation separation(limits);
    const double share = random.Uniform(0.01, 1);
    double stop_s = 0, way_m = 0;
    for (std::size_t joint = 0; joint < static_cast<std::size_t>(limits.axes); ++joint) {
      JerkBounds bounds{.q_rad_min = -100,
                        .q_rad_max = 100,
                        .speed_rad_s_max = share * limits.speed_rad_s_max[joint],
                        .acceleration_rad_s2_max = limits.acceleration_rad_s2_max[joint],
                        .jerk_rad_s3_max = limits.jerk_rad_s3_max[joint],
                        .escape_speed_rad_s_max = 0.2,
                        .tick_s = 0.004};
      const JerkMotion motion = AnySafeMotion(random, bounds);
      const JointStop stop(motion, bounds);
      stop_s = std::max(stop_s, stop.duration_s());
      way_m += separation.reach_m()[joint] * (stop.q_rad_highest() - stop.q_rad_lowest());
    }
    const PresenceConfig& p = limits.presence;
    const double spare_m =
        separation.NeededM(share) - p.intrusion_m - p.sensor_error_m - p.arm_error_m - p.person_speed_m_s * p.arm_lag_s;
    const double taken_m = p.person_speed_m_s * stop_s + way_m;
    nearest = std::max(nearest, taken_m / spare_m);
    ASSERT_LE(taken_m, spare_m) << "state " << i;
  }
  EXPECT_GT(nearest, 0.7);
}

TEST(Separation, OfASpeedCountsEachJointByItsReachEitherWay) {
  const Separation separation{Limits{}};
  EXPECT_NEAR(separation.ArmSpeedMS({0.5}), 0.5 * ReachM(core::kPan), kRounding);
  EXPECT_NEAR(separation.ArmSpeedMS({-1, 0, 2}), ReachM(core::kPan) + 2 * ReachM(core::kElbow), kRounding);
  EXPECT_EQ(separation.ArmSpeedMS({}), 0);
}

TEST(Separation, TakesAJointThatTheArmsShapeDoesNotKnowForTheLongest) {
  Limits limits;
  limits.axes = core::kAxesMax;
  const Separation separation(limits);
  EXPECT_EQ(separation.reach_m()[7], ReachM(core::kPan));
}

}  // namespace
}  // namespace nightshift::safety
