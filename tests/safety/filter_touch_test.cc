// SPDX-License-Identifier: Apache-2.0
// What the filter makes of contact and of the gripper's force.
#include <gtest/gtest.h>

#include "tests/safety/ideal_arm.h"

namespace nightshift::safety {
namespace {

using core::kJaw;
using core::kPan;
using core::LimitId;
using core::StopCause;
using core::Verdict;

/// An arm that weighs nothing and runs without friction: whatever torque it reads is a push.
Limits Weightless() {
  Limits limits;
  limits.masses = {{.name = "mote", .mass_kg = 1e-9}};
  limits.rotor_kg_m2 = limits.viscous_nm_s_rad = limits.coulomb_nm = {};
  limits.contact_zones = {{"tray", {0.1, -0.1, 0}, {0.3, 0.1, 0.06}}};
  return limits;
}

class Touching : public testing::Test {
 protected:
  Touching() { arm.Arm(); }

  /// The judgement that stops the arm, or the last of so many.
  Judgement Pushed(double pan_nm, int ticks = 100) {
    arm.seen.torque_nm[kPan] = pan_nm;
    Judgement judged = arm.Tick();
    for (int i = 1; i < ticks && !arm.filter.latch().latched(); ++i) judged = arm.Tick();
    return judged;
  }

  IdealArm arm{Weightless()};
};

TEST_F(Touching, ContactStopsTheArmAndNamesJointAndNumbers) {
  arm.Ticks(60);  // Free for long enough to be known as free.
  const Judgement judged = Pushed(1.5);
  EXPECT_EQ(arm.filter.latch().first, StopCause::kContact);
  EXPECT_EQ(judged.verdict, Verdict::kStopped);
  EXPECT_EQ(judged.limit, LimitId::kContact);
  EXPECT_EQ(judged.axis, kPan);
  EXPECT_GT(judged.wanted, 0.6);
  EXPECT_DOUBLE_EQ(judged.allowed, 0.6);
}

TEST_F(Touching, OnlyAPersonClearsContact) {
  arm.Ticks(60);
  Pushed(1.5);
  arm.seen.torque_nm[kPan] = 0;
  arm.Ticks(100);
  EXPECT_EQ(arm.Clear(ClearedBy::kSupervisor), Clearance::kNeedsPerson);
  EXPECT_EQ(arm.Clear(ClearedBy::kPerson), Clearance::kCleared);
}

TEST_F(Touching, WhatAPersonHasLookedAtDoesNotStopTheArmAgainUntilItHasComeFree) {
  arm.Ticks(60);
  Pushed(1.5);
  arm.Ticks(100);
  ASSERT_EQ(arm.Clear(ClearedBy::kPerson), Clearance::kCleared);
  Pushed(1.5, 200);
  EXPECT_FALSE(arm.filter.latch().latched());
  Pushed(0, 100);
  Pushed(1.5);
  EXPECT_EQ(arm.filter.latch().first, StopCause::kContact);
}

TEST_F(Touching, TheArmStopsPushing) {
  arm.Ticks(60);
  arm.Tick(arm.ProposeTip(IdealArm::kNear));
  arm.Ticks(12);
  arm.stuck = true;
  Pushed(1.5);
  ASSERT_EQ(arm.filter.latch().first, StopCause::kContact);
  arm.Ticks(100);
  for (std::size_t i = 0; i < kJaw; ++i) EXPECT_DOUBLE_EQ(arm.filter.commanded_q_rad()[i], arm.seen.q_rad[i]);
}

/// A gripper whose torque is told to it.
class Gripping : public Touching {
 protected:
  double jaw() const { return arm.filter.commanded_q_rad()[kJaw]; }

  /// The jaw is told to close; what was said of it in that period.
  Judgement Close(double closing_nm) {
    arm.seen.torque_nm[kJaw] = -closing_nm;
    core::AxisArray target_q_rad = arm.filter.commanded_q_rad();
    target_q_rad[kJaw] = 0;
    return arm.Period(arm.Propose(target_q_rad));
  }
  void Open() {
    core::AxisArray target_q_rad = arm.filter.commanded_q_rad();
    target_q_rad[kJaw] = 1;
    for (int i = 0; i < 10; ++i) arm.Period(arm.Propose(target_q_rad));
  }

  Gripping() { Open(); }
};

TEST_F(Gripping, TheJawClosesWhileNothingPressesBack) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Close(0.2).verdict, Verdict::kPass);
  EXPECT_NEAR(jaw(), 0, 1e-3);
}

TEST_F(Gripping, AtTheLimitTheCommandClosesNoFurther) {
  Close(0.29);
  Close(0.29);
  const double held_rad = jaw();
  EXPECT_GT(held_rad, 0.5);
  for (int i = 0; i < 5; ++i) Close(0.29);
  EXPECT_DOUBLE_EQ(jaw(), held_rad);
  Close(0.1);  // What was held has slipped out.
  EXPECT_LT(jaw(), held_rad);
}

TEST_F(Gripping, IsRecordedOnceForEachGrip) {
  const Judgement first = Close(0.29);
  EXPECT_EQ(first.verdict, Verdict::kLimited);
  EXPECT_EQ(first.limit, LimitId::kGripForce);
  EXPECT_EQ(first.axis, kJaw);
  EXPECT_NEAR(first.wanted, 0.24, 0.01);
  EXPECT_EQ(first.allowed, 0.25);
  EXPECT_EQ(Close(0.29).verdict, Verdict::kPass);
  EXPECT_EQ(Close(0.1).verdict, Verdict::kPass);
  EXPECT_EQ(Close(0.29).limit, LimitId::kGripForce);
}

TEST_F(Gripping, AFifthAboveTheLimitItOpensGentlyUntilBelowIt) {
  Close(0.29);
  Close(0.29);
  const double held_rad = jaw();
  Close(0.35);
  Close(0.35);
  EXPECT_GT(jaw(), held_rad);
  EXPECT_LE(jaw(), held_rad + 0.2 * GripLimit::kOpeningRadS);
  Close(0.22);
  const double opened_rad = jaw();
  Close(0.22);
  EXPECT_DOUBLE_EQ(jaw(), opened_rad);
}

TEST_F(Gripping, AJawThatIsToldToOpenOpens) {
  Close(0.29);
  const double held_rad = jaw();
  Open();
  EXPECT_GT(jaw(), held_rad);
}

TEST_F(Gripping, TheArmMovesWhileTheJawHolds) {
  Close(0.29);
  const double from_rad = arm.filter.commanded_q_rad()[kPan];
  core::AxisArray target_q_rad = arm.filter.commanded_q_rad();
  target_q_rad[kPan] += 0.1;
  target_q_rad[kJaw] = 0;
  arm.Period(arm.Propose(target_q_rad));
  EXPECT_NEAR(arm.filter.commanded_q_rad()[kPan], from_rad + 0.1, 0.01);
}

}  // namespace
}  // namespace nightshift::safety
