// SPDX-License-Identifier: Apache-2.0
// What the filter makes of a control loop that came round late.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/safety/ideal_arm.h"

namespace nightshift::safety {
namespace {

using core::LimitId;
using core::StopCause;
using core::Verdict;
using std::chrono::milliseconds;

/// On the way to a far target, as fast as the acceleration brought it there in `ticks`.
void Hurry(IdealArm& arm, int ticks = 20) {
  arm.Arm();
  auto target = arm.seen.q_rad;
  target[core::kPan] += 1.2;
  arm.Tick(arm.Propose(target));
  arm.Ticks(ticks - 1);
  ASSERT_GT(arm.filter.commanded_v_rad_s()[core::kPan], 1.0);
}

TEST(FilterMissed, LivesThroughAMissedTickAsThroughAnyOther) {
  IdealArm punctual, late;
  for (IdealArm* arm : {&punctual, &late}) Hurry(*arm);
  punctual.Ticks(5);
  for (int i = 0; i < 4; ++i) {
    late.filter.JudgeMissed(late.now);
    late.now += late.limits.control_period;
  }
  late.Tick();
  EXPECT_EQ(late.filter.commanded_q_rad(), punctual.filter.commanded_q_rad());
  EXPECT_EQ(late.filter.commanded_v_rad_s(), punctual.filter.commanded_v_rad_s());
}

TEST(FilterMissed, TheDeadlineFiresInAMissedTickToo) {
  IdealArm arm;
  Hurry(arm);
  const Judgement judged = arm.filter.JudgeMissed(arm.now + milliseconds(400));
  EXPECT_EQ(judged.verdict, Verdict::kStopped);
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kNoCommand);
}

TEST(FilterMissed, BrakesOnWhereThereWasNoReading) {
  IdealArm arm;
  Hurry(arm);
  arm.TickBlind();
  const double before = arm.filter.commanded_v_rad_s()[core::kPan];
  for (int i = 0; i < 10; ++i) arm.filter.JudgeMissed(arm.now);
  EXPECT_LT(arm.filter.commanded_v_rad_s()[core::kPan], before);
}

TEST(FilterMissed, MissedTicksAloneAreNoSilenceOfTheDriver) {
  IdealArm arm;
  Hurry(arm);
  for (int i = 0; i < 2 * arm.limits.blind_ticks_max; ++i) arm.filter.JudgeMissed(arm.now);
  EXPECT_FALSE(arm.filter.latch().latched());
}

TEST(FilterMissed, NeverPullsAnArmThatItHasNotSeen) {
  IdealArm arm;
  EXPECT_EQ(arm.filter.JudgeMissed(arm.now).action.power(), core::PowerMode::kOff);
}

TEST(FilterOverrun, TheCommandRestsWhereItWasLastAndIsLatched) {
  IdealArm arm;
  Hurry(arm);
  const auto last = arm.filter.commanded_q_rad();
  arm.filter.Overran();
  EXPECT_EQ(arm.filter.commanded_q_rad(), last) << "no leap";
  EXPECT_TRUE(arm.filter.Rests());
  EXPECT_EQ(arm.filter.commanded_v_rad_s(), core::AxisArray{});
  EXPECT_EQ(arm.filter.commanded_a_rad_s2(), core::AxisArray{});
  const Judgement judged = arm.Tick();
  EXPECT_EQ(judged.verdict, Verdict::kStopped);
  EXPECT_EQ(judged.limit, LimitId::kLatched);
  EXPECT_EQ(judged.action.q_rad(), last);
  EXPECT_EQ(judged.action.power(), core::PowerMode::kHold) << "category 2";
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kOverrun);
}

TEST(FilterOverrun, AnArmThatSankMeanwhileIsHeldWhereItIs) {
  for (const bool powered : {false, true}) {  // Let go by itself, or pushed while the drives held where they were.
    IdealArm arm;
    Hurry(arm);
    arm.filter.Overran();
    arm.stuck = true;
    arm.seen.q_rad[core::kLift] += 0.45;
    powered ? arm.Ticks(3) : (void)arm.TickUnpowered();
    EXPECT_EQ(arm.filter.commanded_q_rad()[core::kLift], arm.seen.q_rad[core::kLift]) << powered;
    EXPECT_EQ(arm.filter.latch().worst, powered ? StopCause::kOverrun : StopCause::kDriverLost);
  }
}

TEST(FilterOverrun, EndsTheLifeOfWhatWasWantedBefore) {
  IdealArm arm;
  Hurry(arm);
  auto stale = arm.Propose(arm.seen.q_rad);
  stale.target_q_rad[core::kPan] += 0.1;
  const auto epoch = arm.filter.latch().epoch;
  arm.filter.Overran();
  EXPECT_GT(arm.filter.latch().epoch, epoch);
  arm.Ticks(2);
  ASSERT_EQ(arm.Clear(ClearedBy::kSupervisor), Clearance::kCleared);
  const auto last = arm.filter.commanded_q_rad();
  EXPECT_EQ(arm.Tick(stale).limit, LimitId::kWrongEpoch);
  arm.Ticks(25);
  EXPECT_EQ(arm.filter.commanded_q_rad(), last) << "nothing resumes by itself";
}

/// While nobody looked the drives held where they were, a grip closed, an arm sank: that is no encoder's jump.
TEST(FilterOverrun, AnArmThatWentElsewhereMeanwhileIsBelievedAndNobodyHasToCome) {
  for (const int axis : {core::kPan, core::kJaw}) {
    IdealArm arm;
    arm.Arm();
    arm.filter.Overran();
    arm.now += core::Seconds(1);
    arm.stuck = true;
    arm.seen.q_rad[static_cast<std::size_t>(axis)] += 1.1 * arm.limits.reading_jump_rad_max;
    EXPECT_EQ(arm.Tick().limit, LimitId::kLatched) << "it is seen";
    arm.Ticks(arm.limits.blind_ticks_max + 2);
    EXPECT_EQ(arm.filter.latch().worst, StopCause::kOverrun);
    EXPECT_EQ(arm.Clear(ClearedBy::kSupervisor), Clearance::kCleared);
  }
}

TEST(FilterOverrun, AJumpThatWasThereBeforeStaysAPersonsToJudge) {
  IdealArm arm;
  arm.Arm();
  arm.stuck = true;
  arm.seen.q_rad[core::kPan] += 1.1 * arm.limits.reading_jump_rad_max;
  ASSERT_EQ(arm.Tick().limit, LimitId::kNoState);
  arm.filter.Overran();
  EXPECT_EQ(arm.Tick().limit, LimitId::kNoState);
  EXPECT_EQ(arm.Clear(ClearedBy::kSupervisor), Clearance::kJumped);
}

TEST(FilterOverrun, ItJoinsAStopThatIsThereAndTheWorseStays) {
  IdealArm arm;
  Hurry(arm);
  arm.filter.Stop();
  const auto before = arm.filter.latch();
  arm.filter.Overran();
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kOperator);
  EXPECT_GT(arm.filter.latch().id, before.id) << "an acknowledgement of the first does not clear both";
  EXPECT_TRUE(arm.filter.Rests());
}

}  // namespace
}  // namespace nightshift::safety
