// SPDX-License-Identifier: Apache-2.0
// Policies from logged data alone, on problems whose answers are known.
#include "learner/offline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "learner/cloning.h"
#include "learner/conservative_q.h"
#include "learner/implicit_q.h"
#include "tests/learner/small_problems.h"

namespace nightshift::learner {
namespace {

using testing::HasSubstr;
using tests::ActorOf;
using tests::Chain;
using tests::CriticsOf;
using tests::Ledge;
using tests::LowestValue;
using tests::QuickAgent;

const std::function<bool()> kNeverAsked = [] { return false; };

AgentState Fresh(const AgentConfig& config, const Sizes& sizes) { return ActorCritic(config, sizes, 1).state(); }

OfflineConfig By(OfflineAlgorithm algorithm, int updates) {
  OfflineConfig config;
  config.algorithm = algorithm;
  config.cloning.updates = config.implicit_q.updates = config.conservative_q.updates = updates;
  config.implicit_q.learning_rate = config.conservative_q.learning_rate = 1e-3;
  return config;
}

std::vector<float> BothOf(std::vector<float> state, float action) {
  state.push_back(action);
  return state;
}

TEST(ImplicitQ, FindsTheExpectileValuesOfAChain) {
  const AgentConfig agent = QuickAgent();
  ImplicitQConfig config;
  config.expectile = 0.8;
  config.learning_rate = 1e-3;
  ImplicitQ learning(config, agent, Chain::kSizes, Fresh(agent, Chain::kSizes));
  const Replay logged = Chain::Logged(2000, 1);
  for (int i = 0; i < 4000; ++i) ASSERT_TRUE(learning.Update(logged));
  const auto values = Chain::ValuesBetween(config.expectile);
  const CriticShape critics = CriticsOf(agent, Chain::kSizes);
  for (int place = 0; place < Chain::kPlaces - 1; ++place) {
    const double value = values[static_cast<std::size_t>(place)];
    EXPECT_NEAR(LowestValue(learning.value(), learning.value_shape(), Chain::At(place)), value, 0.06) << place;
    for (const int way : {-1, 1})
      EXPECT_NEAR(LowestValue(learning.state().critics, critics, BothOf(Chain::At(place), 0.7f * float(way))),
                  Chain::Worth(place, way, values), 0.06)
          << place << " going " << way;
  }
}

/// Critics that conservative Q-learning leaves behind on the chain.
struct Pressed {
  explicit Pressed(const ConservativeQConfig& config) : agent(QuickAgent()) {
    ConservativeQ learning(config, agent, Chain::kSizes, Fresh(agent, Chain::kSizes));
    const Replay logged = Chain::Logged(2000, 1);
    for (int i = 0; i < 2000; ++i) EXPECT_TRUE(learning.Update(logged));
    state = learning.state();
  }
  double Of(int place, float action) const {
    return LowestValue(state.critics, CriticsOf(agent, Chain::kSizes), BothOf(Chain::At(place), action));
  }
  AgentConfig agent;
  AgentState state;
};

ConservativeQConfig Quick(double penalty, Calibration calibration) {
  ConservativeQConfig config;
  config.learning_rate = 1e-3;
  config.penalty = penalty;
  config.calibration = calibration;
  return config;
}

TEST(ConservativeQ, NeverPromisesMoreThanAChainHoldsAndKnowsTheBetterWay) {
  const Pressed pressed(Quick(ConservativeQConfig{}.penalty, Calibration::kOff));
  const auto best = Chain::BestValues();
  for (int place = 0; place < Chain::kPlaces - 1; ++place) {
    EXPECT_LT(pressed.Of(place, 0.7f), best[static_cast<std::size_t>(place)] + 0.03) << place;
    EXPECT_GT(pressed.Of(place, 0.7f), best[static_cast<std::size_t>(place)] - 0.15) << place;
    EXPECT_GT(pressed.Of(place, 0.7f), pressed.Of(place, -0.7f)) << place;
    EXPECT_GT(tests::MeanAction(pressed.state.deployed, ActorOf(pressed.agent, Chain::kSizes), Chain::At(place))[0], 0)
        << place;
  }
}

TEST(ConservativeQ, CalibratedKnowsWhatTheLoggedWayIsWorthOnAChain) {
  const AgentConfig agent = QuickAgent();
  ConservativeQ learning(Quick(0.05, Calibration::kBehaviour), agent, Chain::kSizes, Fresh(agent, Chain::kSizes));
  const Replay logged = Chain::Logged(2000, 1);
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(learning.Update(logged));
  const auto values = Chain::ValuesBetween(0.5);
  for (int place = 0; place < Chain::kPlaces - 1; ++place)
    EXPECT_NEAR(LowestValue(learning.behaviour(), learning.behaviour_shape(), Chain::At(place)),
                values[static_cast<std::size_t>(place)], 0.05)
        << place;
}

double LedgeSuccess(OfflineAlgorithm algorithm, int updates) {
  AgentConfig agent = QuickAgent();
  const Replay logged = Ledge::Logged(2000, 1);
  const auto extraction =
      Extract(By(algorithm, updates), agent, Ledge::kSizes, {logged, logged}, Fresh(agent, Ledge::kSizes), kNeverAsked);
  EXPECT_TRUE(extraction) << extraction.error().detail;
  return extraction ? Ledge::Success(extraction->state.deployed, ActorOf(agent, Ledge::kSizes)) : -1;
}

TEST(Offline, CloningFailsWhereTheLogGoesBothWays) { EXPECT_LT(LedgeSuccess(OfflineAlgorithm::kCloning, 2000), 0.2); }

TEST(Offline, LearningWithoutPessimismBelievesInWhatNobodyTried) {
  const AgentConfig agent = QuickAgent();
  ActorCritic optimist(agent, Ledge::kSizes, 1);
  const Replay logged = Ledge::Logged(2000, 1), nothing(Ledge::kSizes, 1);
  for (int i = 0; i < 4000; ++i) optimist.Update(Phase::kLearning, logged, nothing);
  EXPECT_LT(Ledge::Success(optimist.state().deployed, ActorOf(agent, Ledge::kSizes)), 0.2);
}

TEST(Offline, ImplicitQLearningSucceedsWhereCloningFails) {
  EXPECT_GT(LedgeSuccess(OfflineAlgorithm::kImplicitQ, 4000), 0.9);
}

TEST(Offline, ConservativeQLearningSucceedsWhereCloningFails) {
  EXPECT_GT(LedgeSuccess(OfflineAlgorithm::kConservativeQ, 4000), 0.7);  // 0.80 to 1.0 by how sums are rounded.
}

TEST(Offline, CloningFollowsDemonstrationsThatAgree) {
  const AgentConfig agent = QuickAgent();
  Replay shown({1, 1}, 500);
  Dice dice(1);
  for (int i = 0; i < 500; ++i) {
    const std::array<float, 1> x{2 * dice.Unit() - 1}, u{-0.6f * x[0]};
    shown.Add({x, u, 0, x, 0.9f});
  }
  const auto clone =
      Extract(By(OfflineAlgorithm::kCloning, 2000), agent, {1, 1}, {shown, shown}, Fresh(agent, {1, 1}), kNeverAsked);
  ASSERT_TRUE(clone) << clone.error().detail;
  for (const float x : {-0.8f, -0.3f, 0.3f, 0.8f})
    EXPECT_NEAR(tests::MeanAction(clone->state.deployed, ActorOf(agent, {1, 1}), {x})[0], -0.6f * x, 0.05) << x;
}

TEST(Offline, HandsOverWhatAnActorCriticGoesOnFrom) {
  const AgentConfig agent = QuickAgent();
  const Replay logged = Ledge::Logged(500, 1);
  for (const auto algorithm :
       {OfflineAlgorithm::kCloning, OfflineAlgorithm::kImplicitQ, OfflineAlgorithm::kConservativeQ}) {
    const auto extraction =
        Extract(By(algorithm, 50), agent, Ledge::kSizes, {logged, logged}, Fresh(agent, Ledge::kSizes), kNeverAsked);
    ASSERT_TRUE(extraction) << extraction.error().detail;
    ActorCritic practising(agent, Ledge::kSizes, 1);
    ASSERT_TRUE(practising.Restore(extraction->state)) << Name(algorithm);
    EXPECT_EQ(practising.state().deployed, extraction->state.deployed);
    EXPECT_FALSE(practising.Update(Phase::kLearning, logged, logged).diverged) << Name(algorithm);
  }
}

TEST(Offline, DoesTheSameAgainGivenTheSameStartAndLog) {
  const AgentConfig agent = QuickAgent();
  const Replay logged = Ledge::Logged(500, 1);
  for (const auto algorithm :
       {OfflineAlgorithm::kCloning, OfflineAlgorithm::kImplicitQ, OfflineAlgorithm::kConservativeQ}) {
    const auto once = [&] {
      return Extract(By(algorithm, 50), agent, Ledge::kSizes, {logged, logged}, Fresh(agent, Ledge::kSizes),
                     kNeverAsked);
    };
    const auto first = once(), second = once();
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->state.actor, second->state.actor) << Name(algorithm);
    EXPECT_EQ(first->state.critics, second->state.critics) << Name(algorithm);
    EXPECT_NE(first->state.actor, Fresh(agent, Ledge::kSizes).actor) << Name(algorithm);
  }
}

TEST(Offline, EndsWhenItIsAskedToAndSaysSo) {
  const AgentConfig agent = QuickAgent();
  const Replay logged = Ledge::Logged(500, 1);
  int asked = 0;
  const auto extraction = Extract(By(OfflineAlgorithm::kImplicitQ, 1000), agent, Ledge::kSizes, {logged, logged},
                                  Fresh(agent, Ledge::kSizes), [&] { return ++asked == 3; });
  ASSERT_TRUE(extraction);
  EXPECT_FALSE(extraction->finished);
  EXPECT_EQ(extraction->state.updates, 3);
}

}  // namespace
}  // namespace nightshift::learner
