// SPDX-License-Identifier: Apache-2.0
#include "recovery/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace nightshift::recovery {
namespace {

const PlanConfig kConfig;

Pending Wedged(int attempts) { return {FailureKind::kWedged, "wedged", 0, attempts}; }
std::optional<core::TaskSpec> Known() { return RecoveryTaskFor(FailureKind::kWedged, "wedged"); }

template <typename T>
bool Is(const Plan& plan) {
  return std::holds_alternative<T>(plan);
}

TEST(PlanFor, PractisesTheRecoveryTaskWhileAttemptsLast) {
  for (int attempts = 0; attempts < kConfig.attempts_max; ++attempts) {
    const Plan plan = PlanFor(Wedged(attempts), Known(), false, kConfig);
    ASSERT_TRUE(Is<Practise>(plan)) << attempts;
    EXPECT_EQ(std::get<Practise>(plan).task, "free-wedged");
  }
}

TEST(PlanFor, ThenAsksAPerson) {
  EXPECT_TRUE(Is<AskPerson>(PlanFor(Wedged(kConfig.attempts_max), Known(), false, kConfig)));
}

TEST(PlanFor, GoesOnSoonerWherePractisedTasksMayStart) {
  EXPECT_TRUE(Is<Practise>(PlanFor(Wedged(0), Known(), true, kConfig)));
  EXPECT_TRUE(Is<GoOn>(PlanFor(Wedged(kConfig.attempts_before_going_on), Known(), true, kConfig)));
}

TEST(PlanFor, LooksOnlyAFewTimesForALostObject) {
  const auto known = RecoveryTaskFor(FailureKind::kLost, "lost");
  EXPECT_TRUE(Is<Practise>(PlanFor({FailureKind::kLost, "lost", 0, kConfig.looks_max - 1}, known, false, kConfig)));
  EXPECT_TRUE(Is<AskPerson>(PlanFor({FailureKind::kLost, "lost", 0, kConfig.looks_max}, known, false, kConfig)));
}

TEST(PlanFor, WithoutATaskItGoesOnWhereItCanAndAsksWhereItCannot) {
  EXPECT_TRUE(Is<GoOn>(PlanFor(Wedged(0), std::nullopt, true, kConfig)));
  EXPECT_TRUE(Is<AskPerson>(PlanFor(Wedged(0), std::nullopt, false, kConfig)));
}

TEST(PlanFor, AsksAPersonWhenEverythingTriedAtAnObjectFailsAlthoughATaskMayStart) {
  Pending pending = Wedged(0);
  pending.fruitless = kConfig.fruitless_max - 1;
  EXPECT_TRUE(Is<Practise>(PlanFor(pending, Known(), true, kConfig)));
  pending.fruitless = kConfig.fruitless_max;
  EXPECT_TRUE(Is<AskPerson>(PlanFor(pending, Known(), true, kConfig)));
}

TEST(PlanFor, ThePersonIsToldWhatIsWrongInWordsOfItsOwnForEveryKind) {
  std::set<std::string> reasons;
  for (const FailureKind kind : AllFailureKinds())
    reasons.insert(std::get<AskPerson>(PlanFor({kind, "", 0, 1000}, std::nullopt, false, kConfig)).reason);
  EXPECT_EQ(reasons.size(), AllFailureKinds().size());
  EXPECT_THAT(reasons, testing::Each(testing::StartsWith("please help: ")));
}

}  // namespace
}  // namespace nightshift::recovery
