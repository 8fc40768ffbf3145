// SPDX-License-Identifier: Apache-2.0
#include "skills/policy_slot.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/fakes/constant_policy.h"

namespace nightshift::skills {
namespace {

Snapshot Version(std::int64_t version) { return tests::ConstantPolicy("pick", version, 1); }

class PolicySlotTest : public testing::Test {
 protected:
  /// Attempts of whoever acts; the last verdict among them.
  std::optional<PolicySlot::Verdict> Attempts(int solved, int failed) {
    std::optional<PolicySlot::Verdict> last;
    for (int i = 0; i < solved + failed; ++i)
      if (const auto verdict = slot.Record(i < solved)) last = verdict;
    return last;
  }

  PolicySlot slot{JudgingRule{.attempts = 10, .margin = 0.05}};
};

TEST_F(PolicySlotTest, IsEmptyAtFirst) {
  EXPECT_EQ(slot.acting(), nullptr);
  EXPECT_EQ(slot.deployed(), nullptr);
  EXPECT_EQ(slot.acting_version(), 0);
  EXPECT_FALSE(slot.Record(true));
}

TEST_F(PolicySlotTest, ACandidatePractisesButIsNotDeployed) {
  ASSERT_TRUE(slot.Stage(Version(1)));
  EXPECT_NE(slot.acting(), nullptr);
  EXPECT_EQ(slot.deployed(), nullptr);
}

TEST_F(PolicySlotTest, TheFirstCandidateIsPromotedOnceItHasBeenTriedEnough) {
  ASSERT_TRUE(slot.Stage(Version(1)));
  EXPECT_FALSE(Attempts(2, 7));
  const auto verdict = slot.Record(false);
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->promoted);
  EXPECT_EQ(verdict->candidate.attempts, 10);
  EXPECT_EQ(verdict->candidate.solved, 2);
  EXPECT_EQ(slot.promoted_version(), 1);
}

TEST_F(PolicySlotTest, ABetterCandidateReplacesThePromotedOne) {
  ASSERT_TRUE(slot.Restore(Version(1), {1, 10, 5}));
  ASSERT_TRUE(slot.Stage(Version(2)));
  EXPECT_TRUE(Attempts(8, 2)->promoted);
  EXPECT_EQ(slot.promoted_version(), 2);
}

TEST_F(PolicySlotTest, ARegressionCostsOnlyTheCandidatesAttempts) {
  ASSERT_TRUE(slot.Restore(Version(1), {1, 10, 9}));
  ASSERT_TRUE(slot.Stage(Version(2)));
  EXPECT_FALSE(Attempts(3, 7)->promoted);
  EXPECT_EQ(slot.promoted_version(), 1);
  EXPECT_EQ(slot.acting_version(), 1);
}

TEST_F(PolicySlotTest, OnlyTheNewestWaitingSnapshotIsTriedNext) {
  for (const int version : {1, 2, 3}) ASSERT_TRUE(slot.Stage(Version(version)));
  EXPECT_EQ(slot.candidate_version(), 1);
  Attempts(10, 0);
  EXPECT_EQ(slot.candidate_version(), 3);
}

TEST_F(PolicySlotTest, ThePromotedPolicyGathersEvidenceWhileItActs) {
  ASSERT_TRUE(slot.Restore(Version(1), {1, 10, 10}));
  EXPECT_FALSE(Attempts(0, 30)) << "it is not on trial";
  ASSERT_TRUE(slot.Stage(Version(2)));
  EXPECT_TRUE(Attempts(5, 5)->promoted);
}

TEST_F(PolicySlotTest, RefusesACorruptSnapshotAndChangesNothing) {
  ASSERT_TRUE(slot.Restore(Version(1), {1, 10, 9}));
  const auto staged = slot.Stage(tests::ConstantPolicy("pick", 2, std::numeric_limits<float>::infinity()));
  ASSERT_FALSE(staged);
  EXPECT_EQ(staged.error().code, core::FaultCode::kCorruptSnapshot);
  EXPECT_EQ(slot.acting_version(), 1);
  EXPECT_EQ(slot.candidate_version(), 0);
}

}  // namespace
}  // namespace nightshift::skills
