// SPDX-License-Identifier: Apache-2.0
#include "skills/policy_slot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "tests/fakes/constant_policy.h"

namespace nightshift::skills {
namespace {

using testing::HasSubstr;

Snapshot Version(std::int64_t version) { return tests::ConstantPolicy("pick", version, 1); }

class PolicySlotTest : public testing::Test {
 protected:
  /// How often each of the two succeeds, spread evenly over its attempts.
  struct Rates {
    double candidate = 0, promoted = 0;
  };
  /// Attempts until the candidate has been judged.
  PolicySlot::Verdict Judged(Rates rates) {
    double candidate_luck = 0, promoted_luck = 0;
    while (true) {
      const bool candidate = slot.acting_version() == slot.candidate_version();
      double& luck = candidate ? candidate_luck : promoted_luck;
      luck += candidate ? rates.candidate : rates.promoted;
      const bool solved = luck > 0.999;
      if (solved) luck -= 1;
      if (const auto verdict = slot.Record(solved)) return *verdict;
    }
  }

  PolicySlot slot{JudgingRule{.attempts = 10}};
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
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(slot.Record(i < 2));
  const auto verdict = slot.Record(false);
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->promoted());
  EXPECT_EQ(verdict->policy.attempts, 10);
  EXPECT_EQ(verdict->policy.solved, 2);
  EXPECT_EQ(slot.promoted_version(), 1);
}

TEST_F(PolicySlotTest, AFirstCandidateThatNeverSucceedsPractisesOnUntilItDoes) {
  ASSERT_TRUE(slot.Stage(Version(1)));
  for (int i = 0; i < 30; ++i) EXPECT_FALSE(slot.Record(false));
  EXPECT_EQ(slot.deployed(), nullptr);
  EXPECT_EQ(slot.acting_version(), 1) << "without practice there would be no next snapshot";
  const auto verdict = slot.Record(true);
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->promoted());
}

TEST_F(PolicySlotTest, AFirstCandidateThatNeverSucceedsGivesWayToANewerOne) {
  ASSERT_TRUE(slot.Stage(Version(1)));
  ASSERT_TRUE(slot.Stage(Version(2)));
  EXPECT_FALSE(Judged({.candidate = 0}).promoted());
  EXPECT_EQ(slot.acting_version(), 2);
  EXPECT_EQ(slot.deployed(), nullptr);
}

TEST_F(PolicySlotTest, AFirstCandidateThatHasPractisedOnGivesWayAsSoonAsANewerOneComes) {
  ASSERT_TRUE(slot.Stage(Version(1)));
  for (int i = 0; i < 30; ++i) EXPECT_FALSE(slot.Record(false));
  ASSERT_TRUE(slot.Stage(Version(2)));
  const auto verdict = slot.Record(false);
  ASSERT_TRUE(verdict);
  EXPECT_FALSE(verdict->promoted());
  EXPECT_EQ(slot.acting_version(), 2);
}

TEST_F(PolicySlotTest, AFirstCandidateThatNeverSucceedsIsRejectedWhereAnotherPolicyMayAct) {
  slot = PolicySlot(JudgingRule{.attempts = 10, .practises_on = false});
  ASSERT_TRUE(slot.Stage(Version(1)));
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(slot.Record(false));
  const auto verdict = slot.Record(false);
  ASSERT_TRUE(verdict);
  EXPECT_FALSE(verdict->promoted());
  EXPECT_EQ(slot.acting(), nullptr);
}

TEST_F(PolicySlotTest, ABetterCandidateReplacesThePromotedOne) {
  ASSERT_TRUE(slot.Restore(Version(1), {1, 10, 5}));
  ASSERT_TRUE(slot.Stage(Version(2)));
  EXPECT_TRUE(Judged({.candidate = 0.8, .promoted = 0.5}).promoted());
  EXPECT_EQ(slot.promoted_version(), 2);
}

TEST_F(PolicySlotTest, ARegressionCostsOnlyTheCandidatesAttempts) {
  ASSERT_TRUE(slot.Restore(Version(1), {1, 10, 9}));
  ASSERT_TRUE(slot.Stage(Version(2)));
  EXPECT_FALSE(Judged({.candidate = 0.3, .promoted = 0.9}).promoted());
  EXPECT_EQ(slot.promoted_version(), 1);
  EXPECT_EQ(slot.acting_version(), 1);
}

TEST_F(PolicySlotTest, OnlyTheNewestWaitingSnapshotIsTriedNext) {
  for (const int version : {1, 2, 3}) ASSERT_TRUE(slot.Stage(Version(version)));
  EXPECT_EQ(slot.candidate_version(), 1);
  Judged({.candidate = 1});
  EXPECT_EQ(slot.candidate_version(), 3);
}

TEST_F(PolicySlotTest, ThePromotedPolicyIsTheControlOfEveryThirdAttempt) {
  ASSERT_TRUE(slot.Restore(Version(1), {1, 10, 5}));
  ASSERT_TRUE(slot.Stage(Version(2)));
  std::vector<std::int64_t> acted;
  for (int i = 0; i < 6; ++i) {
    acted.push_back(slot.acting_version());
    slot.Record(true);
  }
  EXPECT_EQ(acted, (std::vector<std::int64_t>{2, 2, 1, 2, 2, 1}));
}

TEST_F(PolicySlotTest, OldLuckOfThePromotedPolicyIsForgotten) {
  ASSERT_TRUE(slot.Restore(Version(1), {1, 20, 20}));
  int candidates = 0;
  bool promoted = false;
  while (!promoted && candidates < 10) {
    ASSERT_TRUE(slot.Stage(Version(2 + candidates++)));
    promoted = Judged({.candidate = 0.6, .promoted = 0.4}).promoted();
  }
  EXPECT_TRUE(promoted);
  EXPECT_GT(candidates, 1) << "what has proven itself is not given up for one mediocre candidate";
}

TEST_F(PolicySlotTest, ACandidateThatLooksALittleWorseIsRejected) {
  ASSERT_TRUE(slot.Restore(Version(1), {1, 20, 12}));
  ASSERT_TRUE(slot.Stage(Version(2)));
  EXPECT_FALSE(Judged({.candidate = 0.5, .promoted = 0.6}).promoted());
}

TEST_F(PolicySlotTest, AMarginLetsASlightlyWorseCandidateReplaceThePromotedOne) {
  slot = PolicySlot(JudgingRule{.attempts = 10, .margin = 0.2});
  ASSERT_TRUE(slot.Restore(Version(1), {1, 20, 12}));
  ASSERT_TRUE(slot.Stage(Version(2)));
  EXPECT_TRUE(Judged({.candidate = 0.5, .promoted = 0.6}).promoted());
}

TEST_F(PolicySlotTest, AFlawlessCandidateReplacesAFlawlessPolicyThatHasAMuchLongerRecord) {
  ASSERT_TRUE(slot.Restore(Version(1), {1, 200, 200}));
  ASSERT_TRUE(slot.Stage(Version(2)));
  EXPECT_TRUE(Judged({.candidate = 1, .promoted = 1}).promoted());
}

TEST_F(PolicySlotTest, TellsWhatThePromotedPolicyDidAsAControlToo) {
  EXPECT_FALSE(slot.promoted_evidence());
  ASSERT_TRUE(slot.Restore(Version(1), {1, 10, 10}));
  ASSERT_TRUE(slot.Stage(Version(2)));
  Judged({.candidate = 0, .promoted = 0});
  EXPECT_EQ(slot.promoted_evidence()->attempts, 11);
  EXPECT_EQ(slot.promoted_evidence()->solved, 10);
}

TEST_F(PolicySlotTest, ACandidateThatOnlyFailsIsRejectedBeforeItsTrialIsOver) {
  ASSERT_TRUE(slot.Restore(Version(1), {1, 20, 18}));
  ASSERT_TRUE(slot.Stage(Version(2)));
  const auto verdict = Judged({.candidate = 0, .promoted = 0.9});
  EXPECT_EQ(verdict.ruling, Ruling::kRejected);
  EXPECT_LE(verdict.policy.attempts, 4);
  EXPECT_THAT(verdict.why, HasSubstr("likelier at"));
}

TEST_F(PolicySlotTest, ACandidateIsTriedLongerWhileARegressionIsNotRuledOut) {
  ASSERT_TRUE(slot.Restore(Version(1), {1, 20, 7}));
  ASSERT_TRUE(slot.Stage(Version(2)));
  const auto verdict = Judged({.candidate = 0.4, .promoted = 0.35});
  EXPECT_TRUE(verdict.promoted());
  EXPECT_GT(verdict.policy.attempts, 10);
  EXPECT_LE(verdict.policy.attempts, 20);
}

/// Version 1 was promoted on 18 of 20, version 2 after it on 9 of 10.
class Promoted : public PolicySlotTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(slot.Restore(Version(1), {1, 20, 18}));
    ASSERT_TRUE(slot.Restore(Version(2), {2, 10, 9}));
  }
};

TEST_F(Promoted, ARegressionIsRolledBackInTheAttemptThatEstablishesIt) {
  std::optional<PolicySlot::Verdict> verdict;
  int attempts = 0;
  for (; !verdict && attempts < 20; ++attempts) {
    EXPECT_EQ(slot.acting_version(), 2);
    verdict = slot.Record(false);
  }
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->ruling, Ruling::kRolledBack);
  EXPECT_EQ(verdict->policy.version, 2);
  EXPECT_LE(attempts, 6);
  EXPECT_EQ(slot.acting_version(), 1);
  EXPECT_EQ(slot.promoted_version(), 1);
  EXPECT_THAT(verdict->why, HasSubstr("1 is back"));
  EXPECT_THAT(slot.InWords(), HasSubstr("2 rolled back"));
}

TEST_F(Promoted, ALongGoodRecordDoesNotHideALaterFall) {
  for (int i = 0; i < 300; ++i) ASSERT_FALSE(slot.Record(i % 10 != 9));
  int attempts = 0;
  while (slot.promoted_version() == 2 && attempts < 20) slot.Record(++attempts < 0);
  EXPECT_LE(attempts, 6);
}

TEST_F(Promoted, AFallIsSeenInItsControlsToo) {
  for (int version = 3; version < 30 && slot.promoted_version() == 2; ++version) {
    ASSERT_TRUE(slot.Stage(Version(version)));
    while (slot.candidate_version() == version) slot.Record(false);
  }
  EXPECT_EQ(slot.promoted_version(), 1);
}

TEST_F(Promoted, WhatIsLeftAfterARollbackIsNotRolledBackFurther) {
  for (int i = 0; i < 200; ++i) slot.Record(false);
  EXPECT_EQ(slot.promoted_version(), 1);
  EXPECT_EQ(slot.previous_version(), 0);
}

TEST_F(Promoted, ACandidateThatActsAgainstItInShadowIsRefusedBeforeItHasActed) {
  Snapshot against = Version(3);
  for (float& bias : against.weights.layers[0].biases) bias = -bias;
  for (int i = 0; i < JudgingRule{}.shadow_states_min; ++i) slot.Visit(Features{});
  ASSERT_TRUE(slot.Stage(against));
  ASSERT_TRUE(slot.Stage(Version(4)));
  const auto verdict = slot.Screen();
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->ruling, Ruling::kRefused);
  EXPECT_EQ(verdict->policy.version, 3);
  EXPECT_EQ(verdict->policy.attempts, 0);
  EXPECT_FALSE(slot.Screen()) << "the next one is as good as what is deployed";
  EXPECT_EQ(slot.candidate_version(), 4);
}

TEST_F(Promoted, NothingIsSaidInShadowBeforeEnoughStatesWereVisited) {
  Snapshot against = Version(3);
  for (float& bias : against.weights.layers[0].biases) bias = -bias;
  ASSERT_TRUE(slot.Stage(against));
  EXPECT_FALSE(slot.Screen());
  slot.Record(false);
  slot.Record(false);
  ASSERT_EQ(slot.acting_version(), 2) << "its control acts";
  for (int i = 0; i < JudgingRule{}.shadow_states_min; ++i) slot.Visit(Features{});
  EXPECT_TRUE(slot.Screen()) << "as soon as there are, also amid its trial";
}

TEST_F(Promoted, StatesThatACandidateVisitsDoNotCount) {
  Snapshot against = Version(3);
  for (float& bias : against.weights.layers[0].biases) bias = -bias;
  ASSERT_TRUE(slot.Stage(against));
  for (int i = 0; i < 1000; ++i) slot.Visit(Features{});
  EXPECT_FALSE(slot.Screen());
}

TEST_F(PolicySlotTest, ACandidateWhoseCriticsKnowNothingOfWhatHappensIsRefused) {
  Snapshot blind = Version(1);
  blind.held_out = {.episodes = 10, .steps = 500, .error_rms = 1.5, .bias = 1.4, .value_range = 2};
  ASSERT_TRUE(slot.Stage(blind));
  const auto verdict = slot.Screen();
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->ruling, Ruling::kRefused);
  EXPECT_THAT(verdict->why, HasSubstr("off by 1.50"));
  EXPECT_EQ(slot.acting(), nullptr);
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
