// SPDX-License-Identifier: Apache-2.0
#include "learner/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "learner/agent.h"
#include "learner/trainer.h"
#include "tests/learner/point_world.h"

namespace nightshift::learner {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::PointWorld;

// ---- Effective rank ----

TEST(EffectiveRank, OfOrthogonalFeaturesIsTheirNumber) {
  std::vector<float> features(6 * 4, 0.0f);
  for (std::size_t i = 0; i < 4; ++i) features[i * 4 + i] = 2;
  EXPECT_EQ(EffectiveRank(features, 6, 4), 4);
}

TEST(EffectiveRank, OfFeaturesThatAreAllAlikeIsOne) {
  EXPECT_EQ(EffectiveRank(std::vector<float>(50 * 8, 0.7f), 50, 8), 1);
}

TEST(EffectiveRank, LeavesOutWhatHoldsLessThanOneInAHundred) {
  std::vector<float> features(4 * 4, 0.0f);
  features[0] = 100;
  features[5] = 100;
  features[10] = 0.5f;
  features[15] = 0.5f;
  EXPECT_EQ(EffectiveRank(features, 4, 4), 2) << "singular values 100, 100, 0.5, 0.5";
  features[10] = 3;
  EXPECT_EQ(EffectiveRank(features, 4, 4), 3);
}

TEST(EffectiveRank, OfFewerRowsThanFeaturesIsAtMostTheRows) {
  std::vector<float> features(2 * 8, 0.0f);
  features[0] = features[8 + 3] = 1;
  EXPECT_EQ(EffectiveRank(features, 2, 8), 2);
}

TEST(EffectiveRank, OfNothingOrNoNumbersIsZero) {
  EXPECT_EQ(EffectiveRank(std::vector<float>(12, 0.0f), 3, 4), 0);
  EXPECT_EQ(EffectiveRank(std::vector<float>(12, std::numeric_limits<float>::quiet_NaN()), 3, 4), 0);
}

// ---- Networks whose figures are known ----

/// One state, one action, four hidden units in two layers each; everything passes through unit 0.
struct KnownNetworks {
  HealthNetworks networks{.actor_shape = {1, 4, 2}, .critic_shape = {2, 4, 2}};
  std::vector<float> actor = std::vector<float>(networks.actor_shape.size(), 0.0f);
  std::vector<float> critics = std::vector<float>(networks.critic_shape.size(), 0.0f);
  HealthBatch batch{
      .rows = 2, .states = {1, 2}, .states_actions = {1, 0, 2, 0}, .returns = {0.5f, 0.5f}, .episodes = 1};

  KnownNetworks() {
    const ActorShape& a = networks.actor_shape;
    actor[a.w1()] = actor[a.w2()] = 1;
    for (std::size_t m = 0; m < 2; ++m) critics[networks.critic_shape.b3() + m] = m == 0 ? 1.0f : 0.5f;
  }
  HealthFigures Examined() {
    networks.actor = actor;
    networks.critics = critics;
    return Examine(networks, batch);
  }
};

TEST(Health, ComparesTheMeanOfTheCriticsWithWhatFollowed) {
  const HealthFigures figures = KnownNetworks().Examined();
  ASSERT_TRUE(figures.held_out);
  EXPECT_NEAR(figures.held_out->bias, 0.25, 1e-6) << "values 1 and 0.5, return 0.5";
  EXPECT_NEAR(figures.held_out->error_rms, 0.25, 1e-6);
  EXPECT_NEAR(figures.q_size, 1, 1e-6);
  EXPECT_EQ(figures.held_out->episodes, 1);
}

TEST(Health, SaysNothingOfReturnsThatAreNotKnown) {
  KnownNetworks known;
  known.batch.returns.clear();
  EXPECT_FALSE(known.Examined().held_out);
}

TEST(Health, CountsUnitsThatAreDormant) {
  // Of the actor's 8 one in each layer works; all 16 of the critics are dead.
  EXPECT_NEAR(KnownNetworks().Examined().dormant_share, (3 + 3 + 16) / 24.0, 1e-6);
}

TEST(Health, SeesSaturatedMeanActions) {
  KnownNetworks known;
  EXPECT_EQ(known.Examined().saturated_share, 0);
  known.actor[known.networks.actor_shape.b3()] = 5;
  EXPECT_EQ(known.Examined().saturated_share, 1);
}

TEST(Health, OfNothingIsNothing) {
  KnownNetworks known;
  known.batch = {};
  EXPECT_FALSE(Diverged(known.Examined(), 1, {}));
  EXPECT_THAT(TroublesOf(known.Examined(), 1, {}), IsEmpty());
}

TEST(Health, DivergesWhereValuesAreFarOutsideThePossibleOrNoNumbers) {
  KnownNetworks known;
  EXPECT_FALSE(Diverged(known.Examined(), 1, {}));
  known.critics[known.networks.critic_shape.b3()] = -6;
  EXPECT_TRUE(Diverged(known.Examined(), 1, {}));
  known.critics[known.networks.critic_shape.b3()] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(Diverged(known.Examined(), 1, {}));
}

HealthFigures Sound() {
  return {
      .rows = 256,
      .held_out = skills::HeldOutValue{.episodes = 9, .steps = 256, .error_rms = 0.3, .bias = 0.1, .value_range = 2},
      .q_size = 1.1,
      .saturated_share = 0.2,
      .feature_rank = 60,
      .features = 128,
      .dormant_share = 0.1};
}

TEST(Health, OfASoundLearnerHasNoTroubles) { EXPECT_THAT(TroublesOf(Sound(), 1, {}), IsEmpty()); }

TEST(Health, NamesEachTroubleWithItsNumberAndWhatIsNormal) {
  const auto only = [](auto change) {
    HealthFigures figures = Sound();
    change(figures);
    return TroublesOf(figures, 1, {});
  };
  EXPECT_THAT(only([](auto& f) { f.q_size = 1.8; }), ElementsAre(HasSubstr("values reach 1.80")));
  EXPECT_THAT(only([](auto& f) { f.held_out->error_rms = 0.7; }), ElementsAre(HasSubstr("off by 0.70")));
  EXPECT_THAT(only([](auto& f) { f.held_out->bias = 0.45; }), ElementsAre(HasSubstr("+0.45 off on average")));
  EXPECT_THAT(only([](auto& f) { f.held_out->bias = -0.45; }), ElementsAre(HasSubstr("expect too little")));
  EXPECT_THAT(only([](auto& f) { f.saturated_share = 0.95; }), ElementsAre(HasSubstr("95 % of the mean action")));
  EXPECT_THAT(only([](auto& f) { f.dormant_share = 0.6; }), ElementsAre(HasSubstr("60 % of the hidden units")));
  EXPECT_THAT(only([](auto& f) { f.feature_rank = 5; }), ElementsAre(HasSubstr("effective rank of 5 of 128")));
}

// ---- What is held out ----

TEST(HeldOut, IsOneEpisodeInSoManyAlwaysTheSameOnes) {
  int taken = 0;
  for (std::int64_t id = 1; id <= 16000; ++id) taken += HeldOut::Takes(id, 16);
  EXPECT_NEAR(taken, 1000, 50);
  EXPECT_FALSE(HeldOut::Takes(5, 0));
  EXPECT_FALSE(HeldOut::Takes(0, 1)) << "it has no name to be known by when it is read again";
  EXPECT_TRUE(HeldOut::Takes(5, 1));
}

TEST(HeldOut, KnowsWhatFollowedEachStep) {
  Segment segment;
  segment.steps.resize(3);
  segment.steps[0].reward = 1;
  segment.steps[2].reward = 4;
  HeldOut held_out;
  held_out.Add(segment, 0.5);
  const auto steps = held_out.Steps(10);
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_FLOAT_EQ(steps[0].following, 1 + 0.25f * 4);
  EXPECT_FLOAT_EQ(steps[1].following, 2);
  EXPECT_FLOAT_EQ(steps[2].following, 4);
  EXPECT_EQ(held_out.Steps(2).size(), 2u);
}

// ---- What the trainer does about it ----

Config EveryEpisodeHeldOut() {
  Config config = tests::SmallConfig();
  config.held_out_every = 1;
  config.healthy_every = 50;
  return config;
}

TEST(TrainersHealth, IsMeasuredOnEpisodesThatItNeverLearnsFrom) {
  Trainer trainer(EveryEpisodeHeldOut(), {});
  ASSERT_TRUE(trainer.Know({PointWorld::Reach()}));
  PointWorld world(1);
  for (int i = 0; i < 20; ++i) trainer.Ingest(world.Script());
  const auto before = trainer.Facts()[0].samples;
  auto policy = *skills::LearnedPolicy::Make(*trainer.Weights("reach"));
  int decided = 0;
  for (int i = 0; i < 10; ++i) {
    core::Episode episode = world.Practise(policy);
    episode.outcome = episode.steps.back().ended = core::Outcome::kFailure;
    decided += trainer.Ingest(episode).own == 0;
  }
  EXPECT_EQ(decided, 10);
  EXPECT_EQ(trainer.Facts()[0].samples, before);
  for (int i = 0; i < 400; ++i) trainer.UpdateOnce();
  const AgentFacts facts = trainer.Facts()[0];
  ASSERT_TRUE(facts.health.held_out);
  EXPECT_EQ(facts.health.held_out->episodes, 10);
  EXPECT_GT(facts.health.held_out->bias, 0.3) << "it has only seen the script succeed";
}

/// Learning rates at which nothing can be fitted.
TEST(TrainersHealth, WhatKeepsDivergingPublishesNothingAndFallsBackEachTime) {
  Config config = tests::SmallConfig();
  config.healthy_every = 10;
  Trainer trainer(config, {});
  ASSERT_TRUE(trainer.Know({PointWorld::Reach()}));
  PointWorld world(1);
  for (int i = 0; i < 20; ++i) trainer.Ingest(world.Script());
  for (int i = 0; i < 600; ++i) trainer.UpdateOnce();
  ASSERT_TRUE(trainer.MayPublish("reach"));
  const auto path = std::string(testing::TempDir()) + "/keeps_diverging";
  ASSERT_TRUE(trainer.Save(path));
  config.agent.learning_rate = 30;
  config.agent.gradient_norm_max = 1e6;
  Trainer broken(config, {});
  ASSERT_TRUE(broken.Load(path));
  ASSERT_TRUE(broken.Know({PointWorld::Reach()}));
  PointWorld again(1);
  for (int i = 0; i < 20; ++i) broken.Ingest(again.Script());
  const auto healthy = broken.Weights("reach")->layers[1].weights;
  for (int i = 0; i < 200 && !broken.Facts()[0].keeps_diverging; ++i) broken.UpdateOnce();
  const AgentFacts facts = broken.Facts()[0];
  EXPECT_TRUE(facts.keeps_diverging);
  EXPECT_GE(facts.divergences, 3);
  EXPECT_FALSE(broken.MayPublish("reach"));
  EXPECT_TRUE(broken.HasPolicy("reach")) << "what is deployed goes on";
  EXPECT_EQ(broken.Weights("reach")->layers[1].weights, healthy);
}

/// Small losses do not show it: the critics give what no return can be.
TEST(TrainersHealth, WhatNoUpdateNoticesIsTakenBackWhenItIsLookedAt) {
  Config config = tests::SmallConfig();
  config.healthy_every = 10;
  const auto path = std::string(testing::TempDir()) + "/unnoticed";
  const auto practised = [](Trainer& trainer) {
    ASSERT_TRUE(trainer.Know({PointWorld::Reach()}));
    PointWorld world(1);
    for (int i = 0; i < 20; ++i) trainer.Ingest(world.Script());
  };
  Trainer trainer(config, {});
  practised(trainer);
  for (int i = 0; i < 600; ++i) trainer.UpdateOnce();
  ASSERT_TRUE(trainer.Save(path));
  config.agent.value_min = -0.001;  // As if all values were a thousand times too large.
  config.agent.value_max = 0.001;
  Trainer outside(config, {});
  ASSERT_TRUE(outside.Load(path));
  practised(outside);
  const auto before = outside.Weights("reach", Actor::kRaw)->layers[1].weights;
  const double norm = outside.Facts()[0].weight_norm;
  for (int i = 0; i < 10; ++i) outside.UpdateOnce();
  EXPECT_EQ(outside.Facts()[0].divergences, 1);
  EXPECT_FALSE(outside.MayPublish("reach"));
  EXPECT_EQ(outside.Weights("reach", Actor::kRaw)->layers[1].weights, before);
  EXPECT_EQ(outside.Facts()[0].weight_norm, norm);
}

}  // namespace
}  // namespace nightshift::learner
