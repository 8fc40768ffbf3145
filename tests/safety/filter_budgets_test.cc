// SPDX-License-Identifier: Apache-2.0
// The filter's budgets: what stops for them, how, and what lets it go on.
#include <gtest/gtest.h>

#include "tests/safety/ideal_arm.h"

namespace nightshift::safety {
namespace {

using core::LimitId;
using core::StopCause;
using core::Verdict;
using std::chrono::hours;
using std::chrono::seconds;

/// Lets time pass without ticks: the arm rests, and the next reading comes so much later.
void Waits(IdealArm& arm, core::Duration time) {
  arm.now += time;
  arm.Tick();
}

TEST(FilterBudgets, CurrentThatHeatsAMotorStopsItAndTakesThePowerThoughItsSensorSays30C) {
  IdealArm arm;
  arm.Arm();
  arm.seen.current_a[core::kLift] = 2.5;
  std::optional<Judgement> stopped;
  for (int i = 0; i < 60 * 250 && !arm.filter.latch().latched(); ++i) stopped = arm.Tick();
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kHot);
  EXPECT_EQ(stopped->verdict, Verdict::kStopped);
  EXPECT_EQ(stopped->limit, LimitId::kCurrent);
  EXPECT_EQ(stopped->axis, core::kLift);
  EXPECT_GT(stopped->wanted, stopped->allowed);
  arm.Ticks(50);
  EXPECT_FALSE(arm.seen.powered);
}

TEST(FilterBudgets, AHeatStopGoesByItselfWhenWindingAndCaseHaveBothCooled) {
  IdealArm arm;
  arm.Arm();
  arm.seen.current_a[core::kLift] = 2.5;
  while (!arm.filter.latch().latched()) arm.Tick();
  arm.seen.temperature_c[core::kLift] = 65;
  arm.seen.current_a[core::kLift] = 0;
  Waits(arm, seconds(300));
  EXPECT_TRUE(arm.filter.latch().latched()) << "the winding is cold, the case is not";
  arm.seen.temperature_c[core::kLift] = 75;
  arm.Tick();
  arm.seen.temperature_c[core::kLift] = 30;
  arm.seen.current_a[core::kLift] = 2.5;
  Waits(arm, seconds(300));
  EXPECT_TRUE(arm.filter.latch().latched()) << "the case is cool, the winding is not";
  arm.seen.current_a[core::kLift] = 0;
  Waits(arm, seconds(300));
  EXPECT_FALSE(arm.filter.latch().latched());
}

TEST(FilterBudgets, WornOutForTheDayItStopsAndHoldsUntilTheDayHasPassed) {
  Limits limits;
  limits.wear_travel_rad_per_day_max[core::kPan] = 0.05;
  IdealArm arm(limits);
  arm.Arm();
  auto target = arm.filter.commanded_q_rad();
  target[core::kPan] += 0.1;
  std::optional<Judgement> stopped;
  for (int i = 0; i < 3 && !arm.filter.latch().latched(); ++i) stopped = arm.Period(arm.Propose(target));
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kWorn);
  EXPECT_EQ(stopped->limit, LimitId::kWear);
  EXPECT_EQ(stopped->axis, core::kPan);
  arm.Ticks(100);
  EXPECT_TRUE(arm.seen.powered) << "category 2";
  EXPECT_EQ(arm.Clear(ClearedBy::kPerson), Clearance::kStillThere);
  Waits(arm, hours(23));
  EXPECT_TRUE(arm.filter.latch().latched());
  Waits(arm, hours(1));
  EXPECT_FALSE(arm.filter.latch().latched());
}

TEST(FilterBudgets, WhatEarlierLivesHaveSpentIsSpent) {
  SafetyState left;
  left.spent.heat[core::kWrist] = 1.1;
  left.spent.wear.hours[5].impacts[core::kElbow] = 1e9;
  IdealArm arm({}, IdealArm::Inspects::kNo, left);
  arm.Tick();
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kRestarted);
  EXPECT_EQ(arm.Clear(), Clearance::kStillThere);
  Waits(arm, hours(24));
  arm.Ticks(2);  // Power comes back.
  EXPECT_EQ(arm.Clear(), Clearance::kCleared);
}

TEST(FilterBudgets, TheirStateIsTheOneToBeginTheNextLifeWith) {
  IdealArm arm;
  arm.Arm();
  arm.seen.current_a[core::kLift] = 2;
  arm.Period(arm.ProposeTip(IdealArm::kNear));
  const SafetyState state = arm.filter.state(arm.now);
  EXPECT_EQ(state.clears.count, 1u) << "of the restart";
  EXPECT_GT(state.spent.heat[core::kLift], 0);
  EXPECT_GT(state.spent.wear.Sum().travel_rad[core::kPan], 0);
  EXPECT_GT(state.spent.wear.into_hour, core::Duration(0));
}

TEST(FilterBudgets, EarlierClearsGetTheirDatesWithTheFirstReadingHoweverLateItComes) {
  Limits limits;
  limits.clears_per_hour_max = 1;
  SafetyState left;
  left.clears.Add(std::chrono::minutes(30));
  IdealArm arm(limits, IdealArm::Inspects::kNo, left);
  for (int i = 0; i < 3; ++i) arm.TickBlind();
  arm.now += hours(40);  // Robot time is the cell's, which it now hears.
  arm.Tick();
  EXPECT_EQ(arm.Clear(ClearedBy::kSupervisor), Clearance::kTooMany);
  Waits(arm, std::chrono::minutes(31));
  EXPECT_EQ(arm.Clear(ClearedBy::kSupervisor), Clearance::kCleared);
}

/// At rest for a day, with two and a half times the current that any free pose of the cell takes: no budget is used up.
TEST(FilterBudgets, ARestingPoseDoesNotWearOrHeat) {
  IdealArm arm;
  arm.Arm();
  for (std::size_t i = 0; i < core::kArmAxes; ++i) arm.seen.current_a[i] = 1.5;
  for (int i = 0; i < 24 * 60; ++i) Waits(arm, std::chrono::minutes(1));
  EXPECT_FALSE(arm.filter.latch().latched());
}

}  // namespace
}  // namespace nightshift::safety
