// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/wear_budget.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nightshift::safety {
namespace {

using core::Budget;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr std::size_t kAxis = core::kWrist;

/// An axis that is moved by hand, and the budget that watches it.
struct Axis {
  Axis() { limits.wear_starts_per_day_max[kAxis] = 3; }

  void At(double q_rad, double dq_rad_s, core::Duration since = milliseconds(4), double commanded_v_rad_s = 0) {
    seen.q_rad[kAxis] = q_rad;
    seen.dq_rad_s[kAxis] = dq_rad_s;
    core::AxisArray commanded{};
    commanded[kAxis] = commanded_v_rad_s;
    budget.Spend(seen, commanded, since);
  }
  void Rests(core::Duration time) { At(seen.q_rad[kAxis], 0, time); }
  void Starts(int count = 1) {
    for (int i = 0; i < count; ++i) {
      At(seen.q_rad[kAxis], 0.5);
      At(seen.q_rad[kAxis], 0);
    }
  }
  WearHour sum() const { return budget.day().Sum(); }

  Limits limits;
  WearBudget budget{limits};
  core::JointState seen{.axes = core::kArmAxes};
};

/// With the limits as they stand in the fixture now.
void Begin(Axis& axis, const WearDay& day = {}) { axis.budget = WearBudget(axis.limits, day); }

TEST(WearBudget, AStartIsFromRestToTwiceTheRestSpeed) {
  Axis axis;
  axis.limits.rest_speed_rad_s_max = 0.25;
  Begin(axis);
  for (const double speed : {0.0, 0.5, 0.25, 0.5}) axis.At(0, speed);
  EXPECT_EQ(axis.sum().starts[kAxis], 0) << "not fast enough to have started";
  for (const double speed : {0.51, 2.0, 0.26, 0.6}) axis.At(0, speed);
  EXPECT_EQ(axis.sum().starts[kAxis], 1) << "never at rest in between";
  for (const double speed : {0.25, 0.6}) axis.At(0, speed);
  EXPECT_EQ(axis.sum().starts[kAxis], 2);
}

TEST(WearBudget, ToTurnBackIsToStartAgain) {
  Axis axis;
  for (const double speed : {1.0, 0.5, 0.1, -0.4, -1.0}) axis.At(0, speed);
  EXPECT_EQ(axis.sum().starts[kAxis], 2);
}

TEST(WearBudget, TravelIsTheWayThereAndBackWhereverItBegan) {
  Axis axis;
  for (const double q : {1.0, 1.25, 1.5, 1.25, 1.0}) axis.At(q, 0);
  EXPECT_EQ(axis.sum().travel_rad[kAxis], 1.0);
}

TEST(WearBudget, SlowTravelCountsTooButNoiseAndSwayDoNot) {
  Axis axis;
  axis.At(0, 0);
  axis.At(WearBudget::kTravelStepRad, 0);
  EXPECT_EQ(axis.sum().travel_rad[kAxis], WearBudget::kTravelStepRad) << "a whole step";
  for (int i = 10; i <= 1000; ++i) axis.At(1e-3 * i, 0);
  EXPECT_NEAR(axis.sum().travel_rad[kAxis], 1, 0.011);
  const double before = axis.sum().travel_rad[kAxis];
  for (int i = 0; i < 1000; ++i) axis.At(1 + 0.004 * (i % 2), 0);
  EXPECT_NEAR(axis.sum().travel_rad[kAxis], before, 0.011);
}

TEST(WearBudget, AnImpactIsASpeedThatChangesFasterThanADriveCanEitherWay) {
  Axis axis;
  axis.limits.impact_rad_s[kAxis] = 0.5;
  Begin(axis);
  for (const double speed : {0.0, 0.5, 1.0}) axis.At(0, speed);
  EXPECT_EQ(axis.sum().impacts[kAxis], 0);
  axis.At(0, 0.4);
  EXPECT_EQ(axis.sum().impacts[kAxis], 1);
  axis.At(0, 0.4, milliseconds(4));
  for (int i = 0; i < 30; ++i) axis.At(0, 0.4);
  axis.At(0, 1.0);
  EXPECT_EQ(axis.sum().impacts[kAxis], 2);
}

TEST(WearBudget, WhatRattlesOnIsOneImpact) {
  Axis axis;
  for (int i = 0; i < 100; ++i) axis.At(0, i % 10 == 0 ? 2 : 0);
  EXPECT_EQ(axis.sum().impacts[kAxis], 1);
}

TEST(WearBudget, WhatTheCommandExplainsIsNoImpactNorIsASetpointTakenFromTheArm) {
  Axis axis;
  axis.limits.impact_rad_s[kAxis] = 0.5;
  Begin(axis);
  axis.At(0, 0, milliseconds(4), 0);
  axis.At(0, 0.75, milliseconds(4), 0.25);
  EXPECT_EQ(axis.sum().impacts[kAxis], 0) << "the drive was told to";
  axis.At(0, 0.75, milliseconds(4), 3);
  axis.At(0, 0.75, milliseconds(4), 0);
  EXPECT_EQ(axis.sum().impacts[kAxis], 0) << "the command alone strikes nothing";
}

TEST(WearBudget, ACommandThatGoesOnAsBeforeExplainsNoBlow) {
  Axis axis;
  axis.limits.impact_rad_s[kAxis] = 0.5;
  Begin(axis);
  for (const double speed : {3.0, 3.0, 2.25}) axis.At(0, speed, milliseconds(4), 3);
  EXPECT_EQ(axis.sum().impacts[kAxis], 1);
}

TEST(WearBudget, AfterAGapInTheReadingsNothingIsSaidOfImpactsButTravelCounts) {
  Axis axis;
  axis.At(0, 0);
  axis.At(0.5, 4, milliseconds(40));
  EXPECT_EQ(axis.sum().impacts[kAxis], 0);
  EXPECT_EQ(axis.sum().travel_rad[kAxis], 0.5);
}

TEST(WearBudget, TheFirstReadingOfALifeIsComparedWithNothing) {
  Axis axis;
  axis.At(2, 5);
  EXPECT_EQ(axis.sum().impacts[kAxis], 0);
  EXPECT_EQ(axis.sum().travel_rad[kAxis], 0);
}

TEST(WearBudget, IsExceededByMoreThanIsAllowedAndNamesBudgetAndAxis) {
  Axis axis;
  Begin(axis);
  axis.Starts(3);
  EXPECT_FALSE(axis.budget.Exceeded());
  axis.Starts();
  const auto excess = axis.budget.Exceeded();
  ASSERT_TRUE(excess);
  EXPECT_EQ(excess->budget, Budget::kStarts);
  EXPECT_EQ(excess->axis, static_cast<int>(kAxis));
  EXPECT_EQ(excess->wanted, 4);
  EXPECT_EQ(excess->allowed, 3);
}

TEST(WearBudget, TravelAndImpactsHaveTheirOwn) {
  Axis far;
  far.limits.wear_travel_rad_per_day_max[kAxis] = 1;
  Begin(far);
  for (const double q : {0.0, 0.75, 0.0}) far.At(q, 0);
  ASSERT_TRUE(far.budget.Exceeded());
  EXPECT_EQ(far.budget.Exceeded()->budget, Budget::kTravel);
  Axis struck;
  struck.limits.wear_impacts_per_day_max[kAxis] = 0.5;
  Begin(struck);
  for (const double speed : {0.0, 3.0}) struck.At(0, speed);
  ASSERT_TRUE(struck.budget.Exceeded());
  EXPECT_EQ(struck.budget.Exceeded()->budget, Budget::kImpacts);
}

TEST(WearBudget, LooksAtNoAxisThatTheArmDoesNotHave) {
  Axis axis;
  for (int i = 0; i < 10; ++i) {
    axis.seen.dq_rad_s[core::kArmAxes] = i % 2;
    axis.seen.q_rad[core::kArmAxes] = i;
    axis.At(0, 0);
  }
  EXPECT_EQ(axis.sum().starts[core::kArmAxes], 0);
  EXPECT_EQ(axis.sum().travel_rad[core::kArmAxes], 0);
  EXPECT_FALSE(axis.budget.Exceeded()) << "nothing is allowed to it, and nothing counts";
}

TEST(WearBudget, WhatIsLeftOfAnAxisThatTheArmDoesNotHaveCountsForNothing) {
  Axis axis;
  WearDay day;
  day.hours[0].starts[core::kArmAxes] = 5;
  Begin(axis, day);
  EXPECT_FALSE(axis.budget.Exceeded());
  EXPECT_TRUE(axis.budget.HasRecovered());
}

TEST(WearBudget, WhatWasDoneIsForgottenAfter24HoursNotSooner) {
  Axis axis;
  Begin(axis);
  axis.Rests(minutes(30));
  axis.Starts(4);
  axis.Rests(hours(23) + minutes(29));
  EXPECT_TRUE(axis.budget.Exceeded()) << "within its 24th hour";
  axis.Rests(minutes(1));
  EXPECT_FALSE(axis.budget.Exceeded());
  EXPECT_EQ(axis.sum().starts[kAxis], 0);
}

TEST(WearBudget, HoursRollOffOneByOne) {
  Axis axis;
  Begin(axis);
  axis.Starts(2);
  axis.Rests(hours(1));
  axis.Starts(1);
  axis.Rests(hours(1));
  EXPECT_EQ(axis.sum().starts[kAxis], 3);
  axis.Rests(hours(22));
  EXPECT_EQ(axis.sum().starts[kAxis], 1);
  axis.Rests(hours(1));
  EXPECT_EQ(axis.sum().starts[kAxis], 0);
}

TEST(WearBudget, HasRecoveredOnlyBelowItsShare) {
  Axis axis;
  axis.limits.wear_starts_per_day_max[kAxis] = 4;
  axis.limits.wear_clear_share = 0.75;
  Begin(axis);
  axis.Starts(2);
  EXPECT_TRUE(axis.budget.HasRecovered());
  axis.Starts(1);
  EXPECT_FALSE(axis.budget.HasRecovered()) << "three of four are not below three quarters";
}

TEST(WearBudget, GoesOnWhereAnEarlierLifeOfTheProcessLeftIt) {
  Axis first;
  first.limits.wear_starts_per_day_max[kAxis] = 3;
  Begin(first);
  first.Starts(2);
  first.Rests(minutes(40));
  Axis second;
  Begin(second, first.budget.day());
  second.Starts(2);
  EXPECT_TRUE(second.budget.Exceeded());
  second.Rests(minutes(20));
  EXPECT_EQ(second.budget.day().hours[0].starts[kAxis], 0) << "the hour that the first began is over";
  EXPECT_EQ(second.budget.day().hours[1].starts[kAxis], 4);
}

TEST(WearDay, TimeGoesOnByAnyAmount) {
  WearDay day;
  day.hours[0].starts[0] = 7;
  EXPECT_FALSE(day.Advance(minutes(59)));
  EXPECT_TRUE(day.Advance(minutes(2)));
  EXPECT_EQ(day.hours[1].starts[0], 7);
  EXPECT_EQ(day.into_hour, minutes(1));
  EXPECT_TRUE(day.Advance(hours(22)));
  EXPECT_EQ(day.hours[23].starts[0], 7);
  EXPECT_TRUE(day.Advance(hours(100)));
  EXPECT_EQ(day.Sum().starts[0], 0);
}

}  // namespace
}  // namespace nightshift::safety
