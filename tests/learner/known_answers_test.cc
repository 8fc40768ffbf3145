// SPDX-License-Identifier: Apache-2.0
// The online actor-critic on problems whose answers are known.
#include <gtest/gtest.h>

#include "learner/actor_critic.h"
#include "tests/learner/small_problems.h"

namespace nightshift::learner {
namespace {

using tests::ActorOf;
using tests::Chain;
using tests::CriticsOf;
using tests::LowestValue;
using tests::MeanAction;
using tests::QuickAgent;
using tests::Regulator;

TEST(ActorCritic, FindsTheExactValuesOfAChain) {
  const AgentConfig config = QuickAgent();
  ActorCritic learning(config, Chain::kSizes, 1);
  const Replay logged = Chain::Logged(2000, 1), nothing(Chain::kSizes, 1);
  for (int i = 0; i < 3000; ++i) ASSERT_FALSE(learning.Update(Phase::kLearning, logged, nothing).diverged);
  const auto best = Chain::BestValues();
  for (int place = 0; place < Chain::kPlaces - 1; ++place)
    for (const int way : {-1, 1}) {
      auto both = Chain::At(place);
      both.push_back(0.7f * static_cast<float>(way));
      EXPECT_NEAR(LowestValue(learning.state().critics, CriticsOf(config, Chain::kSizes), both),
                  Chain::Worth(place, way, best), 0.05)
          << place << " going " << way;
    }
}

TEST(ActorCritic, FindsTheRiccatiGainOfALinearQuadraticTask) {
  AgentConfig config = QuickAgent();
  config.value_min = -20;
  ActorCritic learning(config, Regulator::kSizes, 1);
  const Replay logged = Regulator::Logged(4000, 1), nothing(Regulator::kSizes, 1);
  for (int i = 0; i < 6000; ++i) ASSERT_FALSE(learning.Update(Phase::kLearning, logged, nothing).diverged);
  const auto policy = [&](float x) {
    return MeanAction(learning.state().deployed, ActorOf(config, Regulator::kSizes), {x})[0];
  };
  const double best = Regulator::BestGain();
  const auto optimal = [best](float x) { return static_cast<float>(-best * x); };
  EXPECT_NEAR(Regulator::GainOf(policy), best, 0.1 * best);
  for (const float start : {-0.6f, 0.6f})
    EXPECT_LT(Regulator::CostOf(policy, start), 1.03 * Regulator::CostOf(optimal, start)) << start;
}

}  // namespace
}  // namespace nightshift::learner
