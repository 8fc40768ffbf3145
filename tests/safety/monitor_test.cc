// SPDX-License-Identifier: Apache-2.0
#include "safety/monitor.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

namespace nightshift::safety {
namespace {

using core::StopCause;

/// A monitor and a hand-driven clock.
struct Story {
  Limits limits{.inspections_failed_max = 100'000};  // Their own tests have their own.
  Monitor monitor{limits, {.epoch = 100, .nonce_source = 7}};
  core::Instant now{};

  Acknowledgement Ack(ClearedBy by = ClearedBy::kSupervisor) const {
    const auto report = monitor.report();
    return {.latch_id = report.id, .nonce = report.nonce, .by = by};
  }
  Clearance Clear(ClearedBy by = ClearedBy::kSupervisor, Readiness readiness = Readiness::kReady) {
    return monitor.Acknowledge(Ack(by), readiness, now);
  }
};

TEST(Monitor, BeginsStoppedAndIsClearedByTheSupervisor) {
  Story story;
  EXPECT_EQ(story.monitor.report().worst, StopCause::kRestarted);
  EXPECT_EQ(story.Clear(), Clearance::kCleared);
  EXPECT_FALSE(story.monitor.latched());
}

TEST(Monitor, LeavesTheFirstStartAfterABootToAPerson) {
  Story story;
  story.monitor = Monitor(story.limits, {.after_reboot = true});
  EXPECT_EQ(story.Clear(), Clearance::kNeedsPerson);
  EXPECT_EQ(story.Clear(ClearedBy::kPerson), Clearance::kCleared);
  story.monitor.Raise(StopCause::kStall);
  EXPECT_EQ(story.Clear(), Clearance::kCleared) << "what comes after it is as ever";
}

TEST(Monitor, LeavesABootToTheSupervisorWhereConfiguredSo) {
  Story story;
  story.limits.arm_after_reboot = true;
  story.monitor = Monitor(story.limits, {.after_reboot = true});
  EXPECT_EQ(story.Clear(), Clearance::kCleared);
}

TEST(Monitor, EveryStopBumpsTheEpoch) {
  Story story;
  core::Epoch epoch = story.monitor.epoch();
  for (const StopCause cause : {StopCause::kNoCommand, StopCause::kStall, StopCause::kTrackingError, StopCause::kHot,
                                StopCause::kDriverLost, StopCause::kOperator}) {
    story.monitor.Raise(cause);
    EXPECT_GT(story.monitor.epoch(), epoch) << Name(cause);
    epoch = story.monitor.epoch();
  }
}

TEST(Monitor, ASecondStopOfAPersonIsNotClearedByAnAcknowledgementOfTheFirst) {
  Story story;
  story.Clear();
  story.monitor.Raise(StopCause::kOperator);
  const Acknowledgement first = story.Ack(ClearedBy::kPerson);
  story.monitor.Raise(StopCause::kOperator);
  EXPECT_EQ(story.monitor.Acknowledge(first, Readiness::kReady, story.now), Clearance::kStale);
}

TEST(Monitor, KeepsTheFirstCauseAndShowsTheWorst) {
  Story story;
  story.Clear();
  story.monitor.Raise(StopCause::kStall);
  story.monitor.Raise(StopCause::kDriverLost);
  story.monitor.Raise(StopCause::kNoCommand);
  EXPECT_EQ(story.monitor.report().first, StopCause::kStall);
  EXPECT_EQ(story.monitor.report().worst, StopCause::kDriverLost);
}

TEST(Monitor, AnAcknowledgementDoesNotClearAFaultThatItsSenderHadNotSeen) {
  Story story;
  story.Clear();
  story.monitor.Raise(StopCause::kNoCommand);
  const Acknowledgement seen = story.Ack();
  story.monitor.Raise(StopCause::kStall);
  EXPECT_EQ(story.monitor.Acknowledge(seen, Readiness::kReady, story.now), Clearance::kStale);
  EXPECT_TRUE(story.monitor.latched());
  EXPECT_EQ(story.Clear(), Clearance::kCleared);
}

TEST(Monitor, RefusesAnAcknowledgementWithAWrongNonce) {
  Story story;
  Acknowledgement guessed = story.Ack();
  guessed.nonce ^= 1;
  EXPECT_EQ(story.monitor.Acknowledge(guessed, Readiness::kReady, story.now), Clearance::kStale);
}

TEST(Monitor, NoncesOfSuccessiveStopsAllDiffer) {
  Story story;
  std::set<std::uint64_t> nonces;
  for (int i = 0; i < 1000; ++i) {
    nonces.insert(story.monitor.report().nonce);
    ASSERT_EQ(story.Clear(ClearedBy::kPerson), Clearance::kCleared);
    story.monitor.Raise(StopCause::kNoCommand);
  }
  EXPECT_EQ(nonces.size(), 1000u);
}

/// What others can check: the first outputs of SplitMix64 from seed 0, as published with it.
TEST(Monitor, NoncesAreTheOutputsOfSplitMix64) {
  Monitor monitor({}, {.epoch = 1, .nonce_source = 0});
  EXPECT_EQ(monitor.report().nonce, 0xE220A8397B1DCDAFu);
  monitor.Raise(StopCause::kStall);
  EXPECT_EQ(monitor.report().nonce, 0x6E789E6AA1B965F4u);
}

TEST(Monitor, RefusesTheNonceOfThisStopWithTheIdOfAnother) {
  Story story;
  Acknowledgement other = story.Ack();
  --other.latch_id;
  EXPECT_EQ(story.monitor.Acknowledge(other, Readiness::kReady, story.now), Clearance::kStale);
}

TEST(Monitor, ACauseThatIsAlreadyLatchedOrNoneChangesNothing) {
  Story story;
  story.Clear();
  story.monitor.Raise(StopCause::kStall);
  const auto before = story.monitor.report();
  story.monitor.Raise(StopCause::kStall);
  story.monitor.Raise(StopCause::kNone);
  EXPECT_EQ(story.monitor.report().id, before.id);
  EXPECT_EQ(story.monitor.report().epoch, before.epoch);
  EXPECT_EQ(story.Clear(), Clearance::kCleared);
  story.monitor.Raise(StopCause::kNone);
  EXPECT_FALSE(story.monitor.latched());
}

TEST(Monitor, EachStopHasTheNextIdAndTheNextEpoch) {
  Story story;
  const auto first = story.monitor.report();
  EXPECT_EQ(first.id, 1u);
  EXPECT_EQ(first.epoch, 101u);
  story.monitor.Raise(StopCause::kHot);
  EXPECT_EQ(story.monitor.report().id, 2u);
  EXPECT_EQ(story.monitor.report().epoch, 102u);
  story.monitor.BumpEpoch();
  EXPECT_EQ(story.monitor.report().epoch, 103u);
}

TEST(Monitor, CoolingChangesNothingWhereNothingWasHot) {
  Story story;
  story.monitor.Gone(StopCause::kHot);
  EXPECT_EQ(story.monitor.report().worst, StopCause::kRestarted);
  story.Clear();
  story.monitor.Gone(StopCause::kHot);
  EXPECT_FALSE(story.monitor.latched());
}

TEST(Monitor, APersonsStopIsClearedByAPersonOnly) {
  Story story;
  story.Clear();
  story.monitor.Raise(StopCause::kOperator);
  EXPECT_EQ(story.Clear(ClearedBy::kSupervisor), Clearance::kNeedsPerson);
  EXPECT_EQ(story.Clear(ClearedBy::kPerson), Clearance::kCleared);
}

TEST(Monitor, HeatClearsByItselfAndNobodyCanHurryIt) {
  Story story;
  story.Clear();
  story.monitor.Raise(StopCause::kHot);
  EXPECT_EQ(story.Clear(ClearedBy::kPerson), Clearance::kStillThere);
  story.monitor.Gone(StopCause::kHot);
  EXPECT_FALSE(story.monitor.latched());
}

TEST(Monitor, CoolingDoesNotClearAnotherCause) {
  Story story;
  story.Clear();
  story.monitor.Raise(StopCause::kStall);
  story.monitor.Raise(StopCause::kHot);
  story.monitor.Gone(StopCause::kHot);
  EXPECT_EQ(story.monitor.report().worst, StopCause::kStall);
}

TEST(Monitor, DoesNotClearWhileTheArmMovesOrIsUnseen) {
  Story story;
  EXPECT_EQ(story.Clear(ClearedBy::kSupervisor, Readiness::kNotAtRest), Clearance::kNotAtRest);
  EXPECT_EQ(story.Clear(ClearedBy::kPerson, Readiness::kNoReading), Clearance::kNoReading);
  EXPECT_TRUE(story.monitor.latched());
}

TEST(Monitor, TheSupervisorMayClearOnlySoOftenAnHourAPersonAlways) {
  Story story;
  for (int i = 0; i < story.limits.clears_per_hour_max; ++i) {
    ASSERT_EQ(story.Clear(), Clearance::kCleared) << i;
    story.monitor.Raise(StopCause::kStall);
    story.now += core::Seconds(1);
  }
  EXPECT_EQ(story.Clear(), Clearance::kTooMany);
  EXPECT_EQ(story.Clear(ClearedBy::kPerson), Clearance::kCleared);
  story.monitor.Raise(StopCause::kStall);
  story.now = core::Instant(std::chrono::hours(1)) + core::Seconds(2);
  EXPECT_EQ(story.Clear(), Clearance::kCleared) << "an hour after the first";
}

/// Clears of an earlier life, as long ago as said.
RecentClears Earlier(std::initializer_list<core::Duration> agos) {
  RecentClears clears;
  for (const auto ago : agos) clears.Add(ago);
  return clears;
}

std::vector<core::Duration> Agos(const RecentClears& clears) {
  return {clears.ago.begin(), clears.ago.begin() + static_cast<std::ptrdiff_t>(clears.count)};
}

using std::chrono::minutes;

TEST(Monitor, ClearsOfEarlierLivesCountAsIfThisOneHadMadeThem) {
  Story story;
  story.limits.clears_per_hour_max = 2;
  story.now = core::Instant(minutes(500));
  story.monitor = Monitor(story.limits, {.clears = Earlier({minutes(50), minutes(10)})});
  story.monitor.Begin(story.now);
  EXPECT_EQ(story.Clear(), Clearance::kTooMany);
  story.now += minutes(10);
  EXPECT_EQ(story.Clear(), Clearance::kTooMany) << "after an hour, not yet after more than an hour";
  story.now += std::chrono::nanoseconds(1);
  EXPECT_EQ(story.Clear(), Clearance::kCleared);
}

TEST(Monitor, TellsALaterLifeTheClearsOfTheLastHourAndHowLongAgoTheyWere) {
  Story story;
  story.monitor = Monitor(story.limits, {.clears = Earlier({minutes(59)})});
  story.monitor.Begin(story.now);
  story.Clear();
  story.now += minutes(1);
  EXPECT_EQ(Agos(story.monitor.clears(story.now)), (std::vector<core::Duration>{minutes(60), minutes(1)}));
  story.now += std::chrono::nanoseconds(1);
  EXPECT_EQ(story.monitor.clears(story.now).count, 1u) << "what is older than an hour counts for nothing";
}

TEST(Monitor, ALifeThatDiesRightAfterItsRestartWasClearedHasPaidForIt) {
  Story story;
  story.monitor = Monitor(story.limits, {.clears = Earlier({minutes(5)})});
  EXPECT_EQ(Agos(story.monitor.clears(story.now)), (std::vector<core::Duration>{minutes(5), minutes(0)}))
      << "robot time is not known yet";
  story.monitor.Begin(story.now);
  story.now += minutes(2);
  EXPECT_EQ(Agos(story.monitor.clears(story.now)), (std::vector<core::Duration>{minutes(7), minutes(0)}));
  story.Clear();
  story.now += minutes(3);
  EXPECT_EQ(Agos(story.monitor.clears(story.now)), (std::vector<core::Duration>{minutes(10), minutes(3)})) << "once";
}

TEST(Monitor, WhatAPersonClearsIsForgottenWithTheProcess) {
  Story story;
  story.Clear(ClearedBy::kPerson);
  EXPECT_EQ(story.monitor.clears(story.now).count, 0u);
}

TEST(Monitor, RemembersAsManyClearsAsThereMayBeInAnHourTheNewestOnes) {
  RecentClears clears;
  for (int i = 0; i < kClearsPerHourMax + 3; ++i) clears.Add(std::chrono::seconds(1000 - i));
  EXPECT_EQ(clears.count, static_cast<std::size_t>(kClearsPerHourMax));
  EXPECT_EQ(clears.ago.front(), std::chrono::seconds(997));
  EXPECT_EQ(clears.ago.back(), std::chrono::seconds(1000 - kClearsPerHourMax - 2));
  Story story;
  story.monitor = Monitor(story.limits, {.clears = clears});
  story.monitor.Begin(story.now);
  EXPECT_EQ(story.monitor.clears(story.now).count, static_cast<std::size_t>(kClearsPerHourMax));
}

TEST(Monitor, WhatAPersonClearsIsNotTheSupervisorsToPayFor) {
  Story story;
  for (int i = 0; i < 2 * story.limits.clears_per_hour_max; ++i) {
    ASSERT_EQ(story.Clear(ClearedBy::kPerson), Clearance::kCleared) << i;
    story.monitor.Raise(StopCause::kStall);
  }
  EXPECT_EQ(story.Clear(), Clearance::kCleared);
}

TEST(Monitor, SilenceThatCameWithAnotherCauseIsPaidFor) {
  Story story;
  story.limits.clears_per_hour_max = 1;
  story.monitor = Monitor(story.limits, {});
  story.Clear(ClearedBy::kPerson);
  for (const Clearance expected : {Clearance::kCleared, Clearance::kTooMany}) {
    story.monitor.Raise(StopCause::kNoCommand);
    story.monitor.Raise(StopCause::kStall);
    EXPECT_EQ(story.Clear(), expected);
  }
}

TEST(Monitor, AnHourIsCountedFromEachClearHoweverManyThereWere) {
  Story story;
  story.limits.clears_per_hour_max = 2;
  story.monitor = Monitor(story.limits, {});
  for (int i = 0; i < 3 * kClearsPerHourMax; ++i) {  // More than are remembered.
    ASSERT_EQ(story.Clear(), Clearance::kCleared) << i;
    story.monitor.Raise(StopCause::kStall);
    story.now += std::chrono::minutes(20);
    if (i % 2 == 0) continue;
    ASSERT_EQ(story.Clear(), Clearance::kTooMany) << i;
    story.now += std::chrono::minutes(20);
    ASSERT_EQ(story.Clear(), Clearance::kTooMany) << "after an hour, not yet after more than an hour";
    story.now += std::chrono::nanoseconds(1);
  }
}

TEST(Monitor, AStopForSilenceAloneIsClearedHoweverOften) {
  Story story;
  for (int i = 0; i < 3 * story.limits.clears_per_hour_max; ++i) {
    ASSERT_EQ(story.Clear(), Clearance::kCleared) << i;
    story.monitor.Raise(StopCause::kNoCommand);
  }
  story.monitor.Raise(StopCause::kStall);
  EXPECT_EQ(story.Clear(), Clearance::kCleared) << "silence must not have used the budget up";
}

TEST(Monitor, HasNothingToClearWhenItRuns) {
  Story story;
  story.Clear();
  EXPECT_EQ(story.Clear(), Clearance::kNotLatched);
}

TEST(Monitor, PowerGoesOnlyForCausesWhoseHoldingWouldDoHarm) {
  for (const StopCause cause :
       {StopCause::kNoCommand, StopCause::kStall, StopCause::kDriverLost, StopCause::kOperator}) {
    Story story;
    story.monitor.Raise(cause);
    EXPECT_FALSE(story.monitor.wants_power_off()) << Name(cause);
  }
  for (const StopCause cause : {StopCause::kTrackingError, StopCause::kHot}) {
    Story story;
    story.monitor.Raise(cause);
    EXPECT_TRUE(story.monitor.wants_power_off()) << Name(cause);
  }
}

TEST(Monitor, PowerGoesIfOneOfSeveralCausesWantsIt) {
  for (const StopCause other : {StopCause::kNoCommand, StopCause::kDriverLost}) {  // One on either side.
    Story story;
    story.Clear();
    EXPECT_FALSE(story.monitor.wants_power_off());
    story.monitor.Raise(other);
    story.monitor.Raise(StopCause::kTrackingError);
    EXPECT_TRUE(story.monitor.wants_power_off()) << Name(other);
  }
}

TEST(Monitor, WhatBelongsToAPersonIsNotClearedWithWhatBelongsToTheSupervisor) {
  Story story;
  story.Clear();
  story.monitor.Raise(StopCause::kNoCommand);
  story.monitor.Raise(StopCause::kOperator);
  EXPECT_EQ(story.Clear(), Clearance::kNeedsPerson);
  EXPECT_EQ(story.Clear(ClearedBy::kPerson), Clearance::kCleared);
}

TEST(Monitor, TellsEveryOutcomeByItsOwnName) {
  const std::array names{"cleared",     "not_latched", "stale",      "needs_person", "still_there", "no_reading",
                         "not_at_rest", "too_many",    "comes_back", "jumped",       "other_cause"};
  std::set<std::string_view> advices;
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(Name(static_cast<Clearance>(i)), names[i]);
    advices.insert(Advice(static_cast<Clearance>(i)));
  }
  EXPECT_EQ(advices.size(), names.size()) << "each has its own";
}

TEST(Monitor, EveryRefusalSaysWhatAPersonCanDo) {
  for (int i = 0; i <= static_cast<int>(Clearance::kOtherCause); ++i) {
    EXPECT_NE(Name(static_cast<Clearance>(i)), "?");
    EXPECT_GT(Advice(static_cast<Clearance>(i)).size(), 15u);
  }
}

// ---- Inspection ----

constexpr std::array kOfTheArmsOwnDoing{StopCause::kStall, StopCause::kTrackingError, StopCause::kDriverLost};

TEST(Monitor, WhatWasClearedIsInspectedAtLoweredSpeedUntilTheArmHasFollowed) {
  Story story;
  EXPECT_EQ(story.monitor.speed_share(), 1) << "a latch needs no lowering";
  story.Clear();
  EXPECT_TRUE(story.monitor.report().inspecting);
  EXPECT_EQ(story.monitor.speed_share(), story.limits.inspection_speed_share);
  story.monitor.Follow(0.9 * story.limits.inspection_travel_rad, true);
  EXPECT_TRUE(story.monitor.inspecting());
  story.monitor.Follow(0.1 * story.limits.inspection_travel_rad + 1e-9, true);
  EXPECT_FALSE(story.monitor.report().inspecting);
  EXPECT_EQ(story.monitor.speed_share(), 1);
}

TEST(Monitor, AnArmThatLagsBeginsItsInspectionAnew) {
  Story story;
  story.Clear();
  story.monitor.Follow(0.9 * story.limits.inspection_travel_rad, true);
  story.monitor.Follow(0.9 * story.limits.inspection_travel_rad, false);
  story.monitor.Follow(0.9 * story.limits.inspection_travel_rad, true);
  EXPECT_TRUE(story.monitor.inspecting());
}

TEST(Monitor, ASilenceOfTheSupervisorOrAPersonNearNeedsNoInspection) {
  Story story;
  story.Clear();
  story.monitor.Follow(1, true);
  story.monitor.Raise(StopCause::kNoCommand);
  story.Clear();
  EXPECT_FALSE(story.monitor.inspecting());
  story.monitor.Raise(StopCause::kPersonNear);
  story.monitor.Gone(StopCause::kPersonNear);
  EXPECT_FALSE(story.monitor.latched());
  EXPECT_FALSE(story.monitor.inspecting());
}

TEST(Monitor, ASilenceInTheMiddleOfAnInspectionDoesNotEndIt) {
  Story story;
  story.Clear();
  story.monitor.Raise(StopCause::kNoCommand);
  story.Clear();
  EXPECT_TRUE(story.monitor.inspecting());
}

TEST(Monitor, HeatThatHasGoneLeavesAnArmToBeInspected) {
  Story story;
  story.Clear();
  story.monitor.Follow(1, true);
  story.monitor.Raise(StopCause::kHot);
  story.monitor.Gone(StopCause::kHot);
  EXPECT_TRUE(story.monitor.inspecting());
}

TEST(Monitor, AfterTooManyFailedInspectionsInARowAPersonMustLook) {
  for (const StopCause cause : kOfTheArmsOwnDoing) {
    Story story;
    story.limits.inspections_failed_max = 3;
    story.monitor = Monitor(story.limits, {});
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(story.Clear(), Clearance::kCleared) << Name(cause) << i;
      story.monitor.Raise(cause);
    }
    EXPECT_TRUE(story.monitor.report().needs_person);
    EXPECT_EQ(story.Clear(), Clearance::kComesBack) << Name(cause);
    EXPECT_EQ(story.Clear(ClearedBy::kPerson), Clearance::kCleared);
    story.monitor.Raise(cause);
    EXPECT_FALSE(story.monitor.report().needs_person) << "a person's clear begins the count anew";
    EXPECT_EQ(story.Clear(), Clearance::kCleared);
  }
}

TEST(Monitor, AnInspectionThatEndsWellBeginsTheCountAnew) {
  Story story;
  story.limits.inspections_failed_max = 2;
  story.monitor = Monitor(story.limits, {});
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(story.Clear(), Clearance::kCleared) << i;
    if (i % 2 == 1) story.monitor.Follow(1, true);
    story.monitor.Raise(StopCause::kStall);
  }
}

TEST(Monitor, StopsOfOthersDoingAreNoFailedInspections) {
  for (const StopCause cause : {StopCause::kNoCommand, StopCause::kOverrun, StopCause::kOperator}) {
    Story story;
    story.limits.inspections_failed_max = 1;
    story.monitor = Monitor(story.limits, {});
    for (int i = 0; i < 5; ++i) {
      ASSERT_EQ(story.Clear(ClearedBy::kSupervisor),
                cause == StopCause::kOperator && i > 0 ? Clearance::kNeedsPerson : Clearance::kCleared);
      if (story.monitor.latched()) story.Clear(ClearedBy::kPerson);
      story.monitor.Raise(cause);
    }
  }
}

TEST(Monitor, AFailureThatJoinsASilenceCountsAsMuchAsOneAlone) {
  Story story;
  story.limits.inspections_failed_max = 1;
  story.monitor = Monitor(story.limits, {});
  story.Clear();
  story.monitor.Raise(StopCause::kNoCommand);
  EXPECT_FALSE(story.monitor.report().needs_person);
  story.monitor.Raise(StopCause::kStall);
  EXPECT_EQ(story.Clear(), Clearance::kComesBack);
}

TEST(Monitor, SaysWhetherOnlyAPersonMayClear) {
  Story story;
  EXPECT_FALSE(story.monitor.report().needs_person);
  story.Clear();
  for (const StopCause cause : core::kStopCauses) {
    Story other;
    other.Clear();
    other.monitor.Raise(cause);
    EXPECT_EQ(other.monitor.report().needs_person, ClearedByOf(cause) == ClearedBy::kPerson) << Name(cause);
  }
}

// ---- Arming ----

TEST(Monitor, ToArmClearsARestartAndNothingElse) {
  const auto armed = [](Story& story) {
    Acknowledgement ack = story.Ack(ClearedBy::kPerson);
    ack.arms_only = true;
    return story.monitor.Acknowledge(ack, Readiness::kReady, story.now);
  };
  Story story;
  story.monitor.Raise(StopCause::kStall);
  EXPECT_EQ(armed(story), Clearance::kOtherCause);
  EXPECT_EQ(story.Clear(ClearedBy::kPerson), Clearance::kCleared);
  EXPECT_EQ(armed(story), Clearance::kNotLatched);
  Story fresh;
  EXPECT_EQ(armed(fresh), Clearance::kCleared);
  EXPECT_TRUE(fresh.monitor.inspecting());
}

TEST(Monitor, DoesNotClearWhileReadingsHaveJumped) {
  Story story;
  EXPECT_EQ(story.Clear(ClearedBy::kPerson, Readiness::kJumped), Clearance::kJumped);
}

}  // namespace
}  // namespace nightshift::safety
