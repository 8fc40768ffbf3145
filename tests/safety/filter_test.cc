// SPDX-License-Identifier: Apache-2.0
#include "safety/filter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/safety/ideal_arm.h"

namespace nightshift::safety {
namespace {

using core::LimitId;
using core::PowerMode;
using core::StopCause;
using core::Verdict;
using std::chrono::milliseconds;

constexpr double kReachedRad = 1e-3;
constexpr core::Vec3 kNear{0.21, 0.01, 0.095};  // One ordinary step from where the arm begins.

double FarthestAxis(const core::AxisArray& a, const core::AxisArray& b) {
  double farthest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) farthest = std::max(farthest, std::abs(a[i] - b[i]));
  return farthest;
}

bool AtRest(const Filter& filter) {
  for (const double v : filter.commanded_v_rad_s())
    if (v != 0) return false;
  return true;
}

TEST(Filter, BeginsStoppedHoldingTheArmWhereItIs) {
  IdealArm arm;
  const auto begin = arm.seen.q_rad;
  const Judgement judged = arm.Tick(arm.ProposeTip(kNear));
  EXPECT_EQ(judged.verdict, Verdict::kStopped);
  EXPECT_EQ(judged.action.q_rad(), begin);
  EXPECT_EQ(judged.action.power(), PowerMode::kHold);
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kRestarted);
}

TEST(Filter, ReachesAnOrdinaryTargetAtTheEndOfThePeriodAndPassesIt) {
  IdealArm arm;
  arm.Arm();
  const auto wanted = arm.ProposeTip(kNear);
  const Judgement worst = arm.Period(wanted);
  EXPECT_EQ(worst.verdict, Verdict::kPass) << Name(worst.limit) << " axis " << worst.axis;
  EXPECT_EQ(worst.sequence, wanted.sequence);
  EXPECT_LT(FarthestAxis(arm.filter.commanded_q_rad(), wanted.target_q_rad), kReachedRad);
}

TEST(Filter, ComesToRestOnTheTargetWhenNothingFollowsWithinTheDeadline) {
  IdealArm arm;
  arm.Arm();
  auto wanted = arm.ProposeTip(kNear);
  wanted.deadline = arm.now + arm.limits.command_deadline_max;
  arm.Period(wanted);
  arm.Ticks(48);
  EXPECT_FALSE(arm.filter.latch().latched());
  EXPECT_TRUE(AtRest(arm.filter));
  EXPECT_LT(FarthestAxis(arm.filter.commanded_q_rad(), wanted.target_q_rad), 1e-9);
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

TEST(Filter, CutsADeadlineThatIsTooFarAwayToTheLongestAllowed) {
  IdealArm arm;
  arm.Arm();
  auto wanted = arm.ProposeTip(kNear);
  wanted.deadline = core::Instant::max();
  const core::Instant begin = arm.now;
  arm.Tick(wanted);
  while (!arm.filter.latch().latched() && arm.now < begin + core::Seconds(5)) arm.Tick();
  EXPECT_EQ(arm.now - begin, arm.limits.command_deadline_max + 2 * arm.limits.control_period);
}

struct BadCase {
  const char* name;
  LimitId expected;
  void (*spoil)(IdealArm& arm, core::ProposedAction& action);
};

class FilterRefuses : public testing::TestWithParam<BadCase> {};

TEST_P(FilterRefuses, CountsItAndDoesNotMove) {
  IdealArm arm;
  arm.Arm();
  arm.Period(arm.Propose(arm.seen.q_rad));
  const auto before = arm.filter.commanded_q_rad();
  auto bad = arm.ProposeTip(kNear);
  GetParam().spoil(arm, bad);
  const Judgement judged = arm.Tick(bad);
  EXPECT_EQ(judged.verdict, Verdict::kRefused);
  EXPECT_EQ(judged.limit, GetParam().expected);
  EXPECT_EQ(arm.filter.proposals_refused(), 1u);
  arm.Ticks(20);
  EXPECT_EQ(arm.filter.commanded_q_rad(), before);
}

INSTANTIATE_TEST_SUITE_P(
    Each, FilterRefuses,
    testing::Values(BadCase{"Late", LimitId::kLate,
                            [](IdealArm& arm, auto& a) { a.deadline = arm.now - milliseconds(1); }},
                    BadCase{"Replayed", LimitId::kReplayed, [](IdealArm&, auto& a) { --a.sequence; }},
                    BadCase{"OutOfOrder", LimitId::kReplayed, [](IdealArm&, auto& a) { a.sequence = 0; }},
                    BadCase{"OldEpoch", LimitId::kWrongEpoch, [](IdealArm&, auto& a) { --a.epoch; }},
                    BadCase{"FutureEpoch", LimitId::kWrongEpoch, [](IdealArm&, auto& a) { ++a.epoch; }},
                    BadCase{"TooFewAxes", LimitId::kWrongSize, [](IdealArm&, auto& a) { a.axes = 5; }},
                    BadCase{"TooManyAxes", LimitId::kWrongSize, [](IdealArm&, auto& a) { a.axes = 99; }},
                    BadCase{"NegativeAxes", LimitId::kWrongSize, [](IdealArm&, auto& a) { a.axes = -1; }},
                    BadCase{"NaN", LimitId::kNotFinite, [](IdealArm&, auto& a) { a.target_q_rad[3] = std::nan(""); }},
                    BadCase{"Infinity", LimitId::kNotFinite,
                            [](IdealArm&, auto& a) { a.target_q_rad[0] = std::numeric_limits<double>::infinity(); }},
                    BadCase{"RiskNaN", LimitId::kNotFinite, [](IdealArm&, auto& a) { a.risk_scale = std::nan(""); }},
                    BadCase{"RiskZero", LimitId::kNotFinite, [](IdealArm&, auto& a) { a.risk_scale = 0; }}),
    [](const auto& test_case) { return std::string(test_case.param.name); });

TEST(Filter, GoesOnWithAValidProposalWhenABadOneArrives) {
  IdealArm arm;
  arm.Arm();
  const auto good = arm.ProposeTip(kNear);
  arm.Tick(good);
  auto bad = arm.ProposeTip(kNear);
  bad.target_q_rad[0] = std::nan("");
  arm.Tick(bad);
  arm.Ticks(23);
  EXPECT_LT(FarthestAxis(arm.filter.commanded_q_rad(), good.target_q_rad), kReachedRad);
}

TEST(Filter, LimitsATargetBeyondAJointsRangeToTheRange) {
  IdealArm arm;
  arm.Arm();
  auto target = arm.seen.q_rad;
  target[core::kRoll] = 9;
  double allowed = 0;
  for (int period = 0; period < 20; ++period) {
    const Judgement judged = arm.Period(arm.Propose(target));
    if (judged.limit == LimitId::kPosition) allowed = judged.allowed;
  }
  EXPECT_NEAR(arm.filter.commanded_q_rad()[core::kRoll], arm.limits.q_rad_max[core::kRoll], 1e-6);
  EXPECT_EQ(allowed, arm.limits.q_rad_max[core::kRoll]);
}

TEST(Filter, TellsTheSpeedThatWasWantedAndAllowed) {
  IdealArm arm;
  arm.Arm();
  auto target = arm.seen.q_rad;
  target[core::kPan] += 1;
  const Judgement judged = arm.Period(arm.Propose(target));
  EXPECT_EQ(judged.verdict, Verdict::kLimited);
  EXPECT_EQ(judged.limit, LimitId::kVelocity);
  EXPECT_EQ(judged.axis, core::kPan);
  EXPECT_NEAR(judged.wanted, 10, 1e-9);
  EXPECT_EQ(judged.allowed, 4);
  EXPECT_NEAR(judged.margin(), -6, 1e-9);
}

TEST(Filter, KeepsTheTipAboveTheTableWhateverIsWanted) {
  IdealArm arm;
  arm.Arm();
  LimitId limit = LimitId::kNone;
  for (int period = 0; period < 30; ++period) {
    auto target = arm.seen.q_rad;
    target[core::kLift] += 0.3;
    const Judgement judged = arm.Period(arm.Propose(target));
    if (judged.verdict != Verdict::kPass) limit = judged.limit;
    ASSERT_GE(arm.tip().z, arm.limits.workspace_m_min.z - 1e-9);
  }
  EXPECT_EQ(limit, LimitId::kWorkspace);
  EXPECT_LT(arm.tip().z, 0.02) << "it should get near the table";
}

TEST(Filter, TheJawClosesAlsoWhileTheWorkspaceHoldsTheArm) {
  IdealArm arm;
  arm.Arm();
  for (int period = 0; period < 30; ++period) {
    auto target = arm.seen.q_rad;
    target[core::kLift] += 0.3;
    target[core::kJaw] = 0.9;
    arm.Period(arm.Propose(target));
  }
  EXPECT_NEAR(arm.filter.commanded_q_rad()[core::kJaw], 0.9, 1e-6);
}

TEST(Filter, FromOutsideTheWorkspaceOnlyReturnsAndSlowly) {
  IdealArm arm;
  arm.seen.q_rad = {};  // Straight up: above the box.
  arm.Arm();
  const double begin = OutsideWorkspace(arm.limits, arm.seen.q_rad);
  ASSERT_GT(begin, 0);
  double outside = begin;
  for (int period = 0; period < 60; ++period) {
    auto target = arm.seen.q_rad;
    target[core::kLift] = 1.0;
    for (int tick = 0; tick < 25; ++tick) {
      arm.Tick(tick == 0 ? std::optional(arm.Propose(target)) : std::nullopt);
      const double now = OutsideWorkspace(arm.limits, arm.filter.commanded_q_rad());
      ASSERT_LE(now, std::max(outside, 0.0) + 1e-9);
      const double speed = std::abs(arm.filter.commanded_v_rad_s()[core::kLift]);
      ASSERT_LE(speed, outside > 1e-9 ? 0.2 + 1e-9 : 4.0);
      outside = now;
    }
  }
  EXPECT_LE(outside, 0) << "the arm must be able to come back";
}

TEST(Filter, GoesSlowerForARiskScaleButNeverFaster) {
  const auto top_speed = [](double scale) {
    IdealArm arm;
    arm.Arm();
    auto target = arm.seen.q_rad;
    target[core::kPan] = 1.5;
    auto wanted = arm.Propose(target);
    wanted.risk_scale = scale;
    arm.Tick(wanted);
    double top = 0;
    for (int tick = 0; tick < 45; ++tick) {
      arm.Tick();
      top = std::max(top, std::abs(arm.filter.commanded_v_rad_s()[core::kPan]));
    }
    return top;
  };
  EXPECT_NEAR(top_speed(0.25), 1, 1e-9);
  EXPECT_NEAR(top_speed(1), 4, 1e-9);
  EXPECT_NEAR(top_speed(50), 4, 1e-9);
}

TEST(Filter, AWithdrawalBrakesWithoutALatchAndKillsOldCommands) {
  IdealArm arm;
  arm.Arm();
  arm.Tick(arm.ProposeTip({0.25, 0.05, 0.1}));
  arm.Ticks(10);
  const auto old = arm.ProposeTip(kNear);
  arm.filter.Withdraw();
  arm.Ticks(60);
  EXPECT_TRUE(AtRest(arm.filter));
  EXPECT_FALSE(arm.filter.latch().latched());
  const auto before = arm.filter.commanded_q_rad();
  EXPECT_EQ(arm.Tick(old).limit, LimitId::kWrongEpoch);
  arm.Ticks(30);
  EXPECT_EQ(arm.filter.commanded_q_rad(), before);
}

TEST(Filter, ARestartedSupervisorMayCountItsProposalsFromOneAfterWithdrawing) {
  IdealArm arm;
  arm.Arm();
  arm.sequence = 500;
  arm.Period(arm.ProposeTip(kNear));
  arm.filter.Withdraw();
  arm.sequence = 0;
  EXPECT_NE(arm.Tick(arm.ProposeTip(kNear)).verdict, Verdict::kRefused);
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
  EXPECT_TRUE(AtRest(arm.filter));
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
  const auto latch = arm.filter.latch();
  const Acknowledgement ack{.latch_id = latch.id, .nonce = latch.nonce, .by = ClearedBy::kPerson};
  EXPECT_EQ(arm.filter.Acknowledge(ack, arm.now), Clearance::kNoReading);
  arm.noisy = true;
  arm.Ticks(25);
  EXPECT_EQ(arm.filter.Acknowledge(ack, arm.now), Clearance::kCleared);
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
  const auto latch = arm.filter.latch();
  const Acknowledgement ack{.latch_id = latch.id, .nonce = latch.nonce, .by = ClearedBy::kPerson};
  EXPECT_EQ(arm.filter.Acknowledge(ack, arm.now), Clearance::kNoReading);
  arm.filter.Sent(true);
  EXPECT_EQ(arm.filter.Acknowledge(ack, arm.now), Clearance::kCleared);
}

TEST(Filter, LatchesATrackingErrorAndTakesPowerAwayOnceAtRest) {
  IdealArm arm;
  arm.Arm();
  arm.Tick(arm.ProposeTip(kNear));
  arm.Ticks(3);
  arm.seen.q_rad[core::kElbow] += 0.6;
  const Judgement judged = arm.Tick();
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
    Arm();
    seen.q_rad[core::kJaw] = 0.5;
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
  const auto latch = arm.filter.latch();
  const Acknowledgement ack{.latch_id = latch.id, .nonce = latch.nonce, .by = ClearedBy::kPerson};
  ASSERT_EQ(arm.filter.Acknowledge(ack, arm.now), Clearance::kCleared);
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
  arm.Arm();
  arm.stuck = true;
  arm.seen.torque_nm[core::kJaw] = 0.25;
  arm.seen.q_rad[core::kJaw] = 0.5;
  auto target = arm.seen.q_rad;
  target[core::kJaw] = 0;
  for (int period = 0; period < 300; ++period) arm.Period(arm.Propose(target));
  EXPECT_FALSE(arm.filter.latch().latched());
}

TEST(Filter, StopsWhenAMotorIsHotAndRunsAgainWhenItHasCooled) {
  IdealArm arm;
  arm.Arm();
  arm.seen.temperature_c[1] = 71;
  EXPECT_EQ(arm.Tick().limit, LimitId::kLatched);
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
  ++arm.seen.sequence;
  arm.seen.powered = false;
  arm.seen.q_rad[core::kLift] += 0.3;  // It sank.
  const Judgement judged = arm.filter.Judge(arm.seen, std::nullopt, arm.now);
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kDriverLost);
  EXPECT_EQ(judged.action.q_rad(), arm.seen.q_rad);
}

TEST(Filter, DrivesThatDoNotTakePowerAgainAreALostDriver) {
  IdealArm arm;
  arm.Arm();
  arm.seen.temperature_c[1] = 71;
  arm.Ticks(3);
  arm.seen.temperature_c[1] = 30;
  for (int tick = 0; tick <= arm.limits.power_up_ticks_max + 1; ++tick) {
    ++arm.seen.sequence;
    arm.seen.powered = false;
    arm.filter.Judge(arm.seen, std::nullopt, arm.now);
    arm.now += arm.limits.control_period;
  }
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kDriverLost);
}

TEST(Filter, IsNotClearedWhileTheArmMoves) {
  IdealArm arm;
  arm.Arm();
  arm.Tick(arm.ProposeTip({0.25, 0.05, 0.1}));
  arm.Ticks(12);
  arm.filter.Stop();
  arm.Tick();
  const auto latch = arm.filter.latch();
  const Acknowledgement ack{.latch_id = latch.id, .nonce = latch.nonce, .by = ClearedBy::kPerson};
  EXPECT_EQ(arm.filter.Acknowledge(ack, arm.now), Clearance::kNotAtRest);
  arm.Ticks(40);
  EXPECT_EQ(arm.filter.Acknowledge(ack, arm.now), Clearance::kCleared);
}

TEST(Filter, DoesNotResumeTheRestOfAMotionWhenAStopIsCleared) {
  IdealArm arm;
  arm.Arm();
  arm.Tick(arm.ProposeTip({0.25, 0.05, 0.1}));
  arm.Ticks(12);
  arm.filter.Stop();
  arm.Ticks(60);
  const auto latch = arm.filter.latch();
  ASSERT_EQ(arm.filter.Acknowledge({.latch_id = latch.id, .nonce = latch.nonce, .by = ClearedBy::kPerson}, arm.now),
            Clearance::kCleared);
  const auto rest = arm.filter.commanded_q_rad();
  arm.Ticks(100);
  EXPECT_EQ(arm.filter.commanded_q_rad(), rest);
}

TEST(Filter, TellsHowLateALateProposalIs) {
  IdealArm arm;
  arm.Arm();
  auto late = arm.ProposeTip(kNear);
  late.deadline = arm.now - milliseconds(8);
  const Judgement judged = arm.Tick(late);
  EXPECT_NEAR(judged.wanted, core::ToSeconds(arm.now - milliseconds(4)), 1e-12);
  EXPECT_NEAR(judged.margin(), -0.008, 1e-12);
}

TEST(Filter, RefusesEverythingWhileItIsLatched) {
  IdealArm arm;
  arm.Tick();
  const Judgement judged = arm.Tick(arm.ProposeTip(kNear));
  EXPECT_EQ(judged.limit, LimitId::kLatched);
  EXPECT_EQ(judged.sequence, 0u);
  EXPECT_EQ(arm.filter.proposals_refused(), 1u);
}

TEST(Filter, RefusesEverythingWhileTheDrivesHoldNoTorque) {
  IdealArm arm;
  arm.Arm();
  arm.seen.temperature_c[0] = 71;
  arm.Ticks(3);
  arm.seen.temperature_c[0] = 30;
  arm.Tick();
  ASSERT_FALSE(arm.filter.latch().latched());
  ++arm.seen.sequence;
  arm.seen.powered = false;
  const Judgement judged = arm.filter.Judge(arm.seen, arm.ProposeTip(kNear), arm.now);
  EXPECT_EQ(judged.verdict, Verdict::kRefused);
  EXPECT_EQ(judged.limit, LimitId::kNoState);
}

TEST(Filter, KeepsADeadlineThatIsSoonerThanTheLongestAllowed) {
  IdealArm arm;
  arm.Arm();
  auto wanted = arm.ProposeTip(kNear);
  wanted.deadline = arm.now + milliseconds(40);
  arm.Tick(wanted);
  arm.Ticks(10);
  EXPECT_FALSE(arm.filter.latch().latched()) << "at the deadline itself";
  arm.Tick();
  EXPECT_TRUE(arm.filter.latch().latched());
}

TEST(Filter, TellsTheProposalInForceAndNoneOnceItIsWithdrawn) {
  IdealArm arm;
  arm.Arm();
  const auto wanted = arm.ProposeTip(kNear);
  EXPECT_EQ(arm.Tick(wanted).sequence, wanted.sequence);
  EXPECT_EQ(arm.Tick().sequence, wanted.sequence);
  arm.filter.Withdraw();
  EXPECT_EQ(arm.Tick().sequence, 0u);
}

TEST(Filter, AWithdrawalEndsAnEpochOnlyIfSomethingWasCommandedInIt) {
  IdealArm arm;
  arm.Arm();
  const auto epoch = arm.filter.latch().epoch;
  arm.filter.Withdraw();
  EXPECT_EQ(arm.filter.latch().epoch, epoch);
  arm.Tick(arm.ProposeTip(kNear));
  arm.filter.Withdraw();
  EXPECT_EQ(arm.filter.latch().epoch, epoch + 1);
  arm.filter.Withdraw();
  EXPECT_EQ(arm.filter.latch().epoch, epoch + 1) << "nothing was commanded since";
}

TEST(Filter, TellsByHowMuchAShortAccelerationMissedTheTarget) {
  for (const std::size_t axis : {core::kPan, core::kElbow}) {
    Limits weak;
    weak.acceleration_rad_s2_max[axis] = 5;
    IdealArm arm(weak);
    arm.Arm();
    auto target = arm.seen.q_rad;
    target[axis] += 0.1;
    Judgement last = arm.Tick(arm.Propose(target));
    for (int tick = 1; tick < 25; ++tick) {
      EXPECT_EQ(last.verdict, Verdict::kPass) << "only the end of the period counts";
      last = arm.Tick();
    }
    EXPECT_EQ(last.verdict, Verdict::kLimited);
    EXPECT_EQ(last.limit, LimitId::kAcceleration);
    EXPECT_EQ(last.axis, static_cast<int>(axis));
    EXPECT_NEAR(last.wanted, target[axis] - arm.filter.commanded_q_rad()[axis], 1e-12);
    EXPECT_EQ(last.allowed, 0.02);
    EXPECT_EQ(arm.Tick().verdict, Verdict::kPass);
  }
}

TEST(Filter, TellsHowFarATargetLiesBeyondEitherEndOfARange) {
  for (const double way : {1.0, -1.0}) {
    IdealArm arm;
    arm.Arm();
    auto target = arm.seen.q_rad;
    target[core::kRoll] = way * 3;
    EXPECT_EQ(arm.Tick(arm.Propose(target)).limit, LimitId::kVelocity) << "the end of the range is far";
    Judgement last = arm.Tick();
    for (int period = 0; period < 12; ++period) last = arm.Period(arm.Propose(target));
    EXPECT_EQ(last.limit, LimitId::kPosition);
    EXPECT_EQ(last.axis, core::kRoll);
    EXPECT_EQ(last.wanted, 3) << "below the lower end both count downwards";
    EXPECT_EQ(last.allowed, 2.7);
  }
}

TEST(Filter, TheSpeedOfTheJawIsNoLimit) {
  IdealArm arm;
  arm.Arm();
  auto target = arm.seen.q_rad;
  target[core::kJaw] = 1.1;
  EXPECT_EQ(arm.Period(arm.Propose(target)).verdict, Verdict::kPass);
}

TEST(Filter, TellsHowNearAnObstacleTheArmWouldCome) {
  Limits limits;
  limits.posts = {{.name = "post", .from_m = {0.2, 0.12, 0}, .to_m = {0.2, 0.12, 0.3}, .radius_m = 0.02}};
  IdealArm arm(limits);
  arm.Arm();
  Judgement hit = arm.Tick();
  for (int tick = 0; tick < 250 && hit.limit != LimitId::kObstacle; ++tick) {
    auto target = arm.seen.q_rad;
    target[core::kPan] += 0.2;
    hit = arm.Tick(tick % 25 == 0 ? std::optional(arm.Propose(target)) : std::nullopt);
  }
  EXPECT_EQ(hit.limit, LimitId::kObstacle);
  EXPECT_GE(hit.verdict, Verdict::kLimited);
  EXPECT_EQ(hit.axis, 0);
  EXPECT_EQ(hit.allowed, -limits.clearance_m);
  EXPECT_LT(hit.margin(), 0);
  EXPECT_LT(hit.wanted, 0) << "it would come near, and not yet touch";
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
  const auto clear = [&] {
    const auto latch = arm.filter.latch();
    return arm.filter.Acknowledge({.latch_id = latch.id, .nonce = latch.nonce, .by = ClearedBy::kPerson}, arm.now);
  };
  EXPECT_EQ(clear(), Clearance::kNoReading) << "the arm was never seen";
  arm.Tick();
  arm.TickBlind();
  EXPECT_EQ(clear(), Clearance::kNoReading) << "a reading is missing";
  arm.Tick();
  EXPECT_EQ(clear(), Clearance::kCleared);
}

TEST(Filter, IsNotClearedWhileDrivesThatShouldHoldHoldNoTorque) {
  IdealArm arm;
  arm.Arm();
  arm.filter.Stop();
  ++arm.seen.sequence;
  arm.seen.powered = false;
  arm.filter.Judge(arm.seen, std::nullopt, arm.now);
  const auto latch = arm.filter.latch();
  EXPECT_EQ(arm.filter.Acknowledge({.latch_id = latch.id, .nonce = latch.nonce, .by = ClearedBy::kPerson}, arm.now),
            Clearance::kNoReading);
}

TEST(Filter, IsNotClearedWhileTheArmStillSwaysBehindACommandAtRest) {
  IdealArm arm;
  arm.Arm();
  arm.filter.Stop();
  arm.Tick();
  ++arm.seen.sequence;
  arm.seen.dq_rad_s[core::kLift] = 0.2;
  arm.filter.Judge(arm.seen, std::nullopt, arm.now);
  const auto latch = arm.filter.latch();
  EXPECT_EQ(arm.filter.Acknowledge({.latch_id = latch.id, .nonce = latch.nonce, .by = ClearedBy::kPerson}, arm.now),
            Clearance::kNotAtRest);
}

TEST(Filter, TellsWhileItBrakesWhichAxisIsHowFarFromWhereItWasToldToBe) {
  IdealArm arm;
  arm.Arm();
  arm.Tick(arm.ProposeTip({0.25, 0.05, 0.1}));
  arm.Ticks(10);
  arm.stuck = true;
  arm.seen.q_rad[core::kElbow] -= 0.6;
  arm.Tick();
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
  const auto latch = arm.filter.latch();
  ASSERT_EQ(arm.filter.Acknowledge({.latch_id = latch.id, .nonce = latch.nonce, .by = ClearedBy::kPerson}, arm.now),
            Clearance::kCleared);
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
  const auto unpowered_tick = [&] {
    ++arm.seen.sequence;
    arm.seen.powered = false;
    arm.filter.Judge(arm.seen, std::nullopt, arm.now);
    arm.now += arm.limits.control_period;
  };
  for (int tick = 0; tick < arm.limits.power_up_ticks_max; ++tick) unpowered_tick();
  EXPECT_FALSE(arm.filter.latch().latched());
  unpowered_tick();
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
    for (int tick = 0; tick < arm.limits.power_up_ticks_max - 10; ++tick) {
      ++arm.seen.sequence;
      arm.seen.powered = false;
      arm.filter.Judge(arm.seen, std::nullopt, arm.now);
      arm.now += arm.limits.control_period;
    }
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

TEST(Filter, TakesItsPeriodForAnOrdinaryMotion) {
  IdealArm arm;
  arm.Arm();
  auto target = arm.seen.q_rad;
  target[core::kPan] += 0.05;
  arm.Tick(arm.Propose(target));
  arm.Ticks(12);
  EXPECT_GT(target[core::kPan] - arm.filter.commanded_q_rad()[core::kPan], 0.02) << "half of the period is left";
}

TEST(Filter, FromOutsideTheWorkspaceNothingMovesFartherOut) {
  Limits small;
  small.workspace_m_max.x = 0.18;
  IdealArm arm(small);
  arm.Arm();
  const double begin_m = OutsideWorkspace(small, arm.seen.q_rad);
  ASSERT_NEAR(begin_m, 0.02, 1e-3);
  for (int period = 0; period < 10; ++period) {
    auto wanted = arm.ProposeTip({0.25, 0, 0.1});
    wanted.target_q_rad[core::kJaw] = 0.9;
    const Judgement judged = arm.Period(wanted);
    EXPECT_EQ(judged.verdict, Verdict::kRefused);
    EXPECT_EQ(judged.limit, LimitId::kWorkspace);
    EXPECT_EQ(judged.axis, 0) << "the whole arm's";
    EXPECT_EQ(judged.allowed, 0);
    ASSERT_LE(OutsideWorkspace(small, arm.filter.commanded_q_rad()), begin_m + 1e-8);
  }
  EXPECT_NEAR(arm.filter.commanded_q_rad()[core::kJaw], 0.9, 1e-6) << "which moves no tip";
}

TEST(Filter, HoldsStillWithoutALatchWhileNobodyHasCommandedAnything) {
  IdealArm arm;
  arm.Arm();
  arm.Ticks(1000);
  EXPECT_FALSE(arm.filter.latch().latched());
}

}  // namespace
}  // namespace nightshift::safety
