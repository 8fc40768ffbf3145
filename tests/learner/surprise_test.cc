// SPDX-License-Identifier: Apache-2.0
#include "learner/surprise.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "learner/trainer.h"
#include "tests/learner/point_world.h"

namespace nightshift::learner {
namespace {

using State = std::array<float, 2>;

Familiarity Around(float centre, float spread) {
  Familiarity familiar(2);
  Dice dice(1);
  for (int i = 0; i < 1000; ++i)
    familiar.See(State{centre + spread * (2 * dice.Unit() - 1), centre + spread * (2 * dice.Unit() - 1)});
  return familiar;
}

TEST(Familiarity, PrefersStatesItHasSeenOften) {
  const Familiarity familiar = Around(0.5f, 0.2f);
  EXPECT_LT(familiar.Surprise(State{0.5f, 0.5f}), familiar.Surprise(State{0.8f, 0.5f}));
  EXPECT_LT(familiar.Surprise(State{0.8f, 0.5f}), familiar.Surprise(State{0.8f, 0.8f}));
}

TEST(Familiarity, FindsAWorldThatVariesMoreSurprisingEvenAtItsCentre) {
  EXPECT_LT(Around(0, 0.1f).Surprise(State{0, 0}), Around(0, 1).Surprise(State{0, 0}));
}

TEST(Familiarity, OrdersStatesAsTheirLogLikelihoodDoes) {
  const Familiarity familiar = Around(0, 0.5f);  // Uniform: its variance is 0.5^2 / 3.
  const auto log_likelihood = [](const State& s) {
    const double variance = 0.25 / 3;
    return -std::log(2 * M_PI * variance) - (s[0] * s[0] + s[1] * s[1]) / (2 * variance);
  };
  const State here{0.1f, -0.2f}, there{-0.4f, 0.3f};
  // Two numbers, 6 nats for each.
  EXPECT_NEAR(familiar.Surprise(there) - familiar.Surprise(here), (log_likelihood(here) - log_likelihood(there)) / 12,
              0.01);
}

TEST(Familiarity, IsUtterlySurprisedByTheFirstStateAndByWhatIsNoNumber) {
  Familiarity familiar(2);
  EXPECT_EQ(familiar.Surprise(State{0, 0}), 1);
  familiar.See(State{std::numeric_limits<float>::quiet_NaN(), 0});
  EXPECT_EQ(familiar.seen(), 0);
  familiar.See(State{0, 0});
  EXPECT_LT(familiar.Surprise(State{0, 0}), 0.01);
  EXPECT_EQ(familiar.Surprise(State{std::numeric_limits<float>::infinity(), 0}), 1);
  EXPECT_EQ(familiar.Surprise(State{1e20f, 0}), 1);
}

Segment Wandering(float far) {
  Segment segment;
  for (int i = 0; i < 6; ++i) {
    Step step;
    step.reward = 0.5f;
    if (i == 5) step.after.fill(far);
    segment.steps.push_back(step);
  }
  return segment;
}

AgentConfig Weighing(double weight, SurpriseMemory memory = SurpriseMemory::kLife) {
  AgentConfig config;
  config.surprise_weight = weight;
  config.surprise_memory = memory;
  return config;
}

TEST(ChargeSurprise, ChargesTheStepIntoAStrangeStateAndHardlyTheFamiliarOnes) {
  Segment segment = Wandering(3);
  Familiarity life(skills::kFeatureSize);
  ChargeSurprise(Weighing(0.2), life, segment);
  for (int i = 0; i < 5; ++i) EXPECT_NEAR(segment.steps[static_cast<std::size_t>(i)].reward, 0.5f, 0.01) << i;
  EXPECT_FLOAT_EQ(segment.steps[5].reward, 0.3f);
}

TEST(ChargeSurprise, RemembersItsLifeOrTheAttemptAsToldTo) {
  for (const auto memory : {SurpriseMemory::kLife, SurpriseMemory::kEpisode}) {
    Familiarity life(skills::kFeatureSize);
    float first = 0, last = 0;
    for (int attempt = 0; attempt < 20; ++attempt) {
      Segment segment = Wandering(0.5f);
      ChargeSurprise(Weighing(0.2, memory), life, segment);
      last = segment.steps[5].reward;
      if (attempt == 0) first = last;
    }
    if (memory == SurpriseMemory::kLife)
      EXPECT_GT(last, first + 0.05) << "what comes in every attempt is no surprise";
    else
      EXPECT_EQ(last, first);
  }
}

TEST(ChargeSurprise, MakesAFailureAtLeastAsDearAsGoingOnInSurprise) {
  AgentConfig config = Weighing(0.1);
  config.discount = 0.5;
  Segment failed = Wandering(3), goes_on = Wandering(3);
  failed.ending = Ending::kTerminal;
  Familiarity one(skills::kFeatureSize), other(skills::kFeatureSize);
  ChargeSurprise(config, one, failed);
  ChargeSurprise(config, other, goes_on);
  EXPECT_FLOAT_EQ(failed.steps[5].reward, goes_on.steps[5].reward - 0.1f);
}

/// An agent's weights after some practice.
std::vector<float> ActorAfter(double weight, SurpriseMemory memory) {
  Config config = tests::SmallConfig();
  config.agent.surprise_weight = weight;
  config.agent.surprise_memory = memory;
  config.agent.value_min = -10;
  tests::PointWorld world(1);
  Trainer trainer(config, world.scene());
  EXPECT_TRUE(trainer.Know({tests::PointWorld::Reach()}));
  for (int i = 0; i < 10; ++i) trainer.Ingest(world.Script());
  for (int i = 0; i < 800; ++i) trainer.UpdateOnce();
  return trainer.Weights("reach", Actor::kRaw)->layers[0].weights;
}

TEST(ChargeSurprise, WithWeightZeroChangesNoBitOfAnythingLearned) {
  Segment segment = Wandering(3);
  segment.ending = Ending::kTerminal;
  Familiarity life(skills::kFeatureSize);
  ChargeSurprise(Weighing(0), life, segment);
  for (const Step& step : segment.steps) EXPECT_EQ(step.reward, 0.5f);
  EXPECT_EQ(life.seen(), 0);
  const auto without = ActorAfter(0, SurpriseMemory::kLife);
  EXPECT_EQ(without, ActorAfter(0, SurpriseMemory::kEpisode));
  EXPECT_NE(without, ActorAfter(0.1, SurpriseMemory::kLife)) << "or this test would prove nothing";
}

}  // namespace
}  // namespace nightshift::learner
