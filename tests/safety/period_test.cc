// SPDX-License-Identifier: Apache-2.0
#include "safety/period.h"

#include <gtest/gtest.h>

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
