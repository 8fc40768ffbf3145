// SPDX-License-Identifier: Apache-2.0
#include "learner/agent.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace nightshift::learner {
namespace {

AgentConfig Tiny() {
  AgentConfig config;
  config.width = 16;
  config.batch = 16;
  config.demonstrations_start = 1;
  config.samples_start = 32;
  config.clone_updates = 10;
  config.actor_frozen_updates = 10;
  return config;
}

Sample Drawn(Dice& dice) {
  Sample sample;
  for (float& v : sample.before) v = 2 * dice.Unit() - 1;
  for (float& v : sample.after) v = 2 * dice.Unit() - 1;
  for (float& v : sample.action) v = 2 * dice.Unit() - 1;
  sample.reward = dice.Unit() < 0.1f ? 1.0f : 0.0f;
  sample.discount = 0.9f;
  return sample;
}

Agent WithPractice(const AgentConfig& config, int samples) {
  Agent agent(config, 1);
  Dice dice(2);
  for (int i = 0; i < samples; ++i) agent.AddPractice(Drawn(dice));
  return agent;
}

Agent WithDemonstration(const AgentConfig& config) {
  Agent agent = WithPractice(config, 64);
  Dice dice(3);
  for (int i = 0; i < 32; ++i) agent.AddDemonstration(Drawn(dice));
  agent.EndDemonstration();
  return agent;
}

bool AllFinite(const skills::PolicyWeights& weights) { return static_cast<bool>(skills::LearnedPolicy::Make(weights)); }

TEST(Agent, WaitsForDemonstrationsOrEnoughPractice) {
  EXPECT_EQ(WithPractice(Tiny(), 31).phase(), Phase::kWaiting);
  EXPECT_EQ(WithPractice(Tiny(), 32).phase(), Phase::kLearning) << "there is no clone to protect";
}

TEST(Agent, ClonesThenWarmsItsCriticsUpThenLearns) {
  Agent agent = WithDemonstration(Tiny());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(agent.Update().phase, Phase::kCloning);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(agent.Update().phase, Phase::kWarmingUp) << i;
  agent.Update();
  EXPECT_EQ(agent.Update().phase, Phase::kLearning);
}

TEST(Agent, LeavesTheActorAloneWhileTheCriticsWarmUp) {
  Agent agent = WithDemonstration(Tiny());
  for (int i = 0; i < 10; ++i) agent.Update();
  const auto cloned = agent.state().actor;
  const auto critics = agent.state().critics;
  for (int i = 0; i < 9; ++i) agent.Update();
  EXPECT_EQ(agent.state().actor, cloned);
  EXPECT_NE(agent.state().critics, critics);
}

TEST(Agent, CloningBringsTheMeanNearTheDemonstratedAction) {
  AgentConfig config = Tiny();
  config.clone_updates = 1500;
  config.learning_rate = 3e-3;
  Agent agent(config, 1);
  Dice dice(4);
  for (int i = 0; i < 256; ++i) {
    Sample sample = Drawn(dice);
    for (std::size_t a = 0; a < sample.action.size(); ++a) sample.action[a] = 0.8f * sample.before[a];
    agent.AddDemonstration(sample);
  }
  agent.EndDemonstration();
  const double before = agent.Update().clone_error;
  double after = before;
  while (agent.phase() == Phase::kCloning) after = agent.Update().clone_error;
  EXPECT_LT(after, 0.1 * before);
}

TEST(Agent, ValuesSuccessAtWhatItPays) {
  AgentConfig config = Tiny();
  config.learning_rate = 3e-3;
  Agent agent(config, 1);
  Dice dice(5);
  for (int i = 0; i < 256; ++i) {
    Sample sample = Drawn(dice);
    sample.reward = 0.7f;
    sample.discount = 0;  // An end.
    agent.AddPractice(sample);
  }
  UpdateFacts facts;
  for (int i = 0; i < 800; ++i) facts = agent.Update();
  EXPECT_NEAR(facts.q_mean, 0.7, 0.05);
}

TEST(Agent, TakesNoLossForDivergenceThatItsBoundsOfValuesAllow) {
  AgentConfig config = Tiny();
  config.value_max = config.success_reward = 1000;
  Agent agent(config, 1);
  Dice dice(5);
  for (int i = 0; i < 256; ++i) {
    Sample sample = Drawn(dice);
    sample.reward = 700;
    sample.discount = 0;
    agent.AddPractice(sample);
  }
  for (int i = 0; i < 50; ++i) agent.Update();
  EXPECT_EQ(agent.state().divergences, 0);
}

TEST(Agent, NeverBelievesInMoreThanIsPossible) {
  AgentConfig config = Tiny();
  config.value_max = 0.5;
  config.success_reward = 0.5;
  Agent agent(config, 1);
  Dice dice(5);
  for (int i = 0; i < 256; ++i) {
    Sample sample = Drawn(dice);
    sample.reward = 5;  // A reward that cannot be.
    sample.discount = 1;
    agent.AddPractice(sample);
  }
  for (int i = 0; i < 50; ++i) EXPECT_LE(agent.Update().target_mean, 0.5);
}

TEST(Agent, DoesTheSameAgainGivenTheSameSeedAndSamples) {
  Agent first = WithDemonstration(Tiny()), second = WithDemonstration(Tiny());
  for (int i = 0; i < 60; ++i) {
    first.Update();
    second.Update();
  }
  EXPECT_EQ(first.state().actor, second.state().actor);
  EXPECT_EQ(first.state().critics, second.state().critics);
}

TEST(Agent, DeploysAnActorThatMovesLessThanTheRawOne) {
  Agent agent = WithDemonstration(Tiny());
  for (int i = 0; i < 20; ++i) agent.Update();
  const auto start = agent.state().actor;
  for (int i = 0; i < 100; ++i) agent.Update();
  double raw = 0, deployed = 0;
  for (std::size_t i = 0; i < start.size(); ++i) {
    raw += std::fabs(agent.state().actor[i] - start[i]);
    deployed += std::fabs(agent.state().deployed[i] - start[i]);
  }
  EXPECT_GT(deployed, 0);
  EXPECT_LT(deployed, 0.5 * raw);
}

TEST(Agent, RefusesASampleThatIsNotFinite) {
  Agent agent = WithDemonstration(Tiny());
  Sample poison;
  poison.before[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(agent.AddPractice(poison));
  EXPECT_FALSE(agent.AddDemonstration(poison));
}

/// Finite, and yet too large for single precision once summed.
TEST(Agent, FallsBackToItsLastHealthyWeightsWhenAnUpdateDiverges) {
  Agent agent = WithPractice(Tiny(), 32);
  for (int i = 0; i < 30; ++i) agent.Update();
  agent.MarkHealthy();
  const auto healthy = agent.state().critics;
  Sample huge;
  huge.before.fill(3e38f);
  huge.action.fill(3e38f);
  huge.reward = 3e38f;
  for (int i = 0; i < 5000; ++i) agent.AddPractice(huge);
  const UpdateFacts facts = agent.Update();
  EXPECT_TRUE(facts.diverged);
  EXPECT_EQ(agent.state().divergences, 1);
  EXPECT_EQ(agent.state().critics, healthy);
  for (int i = 0; i < 20; ++i) agent.Update();
  EXPECT_TRUE(AllFinite(agent.Weights(Actor::kDeployed)));
  EXPECT_TRUE(AllFinite(agent.Weights(Actor::kRaw)));
}

TEST(Agent, DrawsOnAlsoWhenItIsSavedRightAfterItFellBack) {
  Agent agent = WithPractice(Tiny(), 64), resumed = WithPractice(Tiny(), 64);
  for (int i = 0; i < 20; ++i) agent.Update();
  agent.FallBack();  // As the trainer does where it finds values that are impossible.
  ASSERT_TRUE(resumed.Restore(agent.state(), agent.healthy()));
  EXPECT_EQ(resumed.Update().critic_loss, agent.Update().critic_loss)
      << "the batches that broke it must not come again";
}

TEST(Agent, BeginsWithItsParentsNetworks) {
  Agent parent = WithDemonstration(Tiny());
  for (int i = 0; i < 50; ++i) parent.Update();
  Agent child(Tiny(), 9);
  child.Inherit(parent);
  EXPECT_EQ(child.state().actor, parent.state().actor);
  EXPECT_EQ(child.state().critics, parent.state().critics);
  EXPECT_EQ(child.clone_updates_left(), 0);
}

TEST(Agent, RefusesAStateOfAnotherSize) {
  AgentConfig wider = Tiny();
  wider.width = 32;
  Agent agent(Tiny(), 1);
  const auto restored = agent.Restore(Agent(wider, 1).state());
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, core::FaultCode::kCorruptState);
}

TEST(Agent, RefusesAStateThatIsNotFinite) {
  Agent agent(Tiny(), 1);
  AgentState state = agent.state();
  state.targets[5] = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(agent.Restore(state));
}

}  // namespace
}  // namespace nightshift::learner
