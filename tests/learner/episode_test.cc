// SPDX-License-Identifier: Apache-2.0
#include "learner/episode.h"

#include <gtest/gtest.h>

#include "tests/learner/point_world.h"

namespace nightshift::learner {
namespace {

/// `count` steps along which the tip moves by 1 cm in x.
core::Episode Walk(int count, core::Outcome outcome) {
  core::Episode episode;
  episode.id = 1;
  episode.task = "reach";
  episode.outcome = outcome;
  for (int i = 0; i < count; ++i) {
    core::Transition t;
    t.before.object_count = 1;
    t.before.objects[0].position_m = {0.2, 0, 0.013};
    t.before.objects[0].confidence = 1;
    t.before.tip_m = {0.1 + 0.01 * i, 0, 0.1};
    t.before.jaw_command_rad = 0.8;
    t.after = t.before;
    t.after.tip_m.x += 0.01;
    t.proposed = {0.9f, 0.1f, 0.2f, 0.7f};
    t.applied = {0.4f, 0.1f, 0.2f, -0.3f};
    episode.steps.push_back(t);
  }
  return episode;
}

Segment Rewards(std::vector<float> rewards, Ending ending) {
  Segment segment;
  segment.ending = ending;
  for (std::size_t i = 0; i < rewards.size(); ++i) {
    Step step;
    step.reward = rewards[i];
    step.before[0] = static_cast<float>(i);
    step.after[0] = static_cast<float>(i + 1);
    segment.steps.push_back(step);
  }
  return segment;
}

TEST(Fold, SumsDiscountedRewardsOverNStepsAndBootstrapsFromWhereTheyLead) {
  const auto samples = Fold(Rewards({1, 2, 4, 8, 16}, Ending::kCut), 3, 0.5);
  ASSERT_EQ(samples.size(), 5u);
  EXPECT_FLOAT_EQ(samples[0].reward, 1 + 0.5f * 2 + 0.25f * 4);
  EXPECT_FLOAT_EQ(samples[0].discount, 0.125f);
  EXPECT_FLOAT_EQ(samples[0].before[0], 0);
  EXPECT_FLOAT_EQ(samples[0].after[0], 3);
  EXPECT_FLOAT_EQ(samples[2].reward, 4 + 0.5f * 8 + 0.25f * 16);
}

TEST(Fold, UsesFewerStepsNearACutAndStillBootstraps) {
  const auto samples = Fold(Rewards({1, 2, 4}, Ending::kCut), 3, 0.5);
  EXPECT_FLOAT_EQ(samples[1].reward, 2 + 0.5f * 4);
  EXPECT_FLOAT_EQ(samples[1].discount, 0.25f);
  EXPECT_FLOAT_EQ(samples[2].reward, 4);
  EXPECT_FLOAT_EQ(samples[2].discount, 0.5f);
  EXPECT_FLOAT_EQ(samples[2].after[0], 3);
}

TEST(Fold, FollowsNothingAfterATrueEnd) {
  const auto samples = Fold(Rewards({0, 0, 0, 1}, Ending::kTerminal), 3, 0.5);
  EXPECT_GT(samples[0].discount, 0) << "its third step is not the end";
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(samples[i].discount, 0) << i;
  EXPECT_FLOAT_EQ(samples[1].reward, 0.25f);
}

TEST(SegmentOf, TakesWhatWasProposedSinceThatIsWhatAnActorChooses) {
  core::Episode episode = Walk(2, core::Outcome::kTimeout);
  episode.steps[1].proposed[0] = 7;
  const auto segment = SegmentOf(episode, {}, {});
  EXPECT_EQ(segment.steps[0].action, (core::PolicyAction{0.9f, 0.1f, 0.2f, 0.7f}));
  EXPECT_EQ(segment.steps[1].action[0], 1);
}

AgentConfig WithoutStepCost() {
  AgentConfig config;
  config.step_cost = 0;
  return config;
}

TEST(SegmentOf, PaysForSuccessAtTheEndOnly) {
  const auto segment = SegmentOf(Walk(3, core::Outcome::kSuccess), WithoutStepCost(), {});
  EXPECT_FLOAT_EQ(segment.steps[0].reward, 0);
  EXPECT_FLOAT_EQ(segment.steps[2].reward, 1);
  EXPECT_EQ(segment.ending, Ending::kTerminal);
}

TEST(SegmentOf, EndsTrulyOnFailureAndGoesOnAfterATimeOutOrAnInterruption) {
  EXPECT_EQ(SegmentOf(Walk(2, core::Outcome::kFailure), {}, {}).ending, Ending::kTerminal);
  EXPECT_EQ(SegmentOf(Walk(2, core::Outcome::kTimeout), {}, {}).ending, Ending::kCut);
  EXPECT_EQ(SegmentOf(Walk(2, core::Outcome::kInterrupted), {}, {}).ending, Ending::kCut);
}

TEST(SegmentOf, ChargesForEachStep) {
  AgentConfig config;
  config.step_cost = 0.125;
  const auto segment = SegmentOf(Walk(2, core::Outcome::kSuccess), config, {});
  EXPECT_FLOAT_EQ(segment.steps[0].reward, -0.125f);
  EXPECT_FLOAT_EQ(segment.steps[1].reward, 0.875f);
}

TEST(SegmentOf, ChargesAFailureWhatGoingOnForEverWouldCost) {
  AgentConfig config;
  config.step_cost = 0.125;
  config.discount = 0.5;
  const auto failed = SegmentOf(Walk(2, core::Outcome::kFailure), config, {});
  EXPECT_FLOAT_EQ(failed.steps[0].reward, -0.125f);
  EXPECT_FLOAT_EQ(failed.steps[1].reward, -0.125f / (1 - 0.5f)) << "or giving up would pay while success is unlikely";
  const auto cut = SegmentOf(Walk(2, core::Outcome::kTimeout), config, {});
  EXPECT_FLOAT_EQ(cut.steps[1].reward, -0.125f);
}

TEST(SegmentOf, ChargesForEachChangeOfTheGrippersCommand) {
  core::Episode episode = Walk(3, core::Outcome::kTimeout);
  episode.steps[1].after.jaw_command_rad = 0;   // Closes in the second step,
  episode.steps[2].before.jaw_command_rad = 0;  // opens in the third.
  AgentConfig config = WithoutStepCost();
  config.toggle_cost = 0.25;
  const auto segment = SegmentOf(episode, config, {});
  EXPECT_FLOAT_EQ(segment.steps[0].reward, 0);
  EXPECT_FLOAT_EQ(segment.steps[1].reward, -0.25f);
  EXPECT_FLOAT_EQ(segment.steps[2].reward, -0.25f);
}

TEST(SegmentOf, SeesVelocityFromTheStepBefore) {
  const auto segment = SegmentOf(Walk(2, core::Outcome::kTimeout), {}, {});
  EXPECT_FLOAT_EQ(segment.steps[0].before[8], 0) << "at the start it stands still";
  EXPECT_GT(segment.steps[1].before[8], 0);
  EXPECT_EQ(segment.steps[0].after, segment.steps[1].before);
}

TEST(SegmentOf, IsEmptyForAnObjectThatNobodyKnows) {
  core::Episode episode = Walk(2, core::Outcome::kSuccess);
  episode.target.object = 3;
  EXPECT_TRUE(SegmentOf(episode, {}, {}).steps.empty());
}

/// The tip of Walk passes 0.13 at its third step and 0.15 at its fifth.
core::TaskSpec Passing() {
  core::TaskSpec spec;
  spec.name = "passing";
  spec.start = "tip_x > 0.115";
  spec.success = "tip_x > 0.145";
  return spec;
}

TEST(SegmentsFor, BeginsWhereTheOtherTaskMayStartAndEndsWhereItIsDecided) {
  const auto task = skills::Task::Make(Passing());
  ASSERT_TRUE(task);
  const auto segments = SegmentsFor(*task, Walk(8, core::Outcome::kTimeout), WithoutStepCost(), {});
  ASSERT_EQ(segments.size(), 1u);
  EXPECT_EQ(segments[0].steps.size(), 3u);  // From 0.12 to 0.15.
  EXPECT_TRUE(segments[0].solved);
  EXPECT_EQ(segments[0].ending, Ending::kTerminal);
  EXPECT_FLOAT_EQ(segments[0].steps.back().reward, 1);
}

TEST(SegmentsFor, ChargesAFailureLikeTheTasksOwn) {
  core::TaskSpec spec = Passing();
  spec.success = "tip_x > 0.5";
  spec.failure = "tip_x > 0.145";
  const auto task = skills::Task::Make(spec);
  ASSERT_TRUE(task);
  AgentConfig config;
  config.step_cost = 0.125;
  config.discount = 0.5;
  const auto segments = SegmentsFor(*task, Walk(8, core::Outcome::kTimeout), config, {});
  ASSERT_GE(segments.size(), 1u);
  EXPECT_EQ(segments[0].ending, Ending::kTerminal);
  EXPECT_FLOAT_EQ(segments[0].steps.back().reward, -0.25f);
}

TEST(SegmentsFor, IsCutWhereTheEpisodeEndsUndecided) {
  const auto task = skills::Task::Make(Passing());
  const auto segments = SegmentsFor(*task, Walk(4, core::Outcome::kTimeout), {}, {});
  ASSERT_EQ(segments.size(), 1u);
  EXPECT_FALSE(segments[0].solved);
  EXPECT_EQ(segments[0].ending, Ending::kCut);
}

TEST(SegmentsFor, WhatIsAFailureWhenTheEpisodeEndsIsOneThoughItHadNoTimeToHold) {
  core::TaskSpec spec = Passing();
  spec.success = "tip_x > 0.5";
  spec.failure = "tip_x > 0.145";
  spec.failure_hold = core::Seconds(1);
  const auto task = skills::Task::Make(spec);
  const auto segments = SegmentsFor(*task, Walk(8, core::Outcome::kSuccess), {}, {});
  ASSERT_EQ(segments.size(), 1u);
  EXPECT_EQ(segments[0].ending, Ending::kTerminal);
  EXPECT_LT(segments[0].steps.back().reward, segments[0].steps.front().reward);
}

TEST(SegmentsFor, FindsNothingWhereTheOtherTaskMayNotStart) {
  core::TaskSpec spec = Passing();
  spec.start = "tip_x > 0.5";
  const auto task = skills::Task::Make(spec);
  EXPECT_TRUE(SegmentsFor(*task, Walk(8, core::Outcome::kTimeout), {}, {}).empty());
}

}  // namespace
}  // namespace nightshift::learner
