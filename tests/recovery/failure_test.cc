// SPDX-License-Identifier: Apache-2.0
#include "recovery/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "skills/task.h"
#include "tests/fakes/sights.h"

namespace nightshift::recovery {
namespace {

using core::Outcome;
using core::StopCause;
using skills::Facts;
using tests::SeenHeld;
using tests::SeenLying;
using tests::With;

const skills::Scene kScene;

/// With the goal of a task without one: where the object is at the start.
Facts Of(const core::Observation& seen) { return FactsOf(seen, {0, seen.objects[0].position_m}, kScene); }

core::Observation Blind() {
  auto seen = SeenLying(kScene, 0.2, 0);
  seen.frame = core::FrameHealth::kBlind;
  return seen;
}
core::Observation Low() {
  auto seen = SeenLying(kScene, 0.2, 0);
  seen.tip_m.z = 0.05;
  return seen;
}
core::Observation Unseen() {
  auto seen = SeenLying(kScene, 0.2, 0);
  seen.objects[0].age = core::Seconds(5);
  return seen;
}

/// A state in which each kind of failure is found.
const std::map<FailureKind, core::Observation> kStates = {
    {FailureKind::kCameraBad, Blind()},
    {FailureKind::kStall, Low()},
    {FailureKind::kSafetyStop, Low()},
    {FailureKind::kLost, Unseen()},
    {FailureKind::kUnreachable, SeenLying(kScene, 0.45, 0.2)},
    {FailureKind::kDropped, SeenLying(kScene, 0.2, 0)},
    {FailureKind::kOutside, SeenLying(kScene, 0.2, -0.15)},
    {FailureKind::kCrowded, With(SeenLying(kScene, 0.2, 0), kScene, 0.2, 0.03)},
    {FailureKind::kWedged, SeenLying(kScene, 0.2, 0.085)},
    {FailureKind::kStuck, SeenLying(kScene, 0.2, 0)},
};

Aftermath Timeout(const core::Observation& seen) {
  return {.outcome = Outcome::kTimeout, .task = "pick", .facts = Of(seen)};
}

Aftermath AftermathOf(FailureKind kind) {
  Aftermath after = Timeout(kStates.at(kind));
  if (kind == FailureKind::kStall) after.stop = StopCause::kStall;
  if (kind == FailureKind::kSafetyStop) after.stop = StopCause::kTrackingError;
  if (kind == FailureKind::kDropped) after.was_held = true;
  if (kind == FailureKind::kStuck) after.failed_in_a_row = 3;
  return after;
}

class EveryKind : public testing::TestWithParam<FailureKind> {
 protected:
  const FailureKind kind = GetParam();
  const Facts facts = Of(kStates.at(kind));
  const std::optional<core::TaskSpec> spec = RecoveryTaskFor(kind, SignatureOf(kind, facts));
};

TEST_P(EveryKind, IsFoundInItsState) { EXPECT_EQ(FailureIn(AftermathOf(kind)), kind); }

TEST_P(EveryKind, HasANameThatLeadsBackToIt) { EXPECT_EQ(FailureKindFrom(Name(kind)), kind); }

TEST_P(EveryKind, HasASignatureThatBeginsWithItsName) {
  EXPECT_THAT(SignatureOf(kind, facts), testing::StartsWith(std::string(Name(kind))));
}

TEST_P(EveryKind, ItsTaskStartsWhereItWasFoundAndHasNotSucceededThere) {
  if (!spec) return;  // Only a person can help: said below.
  const auto task = skills::Task::Make(*spec);
  ASSERT_TRUE(task) << task.error().detail;
  EXPECT_TRUE(task->MayStart(facts));
  EXPECT_EQ(task->Judge(facts), Outcome::kRunning);
}

TEST_P(EveryKind, ItsTaskNeverSucceedsInAnyStateItMayStartFrom) {
  if (!spec) return;
  const auto task = skills::Task::Make(*spec);
  ASSERT_TRUE(task);
  core::Random random(7);
  int started = 0;
  for (int i = 0; i < 20000; ++i) {
    auto seen = SeenLying(kScene, random.Uniform(0.05, 0.35), random.Uniform(-0.2, 0.3));
    seen = With(seen, kScene, random.Uniform(0.1, 0.3), random.Uniform(-0.1, 0.1));
    seen.tip_m = random.Chance(0.3) ? seen.objects[0].position_m : kScene.home_m;
    seen.tip_m.z = seen.objects[0].position_m.z = random.Uniform(0.01, 0.2);
    seen.jaw_rad = random.Uniform(0, 0.8);
    seen.jaw_command_rad = random.Chance(0.5) ? kScene.jaw_closed_rad : kScene.jaw_open_rad;
    seen.objects[0].age = core::Seconds(random.Uniform(0, 2));
    seen.frame = random.Chance(0.5) ? core::FrameHealth::kGood : core::FrameHealth::kFrozen;
    if (!task->MayStart(Of(seen))) continue;
    ++started;
    ASSERT_NE(task->Judge(Of(seen)), Outcome::kSuccess) << "draw " << i;
  }
  EXPECT_GT(started, 100);
}

TEST_P(EveryKind, ItsTaskSaysWhatItWasMadeFrom) {
  if (!spec) return;
  EXPECT_TRUE(spec->recovery());
  EXPECT_EQ(spec->failure_kind, Name(kind));
  EXPECT_EQ(spec->signature, SignatureOf(kind, facts));
}

INSTANTIATE_TEST_SUITE_P(Of, EveryKind, testing::ValuesIn(AllFailureKinds()),
                         [](const auto& of) { return std::string(Name(of.param)); });

TEST(RecoveryTasks, OnlyAnUnreachableObjectNeedsAPersonFromTheStart) {
  for (const FailureKind kind : AllFailureKinds())
    EXPECT_EQ(RecoveryTaskFor(kind, std::string(Name(kind))).has_value(), kind != FailureKind::kUnreachable);
}

TEST(RecoveryTasks, DifferentSignaturesGiveDifferentTasks) {
  std::set<std::string> names;
  for (const char* signature : {"dropped/in_tray", "dropped/outside", "outside"})
    names.insert(RecoveryTaskFor(FailureKind::kDropped, signature)->name);
  EXPECT_EQ(names.size(), 3u);
}

TEST(RecoveryTasks, SucceedWhenWhatWasLostIsRegained) {
  for (const FailureKind kind : {FailureKind::kDropped, FailureKind::kOutside, FailureKind::kCrowded,
                                 FailureKind::kWedged, FailureKind::kStuck}) {
    const auto task = skills::Task::Make(*RecoveryTaskFor(kind, std::string(Name(kind))));
    EXPECT_EQ(task->Judge(Of(SeenHeld(kScene))), Outcome::kSuccess) << Name(kind);
  }
}

TEST(FailureIn, SuccessWithEverythingInOrderIsNoFailure) {
  for (const auto& seen : {SeenLying(kScene, 0.2, 0), SeenLying(kScene, 0.15, 0.19), SeenHeld(kScene)}) {
    Aftermath after = Timeout(seen);
    after.outcome = Outcome::kSuccess;
    EXPECT_EQ(FailureIn(after), std::nullopt);
  }
}

TEST(FailureIn, AMissedGraspInTheOpenIsNoFailureUntilItHappensAgainAndAgain) {
  Aftermath after = Timeout(SeenLying(kScene, 0.2, 0));
  for (const int row : {1, 2}) {
    after.failed_in_a_row = row;
    EXPECT_EQ(FailureIn(after), std::nullopt);
  }
  after.failed_in_a_row = 3;
  EXPECT_EQ(FailureIn(after), FailureKind::kStuck);
}

TEST(FailureIn, LettingGoInTheBinIsNotDropping) {
  Aftermath after = Timeout(SeenLying(kScene, 0.15, 0.19));
  after.was_held = true;
  EXPECT_EQ(FailureIn(after), std::nullopt);
}

TEST(FailureIn, AnInterruptedAttemptIsNotADrop) {
  Aftermath after = Timeout(SeenLying(kScene, 0.2, 0));
  after.was_held = true;
  after.outcome = Outcome::kInterrupted;
  EXPECT_EQ(FailureIn(after), std::nullopt);
}

TEST(FailureIn, APersonWhoCameByIsNoFailure) {
  Aftermath after = Timeout(SeenLying(kScene, 0.2, -0.15));
  after.outcome = Outcome::kInterrupted;
  after.stop = StopCause::kPersonNear;
  EXPECT_EQ(FailureIn(after), std::nullopt);
}

TEST(FailureIn, ABadPictureIsBelievedBeforeAnythingItShows) {
  Aftermath after = Timeout(Blind());
  after.was_held = true;
  after.stop = StopCause::kStall;
  EXPECT_EQ(FailureIn(after), FailureKind::kCameraBad);
}

TEST(SignatureOf, TellsWhereAnObjectWasDropped) {
  EXPECT_EQ(SignatureOf(FailureKind::kDropped, Of(SeenLying(kScene, 0.2, 0))), "dropped/in_tray");
  EXPECT_EQ(SignatureOf(FailureKind::kDropped, Of(SeenLying(kScene, 0.2, -0.15))), "dropped/outside");
}

}  // namespace
}  // namespace nightshift::recovery
