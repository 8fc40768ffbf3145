// SPDX-License-Identifier: Apache-2.0
#include "safety/filter.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/safety/ideal_arm.h"

namespace nightshift::safety {
namespace {

using core::LimitId;
using core::PowerMode;
using core::StopCause;
using core::Verdict;
using std::chrono::milliseconds;

constexpr core::Vec3 kNear = IdealArm::kNear;

TEST(Filter, BeginsStoppedHoldingTheArmWhereItIs) {
  IdealArm arm;
  const auto begin = arm.seen.q_rad;
  const Judgement judged = arm.Tick(arm.ProposeTip(kNear));
  EXPECT_EQ(judged.verdict, Verdict::kStopped);
  EXPECT_EQ(judged.action.q_rad(), begin);
  EXPECT_EQ(judged.action.power(), PowerMode::kHold);
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kRestarted);
}

TEST(Filter, StopsForWantOfCommandsAtTheDeadlineAndBumpsTheEpoch) {
  IdealArm arm;
  arm.Arm();
  const auto epoch = arm.filter.latch().epoch;
  const auto wanted = arm.ProposeTip(kNear);
  arm.Tick(wanted);
  while (arm.now <= wanted.deadline) {
    arm.Tick();
    ASSERT_FALSE(arm.filter.latch().latched());
  }
  const Judgement judged = arm.Tick();
  EXPECT_EQ(judged.verdict, Verdict::kStopped);
  EXPECT_EQ(judged.limit, LimitId::kNoCommand);
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kNoCommand);
  EXPECT_GT(arm.filter.latch().epoch, epoch);
}

TEST(Filter, BridgesAFewMissingReadingsAndLatchesALostDriver) {
  IdealArm arm;
  arm.Arm();
  arm.Tick(arm.ProposeTip(kNear));
  for (int i = 0; i < arm.limits.blind_ticks_max; ++i) {
    const Judgement judged = arm.TickBlind();
    EXPECT_EQ(judged.verdict, Verdict::kStopped);
    EXPECT_EQ(judged.limit, LimitId::kNoState);
  }
  EXPECT_FALSE(arm.filter.latch().latched());
  EXPECT_EQ(arm.TickBlind().limit, LimitId::kNoState);
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kDriverLost);
  for (int i = 0; i < 30; ++i) arm.TickBlind();
  EXPECT_TRUE(arm.filter.Rests());
}

TEST(Filter, TakesAFrozenReadingForAMissingOne) {
  IdealArm arm;
  arm.Arm();
  for (int i = 0; i <= arm.limits.blind_ticks_max; ++i) {
    --arm.seen.sequence;  // Tick counts it up again: the same reading over and over.
    arm.Tick();
  }
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kDriverLost);
}

TEST(Filter, TakesAGarbledReadingForAMissingOne) {
  IdealArm arm;
  arm.Arm();
  arm.seen.temperature_c[2] = std::nan("");
  EXPECT_EQ(arm.Tick().limit, LimitId::kNoState);
}

TEST(Filter, NeverPullsAnArmThatItHasNotSeen) {
  IdealArm arm;
  EXPECT_EQ(arm.TickBlind().action.power(), PowerMode::kOff);
}

TEST(Filter, ReadingsThatStandStillWhileTheCommandMovesAreALostDriver) {
  IdealArm arm;
  arm.Arm();
  arm.stuck = true;
  arm.noisy = false;
  auto target = arm.seen.q_rad;
  target[core::kPan] += 0.2;
  arm.Period(arm.Propose(target));
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kDriverLost);
  arm.Ticks(25);
  EXPECT_EQ(arm.Clear(), Clearance::kNoReading);
  arm.noisy = true;
  arm.Ticks(25);
  EXPECT_EQ(arm.Clear(), Clearance::kCleared);
}

TEST(Filter, ReadingsOfAnArmAtRestMayStandStill) {
  IdealArm arm;
  arm.Arm();
  arm.noisy = false;
  arm.Ticks(500);
  EXPECT_FALSE(arm.filter.latch().latched());
}

TEST(Filter, ATorqueThatNoDriveHasIsNoReading) {
  IdealArm arm;
  arm.Arm();
  arm.seen.torque_nm[core::kLift] = 1e6;
  EXPECT_EQ(arm.Tick().limit, LimitId::kNoState);
}

TEST(Filter, ActionsThatDoNotReachTheDrivesAreALostDriver) {
  IdealArm arm;
  arm.Arm();
  for (int tick = 0; tick < arm.limits.blind_ticks_max; ++tick) arm.filter.Sent(false);
  EXPECT_FALSE(arm.filter.latch().latched());
  arm.filter.Sent(true);
  for (int tick = 0; tick <= arm.limits.blind_ticks_max; ++tick) arm.filter.Sent(false);
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kDriverLost);
  EXPECT_EQ(arm.Clear(), Clearance::kNoReading);
  arm.filter.Sent(true);
  EXPECT_EQ(arm.Clear(), Clearance::kCleared);
}

TEST(Filter, LatchesATrackingErrorAndTakesPowerAwayOnceAtRest) {
  IdealArm arm;
  arm.Arm();
  arm.Tick(arm.ProposeTip(kNear));
  arm.Ticks(3);
  arm.stuck = true;
  Judgement judged = arm.Tick();
  for (int tick = 0; tick < 12 && !arm.filter.latch().latched(); ++tick) {  // Faster than it was told to, and away.
    arm.seen.q_rad[core::kElbow] += 0.05;
    judged = arm.Tick();
  }
  EXPECT_EQ(judged.limit, LimitId::kTrackingError);
  EXPECT_EQ(judged.axis, core::kElbow);
  EXPECT_GT(judged.wanted, judged.allowed) << "how far off it was is for the audit";
  EXPECT_EQ(judged.allowed, arm.limits.tracking_error_rad_max[core::kElbow]);
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kTrackingError);
  arm.Ticks(40);
  EXPECT_EQ(arm.Tick().action.power(), PowerMode::kOff);
}

TEST(Filter, LatchesAStallAndStopsPushing) {
  IdealArm arm;
  arm.Arm();
  const auto held = arm.seen.q_rad;
  arm.stuck = true;
  arm.seen.torque_nm[core::kPan] = 2.5;
  auto target = held;
  target[core::kPan] += 0.4;
  for (int period = 0; period < 60 && !arm.filter.latch().latched(); ++period) arm.Period(arm.Propose(target));
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kStall);
  arm.Ticks(30);
  EXPECT_NEAR(arm.filter.commanded_q_rad()[core::kPan], held[core::kPan], 1e-9);
}

/// The pan has stalled 0.4 rad off; the wrist pushes, too, at 1.4 Nm: the 0.08 rad that it is off would neither stall
/// it nor be measured anew at a clear. The jaw holds something.
struct StalledArm : IdealArm {
  StalledArm() {
    seen.q_rad[core::kJaw] = 0.5;
    Arm();
    held = seen.q_rad;
    stuck = true;
    seen.torque_nm[core::kPan] = 2.5;
    seen.torque_nm[core::kWrist] = 1.4;
    auto target = held;
    target[core::kPan] += 0.4;
    target[core::kWrist] -= 0.08;
    target[core::kJaw] = 0;
    std::uint64_t tick = 0;
    while (!filter.latch().latched() && tick < 1500)
      Tick(tick++ % 25 == 0 ? std::optional(Propose(target)) : std::nullopt);
    NIGHTSHIFT_CHECK(filter.latch().worst == StopCause::kStall);
  }
  void Drifts(int axis, double speed_rad_s) {
    drift_rad_s[static_cast<std::size_t>(axis)] = speed_rad_s;
    seen.dq_rad_s = drift_rad_s;
  }
  double Pushes(int axis) const {
    const auto i = static_cast<std::size_t>(axis);
    return std::abs(filter.commanded_q_rad()[i] - seen.q_rad[i]);
  }

  core::AxisArray held{};
};

TEST(Filter, AfterAStallNoAxisGoesOnPushingWhereAnotherHasGivenWay) {
  StalledArm arm;
  arm.Ticks(30);
  EXPECT_LT(arm.Pushes(core::kWrist), 1e-9);
  EXPECT_LT(arm.filter.commanded_q_rad()[core::kJaw], 0.1) << "what is held stays held";
}

TEST(Filter, AStallThatIsClearedAtOnceLeavesNoAxisPushing) {
  StalledArm arm;
  ASSERT_EQ(arm.Clear(), Clearance::kCleared);
  arm.Ticks(3);
  EXPECT_LT(arm.Pushes(core::kWrist), 1e-9);
  EXPECT_FALSE(arm.filter.latch().latched()) << "what was spent is forgotten";
}

TEST(Filter, AfterAStallTheArmIsHeldWhereItCameToRestAndNotWhereItSagsTo) {
  StalledArm arm;
  arm.Ticks(30);
  const auto rest = arm.filter.commanded_q_rad();
  arm.seen.q_rad[core::kWrist] += 0.02;
  arm.Ticks(3);
  EXPECT_EQ(arm.filter.commanded_q_rad(), rest);
}

TEST(Filter, APushThatEndedWithThePowerIsForgotten) {
  IdealArm arm;
  arm.Arm();
  arm.stuck = true;
  arm.seen.torque_nm[core::kPan] = 2.5;
  auto target = arm.seen.q_rad;
  target[core::kPan] += 0.4;  // Stalls after a good second.
  for (int time = 0; time < 2; ++time) {
    for (int period = 0; period < 8; ++period) arm.Period(arm.Propose(target));
    ASSERT_FALSE(arm.filter.latch().latched()) << "time " << time;
    arm.seen.temperature_c[1] = 71;
    arm.Ticks(3);
    arm.seen.temperature_c[1] = 30;
    arm.Ticks(3);
  }
}

TEST(Filter, AnAxisThatIsStillUnderWayAfterAStallIsHeldWhereItComesToRest) {
  StalledArm arm;
  arm.Drifts(core::kWrist, -0.5);
  arm.Ticks(20);
  arm.Drifts(core::kWrist, 0);
  arm.Ticks(3);
  EXPECT_LT(arm.Pushes(core::kWrist), 1e-9);
}

TEST(Filter, AnAxisThatNeverQuiteRestsAfterAStallIsNotPushedForEver) {
  StalledArm arm;
  arm.Drifts(core::kWrist, 0.2);
  arm.Ticks(120);
  EXPECT_GT(arm.Pushes(core::kWrist), 0.08) << "it waits for the arm to rest";
  arm.Ticks(7);
  EXPECT_LT(arm.Pushes(core::kWrist), 0.01);
}

TEST(Filter, AJawThatHoldsAnObjectIsNotAStall) {
  IdealArm arm;
  arm.seen.q_rad[core::kJaw] = 0.5;
  arm.Arm();
  arm.stuck = true;
  arm.seen.torque_nm[core::kJaw] = 0.25;
  auto target = arm.seen.q_rad;
  target[core::kJaw] = 0;
  for (int period = 0; period < 300; ++period) arm.Period(arm.Propose(target));
  EXPECT_FALSE(arm.filter.latch().latched());
}

TEST(Filter, StopsWhenAMotorIsHotAndRunsAgainWhenItHasCooled) {
  IdealArm arm;
  arm.Arm();
  arm.seen.temperature_c[1] = 71;
  EXPECT_EQ(arm.Tick().limit, LimitId::kTemperature);
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kHot);
  arm.seen.temperature_c[1] = 65;
  arm.Ticks(10);
  EXPECT_TRUE(arm.filter.latch().latched()) << "not yet cool";
  arm.seen.temperature_c[1] = 59;
  arm.Ticks(3);
  EXPECT_FALSE(arm.filter.latch().latched());
  EXPECT_EQ(arm.Tick().action.power(), PowerMode::kHold);
}

TEST(Filter, DrivesThatLetGoByThemselvesAreALostDriverAndPowerComesBackWithoutAJump) {
  IdealArm arm;
  arm.Arm();
  arm.Period(arm.ProposeTip(kNear));
  arm.seen.q_rad[core::kLift] += 0.1;  // It sank.
  const Judgement judged = arm.TickUnpowered();
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kDriverLost);
  EXPECT_EQ(judged.action.q_rad(), arm.seen.q_rad);
}

TEST(Filter, DrivesThatDoNotTakePowerAgainAreALostDriver) {
  IdealArm arm;
  arm.Arm();
  arm.seen.temperature_c[1] = 71;
  arm.Ticks(3);
  arm.seen.temperature_c[1] = 30;
  for (int tick = 0; tick <= arm.limits.power_up_ticks_max + 1; ++tick) arm.TickUnpowered();
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kDriverLost);
}

TEST(Filter, IsNotClearedWhileTheArmMoves) {
  IdealArm arm;
  arm.Arm();
  arm.Tick(arm.ProposeTip({0.25, 0.05, 0.1}));
  arm.Ticks(12);
  arm.filter.Stop();
  arm.Tick();
  EXPECT_EQ(arm.Clear(), Clearance::kNotAtRest);
  arm.Ticks(40);
  EXPECT_EQ(arm.Clear(), Clearance::kCleared);
}

TEST(Filter, DoesNotResumeTheRestOfAMotionWhenAStopIsCleared) {
  IdealArm arm;
  arm.Arm();
  arm.Tick(arm.ProposeTip({0.25, 0.05, 0.1}));
  arm.Ticks(12);
  arm.filter.Stop();
  arm.Ticks(60);
  ASSERT_EQ(arm.Clear(), Clearance::kCleared);
  const auto rest = arm.filter.commanded_q_rad();
  arm.Ticks(100);
  EXPECT_EQ(arm.filter.commanded_q_rad(), rest);
}

TEST(Filter, CountsMissingReadingsInARow) {
  IdealArm arm;
  arm.Arm();
  for (int i = 0; i < 10; ++i) {
    for (int blind = 0; blind < arm.limits.blind_ticks_max; ++blind) arm.TickBlind();
    arm.Tick();
  }
  EXPECT_FALSE(arm.filter.latch().latched());
}

TEST(Filter, StopsForWantOfCommandsAlsoWhileItIsBlind) {
  Limits patient;
  patient.blind_ticks_max = 100;
  IdealArm arm(patient);
  arm.Arm();
  auto wanted = arm.ProposeTip(kNear);
  wanted.deadline = arm.now + milliseconds(40);
  arm.Tick(wanted);
  for (int tick = 0; tick < 10; ++tick) arm.TickBlind();
  EXPECT_FALSE(arm.filter.latch().latched());
  arm.TickBlind();
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kNoCommand);
}

TEST(Filter, IsNotClearedWithoutAFreshReading) {
  IdealArm arm;
  EXPECT_EQ(arm.Clear(), Clearance::kNoReading) << "the arm was never seen";
  arm.Tick();
  arm.TickBlind();
  EXPECT_EQ(arm.Clear(), Clearance::kNoReading) << "a reading is missing";
  arm.Tick();
  EXPECT_EQ(arm.Clear(), Clearance::kCleared);
}

TEST(Filter, IsNotClearedWhileDrivesThatShouldHoldHoldNoTorque) {
  IdealArm arm;
  arm.Arm();
  arm.filter.Stop();
  arm.TickUnpowered();
  EXPECT_EQ(arm.Clear(), Clearance::kNoReading);
}

TEST(Filter, IsNotClearedWhileTheArmStillSwaysBehindACommandAtRest) {
  IdealArm arm;
  arm.Arm();
  arm.filter.Stop();
  arm.Tick();
  ++arm.seen.sequence;
  arm.seen.dq_rad_s[core::kLift] = 0.2;
  arm.filter.Judge(arm.seen, std::nullopt, arm.now);
  EXPECT_EQ(arm.Clear(), Clearance::kNotAtRest);
}

TEST(Filter, TellsWhileItBrakesWhichAxisIsHowFarFromWhereItWasToldToBe) {
  IdealArm arm;
  arm.Arm();
  arm.Tick(arm.ProposeTip({0.25, 0.05, 0.1}));
  arm.Ticks(10);
  arm.stuck = true;
  for (int tick = 0; tick < 6; ++tick) {
    arm.seen.q_rad[core::kElbow] -= 0.1;
    arm.Tick();
  }
  const double off_rad = std::abs(arm.filter.commanded_q_rad()[core::kElbow] - arm.seen.q_rad[core::kElbow]);
  const Judgement judged = arm.Tick();
  EXPECT_EQ(judged.verdict, Verdict::kStopped);
  EXPECT_EQ(judged.limit, LimitId::kTrackingError);
  EXPECT_EQ(judged.axis, core::kElbow);
  EXPECT_EQ(judged.wanted, off_rad);
  EXPECT_EQ(judged.allowed, 0.5);
}

TEST(Filter, MeasuresAnAxisThatIsFarOffAnewWhenAStopIsClearedAndKeepsOneThatIsNear) {
  IdealArm arm;
  arm.Arm();
  const auto held = arm.filter.commanded_q_rad();
  arm.stuck = true;
  arm.seen.q_rad[core::kPan] += 0.11;
  arm.seen.q_rad[core::kLift] += 0.09;
  arm.seen.q_rad[core::kWrist] -= 0.11;
  arm.filter.Stop();
  arm.Ticks(3);
  EXPECT_EQ(arm.filter.commanded_q_rad(), held);
  ASSERT_EQ(arm.Clear(), Clearance::kCleared);
  EXPECT_EQ(arm.filter.commanded_q_rad()[core::kPan], arm.seen.q_rad[core::kPan]);
  EXPECT_EQ(arm.filter.commanded_q_rad()[core::kLift], held[core::kLift]);
  EXPECT_EQ(arm.filter.commanded_q_rad()[core::kWrist], arm.seen.q_rad[core::kWrist]);
}

TEST(Filter, DrivesMayTakeAsLongToHoldAsIsAllowedAndNoLonger) {
  IdealArm arm;
  arm.Arm();
  arm.seen.temperature_c[1] = 71;
  arm.Ticks(3);
  arm.seen.temperature_c[1] = 30;
  arm.Tick();
  for (int tick = 0; tick < arm.limits.power_up_ticks_max; ++tick) arm.TickUnpowered();
  EXPECT_FALSE(arm.filter.latch().latched());
  arm.TickUnpowered();
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kDriverLost);
}

TEST(Filter, DrivesHaveTheWholeTimeToHoldEachTime) {
  IdealArm arm;
  arm.Arm();
  for (int time = 0; time < 2; ++time) {
    arm.seen.temperature_c[1] = 71;
    arm.Ticks(3);
    arm.seen.temperature_c[1] = 30;
    arm.Tick();
    for (int tick = 0; tick < arm.limits.power_up_ticks_max - 10; ++tick) arm.TickUnpowered();
    EXPECT_FALSE(arm.filter.latch().latched()) << "time " << time;
    arm.seen.powered = true;
    arm.Ticks(3);
  }
}

TEST(Filter, ALostDriverLeavesNoAxisPushing) {
  IdealArm arm;
  arm.Arm();
  arm.stuck = true;
  const auto held = arm.filter.commanded_q_rad();
  for (double& q_rad : arm.seen.q_rad) q_rad += 0.08;
  for (int tick = 0; tick <= arm.limits.blind_ticks_max; ++tick) arm.TickBlind();
  ASSERT_EQ(arm.filter.latch().worst, StopCause::kDriverLost);
  arm.Tick();
  for (std::size_t i = 0; i < core::kJaw; ++i) EXPECT_EQ(arm.filter.commanded_q_rad()[i], arm.seen.q_rad[i]);
  EXPECT_EQ(arm.filter.commanded_q_rad()[core::kJaw], held[core::kJaw]) << "what is held stays held";
}

TEST(Filter, ReadingsThatJumpAreALostDriverAndOnlyAPersonMayBelieveThem) {
  IdealArm arm;
  arm.Arm();
  arm.stuck = true;
  arm.seen.q_rad[core::kPan] += 0.3;
  const auto before = arm.filter.commanded_q_rad();
  arm.Ticks(20);
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kDriverLost);
  EXPECT_TRUE(arm.filter.latch().needs_person) << "so that somebody is asked";
  EXPECT_EQ(arm.Clear(ClearedBy::kSupervisor), Clearance::kJumped);
  const auto latch = arm.filter.latch();
  EXPECT_EQ(arm.filter.Acknowledge(
                {.latch_id = latch.id, .nonce = latch.nonce, .by = ClearedBy::kPerson, .arms_only = true}, arm.now),
            Clearance::kOtherCause);
  EXPECT_EQ(arm.Clear(ClearedBy::kSupervisor), Clearance::kJumped) << "who only arms believes nothing";
  EXPECT_EQ(arm.filter.commanded_q_rad(), before) << "nothing is taken from what is not believed";
  EXPECT_EQ(arm.Clear(ClearedBy::kPerson), Clearance::kCleared);
  arm.Ticks(5);
  EXPECT_FALSE(arm.filter.latch().latched());
  EXPECT_NEAR(arm.filter.commanded_q_rad()[core::kPan], before[core::kPan] + 0.3, 1e-9);
}

TEST(Filter, AReadingThatJumpedIsNotBelievedOnceNoneComeAnyMore) {
  IdealArm arm;
  arm.Arm();
  arm.stuck = true;
  arm.seen.q_rad[core::kPan] += 0.3;
  arm.Tick();
  for (int tick = 0; tick < 10; ++tick) arm.TickBlind();
  EXPECT_EQ(arm.Clear(ClearedBy::kPerson), Clearance::kNoReading);
}

TEST(Filter, HeatThatHasGoneWhileTheArmStillBrakesWaitsForItToRest) {
  IdealArm arm;
  arm.Arm();
  auto target = arm.seen.q_rad;
  target[core::kPan] += 1;
  arm.Tick(arm.Propose(target));
  arm.Ticks(20);
  arm.seen.temperature_c[1] = 71;
  arm.Tick();
  arm.seen.temperature_c[1] = 30;
  arm.Tick();
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kHot);
  arm.Ticks(60);
  EXPECT_FALSE(arm.filter.latch().latched());
}

TEST(Filter, AfterASilenceTheArmMayBeAnywhere) {
  IdealArm arm;
  arm.Arm();
  for (int tick = 0; tick < 10; ++tick) (void)arm.filter.JudgeBlind(arm.now += arm.limits.control_period);
  arm.stuck = true;
  arm.seen.q_rad[core::kPan] += 0.3;
  arm.Ticks(3);
  EXPECT_EQ(arm.Clear(ClearedBy::kSupervisor), Clearance::kCleared);
}

TEST(Filter, AnInspectionIsAsSlowAsItSaysAndEndsWithTheArmsTravel) {
  IdealArm arm({}, IdealArm::Inspects::kYes);
  arm.Arm();
  double fastest_rad_s = 0, travel_rad = 0;
  for (int period = 0; period < 20 && arm.filter.latch().inspecting; ++period) {
    auto target = arm.filter.commanded_q_rad();
    target[core::kPan] += 0.35;
    const auto proposal = arm.Propose(target);
    for (int tick = 0; tick < 25 && arm.filter.latch().inspecting; ++tick) {
      arm.Tick(tick == 0 ? std::optional(proposal) : std::nullopt);
      if (!arm.filter.latch().inspecting) break;
      fastest_rad_s = std::max(fastest_rad_s, std::abs(arm.filter.commanded_v_rad_s()[core::kPan]));
      travel_rad += std::abs(arm.filter.commanded_v_rad_s()[core::kPan]) * 0.004;
    }
  }
  EXPECT_NEAR(fastest_rad_s, arm.limits.inspection_speed_share * arm.limits.speed_rad_s_max[core::kPan], 1e-6);
  EXPECT_NEAR(travel_rad, arm.limits.inspection_travel_rad, 0.02);
}

}  // namespace
}  // namespace nightshift::safety
