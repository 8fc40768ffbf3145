// SPDX-License-Identifier: Apache-2.0
#include "learner/compute.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "learner/actor_critic.h"
#include "learner/passes.h"
#include "learner/product.h"
#include "learner/replay.h"

namespace nightshift::learner {
namespace {

constexpr Sizes kSizes{7, 3};

AgentConfig Small() {
  AgentConfig config;
  config.width = 40;
  config.batch = 33;  // Neither halves nor fills a vector.
  config.critics = 3;
  config.actor_every = 1;
  return config;
}

Replay Filled() {
  Replay replay(kSizes, 500);
  Dice dice(5);
  std::array<float, 7> before{}, after{};
  std::array<float, 3> action{};
  for (int i = 0; i < 500; ++i) {
    for (std::size_t k = 0; k < before.size(); ++k) dice.Normals(before[k], after[k]);
    for (float& a : action) a = 2 * dice.Unit() - 1;
    replay.Add({before, action, dice.Unit(), after, 0.97f});
  }
  return replay;
}

AgentState After(int updates, const AgentConfig& config, const Compute& compute) {
  const Replay practice = Filled(), shown = Filled();
  ActorCritic learner(config, kSizes, 3, compute);
  for (int i = 0; i < updates / 4; ++i) learner.Update(Phase::kCloning, practice, shown);
  for (int i = 0; i < updates; ++i) learner.Update(Phase::kLearning, practice, shown);
  return learner.state();
}

void ExpectSame(const AgentState& a, const AgentState& b) {
  EXPECT_EQ(a.actor, b.actor);
  EXPECT_EQ(a.deployed, b.deployed);
  EXPECT_EQ(a.critics, b.critics);
  EXPECT_EQ(a.targets, b.targets);
  EXPECT_EQ(a.critic_adam.second, b.critic_adam.second);
  EXPECT_EQ(a.log_temperature, b.log_temperature);
}

TEST(Threads, UpdatesAreTheSameToTheLastBitWhateverTheirNumber) {
  for (const CriticOpinion opinion : {CriticOpinion::kMean, CriticOpinion::kMinimum})
    for (const Cloned cloned : {Cloned::kAll, Cloned::kPreferred}) {
      AgentConfig config = Small();
      config.actor_opinion = opinion;
      config.cloned = cloned;
      const AgentState alone = After(40, config, {});
      for (const int threads : {1, 2, 3, 5}) ExpectSame(alone, After(40, config, {std::make_shared<Crew>(threads)}));
    }
}

TEST(Threads, InBf16TooTheyAreTheSame) {
  const Precision precision = HasBf16() ? Precision::kBf16 : Precision::kFp32;
  ExpectSame(After(40, Small(), {nullptr, precision}), After(40, Small(), {std::make_shared<Crew>(2), precision}));
}

TEST(Threads, DoEachJobOnceAndAllBeforeRunReturns) {
  for (const int threads : {1, 2, 4}) {
    Crew crew(threads);
    EXPECT_EQ(crew.threads(), threads);
    for (int jobs = 0; jobs < 40; ++jobs) {
      std::vector<int> done(static_cast<std::size_t>(jobs));
      crew.Run(jobs, [&](int job) { ++done[static_cast<std::size_t>(job)]; });
      EXPECT_TRUE(std::all_of(done.begin(), done.end(), [](int times) { return times == 1; })) << threads;
    }
  }
}

TEST(Threads, OneCrewServesLearnersInTurns) {
  const auto crew = std::make_shared<Crew>(2);
  const AgentState first = After(20, Small(), {crew}), second = After(20, Small(), {crew});
  ExpectSame(first, second);
}

TEST(Precision, IsFp32WhereTheProcessorHasNoBf16) {
  Config config;
  config.threads = 2;
  EXPECT_EQ(ComputeFor(config).precision, Precision::kFp32);
  EXPECT_EQ(ComputeFor(config).crew->threads(), 2);
  config.precision = Precision::kBf16;
  EXPECT_EQ(ComputeFor(config).precision, HasBf16() ? Precision::kBf16 : Precision::kFp32);
}

TEST(Precision, Bf16ThatIsAskedForAndNotThereIsNamed) {
  Config config;
  EXPECT_TRUE(DegradedModes(config).empty());
  config.precision = Precision::kBf16;
  const std::vector<std::string> named{"bf16_is_not_available"};
  EXPECT_EQ(DegradedModes(config), HasBf16() ? std::vector<std::string>{} : named);
}

TEST(Precision, Bf16KeepsTheNearestOfEightBits) {
  const std::array<float, 5> from{1.0f, -2.5f, 1.00390625f, 3.3895314e38f, -0.0f};
  std::array<Bfloat16, 5> to{};
  Shorten(from.data(), from.size(), to.data());
  EXPECT_EQ(to[0], 0x3f80);
  EXPECT_EQ(to[1], 0xc020);
  EXPECT_EQ(to[2], 0x3f81);  // Half way: away from zero.
  EXPECT_EQ(to[3], 0x7f7f);
  EXPECT_EQ(to[4], 0x8000);
  const std::array<float, 2> broken{std::nanf(""), INFINITY};
  Shorten(broken.data(), broken.size(), to.data());
  EXPECT_GT(to[0] & 0x7fff, 0x7f80) << "NaN must stay NaN, or divergence is not seen";
  EXPECT_EQ(to[1], 0x7f80);
}

TEST(CriticsAsked, AreDrawnFromAllAndEachPairIsAsLikely) {
  AgentConfig config = Small();
  config.critics = 5;
  config.critics_asked = 2;
  Losses losses(config, kSizes);
  Dice dice(1);
  std::map<std::vector<int>, int> seen;
  constexpr int kDraws = 10000;
  for (int i = 0; i < kDraws; ++i) {
    losses.DrawAsked(dice);
    ASSERT_EQ(losses.asked().size(), 2u);
    ASSERT_LT(losses.asked()[0], losses.asked()[1]);
    ++seen[losses.asked()];
  }
  EXPECT_EQ(seen.size(), 10u);
  for (const auto& [pair, times] : seen) EXPECT_NEAR(times, kDraws / 10, 150) << pair[0] << " " << pair[1];
}

TEST(CriticsAsked, TakeNoDrawWhereAllAreAsked) {
  AgentConfig config = Small();
  config.critics_asked = 3;
  Losses losses(config, kSizes);
  Dice dice(1);
  const Dice::State before = dice.state();
  losses.DrawAsked(dice);
  EXPECT_EQ(dice.state(), before);
  EXPECT_EQ(losses.asked(), (std::vector<int>{0, 1, 2}));
}

TEST(Passes, NormalsAreThoseOfTheDiceToRounding) {
  Dice one(8), other(8);
  std::array<std::uint64_t, 2000> draws{};
  for (auto& draw : draws) draw = one.Draw();
  std::array<float, 2000> normals{};
  NormalsOf(draws.data(), draws.size(), normals.data());
  for (std::size_t i = 0; i < normals.size(); i += 2) {
    float first = 0, second = 0;
    other.Normals(first, second);
    EXPECT_NEAR(normals[i], first, 2e-6);
    EXPECT_NEAR(normals[i + 1], second, 2e-6);
  }
}

TEST(Passes, ActionsAndTheirProbabilitiesAreExactToRounding) {
  constexpr std::size_t kCount = 4001;
  std::vector<float> mean(kCount), log_std(kCount, -1.0f), noise(kCount, 0.5f), spread(kCount), action(kCount),
      log_probability(kCount);
  for (std::size_t i = 0; i < kCount; ++i) mean[i] = -20 + 0.01f * static_cast<float>(i);
  SquashSamples(mean.data(), log_std.data(), noise.data(), kCount, spread.data(), action.data(),
                log_probability.data());
  for (std::size_t i = 0; i < kCount; ++i) {
    const double u = mean[i] + std::exp(-1.0) * 0.5, size = std::fabs(u);
    const double squash = 2 * (std::log(2.0) - size - std::log1p(std::exp(-2 * size)));
    EXPECT_NEAR(action[i], std::tanh(u), 4e-7) << u;
    EXPECT_NEAR(log_probability[i], -0.125 + 1 - 0.5 * std::log(2 * M_PI) - squash, 1e-5) << u;
  }
}

enum class AnswerGradientOf { kNothing, kAll };

/// What of one answer goes back to n, and what is learned from it.
template <typename Out>
struct WentBack {
  explicit WentBack(AnswerGradientOf learns) {
    constexpr Grid kGrid{.rows = 7, .members = 3, .width = 37};
    constexpr std::size_t kAcross = 3 * 37, kAll = 7 * kAcross;
    Dice dice(5);
    float spare = 0;
    std::vector<float> gain(kAcross), shift(kAcross), bias(kAcross), weights(kAcross), n(kAll), s(21), d_q(21);
    for (auto* numbers : {&gain, &shift, &bias, &weights, &n, &d_q})
      for (float& number : *numbers) dice.Normals(number, spare);
    for (float& inverse : s) inverse = 0.7f;
    const AnswerParameters parameters{{bias.data(), gain.data(), shift.data()}, weights.data(), bias.data()};
    learned.resize(4 * kAcross + 3);
    float* at = learned.data();
    const AnswerGradient to{{at, at + kAcross, at + 2 * kAcross}, at + 3 * kAcross, at + 4 * kAcross};
    d.resize(kAll);
    BackThroughAnswer(parameters, kGrid, n.data(), s.data(), d_q.data(),
                      learns == AnswerGradientOf::kAll ? to : AnswerGradient{}, d.data());
  }

  std::vector<Out> d;
  std::vector<float> learned;
};

TEST(Passes, GoBackThroughAnAnswerInBf16AsInFp32ButForTheLastRounding) {
  for (const auto learns : {AnswerGradientOf::kAll, AnswerGradientOf::kNothing}) {
    const WentBack<float> wide(learns);
    const WentBack<Bfloat16> narrow(learns);
    std::vector<Bfloat16> shortened(wide.d.size());
    Shorten(wide.d.data(), wide.d.size(), shortened.data());
    EXPECT_EQ(narrow.d, shortened);
    EXPECT_EQ(narrow.learned, wide.learned);
    EXPECT_EQ(std::ranges::count(wide.learned, 0.0f) == std::ssize(wide.learned), learns == AnswerGradientOf::kNothing);
  }
}

TEST(Passes, LetNothingThatIsNotANumberBecomeOne) {
  const float broken = std::nanf("");
  float action = 0, spread = 0, log_probability = 0;
  const float zero = 0;
  SquashSamples(&broken, &zero, &zero, 1, &spread, &action, &log_probability);
  EXPECT_TRUE(std::isnan(action));
  SquashSamples(&zero, &broken, &zero, 1, &spread, &action, &log_probability);
  EXPECT_TRUE(std::isnan(log_probability));
}

}  // namespace
}  // namespace nightshift::learner
