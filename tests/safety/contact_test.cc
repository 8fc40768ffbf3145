// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/contact.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/safety/counting_allocator.h"

namespace nightshift::safety {
namespace {

using core::AxisArray;
using core::kElbow;
using core::kLift;
using core::kPan;

constexpr double kTickS = 0.004;
const AxisArray kUp = *core::InverseKinematics({}, {0.2, 0, 0.15}, 0);    // Above the tray.
const AxisArray kDown = *core::InverseKinematics({}, {0.2, 0, 0.03}, 0);  // In it.
const AxisArray kBack{0, -1.2, 0.3, 0, 0, 0.5};  // Leaning back, where weight pulls the other way.

Limits Watched() {
  Limits limits;
  limits.contact_zones = {{"tray", {0.1, -0.1, 0}, {0.3, 0.1, 0.06}}};
  limits.contact_nm_max = {0.5, 0.5, 0.5, 0.5, 0.5, 0};
  limits.contact_nm_s_rad = {0.1, 0.1, 0.1, 0.1, 0.1, 0};
  limits.contact_force_n_max = 10;
  return limits;
}

/// An arm whose readings tell of torques that exactly explain how it moves, and of what else is pushed on it.
class Told {
 public:
  explicit Told(const Limits& limits = Watched(), const AxisArray& q_rad = kUp)
      : limits_(limits), dynamics_(limits), watch(limits) {
    seen.axes = limits.axes;
    seen.q_rad = q_rad;
    seen.powered = true;
    Ticks(100);
  }

  /// One tick in which the joints are accelerated; what is found.
  std::optional<ContactFinding> Tick(const AxisArray& ddq_rad_s2 = {}) {
    ++seen.sequence;
    seen.time += core::Seconds(kTickS);
    for (std::size_t i = 0; i < core::kArmAxes; ++i) {
      seen.dq_rad_s[i] += ddq_rad_s2[i] * kTickS;
      seen.q_rad[i] += seen.dq_rad_s[i] * kTickS;
    }
    const JointMotion motion{seen.q_rad, seen.dq_rad_s, ddq_rad_s2};
    const AxisArray needed_nm = dynamics_.TorqueNm(motion, held_kg), friction_nm = dynamics_.FrictionNm(seen.dq_rad_s);
    for (std::size_t i = 0; i < core::kArmAxes; ++i) seen.torque_nm[i] = needed_nm[i] + friction_nm[i] + pushed_nm[i];
    return watch.Look(seen);
  }
  std::optional<ContactFinding> Ticks(int count) {
    std::optional<ContactFinding> found;
    for (int i = 0; i < count && !found; ++i) found = Tick();
    return found;
  }

  core::JointState seen;
  AxisArray pushed_nm{};
  double held_kg = 0;

 private:
  Limits limits_;
  ArmDynamics dynamics_;

 public:
  ContactWatch watch;
};

TEST(TorqueResidual, AnArmThatMovesAsItsTorquesSayLeavesNone) {
  Told arm;
  for (int i = 0; i < 50; ++i) arm.Tick({8, -5, 9, 3, 10, 20});
  for (int i = 0; i < 50; ++i) arm.Tick({-8, 5, -9, -3, -10, -20});
  for (const double nm : arm.watch.residual_nm()) EXPECT_NEAR(nm, 0, 1e-9);
}

TEST(TorqueResidual, APushShowsWithItsSignWithinTheTimeConstant) {
  Told arm;
  arm.pushed_nm[kPan] = -0.3;
  arm.Ticks(10);
  EXPECT_NEAR(arm.watch.residual_nm()[kPan], -0.3 * (1 - std::exp(-1)), 0.01);
  arm.Ticks(100);
  EXPECT_NEAR(arm.watch.residual_nm()[kPan], -0.3, 1e-3);
}

TEST(TorqueResidual, ReadingsThatDoNotFollowUponEachOtherArePassedOver) {
  Told arm;
  arm.Tick();
  arm.seen.time += core::Seconds(kTickS);  // One was lost, and with it what the torque was meanwhile.
  arm.seen.dq_rad_s[kPan] += 1;
  arm.Tick();
  EXPECT_NEAR(arm.watch.residual_nm()[kPan], 0, 1e-9);
  arm.pushed_nm[kPan] = 0.3;
  arm.Tick();
  EXPECT_GT(arm.watch.residual_nm()[kPan], 0.01) << "the one after it counts again";
}

/// Whether a reading counts whose joint has gone so much farther than its speed says.
bool CountsWhenOff(std::size_t joint, double off_rad) {
  Told arm;
  AxisArray faster{};
  faster[joint] = 5 / (20 * kTickS);
  for (int i = 0; i < 20; ++i) arm.Tick(faster);
  arm.seen.q_rad[joint] += off_rad;
  const double before_nm = arm.watch.residual_nm()[kPan];
  arm.pushed_nm[kPan] = 2;
  arm.Tick();
  return std::abs(arm.watch.residual_nm()[kPan] - before_nm) > 0.1;
}

TEST(TorqueResidual, ReadingsWhosePositionsAndSpeedsContradictEachOtherArePassedOver) {
  for (std::size_t joint = 0; joint < core::kArmAxes; ++joint) {
    EXPECT_TRUE(CountsWhenOff(joint, 0.99 * TorqueResidual::kDisagreeRad)) << joint;
    EXPECT_FALSE(CountsWhenOff(joint, 1.01 * TorqueResidual::kDisagreeRad)) << joint;
    EXPECT_FALSE(CountsWhenOff(joint, -1.01 * TorqueResidual::kDisagreeRad)) << joint;
  }
  EXPECT_TRUE(CountsWhenOff(core::kArmAxes, 1)) << "there is no such joint";
}

TEST(TorqueResidual, ReadingsMayComeHalfATickEarlyOrLate) {
  for (const auto& [late_ticks, counts] : {std::pair{0.45, true}, {-0.45, true}, {0.55, false}, {-0.55, false}}) {
    Told arm;
    arm.seen.time += core::Seconds(late_ticks * kTickS);
    arm.pushed_nm[kPan] = 2;
    arm.Tick();
    EXPECT_EQ(arm.watch.residual_nm()[kPan] > 0.1, counts) << late_ticks;
  }
}

TEST(TorqueResidual, ATorqueCountsAsNoMoreThanTwiceTheDrives) {
  Told arm;
  arm.pushed_nm[kPan] = 90;
  arm.Tick();
  EXPECT_NEAR(arm.watch.residual_nm()[kPan], 5 * kTickS / 0.044, 1e-9);
}

TEST(Contact, IsFoundWithItsJointAndNumbersOnceAPushIsMoreThanTheModelCanBeWrongBy) {
  Told arm;
  arm.pushed_nm[kElbow] = 0.49;
  EXPECT_FALSE(arm.Ticks(500));
  arm.pushed_nm[kElbow] = 0.51;
  const auto found = arm.Ticks(500);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->axis, kElbow);
  EXPECT_NEAR(found->wanted, 0.5, 0.01);
  EXPECT_NEAR(found->allowed, 0.5, 1e-9);
}

TEST(Contact, TheJawsTorqueIsTheGrips) {
  Told arm;
  arm.pushed_nm[core::kJaw] = -0.25;
  EXPECT_FALSE(arm.Ticks(500));
  EXPECT_NEAR(arm.watch.residual_nm()[core::kJaw], -0.25, 1e-3);
  EXPECT_EQ(arm.watch.UnexplainedNm(ArmDynamics(Watched()).GraspAt(kUp))[core::kJaw], 0);
}

TEST(Contact, AHardPushIsFoundWithinAFewTicks) {
  Told arm;
  arm.pushed_nm[kPan] = 2.5;
  EXPECT_FALSE(arm.Ticks(2));
  EXPECT_TRUE(arm.Ticks(1));
}

TEST(Contact, TheModelMayBeMoreWrongTheFasterAJointMoves) {
  Told arm;
  AxisArray ddq_rad_s2{};
  ddq_rad_s2[kPan] = 2 / (25 * kTickS);
  for (int i = 0; i < 25; ++i) arm.Tick(ddq_rad_s2);  // 2 rad/s: 0.2 Nm more.
  arm.pushed_nm[kPan] = 0.68;
  EXPECT_FALSE(arm.Ticks(200));
  arm.pushed_nm[kPan] = 0.72;
  EXPECT_TRUE(arm.Ticks(200));
}

TEST(Contact, WhatTheHandMayHoldExplainsItself) {
  for (const AxisArray& q_rad : {kUp, kBack})
    for (const double held_kg : {0.0, 0.02, 0.1}) {
      Told arm(Watched(), q_rad);
      arm.held_kg = held_kg;
      EXPECT_FALSE(arm.Ticks(500)) << held_kg;
      for (const double nm : arm.watch.UnexplainedNm(ArmDynamics(Watched()).GraspAt(q_rad)))
        EXPECT_NEAR(nm, 0, 1e-6) << held_kg;
    }
  Told arm;
  arm.held_kg = 0.5;
  const auto found = arm.Ticks(500);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->axis, kLift);
}

TEST(Contact, WhatPullsUpIsNoPayload) {
  Told arm;
  arm.pushed_nm[kLift] = 0.51;  // A payload there pulls the lift forward and down: its torque is negative.
  EXPECT_TRUE(arm.Ticks(500));
  Told other;
  other.pushed_nm[kLift] = -0.51;
  EXPECT_FALSE(other.Ticks(500)) << "0.34 Nm of it may be held";
}

TEST(Contact, InAZoneOnlyForceCounts) {
  Told arm(Watched(), kDown);
  arm.pushed_nm[kPan] = 1.9;  // At a lever of 0.2 m, 9.5 N.
  EXPECT_FALSE(arm.Ticks(500));
  arm.pushed_nm[kPan] = 2.1;
  const auto found = arm.Ticks(500);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->axis, kPan);
  EXPECT_NEAR(found->wanted, 10, 0.1);
  EXPECT_EQ(found->allowed, 10);
}

/// Lifted out of the zone with what it pressed on there.
TEST(Contact, WhatBeganInAZoneIsKnownOutsideItUntilTheArmHasComeFree) {
  Told arm(Watched(), kDown);
  arm.pushed_nm[kElbow] = 0.8;
  arm.Ticks(100);
  arm.seen.q_rad = kUp;
  EXPECT_FALSE(arm.Ticks(100));
  arm.pushed_nm[kElbow] = 0;
  EXPECT_FALSE(arm.Ticks(100));
  arm.pushed_nm[kElbow] = 0.8;
  EXPECT_TRUE(arm.Ticks(100));
}

TEST(Contact, AnArmThatLeavesAZoneFreeIsWatchedAtOnce) {
  Told arm(Watched(), kDown);
  arm.seen.q_rad = kUp;
  arm.pushed_nm[kElbow] = 0.8;
  EXPECT_TRUE(arm.Ticks(100));
}

TEST(Contact, TheGreatestForceThatAnyJointTellsOfCounts) {
  Told arm(Watched(), kDown);
  arm.pushed_nm[kPan] = 1;
  arm.pushed_nm[kLift] = 2.3;  // At a lever of 0.19 m, 12 N.
  const auto found = arm.Ticks(500);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->axis, kLift);
}

TEST(Contact, ATorqueWithAShortLeverIsNotTakenForAGreatForce) {
  Told arm(Watched(), kDown);
  arm.pushed_nm[core::kRoll] = 0.95;  // The grasp point is 1 cm off this axis; the hand is as long as 0.1 m.
  EXPECT_FALSE(arm.Ticks(500));
}

TEST(Contact, AZoneIsABoxForTheGraspPoint) {
  const ContactWatch watch(Watched());
  EXPECT_TRUE(watch.InZone({0.2, 0, 0.03}));
  for (const core::Vec3 corner : {core::Vec3{0.1, -0.1, 0}, core::Vec3{0.3, 0.1, 0.06}})
    EXPECT_TRUE(watch.InZone(corner));
  for (const core::Vec3 beyond : {core::Vec3{0.099, 0, 0.03}, core::Vec3{0.301, 0, 0.03}, core::Vec3{0.2, -0.101, 0.03},
                                  core::Vec3{0.2, 0.101, 0.03}, core::Vec3{0.2, 0, -0.001}, core::Vec3{0.2, 0, 0.061}})
    EXPECT_FALSE(watch.InZone(beyond));
}

TEST(Contact, AnyOfSeveralZonesWillDo) {
  Limits limits = Watched();
  limits.contact_zones.push_back({"bin", {0.1, 0.15, 0}, {0.2, 0.25, 0.06}});
  const ContactWatch watch(limits);
  EXPECT_TRUE(watch.InZone({0.15, 0.2, 0.03}));
  EXPECT_TRUE(watch.InZone({0.2, 0, 0.03}));
  EXPECT_FALSE(watch.InZone({0.2, 0.12, 0.03}));
}

TEST(Contact, IsNotWatchedWhileThereAreNoZones) {
  Limits limits = Watched();
  limits.contact_zones.clear();
  Told arm(limits);
  arm.pushed_nm[kPan] = 2.5;
  EXPECT_FALSE(arm.Ticks(500));
  EXPECT_NEAR(arm.watch.residual_nm()[kPan], 2.5, 1e-3) << "the grip needs it all the same";
}

TEST(Contact, WithoutPowerNothingIsAPush) {
  Told arm;
  arm.pushed_nm[kPan] = 0.4;
  arm.Ticks(100);
  arm.seen.powered = false;
  arm.pushed_nm[kPan] = 2.5;
  EXPECT_FALSE(arm.Ticks(100));
  EXPECT_EQ(arm.watch.residual_nm()[kPan], 0);
}

/// It has sunk onto something, and its torque carries less than the model thinks.
TEST(Contact, WhatAnArmLiesOnWhenPowerComesIsKnownUntilItHasComeFree) {
  Told arm;
  arm.seen.powered = false;
  arm.Tick();
  arm.seen.powered = true;
  arm.pushed_nm[kElbow] = 0.8;
  EXPECT_FALSE(arm.Ticks(1000));
  arm.pushed_nm[kElbow] = 0;  // It rises.
  EXPECT_FALSE(arm.Ticks(200));
  arm.pushed_nm[kElbow] = 0.8;
  EXPECT_TRUE(arm.Ticks(100));
}

TEST(Contact, AMomentWithoutAPushIsNotFree) {
  Told arm;
  arm.watch.KnowPresent();
  arm.pushed_nm[kElbow] = 0.8;
  EXPECT_FALSE(arm.Ticks(100));
  arm.pushed_nm[kElbow] = 0;
  EXPECT_FALSE(arm.Ticks(40));  // 0.16 s, of which 0.02 pass until the filter has seen it.
  arm.pushed_nm[kElbow] = 0.8;
  EXPECT_FALSE(arm.Ticks(100));
}

TEST(Contact, WhatIsKnownStillMayNotPressTooHard) {
  Told arm;
  arm.watch.KnowPresent();
  arm.pushed_nm[kPan] = 2.5;  // 12.5 N.
  const auto found = arm.Ticks(100);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->allowed, 10);
}

TEST(Contact, TheWatchAllocatesNothing) {
  Told arm;
  arm.pushed_nm[kPan] = 2;
  const std::size_t before = AllocationsSoFar();
  EXPECT_TRUE(arm.Ticks(100));
  EXPECT_EQ(AllocationsSoFar(), before);
}

TEST(Contact, ATorqueThatIsNotANumberIsNoFreedom) {
  Told arm;
  arm.pushed_nm[kPan] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(arm.Tick());
}

}  // namespace
}  // namespace nightshift::safety
