// SPDX-License-Identifier: Apache-2.0
#include "learner/hindsight.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace nightshift::learner {
namespace {

/// A line: state and goal are one number each, reached within 0.5. The action is the step.
class Line : public testing::Test {
 protected:
  GoalSpace space{
      .state = 1, .action = 1, .achieved_by = {0}, .reached = [](std::span<const float> s, std::span<const float> g) {
        return std::fabs(s[0] - g[0]) < 0.5f;
      }};
  HindsightConfig config{.future_share = 0, .other_share = 0, .n_step = 3, .discount = 0.5};
  Dice dice{1};
  Batch batch{{.state = 2, .action = 1}, 1};

  /// From 0 to `length` in steps of 1.
  GoalEpisode Walk(int length, float goal, int kind = 0) {
    GoalEpisode walk{.states = {0}, .actions = {}, .goal = {goal}, .kind = kind};
    for (int i = 0; i < length; ++i) walk.actions.push_back(1), walk.states.push_back(static_cast<float>(i + 1));
    return walk;
  }
  void DrawFrom(const Hindsight& memory) { memory.Draw(dice, batch, 0); }
};

TEST_F(Line, SumsTheRewardsOfNStepsAndAsksForTheValueAfterThem) {
  Hindsight memory(space, config);
  ASSERT_TRUE(memory.Add(Walk(3, 100)));
  while (DrawFrom(memory), batch.before[0] != 0) {}
  EXPECT_FLOAT_EQ(batch.reward[0], -1 - 0.5f - 0.25f);
  EXPECT_FLOAT_EQ(batch.discount[0], 0.125f);
  EXPECT_FLOAT_EQ(batch.after[0], 3);
  EXPECT_FLOAT_EQ(batch.before[1], 100);
}
TEST_F(Line, NothingFollowsASuccess) {
  Hindsight memory(space, config);
  ASSERT_TRUE(memory.Add(Walk(4, 2)));
  while (DrawFrom(memory), batch.before[0] != 0) {}
  EXPECT_FLOAT_EQ(batch.reward[0], -1);
  EXPECT_FLOAT_EQ(batch.discount[0], 0);
  EXPECT_FLOAT_EQ(batch.after[0], 2);
}
TEST_F(Line, TheEndOfAnEpisodeIsNoSuccess) {
  Hindsight memory(space, config);
  ASSERT_TRUE(memory.Add(Walk(4, 100)));
  while (DrawFrom(memory), batch.before[0] != 3) {}
  EXPECT_FLOAT_EQ(batch.reward[0], -1);
  EXPECT_FLOAT_EQ(batch.discount[0], 0.5f);
}
TEST_F(Line, FutureGoalsWereAchievedLaterInTheSameEpisode) {
  config.future_share = 1;
  Hindsight memory(space, config);
  ASSERT_TRUE(memory.Add(Walk(5, 100)));
  for (int i = 0; i < 200; ++i) {
    DrawFrom(memory);
    EXPECT_GT(batch.before[1], batch.before[0]);
    EXPECT_LE(batch.before[1], 5);
  }
}
TEST_F(Line, AGoalThatHoldsAlreadyIsNotSubstituted) {
  config.future_share = 1;
  Hindsight memory(space, config);
  ASSERT_TRUE(memory.Add({.states = {0, 0, 0, 0}, .actions = {0, 0, 0}, .goal = {7}}));
  for (int i = 0; i < 50; ++i) {
    DrawFrom(memory);
    EXPECT_FLOAT_EQ(batch.before[1], 7);
  }
}
TEST_F(Line, OtherGoalsAreThoseOfAnotherKind) {
  config.other_share = 1;
  Hindsight memory(space, config);
  ASSERT_TRUE(memory.Add(Walk(3, 100, 0)));
  ASSERT_TRUE(memory.Add(Walk(3, 200, 1)));
  int swapped = 0;
  for (int i = 0; i < 400; ++i) {
    DrawFrom(memory);
    swapped += batch.before[1] == 100 || batch.before[1] == 200;
  }
  EXPECT_EQ(swapped, 400);
}
TEST_F(Line, WhenFullTheOldestEpisodesGoAndAreCounted) {
  config.steps_max = 10;
  Hindsight memory(space, config);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(memory.Add(Walk(4, static_cast<float>(i) + 100)));
  EXPECT_EQ(memory.size(), 8u);
  EXPECT_EQ(memory.overflowed(), 8u);
  for (int i = 0; i < 50; ++i) {
    DrawFrom(memory);
    EXPECT_GE(batch.before[1], 102);
  }
}
TEST_F(Line, RefusesAndCountsWhatIsNotFiniteEmptyOrLongerThanItAll) {
  config.steps_max = 10;
  Hindsight memory(space, config);
  GoalEpisode broken = Walk(3, 1);
  broken.states[2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(memory.Add(broken));
  EXPECT_FALSE(memory.Add(Walk(0, 1)));
  EXPECT_FALSE(memory.Add(Walk(11, 1)));
  EXPECT_EQ(memory.refused(), 3u);
  EXPECT_EQ(memory.size(), 0u);
}
TEST_F(Line, OneThatHoldsTheSameEpisodesDrawsTheSame) {
  config = {.steps_max = 12};
  Hindsight memory(space, config), copy(space, config);
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(memory.Add(Walk(4, static_cast<float>(i), i % 2)));
  for (const auto& episode : memory.episodes()) ASSERT_TRUE(copy.Add(episode));
  Dice mine(5), yours(5);
  Batch other = batch;
  for (int i = 0; i < 100; ++i) {
    memory.Draw(mine, batch, 0);
    copy.Draw(yours, other, 0);
    ASSERT_EQ(batch.before, other.before);
    ASSERT_EQ(batch.reward, other.reward);
    ASSERT_EQ(batch.after, other.after);
  }
}

}  // namespace
}  // namespace nightshift::learner
