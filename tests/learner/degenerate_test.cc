// SPDX-License-Identifier: Apache-2.0
// Data that nothing can be learned from: a fault that names what is wrong, never a weight that is no number.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "learner/cloning.h"
#include "learner/conservative_q.h"
#include "learner/implicit_q.h"
#include "learner/offline.h"
#include "tests/learner/small_problems.h"

namespace nightshift::learner {
namespace {

using core::FaultCode;
using testing::HasSubstr;

constexpr Sizes kSizes{3, 2};
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr OfflineAlgorithm kAll[] = {OfflineAlgorithm::kCloning, OfflineAlgorithm::kImplicitQ,
                                     OfflineAlgorithm::kConservativeQ};

std::array<float, 3> State(Dice& dice, float scale = 1) {
  return {scale * (2 * dice.Unit() - 1), scale * (2 * dice.Unit() - 1), scale * (2 * dice.Unit() - 1)};
}

/// `samples` ordinary ones, each changed by `change`.
Replay With(int samples, const std::function<void(std::array<float, 3>& before, float& reward)>& change) {
  Replay replay(kSizes, 1000);
  Dice dice(1);
  for (int i = 0; i < samples; ++i) {
    auto before = State(dice);
    const auto after = State(dice);
    const std::array<float, 2> action{2 * dice.Unit() - 1, 2 * dice.Unit() - 1};
    float reward = dice.Unit();
    change(before, reward);
    replay.Add({before, action, reward, after, 0.9f});
  }
  return replay;
}

bool AllFinite(const AgentState& state) {
  for (const auto* values : {&state.actor, &state.deployed, &state.critics, &state.targets})
    if (!std::isfinite(NormOf(*values))) return false;
  return true;
}

core::Result<Extraction> Try(OfflineAlgorithm algorithm, const Replay& practice, const Replay& demonstrations) {
  OfflineConfig config;
  config.algorithm = algorithm;
  config.cloning.updates = config.implicit_q.updates = config.conservative_q.updates = 30;
  const AgentConfig agent = tests::QuickAgent();
  auto extraction = Extract(config, agent, kSizes, {practice, demonstrations}, ActorCritic(agent, kSizes, 1).state(),
                            [] { return false; });
  EXPECT_TRUE(!extraction || AllFinite(extraction->state)) << Name(algorithm);
  return extraction;
}

void ExpectRefused(OfflineAlgorithm algorithm, const Replay& data, FaultCode code, const std::string& saying) {
  const auto extraction = Try(algorithm, data, data);
  ASSERT_FALSE(extraction) << Name(algorithm);
  EXPECT_EQ(extraction.error().code, code) << Name(algorithm);
  EXPECT_THAT(extraction.error().detail, HasSubstr(saying)) << Name(algorithm);
}

TEST(DegenerateLog, OrdinaryDataAreAccepted) {
  const Replay ordinary = With(200, [](auto&, float&) {});
  for (const auto algorithm : kAll) EXPECT_TRUE(Try(algorithm, ordinary, ordinary)) << Name(algorithm);
}

TEST(DegenerateLog, NothingAtAllIsRefused) {
  for (const auto algorithm : kAll)
    ExpectRefused(algorithm, Replay(kSizes, 10), FaultCode::kRefused, "no samples to learn from");
}

TEST(DegenerateLog, WithoutDemonstrationsThereIsNoCloneAndTheOthersLearnAllTheSame) {
  const Replay ordinary = With(200, [](auto&, float&) {}), none(kSizes, 10);
  const auto clone = Try(OfflineAlgorithm::kCloning, ordinary, none);
  ASSERT_FALSE(clone);
  EXPECT_EQ(clone.error().code, FaultCode::kRefused);
  EXPECT_TRUE(Try(OfflineAlgorithm::kImplicitQ, ordinary, none));
  EXPECT_TRUE(Try(OfflineAlgorithm::kConservativeQ, ordinary, none));
}

TEST(DegenerateLog, OneTransitionIsRefused) {
  for (const auto algorithm : kAll)
    ExpectRefused(algorithm, With(1, [](auto&, float&) {}), FaultCode::kRefused, "distinct");
}

TEST(DegenerateLog, TheSameRowAgainAndAgainIsRefused) {
  Replay same(kSizes, 1000);
  const std::array<float, 3> state{0.1f, 0.2f, 0.3f};
  for (int i = 0; i < 500; ++i) same.Add({state, std::array{0.1f, 0.2f}, 1, state, 0.9f});
  for (const auto algorithm : kAll) ExpectRefused(algorithm, same, FaultCode::kRefused, "of 500 logged samples 1 are");
}

TEST(DegenerateLog, WhatIsNoNumberIsNotTakenAndNothingElseIsRefusedByName) {
  const Replay broken = With(200, [](auto& before, float&) { before[1] = kNan; });
  for (const auto algorithm : kAll) ExpectRefused(algorithm, broken, FaultCode::kNotFinite, "no number");
}

TEST(DegenerateLog, EnormousValuesAreRefused) {
  const Replay enormous = With(200, [](auto& before, float&) { before[0] *= 1e30f; });
  for (const auto algorithm : kAll) ExpectRefused(algorithm, enormous, FaultCode::kRefused, "wrong unit");
}

TEST(DegenerateLog, RewardsThatNeverDifferSayNothingOfValue) {
  const Replay constant = With(200, [](auto&, float& reward) { reward = -0.02f; });
  ExpectRefused(OfflineAlgorithm::kImplicitQ, constant, FaultCode::kRefused, "nothing tells good from bad");
  ExpectRefused(OfflineAlgorithm::kConservativeQ, constant, FaultCode::kRefused, "nothing tells good from bad");
  EXPECT_TRUE(Try(OfflineAlgorithm::kCloning, constant, constant)) << "a clone asks for no reward";
}

/// Hands out what no replay would take.
class Poison final : public Experience {
 public:
  explicit Poison(float value) : value_(value) {}
  std::size_t size() const override { return 1; }
  void Draw(Dice& dice, Batch& batch, int row) const override {
    const std::array<float, 3> before{value_, dice.Unit(), dice.Unit()}, after{dice.Unit(), value_, dice.Unit()};
    batch.Put(row, {before, std::array{0.1f, 0.2f}, value_, after, 0.9f});
  }

 private:
  float value_;
};

TEST(PoisonedUpdates, OfTheOnlineActorCriticAreUndoneAndSaidToBe) {
  for (const float poison : {kNan, std::numeric_limits<float>::infinity(), 1e30f}) {
    ActorCritic learning(tests::QuickAgent(), kSizes, 1);
    const auto critics = learning.state().critics;
    const Poison poisoned(poison);
    for (int i = 0; i < 20; ++i) {
      const bool diverged =
          learning.Update(i % 2 == 0 ? Phase::kCloning : Phase::kLearning, poisoned, poisoned).diverged;
      EXPECT_TRUE(diverged || poison == 1e30f) << poison;
      EXPECT_TRUE(AllFinite(learning.state())) << poison << ", update " << i;
    }
    EXPECT_TRUE(learning.state().critics == critics || poison == 1e30f) << poison;
  }
}

TEST(PoisonedUpdates, OfTheOfflineAlgorithmsAreFaultsThatLeaveTheWeightsAlone) {
  const AgentConfig agent = tests::QuickAgent();
  for (const float poison : {kNan, std::numeric_limits<float>::infinity()}) {
    const AgentState start = ActorCritic(agent, kSizes, 1).state();
    Cloning cloning({}, agent, kSizes, start);
    ImplicitQ implicit({}, agent, kSizes, start);
    ConservativeQ conservative({}, agent, kSizes, start);
    const Poison poisoned(poison);
    const auto expect = [&](const auto& updated, const AgentState& state, const std::string& name) {
      ASSERT_FALSE(updated) << name << " " << poison;
      EXPECT_EQ(updated.error().code, FaultCode::kNotFinite) << name;
      EXPECT_THAT(updated.error().detail, HasSubstr(name));
      EXPECT_EQ(state.actor, start.actor) << name;
      EXPECT_EQ(state.critics, start.critics) << name;
    };
    expect(cloning.Update(poisoned), cloning.state(), "cloning");
    expect(implicit.Update(poisoned), implicit.state(), "implicit Q-learning");
    expect(conservative.Update(poisoned), conservative.state(), "conservative Q-learning");
  }
}

}  // namespace
}  // namespace nightshift::learner
