// SPDX-License-Identifier: Apache-2.0
#include "safety/filter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "safety/checks/jerk_motion.h"
#include "safety/checks/workspace.h"
#include "tests/safety/ideal_arm.h"

namespace nightshift::safety {
namespace {

using core::LimitId;
using core::PowerMode;
using core::StopCause;
using core::Verdict;
using std::chrono::milliseconds;

constexpr double kReachedRad = 1e-3;
constexpr core::Vec3 kNear = IdealArm::kNear;

double FarthestAxis(const core::AxisArray& a, const core::AxisArray& b) {
  double farthest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) farthest = std::max(farthest, std::abs(a[i] - b[i]));
  return farthest;
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
  EXPECT_TRUE(arm.filter.Rests());
  EXPECT_LT(FarthestAxis(arm.filter.commanded_q_rad(), wanted.target_q_rad), 1e-9);
}

/// By how much the pan misses the targets of a chain, 0.15 rad apart, at the end of each one's period: the worst.
double WorstMissOfAChainRad(IdealArm& arm, int periods) {
  auto target = arm.seen.q_rad;
  double worst_rad = 0;
  for (int period = 0; period < periods; ++period) {
    target[core::kPan] += 0.15;
    arm.Period(arm.Propose(target));
    const double missed_rad = std::abs(target[core::kPan] - arm.filter.commanded_q_rad()[core::kPan]);
    if (period > 0) worst_rad = std::max(worst_rad, missed_rad);  // The first begins at rest.
  }
  return worst_rad;
}

TEST(Filter, IsInTimeForAChainOfTargetsThatAreTooFarApartToRestAtEach) {
  Limits limits;
  IdealArm passing(limits);
  limits.passing_speed_rad_s = 0;
  IdealArm resting(limits);
  passing.Arm();
  resting.Arm();
  EXPECT_LT(WorstMissOfAChainRad(passing, 8), 1e-3);
  EXPECT_GT(WorstMissOfAChainRad(resting, 8), 0.01);
}

TEST(Filter, OvershootsATargetThatNoneFollowsByNoMoreThanAStopFromThePassingSpeedAndReturns) {
  IdealArm arm;
  arm.Arm();
  WorstMissOfAChainRad(arm, 4);
  auto last = arm.Propose(arm.seen.q_rad);
  const double target_rad = last.target_q_rad[core::kPan] += 0.15;
  last.deadline = arm.now + arm.limits.command_deadline_max;
  double farthest_rad = target_rad;
  for (int tick = 0; tick < 74; ++tick) {
    arm.Tick(tick == 0 ? std::optional(last) : std::nullopt);
    farthest_rad = std::max(farthest_rad, arm.filter.commanded_q_rad()[core::kPan]);
  }
  const double v = arm.limits.passing_speed_rad_s, a = arm.limits.acceleration_rad_s2_max[core::kPan];
  const double stop_rad = v * (v / a + a / arm.limits.jerk_rad_s3_max[core::kPan]) / 2;
  EXPECT_GT(farthest_rad, target_rad + 0.01) << "it was still moving";
  EXPECT_LE(farthest_rad, target_rad + stop_rad);
  EXPECT_TRUE(arm.filter.Rests());
  EXPECT_NEAR(arm.filter.commanded_q_rad()[core::kPan], target_rad, 1e-6);
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
                    BadCase{"RiskZero", LimitId::kRisk, [](IdealArm&, auto& a) { a.risk_scale = 0; }}),
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
  EXPECT_TRUE(arm.filter.Rests());
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
  const Judgement judged = arm.TickUnpowered(arm.ProposeTip(kNear));
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
