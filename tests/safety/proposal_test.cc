// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/proposal.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

namespace nightshift::safety {
namespace {

using core::Instant;
using core::LimitId;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr Instant kNow{milliseconds(500)};
constexpr Expected kExpected{.axes = 6, .epoch = 3, .last_sequence = 8, .now = kNow};
constexpr core::ProposedAction kGood{
    .epoch = 3, .sequence = 9, .deadline = kNow + milliseconds(200), .axes = 6, .target_q_rad = {}};

TEST(Proposal, IsInTimeUntilItsDeadlineAndLateAfterIt) {
  auto proposal = kGood;
  proposal.deadline = kNow;
  EXPECT_EQ(FaultOf(proposal, kExpected), LimitId::kNone);
  proposal.deadline = kNow - nanoseconds(1);
  EXPECT_EQ(FaultOf(proposal, kExpected), LimitId::kLate);
}

TEST(Proposal, MayBeAsSlowAsTheSmallestScaleAndWhatAsksForLessIsRefusedForItsRisk) {
  Expected expected = kExpected;
  expected.risk_scale_min = 0.1;
  const auto fault_of = [&expected](double scale) {
    auto proposal = kGood;
    proposal.risk_scale = scale;
    return FaultOf(proposal, expected);
  };
  for (const double scale : {0.1, 1.0, 7.0}) EXPECT_EQ(fault_of(scale), LimitId::kNone) << scale;
  for (const double scale : {0.0999, 1e-300, 0.0, -1.0}) EXPECT_EQ(fault_of(scale), LimitId::kRisk) << scale;
  for (const double scale : {std::nan(""), HUGE_VAL, -HUGE_VAL}) EXPECT_EQ(fault_of(scale), LimitId::kNotFinite);
  expected.risk_scale_min = 0;
  EXPECT_EQ(fault_of(0), LimitId::kRisk) << "at no speed nothing is carried out";
}

TEST(Proposal, ThatIsStaleIsStaleWhateverItsRisk) {
  auto proposal = kGood;
  proposal.risk_scale = 0;
  proposal.sequence = kExpected.last_sequence;
  EXPECT_EQ(FaultOf(proposal, kExpected), LimitId::kReplayed) << "else an old refusal could end what is in force now";
}

TEST(Proposal, IsCarriedOutInThePeriodInWhichItArrivesOrAlsoTheNextIfItComesLateInIt) {
  const auto end_after = [](core::Duration arrives) { return PeriodEnd(Instant(arrives), milliseconds(100)); };
  EXPECT_EQ(end_after(milliseconds(400)), Instant(milliseconds(500)));
  EXPECT_EQ(end_after(milliseconds(404)), Instant(milliseconds(500)));
  EXPECT_EQ(end_after(milliseconds(450)), Instant(milliseconds(500))) << "half of it is left";
  EXPECT_EQ(end_after(milliseconds(451)), Instant(milliseconds(600)));
  EXPECT_EQ(end_after(milliseconds(496)), Instant(milliseconds(600)));
}

}  // namespace
}  // namespace nightshift::safety
