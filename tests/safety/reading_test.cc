// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/reading.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace nightshift::safety {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kLastAxis = core::kJaw, kUnusedAxis = core::kArmAxes;

core::JointState Whole() {
  core::JointState whole{.sequence = 5, .axes = core::kArmAxes};
  whole.temperature_c.fill(30);
  return whole;
}

Limits OfAxes(int axes) {
  Limits limits;
  limits.axes = axes;
  return limits;
}

bool Usable(const core::JointState& seen) { return IsUsable({}, seen, std::nullopt); }

TEST(Reading, IsUsableIfItIsNewAndWhole) {
  EXPECT_TRUE(IsUsable({}, Whole(), std::nullopt)) << "the first one";
  EXPECT_TRUE(IsUsable({}, Whole(), 4));
  EXPECT_FALSE(IsUsable({}, Whole(), 5)) << "frozen";
}

TEST(Reading, IsNotUsableWithMoreOrFewerAxesThanTheArmHas) {
  EXPECT_FALSE(IsUsable(OfAxes(core::kArmAxes - 1), Whole(), std::nullopt));
  EXPECT_FALSE(IsUsable(OfAxes(core::kArmAxes + 1), Whole(), std::nullopt));
}

TEST(Reading, IsNotUsableWithAnythingThatIsNotFinite) {
  for (const auto field : {&core::JointState::q_rad, &core::JointState::dq_rad_s, &core::JointState::torque_nm,
                           &core::JointState::current_a, &core::JointState::temperature_c})
    for (const double bad : {std::nan(""), kInfinity, -kInfinity})
      for (const std::size_t axis : {std::size_t{0}, kLastAxis, kUnusedAxis}) {
        core::JointState seen = Whole();
        (seen.*field)[axis] = bad;
        EXPECT_EQ(Usable(seen), axis == kUnusedAxis) << "axis " << axis;
      }
}

TEST(Reading, IsOldBeyondItsAgeAndWhereItIsFromTheFuture) {
  const Limits limits;
  EXPECT_FALSE(IsOld(limits, core::Duration(0)));
  EXPECT_FALSE(IsOld(limits, limits.reading_age_max));
  EXPECT_TRUE(IsOld(limits, limits.reading_age_max + core::Duration(1)));
  EXPECT_TRUE(IsOld(limits, core::Duration(-1))) << "its clock is not ours";
}

TEST(Reading, IsNotUsableWithATorqueOrCurrentThatNoDriveOfItsSizeHas) {
  struct Bound {
    core::AxisArray core::JointState::*field;
    double max;
  };
  for (const auto& [field, max] : {Bound{&core::JointState::torque_nm, 100}, Bound{&core::JointState::current_a, 30}})
    for (const double way : {1.0, -1.0})
      for (const std::size_t axis : {std::size_t{0}, kLastAxis, kUnusedAxis}) {
        core::JointState seen = Whole();
        (seen.*field)[axis] = way * max;
        EXPECT_TRUE(Usable(seen)) << "axis " << axis;
        (seen.*field)[axis] = way * max * 1.001;
        EXPECT_EQ(Usable(seen), axis == kUnusedAxis) << "axis " << axis;
      }
}

TEST(Reading, IsNotUsableWithAMotorThatIsColderThanTheRoomCanBe) {
  const Limits limits;
  for (const std::size_t axis : {std::size_t{0}, kLastAxis, kUnusedAxis}) {
    core::JointState seen = Whole();
    seen.temperature_c[axis] = limits.temperature_c_min;
    EXPECT_TRUE(Usable(seen)) << "axis " << axis;
    seen.temperature_c[axis] = limits.temperature_c_min - 0.1;
    EXPECT_EQ(Usable(seen), axis == kUnusedAxis) << "axis " << axis;
  }
}

TEST(Reading, IsHotAboveTheLimitAndCoolBelowWhereItClearsOnAnyAxis) {
  const Limits limits;
  for (const std::size_t axis : {std::size_t{0}, kLastAxis}) {
    core::JointState seen = Whole();
    seen.temperature_c[axis] = limits.temperature_c_max;
    EXPECT_FALSE(IsHot(limits, seen)) << "at the limit";
    seen.temperature_c[axis] = limits.temperature_c_max + 0.5;
    EXPECT_TRUE(IsHot(limits, seen)) << "axis " << axis;
    seen.temperature_c[axis] = limits.temperature_c_clear;
    EXPECT_FALSE(HasCooled(limits, seen)) << "axis " << axis;
    seen.temperature_c[axis] = limits.temperature_c_clear - 0.5;
    EXPECT_TRUE(HasCooled(limits, seen));
  }
  core::JointState unused = Whole();
  unused.temperature_c[kUnusedAxis] = 200;
  EXPECT_FALSE(IsHot(limits, unused));
}

TEST(Tracking, NamesTheFirstAxisThatIsFartherOffThanItsBound) {
  const Limits limits;
  core::JointState seen = Whole();
  core::AxisArray commanded_q_rad{};
  seen.q_rad[core::kWrist] = -0.75;
  seen.q_rad[core::kElbow] = 0.625;
  const auto excess = TrackingExcess(limits, seen, commanded_q_rad);
  ASSERT_TRUE(excess);
  EXPECT_EQ(excess->axis, core::kElbow);
  EXPECT_EQ(excess->wanted, 0.625);
  EXPECT_EQ(excess->allowed, 0.5);
}

TEST(Tracking, AllowsEachAxisItsBoundAndNoMore) {
  const Limits limits;
  for (std::size_t axis = 0; axis <= kUnusedAxis; ++axis) {
    core::JointState seen = Whole();
    core::AxisArray commanded_q_rad{};
    commanded_q_rad[axis] = 2;
    seen.q_rad[axis] = 2 - limits.tracking_error_rad_max[axis];
    EXPECT_FALSE(TrackingExcess(limits, seen, commanded_q_rad)) << "axis " << axis;
    seen.q_rad[axis] -= 0.01;
    EXPECT_EQ(TrackingExcess(limits, seen, commanded_q_rad).has_value(), axis != kUnusedAxis) << "axis " << axis;
  }
}

TEST(Reading, IsAtRestUpToTheRestSpeedOnEveryAxisEitherWay) {
  const Limits limits;
  for (std::size_t axis = 0; axis <= kUnusedAxis; ++axis)
    for (const double way : {1.0, -1.0}) {
      core::JointState seen = Whole();
      seen.dq_rad_s[axis] = way * limits.rest_speed_rad_s_max;
      EXPECT_TRUE(IsAtRest(limits, seen)) << "axis " << axis;
      seen.dq_rad_s[axis] *= 1.01;
      EXPECT_EQ(IsAtRest(limits, seen), axis == kUnusedAxis) << "axis " << axis;
    }
}

core::JointState SeenAt(double lift_rad) {
  core::JointState seen{.axes = core::kArmAxes};
  seen.q_rad[core::kLift] = lift_rad;
  return seen;
}

/// After how many ticks readings that repeat themselves are found to be frozen while a joint is commanded to move; 0:
/// not within a second.
int TicksUntilFrozen(std::size_t joint, double speed_rad_s) {
  constexpr double kTickS = 0.004;
  FrozenContent frozen;
  core::AxisArray commanded_v_rad_s{};
  for (int tick = 0; tick <= 250; ++tick) {
    commanded_v_rad_s[joint] = tick % 2 == 0 ? speed_rad_s : -speed_rad_s;  // To and fro is a way as well.
    if (frozen.Look(SeenAt(1), commanded_v_rad_s, kTickS)) return tick;
  }
  return 0;
}

TEST(FrozenContent, IsFoundOnceTheCommandedWayOfAnyJointIsTooLongForReadingsToStayTheSame) {
  for (std::size_t joint = 0; joint < core::kJaw; ++joint)
    for (const double speed_rad_s : {0.6, 2.0}) {
      const int ticks = TicksUntilFrozen(joint, speed_rad_s);
      EXPECT_GT(ticks * speed_rad_s * 0.004, FrozenContent::kFrozenTravelRad) << joint;
      EXPECT_LE((ticks - 1) * speed_rad_s * 0.004, FrozenContent::kFrozenTravelRad) << joint;
    }
  EXPECT_EQ(TicksUntilFrozen(core::kPan, 0), 0) << "an arm at rest may say the same for ever";
  EXPECT_EQ(TicksUntilFrozen(core::kJaw, 2), 0) << "the jaw is no axis of the arm";
}

TEST(FrozenContent, AnythingNewBeginsAnew) {
  FrozenContent frozen;
  for (int tick = 0; tick < 1000; ++tick) {
    core::JointState seen = SeenAt(1);
    seen.current_a[core::kWrist] = tick % 4 < 2 ? 0 : 1;  // Each twice.
    ASSERT_FALSE(frozen.Look(seen, {0.9 * FrozenContent::kFrozenTravelRad / 0.004}, 0.004)) << tick;
  }
}

TEST(Continuity, BelievesTheFirstReadingAndWhatMotionCanLeadTo) {
  Continuity continuity{Limits{}};
  core::Instant now{};
  EXPECT_TRUE(continuity.Believe(SeenAt(1), now));
  for (int i = 1; i <= 20; ++i) {
    now += core::Seconds(0.004);
    EXPECT_TRUE(continuity.Believe(SeenAt(1 - 0.11 * i), now)) << "27.5 rad/s";
  }
}

TEST(Continuity, DoesNotBelieveAJumpUntilItIsBack) {
  Continuity continuity{Limits{}};
  core::Instant now{};
  ASSERT_TRUE(continuity.Believe(SeenAt(0), now));
  for (int i = 0; i < 5000; ++i) {
    now += core::Seconds(0.004);
    ASSERT_FALSE(continuity.Believe(SeenAt(i % 2 == 0 ? 0.3 : -0.3), now)) << "however long it stays";
    ASSERT_TRUE(continuity.jumped());
  }
  EXPECT_TRUE(continuity.Believe(SeenAt(0.2), now)) << "where it could have come to since";
  EXPECT_FALSE(continuity.jumped());
}

TEST(Continuity, LooksAtEveryAxisOfTheArmAndAtNoOther) {
  for (std::size_t axis = 0; axis < core::kAxesMax; ++axis) {
    Continuity continuity{Limits{}};
    core::JointState seen{.axes = core::kArmAxes};
    ASSERT_TRUE(continuity.Believe(seen, core::Instant{}));
    seen.q_rad[axis] = 1;
    EXPECT_EQ(continuity.Believe(seen, core::Instant(core::Seconds(0.004))), axis >= core::kArmAxes);
  }
}

TEST(Continuity, BelievesAnythingAfterASilenceAndWhatAPersonInsistsOn) {
  Continuity continuity{Limits{}};
  core::Instant now{};
  ASSERT_TRUE(continuity.Believe(SeenAt(0), now));
  continuity.Forget();
  EXPECT_TRUE(continuity.Believe(SeenAt(1), now));
  EXPECT_FALSE(continuity.Believe(SeenAt(2), now));
  EXPECT_EQ(continuity.Insist(now).q_rad[core::kLift], 2);
  EXPECT_FALSE(continuity.jumped());
  EXPECT_TRUE(continuity.Believe(SeenAt(2), now));
}

TEST(Tracking, IsNearUpToTheInspectionsBoundOnEveryAxisEitherWay) {
  const Limits limits;
  for (std::size_t axis = 0; axis < core::kArmAxes; ++axis)
    for (const double side : {-1.0, 1.0}) {
      core::AxisArray told{};
      told[axis] = side * limits.inspection_error_rad_max[axis];
      EXPECT_TRUE(IsNear(limits, SeenAt(0), told));
      told[axis] *= 1.001;
      EXPECT_FALSE(IsNear(limits, SeenAt(0), told)) << axis;
    }
}

}  // namespace
}  // namespace nightshift::safety
