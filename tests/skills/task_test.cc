// SPDX-License-Identifier: Apache-2.0
#include "skills/task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/sights.h"

namespace nightshift::skills {
namespace {

using core::FaultCode;
using core::Outcome;
using testing::HasSubstr;

const Scene kScene;

Facts Lying() { return FactsOf(tests::SeenLying(kScene, 0.2, 0.0), {}, kScene); }
Facts Held() { return FactsOf(tests::SeenHeld(kScene), {}, kScene); }

bool Holds(const std::string& condition, const Facts& facts) {
  const auto predicate = Predicate::Parse(condition);
  EXPECT_TRUE(predicate) << condition;
  return predicate && predicate->Holds(facts);
}

TEST(Predicate, JudgesTheFactsItIsGiven) {
  const auto held = Predicate::Parse("held && object_z > 0.07");
  ASSERT_TRUE(held);
  EXPECT_FALSE(held->Holds(Lying()));
  EXPECT_TRUE(held->Holds(Held()));
  EXPECT_FALSE(held->Holds(Lying())) << "it must not remember";
}

TEST(Predicate, UnderstandsNotAndOr) {
  EXPECT_TRUE(Holds("!held && (in_bin || in_tray)", Lying()));
  EXPECT_FALSE(Holds("!in_tray", Lying()));
  EXPECT_TRUE(Holds("!(in_tray && held)", Lying()));
}

TEST(Predicate, ComparesBeforeItCombines) { EXPECT_TRUE(Holds("!held && tip_z > 0.1 || 0", Lying())); }

TEST(Predicate, KnowsEveryFactByName) {
  for (int i = 0; i < kFacts; ++i) {
    Facts facts{};
    facts[static_cast<std::size_t>(i)] = 1;
    EXPECT_TRUE(Holds(std::string(Name(static_cast<Fact>(i))) + " == 1", facts));
  }
}

TEST(Predicate, AnEmptyConditionNeverHolds) { EXPECT_FALSE(Holds("", Lying())); }

TEST(Predicate, NamesWhatItDoesNotKnowAndWhatItMayUse) {
  const auto predicate = Predicate::Parse("helt && in_tray");
  ASSERT_FALSE(predicate);
  EXPECT_EQ(predicate.error().code, FaultCode::kInvalidConfig);
  EXPECT_THAT(predicate.error().detail, HasSubstr("helt"));
  EXPECT_THAT(predicate.error().detail, HasSubstr("held"));
}

TEST(Predicate, RefusesWhatIsNoExpression) {
  for (const char* broken : {"held &&", "(held", "held >", "1 2"}) EXPECT_FALSE(Predicate::Parse(broken)) << broken;
}

core::TaskSpec Pick() {
  return {.name = "pick", .start = "in_tray && !held", .success = "held", .failure = "outside", .script = "pick"};
}

TEST(Task, StartsOnlyWithinItsInitiationSet) {
  const auto task = Task::Make(Pick());
  ASSERT_TRUE(task);
  EXPECT_TRUE(task->MayStart(Lying()));
  EXPECT_FALSE(task->MayStart(Held()));
}

TEST(Task, SuccessWinsOverFailure) {
  auto spec = Pick();
  spec.failure = "1";
  const auto task = Task::Make(spec);
  EXPECT_EQ(task->Judge(Held()), Outcome::kSuccess);
  EXPECT_EQ(task->Judge(Lying()), Outcome::kFailure);
}

TEST(Task, WithoutAFailureConditionItRunsOn) {
  auto spec = Pick();
  spec.failure = "";
  EXPECT_EQ(Task::Make(spec)->Judge(Lying()), Outcome::kRunning);
}

TEST(Trial, SuccessCountsOnceItHasHeldForItsTime) {
  auto spec = Pick();
  spec.success_hold = core::Seconds(0.3);
  const auto task = Task::Make(spec);
  Trial trial(*task);
  const auto at = [](double seconds) { return core::Instant(core::Seconds(seconds)); };
  EXPECT_EQ(trial.Next(Held(), at(1.0)), Outcome::kRunning);
  EXPECT_EQ(trial.Next(Held(), at(1.2)), Outcome::kRunning);
  EXPECT_EQ(trial.Next(Lying(), at(1.3)), Outcome::kRunning) << "it flew past";
  EXPECT_EQ(trial.Next(Held(), at(1.4)), Outcome::kRunning) << "and the time begins anew";
  EXPECT_EQ(trial.Next(Held(), at(1.7)), Outcome::kSuccess);
}

TEST(Trial, WhatSeemsLostWhileItFallsIsNoFailure) {
  auto spec = Pick();
  spec.failure = "outside";
  spec.failure_hold = core::Seconds(0.3);
  const auto task = Task::Make(spec);
  Facts outside{};
  outside[static_cast<std::size_t>(Fact::kOutside)] = 1;
  Trial trial(*task);
  const auto at = [](double seconds) { return core::Instant(core::Seconds(seconds)); };
  EXPECT_EQ(trial.Next(outside, at(1.0)), Outcome::kRunning);
  EXPECT_EQ(trial.Next(outside, at(1.2)), Outcome::kRunning);
  EXPECT_EQ(trial.Next(Lying(), at(1.3)), Outcome::kRunning) << "it has landed inside";
  EXPECT_EQ(trial.Next(outside, at(1.4)), Outcome::kRunning) << "the time begins anew";
  EXPECT_EQ(trial.Next(outside, at(1.7)), Outcome::kFailure);
}

TEST(Trial, WithoutSuchATimeSuccessCountsAtOnce) {
  const auto task = Task::Make(Pick());
  EXPECT_EQ(Trial(*task).Next(Held(), {}), Outcome::kSuccess);
}

TEST(Trial, AFailureAfterASuccessThatDidNotHoldIsAFailure) {
  auto spec = Pick();
  spec.success_hold = core::Seconds(0.3);
  spec.failure = "in_tray";
  const auto task = Task::Make(spec);
  Trial trial(*task);
  EXPECT_EQ(trial.Next(Held(), {}), Outcome::kRunning);
  EXPECT_EQ(trial.Next(Lying(), core::Instant(core::Seconds(0.1))), Outcome::kFailure);
}

TEST(Task, ATaskThatCannotBeJudgedIsRefusedByName) {
  auto nameless = Pick(), aimless = Pick(), hasty = Pick(), mistyped = Pick();
  nameless.name = "";
  aimless.success = "";
  hasty.time_limit = core::Seconds(0.1);
  mistyped.failure = "outsied";
  for (const auto& spec : {nameless, aimless, hasty, mistyped}) {
    const auto task = Task::Make(spec);
    ASSERT_FALSE(task);
    EXPECT_EQ(task.error().code, FaultCode::kInvalidConfig);
    EXPECT_THAT(task.error().detail, HasSubstr(spec.name));
  }
}

}  // namespace
}  // namespace nightshift::skills
