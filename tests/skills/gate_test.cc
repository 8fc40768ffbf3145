// SPDX-License-Identifier: Apache-2.0
#include "skills/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "core/random.h"
#include "tests/fakes/constant_policy.h"

namespace nightshift::skills {
namespace {

using testing::HasSubstr;

constexpr double kLevels[] = {0.2, 0.35, 0.5, 0.65, 0.8, 0.95};
constexpr int kTrials = 4000;

// ---- The sequential tests err no more often than the rule says ----

/// Trials of a candidate of that success rate beside a promoted policy whose level is known.
struct Fates {
  int promoted = 0, called_worse = 0;
  double attempts = 0;
};
Fates FatesOf(double success, double level, const JudgingRule& rule, std::uint64_t seed) {
  core::Random random(seed);
  Fates fates;
  for (int trial = 0; trial < kTrials; ++trial) {
    AttemptCounts seen;
    for (CanaryRuling ruling; !ruling.ruling;) {
      ++seen.attempts;
      seen.solved += random.Chance(success);
      const double share = static_cast<double>(seen.solved) / static_cast<double>(seen.attempts);
      ruling =
          JudgeCanary({.candidate = seen, .candidate_share = share, .promoted_share = level, .level = level}, rule);
      if (!ruling.ruling) continue;
      fates.promoted += *ruling.ruling == Ruling::kPromoted;
      fates.called_worse += LogOddsOfRegression(seen, RatesFor(level, rule)) >= BoundsFor(rule).worse;
    }
    fates.attempts += static_cast<double>(seen.attempts) / kTrials;
  }
  return fates;
}

TEST(Gate, ACandidateThatIsWorseByARegressionIsPromotedNoMoreOftenThanStated) {
  const JudgingRule rule;
  for (const double level : kLevels) {
    const Fates fates = FatesOf(RatesFor(level, rule).worse, level, rule, 1);
    EXPECT_LE(fates.promoted, rule.beta / (1 - rule.alpha) * kTrials) << "level " << level;
  }
}

TEST(Gate, ACandidateThatIsAsGoodIsCalledWorseNoMoreOftenThanStated) {
  const JudgingRule rule;
  for (const double level : kLevels) {
    const Fates fates = FatesOf(RatesFor(level, rule).as_good, level, rule, 2);
    EXPECT_LE(fates.called_worse, rule.alpha / (1 - rule.beta) * kTrials) << "level " << level;
  }
}

TEST(Gate, ABetterCandidateIsMostlyPromoted) {
  for (const double level : {0.2, 0.5, 0.65}) {
    const Fates fates = FatesOf(level + 0.3, level, {}, 3);
    EXPECT_GE(fates.promoted, 0.85 * kTrials) << "level " << level;
  }
}

TEST(Gate, ACandidateThatNeverSucceedsCostsFewAttempts) {
  EXPECT_LE(FatesOf(0, 0.95, {}, 4).attempts, 3);
  EXPECT_LE(FatesOf(0, 0.8, {}, 4).attempts, 4);
  EXPECT_LE(FatesOf(0, 0.5, {}, 4).attempts, 8);
}

TEST(Gate, EveryTrialEnds) {
  JudgingRule rule;
  rule.attempts_max = 17;
  for (const double level : kLevels) EXPECT_LE(FatesOf(level, level, rule, 5).attempts, 17) << "level " << level;
}

/// Attempts until a promoted policy of that success rate is rolled back, on average; at most `most` each.
double AttemptsUntilRollback(double success, double level, int most) {
  const JudgingRule rule;
  core::Random random(6);
  double sum = 0;
  constexpr int kLives = 400;
  for (int life = 0; life < kLives; ++life) {
    double log_odds = 0;
    int attempts = 0;
    while (attempts < most && log_odds < RollbackAt(rule)) {
      log_odds = WatchPromoted(log_odds, random.Chance(success), RatesFor(level, rule));
      ++attempts;
    }
    sum += attempts;
  }
  return sum / kLives;
}

TEST(Gate, APolicyThatIsAsGoodAsItsLevelIsRolledBackLessOftenThanStated) {
  const double stated = 1 / JudgingRule{}.rollback_alpha;
  for (const double level : kLevels) EXPECT_GE(AttemptsUntilRollback(level, level, 20 * 200), stated) << level;
}

TEST(Gate, ARegressionOfAPromotedPolicyIsEstablishedWithinItsNextAttempts) {
  EXPECT_LE(AttemptsUntilRollback(0, 0.95, 1000), 3);
  EXPECT_LE(AttemptsUntilRollback(0, 0.8, 1000), 6);
  EXPECT_LE(AttemptsUntilRollback(0.5, 0.8, 1000), 30);
  EXPECT_LE(AttemptsUntilRollback(0.65, 0.95, 1000), 16);
}

// ---- In shadow ----

LearnedPolicy Policy(float up) { return *LearnedPolicy::Make(tests::ConstantPolicy("pick", 1, up).weights); }

Shadow Asked(float candidate, float promoted, std::size_t states = 200) {
  LearnedPolicy one = Policy(candidate), other = Policy(promoted);
  const std::vector<Features> visited(states);
  return AskInShadow(one, other, visited);
}

TEST(Shadow, OfTheSamePolicyAgreesEntirely) {
  const Shadow shadow = Asked(0.5f, 0.5f);
  EXPECT_NEAR(shadow.direction, 1, 1e-6);
  EXPECT_NEAR(shadow.distance, 0, 1e-6);
  EXPECT_FALSE(ShadowTrouble(shadow, 0.9, {}));
}

Shadow Negated() {
  Snapshot snapshot = tests::ConstantPolicy("pick", 1, 0.5f);
  for (float& bias : snapshot.weights.layers[0].biases) bias = -bias;
  LearnedPolicy candidate = *LearnedPolicy::Make(snapshot.weights), promoted = Policy(0.5f);
  return AskInShadow(candidate, promoted, std::vector<Features>(200));
}

TEST(Shadow, OfANegatedActorIsRefused) {
  EXPECT_NEAR(Negated().direction, -1, 1e-6);
  const auto trouble = ShadowTrouble(Negated(), 0.9, {});
  ASSERT_TRUE(trouble);
  EXPECT_THAT(*trouble, HasSubstr("acts against the promoted policy"));
}

TEST(Shadow, OfWhatHardlyEverSucceedsTheOppositeMayBeRight) { EXPECT_FALSE(ShadowTrouble(Negated(), 0.1, {})); }

TEST(Shadow, SaysNothingOnFewStates) {
  Shadow shadow = Negated();
  shadow.states = JudgingRule{}.shadow_states_min - 1;
  EXPECT_FALSE(ShadowTrouble(shadow, 0.9, {}));
}

TEST(Shadow, RefusesBangBangUnlessThePromotedPolicyDoesTheSame) {
  Shadow shadow = Asked(0.5f, 0.5f);
  shadow.saturated = 0.95;
  shadow.promoted_saturated = 0.25;
  const auto trouble = ShadowTrouble(shadow, 0.9, {});
  ASSERT_TRUE(trouble);
  EXPECT_THAT(*trouble, HasSubstr("95 % of its actions are saturated"));
  shadow.promoted_saturated = 0.9;
  EXPECT_FALSE(ShadowTrouble(shadow, 0.9, {}));
}

constexpr float kLarge = std::numeric_limits<float>::max();

/// Each of its weights is finite; where features are large, their sum is not.
LearnedPolicy Overflowing() {
  Snapshot snapshot = tests::ConstantPolicy("pick", 1, 0.5f);
  for (float& weight : snapshot.weights.layers[0].weights) weight = kLarge;
  snapshot.weights.layers[0].weights[0] = -kLarge;
  return *LearnedPolicy::Make(snapshot.weights);
}

TEST(Shadow, AsksNothingWhereThePromotedPolicyItselfIsNotFinite) {
  LearnedPolicy candidate = Policy(0.5f), promoted = Overflowing();
  std::vector<Features> visited(300);
  for (std::size_t i = 0; i < 200; ++i) visited[i].fill(kLarge);
  const Shadow shadow = AskInShadow(candidate, promoted, visited);
  EXPECT_EQ(shadow.states, 100);
  EXPECT_NEAR(shadow.direction, 1, 1e-6);
  EXPECT_FALSE(ShadowTrouble(shadow, 0.9, {})) << "or nothing could ever replace it";
}

TEST(Shadow, RefusesAnActionThatIsNotFinite) {
  LearnedPolicy candidate = Overflowing(), promoted = Policy(0.5f);
  Features large{};
  large.fill(kLarge);
  const Shadow shadow = AskInShadow(candidate, promoted, std::vector<Features>{large});
  EXPECT_FALSE(shadow.finite);
  EXPECT_TRUE(ShadowTrouble(shadow, 0, {}));
}

// ---- Held out ----

constexpr HeldOutValue kGood{.episodes = 12, .steps = 600, .error_rms = 0.3, .bias = 0.1, .value_range = 2};

TEST(HeldOut, PassesCriticsThatKnowRoughlyWhatHappens) { EXPECT_FALSE(HeldOutTrouble(kGood, {})); }

TEST(HeldOut, RefusesCriticsThatAreWorseThanAConstantGuess) {
  HeldOutValue value = kGood;
  value.error_rms = 1.2;
  ASSERT_TRUE(HeldOutTrouble(value, {}));
  EXPECT_THAT(*HeldOutTrouble(value, {}), HasSubstr("off by 1.20"));
}

TEST(HeldOut, RefusesWhatIsNotANumber) {
  HeldOutValue value = kGood;
  value.error_rms = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(HeldOutTrouble(value, {}));
}

TEST(HeldOut, SaysNothingOnFewEpisodesOrNone) {
  HeldOutValue value = kGood;
  value.error_rms = 5;
  value.episodes = JudgingRule{}.held_out_episodes_min - 1;
  EXPECT_FALSE(HeldOutTrouble(value, {}));
  EXPECT_FALSE(HeldOutTrouble(std::nullopt, {}));
}

}  // namespace
}  // namespace nightshift::skills
