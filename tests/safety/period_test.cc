// SPDX-License-Identifier: Apache-2.0
#include "safety/period.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/safety/ideal_arm.h"

namespace nightshift::safety {
namespace {

using core::LimitId;
using core::Verdict;

TEST(PeriodTally, ReportsWhatWasCommandedTheSequenceAndTheLatch) {
  IdealArm arm;
  arm.Arm();
  PeriodTally tally;
  const auto wanted = arm.ProposeTip({0.21, 0, 0.1});
  tally.Add(arm.Tick(wanted));
  for (int tick = 1; tick < 25; ++tick) tally.Add(arm.Tick());
  const auto report = tally.Close(arm.seen, arm.filter);
  EXPECT_EQ(report.verdict, Verdict::kPass);
  EXPECT_EQ(report.ticks_limited, 0u);
  EXPECT_EQ(report.sequence, wanted.sequence);
  EXPECT_EQ(report.commanded_q_rad, arm.filter.commanded_q_rad());
  EXPECT_EQ(report.latch.epoch, arm.filter.latch().epoch);
  EXPECT_FALSE(report.latch.latched());
}

TEST(PeriodTally, KeepsTheWorstVerdictWithItsLimit) {
  IdealArm arm;
  arm.Arm();
  PeriodTally tally;
  auto target = arm.seen.q_rad;
  target[core::kPan] = 1;  // Too fast.
  tally.Add(arm.Tick(arm.Propose(target)));
  auto stale = arm.Propose(target);
  stale.epoch = 0;
  tally.Add(arm.Tick(stale));
  tally.Add(arm.Tick());
  const auto report = tally.Close(arm.seen, arm.filter);
  EXPECT_EQ(report.verdict, Verdict::kRefused);
  EXPECT_EQ(report.limit, LimitId::kWrongEpoch);
  EXPECT_EQ(report.ticks_limited, 3u);
}

/// A judgement that could come from a tick.
Judgement Limited(LimitId limit, double wanted, double allowed = 0) {
  IdealArm arm;
  Judgement judged = arm.Tick();
  judged.verdict = Verdict::kLimited;
  judged.limit = limit;
  judged.wanted = wanted;
  judged.allowed = allowed;
  return judged;
}

core::PeriodReport ReportOf(const std::vector<Judgement>& judgements) {
  PeriodTally tally;
  for (const Judgement& judged : judgements) tally.Add(judged);
  const IdealArm arm;
  return tally.Close(arm.seen, arm.filter);
}

TEST(PeriodTally, ReportsTheHardestStrainOfThePeriodAndForgetsItWithThePeriod) {
  IdealArm arm;
  PeriodTally tally;
  for (const double strain : {0.2, 0.9, 0.4}) {
    Judgement judged = arm.Tick();
    judged.strain = strain;
    tally.Add(judged);
  }
  EXPECT_EQ(tally.Close(arm.seen, arm.filter).strain, 0.9);
  EXPECT_EQ(tally.Close(arm.seen, arm.filter).strain, 0);
}

TEST(PeriodTally, OfEquallyBadOnesReportsTheSmallestMargin) {
  const Judgement far = Limited(LimitId::kVelocity, 9, 4), near = Limited(LimitId::kWorkspace, 0.5);
  for (const auto& judgements : {std::vector{near, far}, {far, near}, {far, near, near}}) {
    EXPECT_EQ(ReportOf(judgements).limit, LimitId::kVelocity);
    EXPECT_EQ(ReportOf(judgements).margin, -5);
  }
}

TEST(PeriodTally, OfEquallySmallMarginsReportsTheFirst) {
  const Judgement first = Limited(LimitId::kObstacle, 0.5), second = Limited(LimitId::kWorkspace, 0.5);
  EXPECT_EQ(ReportOf({first, second}).limit, LimitId::kObstacle);
}

TEST(PeriodTally, NeverHidesALimitBehindWhatAShortAccelerationMissed) {
  const Judgement missed = Limited(LimitId::kAcceleration, 0.3), wall = Limited(LimitId::kWorkspace, 0.1);
  EXPECT_EQ(ReportOf({missed, wall}).limit, LimitId::kWorkspace);
  EXPECT_EQ(ReportOf({wall, missed}).limit, LimitId::kWorkspace);
  const Judgement missed_more = Limited(LimitId::kAcceleration, 0.4);
  EXPECT_EQ(ReportOf({missed, missed_more}).margin, -0.4);
  EXPECT_EQ(ReportOf({missed_more, missed}).margin, -0.4);
}

TEST(PeriodTally, ReportsTheMarginThatIsLeftWhereEverythingPasses) {
  Judgement passed = Limited(LimitId::kNone, 1, 3);
  passed.verdict = Verdict::kPass;
  EXPECT_EQ(ReportOf({passed}).margin, 2);
  EXPECT_EQ(ReportOf({passed}).ticks_limited, 0u);
}

TEST(PeriodTally, BeginsAnewAfterEachReport) {
  IdealArm arm;
  PeriodTally tally;
  tally.Add(arm.Tick());
  EXPECT_EQ(tally.Close(arm.seen, arm.filter).verdict, Verdict::kStopped);
  const auto empty = tally.Close(arm.seen, arm.filter);
  EXPECT_EQ(empty.verdict, Verdict::kPass);
  EXPECT_EQ(empty.sequence, 0u);
}

}  // namespace
}  // namespace nightshift::safety
