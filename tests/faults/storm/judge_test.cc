// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/storm/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nightshift::storm {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// What a cell might have recorded, told tick by tick.
struct Story {
  Judge judge{{.speed_rad_s_max = {4, 4, 4, 4, 4, 6}}};
  Moment moment;

  core::Instant Tick() {
    ++moment.tick;
    moment.time = core::FromNanoseconds(static_cast<std::int64_t>(moment.tick) * 4'000'000);
    judge.See(moment);
    return moment.time;
  }
  core::Instant Told(double pan_rad, double at_rad, double speed_rad_s = 0) {
    if (!moment.told_q_rad) moment.told_q_rad.emplace();
    (*moment.told_q_rad)[core::kPan] = pan_rad;
    moment.q_rad[core::kPan] = at_rad;
    moment.dq_rad_s[core::kPan] = speed_rad_s;
    return Tick();
  }
  core::Instant Silent(double at_rad, double speed_rad_s = 0) {
    moment.told_q_rad.reset();
    moment.q_rad[core::kPan] = at_rad;
    moment.dq_rad_s[core::kPan] = speed_rad_s;
    return Tick();
  }
};

TEST(StormJudge, LetsACommandGoAsFastAsTheLimitsAllowHoweverFarTheArmLags) {
  Story story;
  for (int i = 0; i < 50; ++i) story.Told(i * 0.016, 0);
  EXPECT_THAT(story.judge.complaints(), IsEmpty());
}

TEST(StormJudge, ComplainsOfACommandThatJumpsAwayFromTheArm) {
  Story story;
  story.Told(0, 0);
  story.Told(0.06, 0);
  ASSERT_EQ(story.judge.complaints().size(), 1u);
  EXPECT_THAT(story.judge.complaints().front(), HasSubstr("tick 2: axis 0 was told 0.0600 rad after 0.0000"));
}

TEST(StormJudge, LetsACommandJumpToWhereTheArmIs) {
  Story story;
  story.Told(0.3, 0);
  story.Told(0.01, 0);
  EXPECT_THAT(story.judge.complaints(), IsEmpty());
}

TEST(StormJudge, ComplainsOfACommandThatGoesOnAfterASilenceAsIfTheArmHadFollowed) {
  Story story;
  story.Told(0.3, 0);
  for (int i = 0; i < 60; ++i) story.Silent(0.1);
  story.Told(0.3 + 11 * 0.016, 0.1);
  EXPECT_THAT(story.judge.complaints(), IsEmpty()) << "ten commands were lost";
  for (int i = 0; i < 60; ++i) story.Silent(0.1);
  story.Told(0.3 + 22 * 0.016 + 0.001, 0.1);
  ASSERT_EQ(story.judge.complaints().size(), 1u);
  EXPECT_THAT(story.judge.complaints().front(), HasSubstr("60 silent ticks between"));
}

TEST(StormJudge, LetsACommandLiveThroughTheTicksOfAShortSilence) {
  Story story;
  story.Told(0, 0);
  for (int i = 0; i < 2; ++i) story.Silent(0);
  story.Told(3 * 0.016, 0);
  EXPECT_THAT(story.judge.complaints(), IsEmpty());
  for (int i = 0; i < 2; ++i) story.Silent(0);
  story.Told(6 * 0.016 + 0.001, 0);
  EXPECT_EQ(story.judge.complaints().size(), 1u);
}

TEST(StormJudge, ComplainsOfARollThatOnlyDeadCommandsWant) {
  Story story;
  story.moment.told_q_rad.emplace();
  (*story.moment.told_q_rad)[core::kRoll] = 0.09;
  story.Tick();
  EXPECT_THAT(story.judge.complaints(), IsEmpty());
  (*story.moment.told_q_rad)[core::kRoll] = 0.101;
  story.Tick();
  ASSERT_EQ(story.judge.complaints().size(), 1u);
  EXPECT_THAT(story.judge.complaints().front(), HasSubstr("a command that is dead was carried out"));
}

TEST(StormJudge, SaysWhenTheArmCameToRestAndHowFarItWentThen) {
  Story story;
  const auto begin = story.Told(0, 0, 1);
  const auto moving = story.Told(0, 0.1, 0.2);
  story.Told(0, 0.12, 0.1);
  const auto end = story.Told(0, 0.15, 0.1);
  EXPECT_EQ(story.judge.LastMoving(begin, end), moving);
  EXPECT_EQ(story.judge.LastMoving(moving, end), moving) << "at rest at once";
  EXPECT_NEAR(story.judge.TravelRad(moving, end), 0.03, 1e-9);
  EXPECT_EQ(story.judge.FastestRadS(begin, end), 0.2);
}

TEST(StormJudge, KnowsWhenTheArmMaySink) {
  Story story;
  const auto held = story.Told(0, 0);
  story.moment.told_power = core::PowerMode::kOff;
  const auto let_go = story.Told(0, 0);
  const auto silent = story.Silent(0.1), sinking = story.Silent(0.2);
  story.moment.told_power = core::PowerMode::kHold;
  const auto again = story.Told(0.2, 0.2), end = story.Silent(0.2);
  EXPECT_TRUE(story.judge.LetGo(held, let_go));
  EXPECT_TRUE(story.judge.LetGo(silent, sinking)) << "told before, and nothing since";
  EXPECT_TRUE(story.judge.LetGo(silent, again));
  EXPECT_FALSE(story.judge.LetGo(again, end));
}

TEST(StormJudge, KnowsWhenTheDrivesHeardNothing) {
  Story story;
  const auto last = story.Told(0, 0);
  story.moment.following = true;
  const auto following = story.Silent(0);
  story.moment.following = false;
  for (int i = 0; i < 5; ++i) story.Silent(0);
  EXPECT_EQ(story.judge.LastFollowing(last, story.Silent(0)), following);
  EXPECT_EQ(story.judge.LastHeard(), last);
  EXPECT_EQ(story.judge.HeardAfter(last), std::nullopt);
  const auto back = story.Told(0, 0);
  EXPECT_EQ(story.judge.HeardAfter(last), back);
  EXPECT_EQ(story.judge.LastHeard(), back);
}

}  // namespace
}  // namespace nightshift::storm
