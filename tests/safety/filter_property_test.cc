// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "core/random.h"
#include "tests/safety/counting_allocator.h"
#include "tests/safety/hostile_arm.h"
#include "tests/safety/ideal_arm.h"

namespace nightshift::safety {
namespace {

ProposalKind KindOf(int index) { return kProposalKinds[static_cast<std::size_t>(index) % kProposalKinds.size()]; }

/// Arms under each kind of hostile proposals, and under all kinds in turn; the mean speed of all axes together.
double MeanSpeedUnderHostileProposals(const Limits& limits, int arms) {
  constexpr int kPeriods = 110, kKinds = static_cast<int>(kProposalKinds.size());
  double travelled_rad = 0;
  Tally tally;
  for (int seed = 1; seed <= arms; ++seed) {
    Adversary adversary(static_cast<std::uint64_t>(seed), limits);
    for (int period = 0; period < kPeriods; ++period)
      adversary.Period(seed % (kKinds + 1) == kKinds ? KindOf(period) : KindOf(seed % (kKinds + 1)));
    EXPECT_EQ(adversary.tally().violations(), 0) << "seed " << seed << " " << adversary.tally().Text();
    tally.Add(adversary.Ended());
    travelled_rad += adversary.travelled_rad();
  }
  testing::Test::RecordProperty("tally", tally.Text());
  return travelled_rad / (arms * kPeriods * 0.1);
}

TEST(FilterProperty, NoSequenceOfProposalsLeavesAnyLimitAndTheArmStillMoves) {
  const double mean_speed = MeanSpeedUnderHostileProposals({}, 140);  // 2.3 million joint-steps.
  RecordProperty("mean_speed_rad_s", std::to_string(mean_speed));
  EXPECT_GT(mean_speed, 1.0) << "rad/s, all axes together: always braking would be no filter";
}

TEST(FilterProperty, NoSequenceOfProposalsBringsTheArmTooNearToItsSurroundingsAndItStillMoves) {
  const double mean_speed = MeanSpeedUnderHostileProposals(CrowdedLimits(), 64);
  RecordProperty("mean_speed_rad_s", std::to_string(mean_speed));
  EXPECT_GT(mean_speed, 0.5) << "rad/s, all axes together";
}

/// The one joint of a billion joint-steps that a judge once took for moving without a command: its stored stop was
/// worked out in a tick in which the stop before it, too, would have changed its jerk, nanoseconds from the tick's end.
TEST(FilterProperty, AStopThatDiffersFromTheOneBeforeItByNanosecondsIsFollowed) {
  Limits limits = CrowdedLimits();
  limits.passing_speed_rad_s = 0;
  Adversary adversary(507, limits);
  for (int period = 0; period < 40; ++period) adversary.Period(ProposalKind::kBangBang);
  EXPECT_EQ(adversary.tally().violations(), 0) << adversary.tally().Text();
}

TEST(FilterProperty, NoSequenceOfProposalsLeavesAnyLimitsThatMayBeConfigured) {
  const std::uint64_t seed = 29;
  core::Random random(seed);
  Tally tally;
  for (int index = 0; index < 80; ++index) {
    Adversary adversary(random.Seed(), AnyLimits(random));
    for (int period = 0; period < 60; ++period) adversary.Period(KindOf(index + period / 10));
    EXPECT_EQ(adversary.tally().violations(), 0)
        << "seed " << seed << " limits " << index << " " << adversary.tally().Text();
    tally.Add(adversary.Ended());
  }
  RecordProperty("tally", tally.Text());
  EXPECT_GT(tally.speed_share_mean(), 0.05) << "always braking would be no filter";
}

TEST(FilterProperty, NoSearchFindsProposalsThatLeaveAnyLimit) {
  const std::uint64_t seed = 3;
  core::Random random(seed);
  for (int index = 0; index < 12; ++index) {
    const ArmSearch search(random, CrowdedLimits());
    EXPECT_EQ(search.tally.violations(), 0) << "seed " << seed << " search " << index << " " << search.tally.Text();
    EXPECT_GT(search.tally.worst(Promise::kClearance), -0.002) << "it must come near to what it is to keep clear of";
    const ArmSearch other(random, AnyLimits(random));
    EXPECT_EQ(other.tally.violations(), 0) << "seed " << seed << " search " << index << " " << other.tally.Text();
  }
}

/// Nothing but the jaw moves: it opens towards a post beside it.
TEST(FilterProperty, AJawDoesNotOpenIntoWhatStandsBesideIt) {
  Limits limits;
  limits.posts.push_back({.name = "post", .from_m = {0.2, 0.08, 0}, .to_m = {0.2, 0.08, 0.30}, .radius_m = 0.015});
  IdealArm arm(limits);
  arm.Arm();
  ClearanceJudge judge(limits);
  ASSERT_LT(judge.ExcessM(arm.seen.q_rad), 0) << "it begins clear";
  judge.Accepted();
  auto target = arm.seen.q_rad;
  target[core::kJaw] = limits.q_rad_max[core::kJaw];
  ASSERT_GT(judge.ExcessM(target), 0) << "wide open it would be too near";
  for (int period = 0; period < 10; ++period) {
    arm.Period(arm.Propose(target));
    EXPECT_LE(judge.ExcessM(arm.filter.commanded_q_rad()), kTolerance) << "period " << period;
  }
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
