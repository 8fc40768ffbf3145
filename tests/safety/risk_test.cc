// SPDX-License-Identifier: Apache-2.0
// What the risk critic's scale may do to a motion: make it slower and gentler, or hold the arm still. Nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "safety/checks/workspace.h"
#include "tests/safety/hostile_arm.h"
#include "tests/safety/hostile_joint.h"
#include "tests/safety/ideal_arm.h"

namespace nightshift::safety {
namespace {

using core::LimitId;
using core::Verdict;

// ---- One joint ----

JerkBounds Scaled(JerkBounds bounds, double scale) {
  bounds.speed_rad_s_max *= scale;
  return bounds;
}

JerkWish Wish(double v_rad_s, const JerkBounds& bounds, double scale) {
  return {.v_rad_s = v_rad_s, .speeding_up_rad_s2_max = scale * bounds.acceleration_rad_s2_max};
}

double AnyScale(core::Random& random) { return random.Chance(0.3) ? 1 : LogUniform(random, 1e-3, 1); }

WishKind KindOf(int system) { return kWishKinds[static_cast<std::size_t>(system) % kWishKinds.size()]; }

double VelocityLeft(const JerkMotion& motion, const JerkBounds& bounds) {
  return motion.v_rad_s + motion.a_rad_s2 * std::abs(motion.a_rad_s2) / (2 * bounds.jerk_rad_s3_max);
}

/// By how much a motion adds speed harder than allowed: to that which is left once the acceleration has been taken to
/// zero. What is shed as fast as it can be does not count.
double SpeedingUpExcess(const JerkMotion& now, const JerkMotion& next, double allowed, const JerkBounds& bounds) {
  const double d = next.a_rad_s2 < 0 ? -1 : 1, shed = bounds.jerk_rad_s3_max * bounds.tick_s;
  if (d * VelocityLeft(next, bounds) <= 1e-9 * bounds.speed_rad_s_max) return 0;  // It brakes.
  return d * next.a_rad_s2 - std::max(allowed, d * now.a_rad_s2 - shed);
}

TEST(RiskScale, OfAJointMayChangeInEachTickAndEveryBoundAndACheckedStopHold) {
  const std::uint64_t seed = 71;
  core::Random random(seed);
  for (int system = 0; system < 1500; ++system) {
    const JerkBounds bounds = AnyBounds(random);
    Drive drive(bounds, AnySafeMotion(random, bounds));
    for (int tick = 0; tick < 400; ++tick) {
      const double scale = AnyScale(random), wanted = HostileWish(KindOf(system), tick, bounds, random);
      const JerkVerdict verdict = LimitJerk(drive.now, drive.stop, Wish(wanted, bounds, scale), Scaled(bounds, scale));
      drive.Judge(verdict);
      drive.now = verdict.next;
      drive.stop = verdict.stop;
    }
    ASSERT_EQ(drive.tally.violations(), 0) << "seed " << seed << " system " << system << " " << drive.tally.Text();
  }
}

TEST(RiskScale, OfAJointKeepsItBelowItsShareOrOnTheWayThere) {
  core::Random random(73);
  for (int system = 0; system < 1500; ++system) {
    const JerkBounds bounds = AnyBounds(random);
    Drive drive(bounds, AnySafeMotion(random, bounds));
    for (int tick = 0; tick < 400; ++tick) {
      const double scale = AnyScale(random), wanted = HostileWish(KindOf(system), tick, bounds, random);
      const JerkMotion before = drive.now, followed = drive.stop.At(bounds.tick_s);
      const JerkVerdict verdict = LimitJerk(before, drive.stop, Wish(wanted, bounds, scale), Scaled(bounds, scale));
      drive.now = verdict.next;
      drive.stop = verdict.stop;
      const double fastest =
          std::max({scale * bounds.speed_rad_s_max, std::abs(before.v_rad_s), std::abs(VelocityLeft(before, bounds))});
      ASSERT_LE(std::abs(drive.now.v_rad_s), fastest + kTolerance) << "system " << system << " tick " << tick;
      if (drive.now.q_rad == followed.q_rad && drive.now.v_rad_s == followed.v_rad_s) continue;  // It stops.
      const double allowed = scale * bounds.acceleration_rad_s2_max;
      ASSERT_LE(SpeedingUpExcess(before, drive.now, allowed, bounds), 1e-6 * bounds.acceleration_rad_s2_max)
          << "system " << system << " tick " << tick << " v " << before.v_rad_s << " a " << before.a_rad_s2;
    }
  }
}

/// From the same state, towards the same: what a smaller scale makes of it is never more, unless it is the stop.
TEST(RiskScale, OfAJointNeverAddsSpeedOrAccelerationToWhatThereWouldBeWithoutIt) {
  core::Random random(79);
  int slower = 0;
  for (int system = 0; system < 20000; ++system) {
    const JerkBounds bounds = AnyBounds(random);
    const JerkMotion now = AnySafeMotion(random, bounds);
    const JointStop stop(now, bounds);
    const double d = VelocityLeft(now, bounds) < 0 ? -1 : 1, scale = AnyScale(random);
    const double wanted = d * random.Uniform(0, 3) * bounds.speed_rad_s_max;
    const JerkMotion whole = LimitJerk(now, stop, Wish(wanted, bounds, 1), bounds).next;
    const JerkMotion scaled = LimitJerk(now, stop, Wish(wanted, bounds, scale), Scaled(bounds, scale)).next;
    if (scaled.v_rad_s == stop.At(bounds.tick_s).v_rad_s) continue;
    ASSERT_LE(d * scaled.v_rad_s, d * whole.v_rad_s + kTolerance) << "system " << system << " scale " << scale;
    ASSERT_LE(d * scaled.a_rad_s2, d * whole.a_rad_s2 + 1e-6 * bounds.acceleration_rad_s2_max) << "system " << system;
    slower += d * scaled.v_rad_s < d * whole.v_rad_s - kTolerance;
  }
  EXPECT_GT(slower, 2000) << "else nothing was compared";
}

TEST(RiskScale, OfAJointThatIsNotANumberOrNegativeAddsNoSpeedAtAll) {
  for (const double allowed : {std::nan(""), -1.0, -kInfinity}) {
    Drive drive({.q_rad_min = -1,
                 .q_rad_max = 1,
                 .speed_rad_s_max = 4,
                 .acceleration_rad_s2_max = 40,
                 .jerk_rad_s3_max = 4000,
                 .escape_speed_rad_s_max = 0.2,
                 .tick_s = 0.004});
    for (int tick = 0; tick < 50; ++tick) drive.Tick({.v_rad_s = 2, .speeding_up_rad_s2_max = allowed});
    EXPECT_EQ(drive.now.v_rad_s, 0) << allowed;
  }
}

// ---- The arm ----

/// An arm that moves towards the pan's far side, with a scale.
struct Panning {
  explicit Panning(double scale = 1) : scale_(scale) { arm.Arm(); }

  core::ProposedAction Proposal(double scale) {
    auto target = arm.seen.q_rad;
    target[core::kPan] = 1.6;
    auto wanted = arm.Propose(target);
    wanted.risk_scale = scale;
    return wanted;
  }
  double v() const { return arm.filter.commanded_v_rad_s()[core::kPan]; }
  double a() const { return arm.filter.commanded_a_rad_s2()[core::kPan]; }
  void Period() { arm.Period(Proposal(scale_)); }

  IdealArm arm;
  double scale_;
};

TEST(RiskScale, LetsTheArmSpeedUpByAsMuchLess) {
  for (const double scale : {1.0, 0.5, 0.1}) {
    Panning pan;
    double hardest = 0;
    pan.arm.Tick(pan.Proposal(scale));
    for (int tick = 0; tick < 20; ++tick, pan.arm.Tick()) hardest = std::max(hardest, pan.a());
    EXPECT_NEAR(hardest, scale * pan.arm.limits.acceleration_rad_s2_max[core::kPan], 1e-9) << scale;
  }
}

TEST(RiskScale, LetsTheArmBrakeAsHardAsEver) {
  Panning pan;
  for (int period = 0; period < 2; ++period) pan.Period();
  ASSERT_NEAR(pan.v(), 4, 1e-6);
  auto back = pan.arm.seen.q_rad;
  back[core::kPan] -= 1;
  auto wanted = pan.arm.Propose(back);
  wanted.risk_scale = 0.1;
  double hardest = 0;
  pan.arm.Tick(wanted);
  for (int tick = 0; tick < 20 && pan.v() > 0; ++tick, pan.arm.Tick()) hardest = std::max(hardest, -pan.a());
  EXPECT_NEAR(hardest, pan.arm.limits.acceleration_rad_s2_max[core::kPan], 1e-9);
}

TEST(RiskScale, SlowsAnArmThatIsFasterAlreadyWithoutAStop) {
  Panning pan;
  for (int period = 0; period < 2; ++period) pan.Period();
  pan.scale_ = 0.25;
  pan.Period();
  EXPECT_NEAR(pan.v(), 1, 1e-6);
  EXPECT_FALSE(pan.arm.filter.latch().latched());
}

TEST(RiskScale, IsNamedAsWhatSlowedTheArm) {
  Panning pan;
  auto target = pan.arm.seen.q_rad;
  target[core::kPan] += 0.1;  // 1 rad/s: a quarter of what is allowed.
  auto wanted = pan.arm.Propose(target);
  wanted.risk_scale = 0.1;
  const Judgement judged = pan.arm.Period(wanted);
  EXPECT_EQ(judged.verdict, Verdict::kLimited);
  EXPECT_EQ(judged.limit, LimitId::kRisk);
  EXPECT_EQ(judged.axis, core::kPan);
  EXPECT_NEAR(judged.wanted, 1, 1e-9);
  EXPECT_NEAR(judged.allowed, 0.4, 1e-9);
}

TEST(RiskScale, IsNamedForWhatItsAccelerationMissed) {
  Panning pan;
  auto target = pan.arm.seen.q_rad;
  target[core::kPan] += 0.07;  // Slow enough for the speed, too far for the acceleration.
  auto wanted = pan.arm.Propose(target);
  wanted.risk_scale = 0.18;
  Judgement judged = pan.arm.Tick(wanted);
  for (int tick = 1; tick < 25; ++tick) judged = pan.arm.Tick();
  EXPECT_EQ(judged.limit, LimitId::kRisk);
  EXPECT_NEAR(judged.allowed, 0.02, 1e-9);
}

TEST(RiskScale, DoesNotNameWhatWouldHaveBeenTooFastWithoutIt) {
  Panning pan;
  const Judgement judged = pan.arm.Period(pan.Proposal(0.5));
  EXPECT_EQ(judged.limit, LimitId::kVelocity);
  EXPECT_EQ(judged.allowed, pan.arm.limits.speed_rad_s_max[core::kPan]);
}

/// Withdrawing brakes by the stored stop: a refusal must move the arm exactly so.
TEST(RiskRefusal, HoldsTheArmStillByItsStoredStop) {
  for (const double scale : {0.0, -3.0, 0.0999}) {
    Panning refused, withdrawn;
    for (Panning* pan : {&refused, &withdrawn}) pan->Period();
    const Judgement judged = refused.arm.Tick(refused.Proposal(scale));
    EXPECT_EQ(judged.verdict, Verdict::kRefused);
    EXPECT_EQ(judged.limit, LimitId::kRisk);
    EXPECT_EQ(judged.sequence, 0u) << "nothing is in force";
    EXPECT_EQ(judged.wanted, 0.1);
    EXPECT_EQ(judged.allowed, scale);
    withdrawn.arm.filter.Withdraw();
    withdrawn.arm.Tick();
    for (int tick = 0; tick < 60; ++tick, refused.arm.Tick(), withdrawn.arm.Tick())
      ASSERT_EQ(refused.arm.filter.commanded_q_rad(), withdrawn.arm.filter.commanded_q_rad()) << tick;
    EXPECT_TRUE(refused.arm.filter.Rests());
    EXPECT_FALSE(refused.arm.filter.latch().latched()) << "it is no stop: the next proposal may move the arm";
    EXPECT_EQ(refused.arm.filter.proposals_refused(), 1u);
  }
}

TEST(RiskRefusal, IsFollowedByWhateverIsProposedNextInTheSameEpoch) {
  Panning pan;
  pan.arm.Period(pan.Proposal(0));
  const auto held = pan.arm.filter.commanded_q_rad();
  pan.Period();
  EXPECT_GT(pan.arm.filter.commanded_q_rad()[core::kPan], held[core::kPan] + 0.1);
}

TEST(RiskRefusal, CannotBeTakenBackByTheSameProposalWithAnotherScale) {
  Panning pan;
  auto wanted = pan.Proposal(0);
  pan.arm.Tick(wanted);
  const auto held = pan.arm.filter.commanded_q_rad();
  wanted.risk_scale = 1;
  EXPECT_EQ(pan.arm.Tick(wanted).limit, LimitId::kReplayed);
  pan.arm.Ticks(20);
  EXPECT_EQ(pan.arm.filter.commanded_q_rad(), held);
}

TEST(RiskRefusal, OfAStoppedArmClearsNothing) {
  Panning pan;
  pan.arm.filter.Stop();
  EXPECT_EQ(pan.arm.Tick(pan.Proposal(0)).limit, LimitId::kLatched);
  EXPECT_EQ(pan.arm.Tick(pan.Proposal(1)).limit, LimitId::kLatched);
  EXPECT_TRUE(pan.arm.filter.latch().latched());
}

TEST(RiskScale, ThatIsNotFiniteIsNoCommandAndWhatWasInForceGoesOn) {
  Panning with, without;
  for (Panning* pan : {&with, &without}) pan->arm.Tick(pan->Proposal(1));
  for (const double scale : {std::nan(""), kInfinity, -kInfinity}) {
    EXPECT_EQ(with.arm.Tick(with.Proposal(scale)).limit, LimitId::kNotFinite);
    without.arm.Tick();
    EXPECT_EQ(with.arm.filter.commanded_q_rad(), without.arm.filter.commanded_q_rad());
  }
}

/// Bang-bang targets with another scale in every tick, refusals among them: hostile in all that the critic can say.
TEST(RiskScale, OfTheArmMayChangeInEachTickAndNoLimitIsLeft) {
  const std::uint64_t seed = 83;
  core::Random random(seed);
  for (int run = 0; run < 12; ++run) {
    IdealArm arm(run % 2 == 0 ? Limits{} : CrowdedLimits());
    ClearanceJudge clearance(arm.limits);
    arm.Arm();
    clearance.ExcessM(arm.filter.commanded_q_rad());
    const Limits& l = arm.limits;
    double travelled_rad = 0;
    for (int tick = 0; tick < 1500; ++tick) {
      auto target = arm.seen.q_rad;
      for (std::size_t i = 0; i < 6; ++i) target[i] = random.Chance(0.5) ? l.q_rad_min[i] : l.q_rad_max[i];
      auto wanted = arm.Propose(target);
      wanted.risk_scale = random.Chance(0.2) ? 0.0 : random.Chance(0.3) ? 1.0 : random.Uniform(0.05, 3);
      const auto q = arm.filter.commanded_q_rad(), a = arm.filter.commanded_a_rad_s2();
      arm.Tick(random.Chance(0.5) ? std::optional(wanted) : std::nullopt);
      for (std::size_t i = 0; i < 6; ++i) {
        const double now_q = arm.filter.commanded_q_rad()[i], now_a = arm.filter.commanded_a_rad_s2()[i];
        ASSERT_LE(now_q, l.q_rad_max[i] + kTolerance) << "seed " << seed << " run " << run << " tick " << tick;
        ASSERT_GE(now_q, l.q_rad_min[i] - kTolerance);
        ASSERT_LE(std::abs(arm.filter.commanded_v_rad_s()[i]), l.speed_rad_s_max[i] + kTolerance);
        ASSERT_LE(std::abs(now_a), l.acceleration_rad_s2_max[i] + kTolerance);
        ASSERT_LE(std::abs(now_a - a[i]), l.jerk_rad_s3_max[i] * 0.004 * (1 + 1e-9));
        travelled_rad += std::abs(now_q - q[i]);
      }
      ASSERT_LE(OutsideWorkspace(l, arm.filter.commanded_q_rad()), 2 * kTolerance);
      ASSERT_LE(clearance.ExcessM(arm.filter.commanded_q_rad()), kTolerance);
      ASSERT_FALSE(arm.filter.latch().latched());
    }
    EXPECT_GT(travelled_rad, 0.5) << "holding still would be no filter";
  }
}

}  // namespace
}  // namespace nightshift::safety
