// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/presence.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/safety/person.h"

namespace nightshift::safety {
namespace {

using core::Presence;
using std::chrono::milliseconds;

constexpr double kFarM = 10, kNearM = 0.3;

/// So that how near a person can be now is all that counts: reports as fast as ticks, an arm that may crawl.
Limits PromptLimits() {
  Limits limits = WatchedLimits();
  limits.presence.report_every_s = limits.presence.speed_scale_min = 1e-12;
  return limits;
}

/// A watch on a hand-driven clock. The arm rests unless it is said to move.
class Story {
 public:
  explicit Story(const Limits& given = WatchedLimits()) : limits(given), watch(given) {}

  /// The sensor says so in each tick for a while.
  Story& Hears(double distance_m, milliseconds lasts) {
    for (const auto end = now + lasts; now < end;) {
      watch.Hear({distance_m, ++sequence});
      Tick();
    }
    return *this;
  }
  Story& HearsNothing(milliseconds lasts) {
    for (const auto end = now + lasts; now < end;) Tick();
    return *this;
  }
  /// Past the time for which a person must be away.
  Story& IsFree() { return Hears(kFarM, milliseconds(2500)); }
  void Tick() {
    watch.Look(arm, now);
    now += limits.control_period;
  }

  Limits limits;
  PersonWatch watch;
  ArmMotion arm;
  core::Instant now{};
  std::uint64_t sequence = 100;
};

TEST(PersonWatch, WithoutASensorNobodyIsEverNear) {
  Story story{Limits{}};
  story.Hears(0, milliseconds(100)).HearsNothing(milliseconds(5000));
  EXPECT_FALSE(story.watch.too_near());
  EXPECT_EQ(story.watch.speed_scale(), 1);
  EXPECT_EQ(story.watch.report().presence, Presence::kUnwatched);
}

TEST(PersonWatch, BeforeAnythingIsHeardAPersonIsAtTheArm) {
  Story story;
  EXPECT_TRUE(story.watch.too_near());
  EXPECT_EQ(story.watch.speed_scale(), 0);
  story.HearsNothing(milliseconds(5000));
  EXPECT_TRUE(story.watch.too_near());
  EXPECT_EQ(story.watch.speed_scale(), 0);
  EXPECT_EQ(story.watch.report().presence, Presence::kSilent);
  EXPECT_EQ(story.watch.report().distance_m, 0);
}

TEST(PersonWatch, APersonFarAwayLeavesTheArmItsWholeSpeed) {
  Story story;
  story.IsFree();
  EXPECT_FALSE(story.watch.too_near());
  EXPECT_EQ(story.watch.speed_scale(), 1);
  EXPECT_EQ(story.watch.report().presence, Presence::kSeen);
  EXPECT_EQ(story.watch.report().distance_m, kFarM);
}

TEST(PersonWatch, TheNearerTheSlowerAndTooNearIsAStop) {
  double before = 1;
  for (double distance_m = 3; distance_m > 0.5; distance_m -= 0.05) {
    Story story;
    story.IsFree().Hears(distance_m, milliseconds(2000));
    EXPECT_LE(story.watch.speed_scale(), before) << distance_m;
    EXPECT_EQ(story.watch.too_near(), story.watch.room_m() < story.watch.needed_m()) << distance_m;
    EXPECT_EQ(story.watch.speed_scale() == 0, story.watch.too_near()) << distance_m;
    before = story.watch.speed_scale();
  }
  EXPECT_EQ(before, 0);
}

TEST(PersonWatch, TheShareIsNeverBelowTheLeastUnlessItStops) {
  for (double distance_m = 2; distance_m > 1; distance_m -= 0.01) {
    Story story;
    story.IsFree().Hears(distance_m, milliseconds(500));
    if (!story.watch.too_near()) {
      EXPECT_GE(story.watch.speed_scale(), story.limits.presence.speed_scale_min - 1e-12) << distance_m;
    }
  }
}

TEST(PersonWatch, SilenceIsAPersonAtTheArm) {
  Story story;
  story.IsFree().HearsNothing(milliseconds(300));
  EXPECT_FALSE(story.watch.too_near()) << "within the age that is allowed";
  story.HearsNothing(milliseconds(8));
  EXPECT_TRUE(story.watch.too_near());
  EXPECT_EQ(story.watch.report().presence, Presence::kSilent);
}

TEST(PersonWatch, AReportThatRepeatsItselfIsSilenceHoweverLong) {
  Story story;
  story.IsFree();
  for (int tick = 0; tick < 2000; ++tick) {
    story.watch.Hear({kFarM, story.sequence});
    story.Tick();
    ASSERT_EQ(story.watch.too_near(), tick >= 75) << tick;
  }
  EXPECT_EQ(story.watch.report().presence, Presence::kSilent);
}

TEST(PersonWatch, ASequenceThatGoesBackIsAPersonAtTheArmOnce) {
  Story story;
  story.IsFree();
  story.sequence = 10;
  story.Hears(kFarM, milliseconds(4));
  EXPECT_TRUE(story.watch.too_near()) << "a sensor that began anew, or another one";
  story.IsFree();
  EXPECT_FALSE(story.watch.too_near());
}

TEST(PersonWatch, TwoSensorsWithCountsOfTheirOwnNeverSayThatNobodyIsThere) {
  Story story;
  story.IsFree();
  for (std::uint64_t tick = 1; tick < 2000; ++tick) {
    story.watch.Hear({kNearM, 1000 + tick});
    story.watch.Hear({kFarM, 500'000 + tick});
    story.Tick();
    ASSERT_TRUE(story.watch.too_near()) << tick;
  }
}

TEST(PersonWatch, OfSeveralReportsInOneTickTheNearestCounts) {
  Story story;
  story.IsFree();
  story.watch.Hear({kNearM, ++story.sequence});
  story.watch.Hear({kFarM, ++story.sequence});
  story.Tick();
  EXPECT_EQ(story.watch.report().distance_m, kNearM);
  EXPECT_TRUE(story.watch.too_near());
}

TEST(PersonWatch, ASensorThatBeginsAnewAfterASilenceIsHeard) {
  Story story;
  story.IsFree().HearsNothing(milliseconds(1000));
  story.sequence = 0;
  story.Hears(kFarM, milliseconds(4));
  EXPECT_EQ(story.watch.report().distance_m, kFarM);
  story.Hears(kFarM, milliseconds(1500));
  EXPECT_FALSE(story.watch.too_near());
}

TEST(PersonWatch, WhatIsNoDistanceIsAPersonAtTheArm) {
  for (const double none : {std::nan(""), -0.001, kInfinity, -kInfinity}) {
    Story story;
    story.IsFree().Hears(none, milliseconds(4));
    EXPECT_TRUE(story.watch.too_near()) << none;
    EXPECT_EQ(story.watch.report().distance_m, 0) << none;
  }
}

TEST(PersonWatch, AReportIsTakenAsItWillBeWhenTheNextOneComes) {
  Story story;
  story.IsFree();
  const Separation separation(story.limits);
  const double least_m_s = 0.1 * separation.full_speed_m_s();
  EXPECT_NEAR(story.watch.room_m(), kFarM - separation.UnseenM(least_m_s), 1e-9);
  story.Hears(2.2, milliseconds(2000));
  EXPECT_NEAR(story.watch.speed_scale(), 1, 1e-9) << "it stands";
  story.arm.v_rad_s[core::kPan] = 3;
  story.Hears(2.2, milliseconds(4));
  const double arm_m_s = separation.ArmSpeedMS(story.arm.v_rad_s);
  EXPECT_NEAR(story.watch.speed_scale(), separation.SpeedScaleWithin(2.2 - separation.UnseenM(arm_m_s)), 1e-9);
  EXPECT_LT(story.watch.speed_scale(), 0.9) << "so fast it could not go on being";
}

TEST(PersonWatch, AReportThatIsLateSlowsTheArmMoreAndMore) {
  Story story;
  story.IsFree().Hears(2.0, milliseconds(500));
  story.HearsNothing(milliseconds(100));
  const double on_time = story.watch.speed_scale();
  story.HearsNothing(milliseconds(100));
  const double late = story.watch.speed_scale(), person_m = 2.0 - 1.6 * (0.1 + 0.2);
  EXPECT_LT(late, on_time - 0.1);
  EXPECT_NEAR(late, Separation(story.limits).SpeedScaleWithin(person_m), 1e-9);
}

TEST(PersonWatch, BetweenReportsAPersonWalksUpToTheArm) {
  Story story(PromptLimits());
  story.IsFree();
  const double before_m = story.watch.room_m();
  story.HearsNothing(milliseconds(200));
  EXPECT_NEAR(before_m - story.watch.room_m(), 1.6 * 0.2, 1e-9);
}

TEST(PersonWatch, BetweenReportsTheArmReachesForThePerson) {
  Story story(PromptLimits());
  story.IsFree();
  story.arm.v_rad_s[core::kPan] = -2;
  story.Tick();
  const double before_m = story.watch.room_m(), arm_m_s = Separation(story.limits).ArmSpeedMS(story.arm.v_rad_s);
  ASSERT_GT(arm_m_s, 0.3);
  story.HearsNothing(milliseconds(200));
  EXPECT_NEAR(before_m - story.watch.room_m(), (1.6 + arm_m_s) * 0.2, 1e-9);
}

TEST(PersonWatch, OfAReportIsTakenWhatPersonAndArmDidWhileItWasOnItsWay) {
  Story story(PromptLimits());
  story.IsFree();
  EXPECT_NEAR(story.watch.room_m(), kFarM - 1.6 * 0.1, 1e-9) << "the arm stood";
  story.arm.v_rad_s[core::kLift] = 3;
  story.Tick();
  story.arm.v_rad_s = {};
  const double arm_m = Separation(story.limits).ArmSpeedMS({0, 3}) * 0.008;  // At one of two looks, twice.
  story.Hears(kFarM, milliseconds(160));
  EXPECT_NEAR(story.watch.room_m(), kFarM - 1.6 * 0.1 - arm_m, 1e-9) << "it moved within delay and lag";
  story.Hears(kFarM, milliseconds(32));
  EXPECT_NEAR(story.watch.room_m(), kFarM - 1.6 * 0.1, 1e-9) << "that is long ago";
}

TEST(PersonWatch, AnArmThatSpeedsUpCountsAsFastAsItWillBe) {
  Story story;
  story.IsFree();
  story.arm.v_rad_s[core::kPan] = 1;
  story.arm.a_rad_s2[core::kPan] = 40;  // 0.2 rad/s more, at 4000 rad/s^3.
  story.Hears(2.0, milliseconds(1000));
  const Separation separation(story.limits);
  EXPECT_NEAR(story.watch.speed_scale(),
              separation.SpeedScaleWithin(2.0 - separation.UnseenM(separation.ArmSpeedMS({1.2}))), 1e-9);
  story.arm.a_rad_s2[core::kPan] = -40;
  story.Hears(2.0, milliseconds(1000));
  EXPECT_NEAR(story.watch.speed_scale(),
              separation.SpeedScaleWithin(2.0 - separation.UnseenM(separation.ArmSpeedMS({1}))), 1e-9);
}

TEST(RecentTravel, CountsAllOfTheWindowAndLittleMore) {
  const milliseconds window(150);
  core::Random random(4);
  for (int i = 0; i < 200; ++i) {
    RecentTravel travel(window);
    core::Instant now{milliseconds(random.Index(1000))};
    travel.Add(1, now);
    const auto begin = now;
    while (now - begin <= milliseconds(300)) {
      ASSERT_TRUE(now - begin > window || travel.SumM() == 1) << (now - begin).count();
      ASSERT_TRUE(now - begin < window + milliseconds(20) || travel.SumM() == 0) << (now - begin).count();
      now += milliseconds(1 + random.Index(20));
      travel.Add(0, now);
    }
  }
}

TEST(RecentTravel, AfterALongPauseNothingButTheNewestIsLeft) {
  RecentTravel travel{milliseconds(150)};
  travel.Add(1, core::Instant{milliseconds(10)});
  travel.Add(2, core::Instant{milliseconds(5000)});
  EXPECT_EQ(travel.SumM(), 2);
}

/// A way that ends a pause is as new as any other, however long the pause was: 1 more than 16 parts of 10 ms, too.
TEST(RecentTravel, AfterAPauseOfAnyLengthTheNewestStaysForTheWholeWindow) {
  const milliseconds window(150);
  for (int pause_ms = 0; pause_ms <= 400; ++pause_ms) {
    RecentTravel travel(window);
    travel.Add(1, core::Instant{milliseconds(pause_ms)});
    travel.Add(0, core::Instant{milliseconds(pause_ms) + window});
    ASSERT_EQ(travel.SumM(), 1) << "after " << pause_ms << " ms";
  }
}

TEST(RecentTravel, WithoutAWindowTheNewestCounts) {
  RecentTravel travel{core::Duration(0)};
  travel.Add(1, core::Instant{milliseconds(4)});
  travel.Add(2, core::Instant{milliseconds(8)});
  EXPECT_EQ(travel.SumM(), 2);
  travel.Add(4, core::Instant{milliseconds(8)});
  EXPECT_EQ(travel.SumM(), 6) << "all of one instant";
}

/// How long a person must be at a distance until the stop is over; nothing within five seconds.
std::optional<milliseconds> ClearsAfter(double beyond_stop_m) {
  Story story;
  story.IsFree().Hears(kNearM, milliseconds(100));
  const auto begin = story.now;
  const Separation separation(story.limits);
  const double distance_m =
      story.watch.needed_m() + separation.UnseenM(0.1 * separation.full_speed_m_s()) + beyond_stop_m;
  while (story.watch.too_near() && story.now - begin < milliseconds(5000)) story.Hears(distance_m, milliseconds(4));
  if (story.watch.too_near()) return std::nullopt;
  return std::chrono::duration_cast<milliseconds>(story.now - begin);
}

TEST(PersonWatch, AStopIsOverWhenThePersonIsWellAwayForAWhile) {
  EXPECT_FALSE(ClearsAfter(0.01));
  EXPECT_FALSE(ClearsAfter(0.19));
  ASSERT_TRUE(ClearsAfter(0.21));
  EXPECT_NEAR(static_cast<double>(ClearsAfter(0.21)->count()), 1000, 8);
}

TEST(PersonWatch, WhoComesBackMeanwhileStartsTheWaitAnew) {
  Story story;
  story.IsFree().Hears(kNearM, milliseconds(100)).Hears(kFarM, milliseconds(900)).Hears(1.45, milliseconds(4));
  ASSERT_LT(story.watch.room_m(), story.watch.needed_m() + story.limits.presence.clear_margin_m);
  story.Hears(kFarM, milliseconds(900));
  EXPECT_TRUE(story.watch.too_near());
  story.Hears(kFarM, milliseconds(120));
  EXPECT_FALSE(story.watch.too_near());
}

TEST(PersonWatch, SpeedComesBackGraduallyAndGoesAtOnce) {
  Story story;
  story.IsFree().Hears(kNearM, milliseconds(100));
  while (story.watch.too_near()) story.Hears(kFarM, milliseconds(4));
  EXPECT_NEAR(story.watch.speed_scale(), story.limits.presence.speed_scale_min, 0.005);
  story.Hears(kFarM, milliseconds(400));
  EXPECT_NEAR(story.watch.speed_scale(), story.limits.presence.speed_scale_min + 0.4, 0.005);
  story.IsFree().Hears(1.5, milliseconds(4));
  EXPECT_LT(story.watch.speed_scale(), 0.6);
}

TEST(PersonWatch, ALookAfterALongStallStillCountsTheWholeTime) {
  Story story(PromptLimits());
  story.IsFree();
  story.now += milliseconds(250);
  story.Tick();
  EXPECT_NEAR(story.watch.room_m(), kFarM - 1.6 * (0.1 + 0.254), 1e-9);
  story.now += milliseconds(250);
  story.Tick();
  EXPECT_TRUE(story.watch.too_near());
}

}  // namespace
}  // namespace nightshift::safety
