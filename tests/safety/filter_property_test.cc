// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/random.h"
#include "tests/safety/counting_allocator.h"
#include "tests/safety/ideal_arm.h"

namespace nightshift::safety {
namespace {

constexpr double kTolerance = 1e-9;

/// Feeds a filter with hostile proposals and holds each action against the limits, from outside.
class Adversary {
 public:
  explicit Adversary(std::uint64_t seed) : random_(seed) {
    arm_.Arm();
    q_ = arm_.filter.commanded_q_rad();
  }

  void Period(int kind) {
    const auto proposal = Proposal(kind);
    for (int tick = 0; tick < 25 && !testing::Test::HasFatalFailure(); ++tick) {
      const bool again = kind == 4 && random_.Chance(0.2);  // Several in one period.
      arm_.Tick(tick == 0 ? std::optional(proposal) : again ? std::optional(Proposal(0)) : std::nullopt);
      CheckAction();
    }
    if (arm_.filter.latch().latched()) Clear();
  }

  double travelled_rad() const { return travelled_rad_; }

 private:
  core::ProposedAction Proposal(int kind) {
    auto target = arm_.seen.q_rad;
    const auto axes = static_cast<std::size_t>(arm_.limits.axes);
    constexpr double kHuge = 1e308;
    for (std::size_t i = 0; i < axes; ++i) {
      const double low = arm_.limits.q_rad_min[i], high = arm_.limits.q_rad_max[i];
      if (kind == 0) target[i] = random_.Uniform(2 * low, 2 * high);
      if (kind == 1) target[i] = random_.Chance(0.5) ? kHuge : -kHuge;
      if (kind == 2) target[i] += random_.Uniform(-0.25, 0.25);
      if (kind == 3) target[i] = random_.Chance(0.1) ? std::nan("") : random_.Uniform(low, high);
      if (kind == 4) target[i] = random_.Chance(0.5) ? low : high;
    }
    if (kind == 5) target = TipTarget();
    auto proposal = arm_.Propose(target);
    proposal.risk_scale = random_.Chance(0.2) ? random_.Uniform(0.05, 3) : 1;
    return proposal;
  }

  /// Anywhere in reach, the table's surface and below included.
  core::AxisArray TipTarget() {
    const auto q = core::InverseKinematics(
        arm_.limits.arm, {random_.Uniform(0.1, 0.3), random_.Uniform(-0.25, 0.25), random_.Uniform(-0.05, 0.15)}, 0);
    return q ? *q : arm_.seen.q_rad;
  }

  void CheckAction() {
    const Limits& limits = arm_.limits;
    const double h = core::ToSeconds(limits.control_period);
    const auto& q = arm_.filter.commanded_q_rad();
    for (std::size_t i = 0; i < static_cast<std::size_t>(limits.axes); ++i) {
      const double v = (q[i] - q_[i]) / h;
      ASSERT_TRUE(std::isfinite(q[i]));
      ASSERT_GE(q[i], limits.q_rad_min[i] - kTolerance) << "axis " << i;
      ASSERT_LE(q[i], limits.q_rad_max[i] + kTolerance) << "axis " << i;
      ASSERT_LE(std::abs(v), limits.speed_rad_s_max[i] + kTolerance) << "axis " << i;
      ASSERT_LE(std::abs(v - v_[i]), limits.acceleration_rad_s2_max[i] * h + kTolerance) << "axis " << i;
      const double a = arm_.filter.commanded_a_rad_s2()[i];
      ASSERT_LE(std::abs(a), limits.acceleration_rad_s2_max[i] + kTolerance) << "axis " << i;
      ASSERT_LE(std::abs(a - a_[i]), limits.jerk_rad_s3_max[i] * h + kTolerance) << "axis " << i;
      a_[i] = a;
      travelled_rad_ += std::abs(q[i] - q_[i]);
      v_[i] = v;
    }
    ASSERT_LE(OutsideWorkspace(limits, q), 2 * kTolerance);
    q_ = q;
  }

  void Clear() {
    for (int i = 0; i < 40; ++i) arm_.Tick();
    const auto latch = arm_.filter.latch();
    ASSERT_EQ(arm_.filter.Acknowledge({.latch_id = latch.id, .nonce = latch.nonce, .by = ClearedBy::kPerson}, arm_.now),
              Clearance::kCleared);
    while (arm_.now.time_since_epoch() % arm_.limits.policy_period != core::Duration(0)) arm_.Tick();
    q_ = arm_.filter.commanded_q_rad();
    v_ = a_ = {};
  }

  core::Random random_;
  IdealArm arm_;
  core::AxisArray q_{}, v_{}, a_{};
  double travelled_rad_ = 0;
};

TEST(FilterProperty, NoSequenceOfProposalsLeavesAnyLimitAndTheArmStillMoves) {
  constexpr int kArms = 140, kPeriods = 110;  // 140 * 110 * 25 ticks * 6 axes: 2.3 million joint-steps.
  double travelled_rad = 0;
  for (int seed = 1; seed <= kArms; ++seed) {
    Adversary adversary(static_cast<std::uint64_t>(seed));
    for (int period = 0; period < kPeriods && !testing::Test::HasFatalFailure(); ++period)
      adversary.Period(seed % 7 == 6 ? period % 6 : seed % 6);
    ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed;
    travelled_rad += adversary.travelled_rad();
  }
  const double mean_speed = travelled_rad / (kArms * kPeriods * 0.1);
  RecordProperty("mean_speed_rad_s", std::to_string(mean_speed));
  EXPECT_GT(mean_speed, 1.0) << "rad/s, all axes together: always braking would be no filter";
}

TEST(FilterProperty, TighteningALimitNeverLetsMoreThrough) {
  Limits tight;
  tight.speed_rad_s_max[core::kPan] = 1;
  for (const double target : {0.05, 0.2, 0.8, 1.5}) {
    IdealArm loose_arm, tight_arm(tight);
    for (IdealArm* arm : {&loose_arm, &tight_arm}) {
      arm->Arm();
      auto wanted = arm->seen.q_rad;
      wanted[core::kPan] = target;
      arm->Period(arm->Propose(wanted));
    }
    EXPECT_LE(tight_arm.filter.commanded_q_rad()[core::kPan],
              loose_arm.filter.commanded_q_rad()[core::kPan] + kTolerance);
  }
}

TEST(FilterProperty, ATickAllocatesNothing) {
  IdealArm arm;
  arm.Arm();
  const std::size_t before = AllocationsSoFar();
  for (int period = 0; period < 40; ++period) {
    auto target = arm.seen.q_rad;
    target[core::kLift] += period % 2 == 0 ? 0.3 : -0.3;
    arm.Period(arm.Propose(target));
  }
  for (int i = 0; i < 10; ++i) arm.TickBlind();
  const std::size_t after = AllocationsSoFar();
  EXPECT_EQ(after, before);
  EXPECT_TRUE(arm.filter.latch().latched());
}

}  // namespace
}  // namespace nightshift::safety
