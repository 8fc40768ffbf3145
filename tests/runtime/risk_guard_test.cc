// SPDX-License-Identifier: Apache-2.0
#include "runtime/risk_guard.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/fakes/constant_risk.h"

namespace nightshift::runtime {
namespace {

using learner::RiskAdvice;
using skills::RiskStanding;
using tests::ConstantRisk;
using tests::ControlEpisode;
using tests::OwnEpisode;

class RiskGuardTest : public testing::Test {
 protected:
  RiskGuard Guard(RiskAdvice advice) {
    return RiskGuard(advice, {.tolerated = 0.2, .refused_from = 0.8, .scale_min = 0.1},
                     [this] { return std::exchange(published, std::nullopt); });
  }
  static std::optional<double> Ask(RiskGuard& guard, std::int64_t episode = OwnEpisode()) {
    guard.Begin(episode);
    return guard.Scale({}, {});
  }

  std::optional<skills::RiskSnapshot> published;
};

TEST_F(RiskGuardTest, SaysNothingUntilACriticIsPublished) {
  RiskGuard guard = Guard(RiskAdvice::kAuto);
  EXPECT_EQ(Ask(guard), std::nullopt);
  EXPECT_EQ(guard.InWords(), "off, the learner has published none yet");
}

TEST_F(RiskGuardTest, SaysNothingUntilTheCriticHasEarnedTrust) {
  RiskGuard guard = Guard(RiskAdvice::kAuto);
  for (const auto standing : {RiskStanding::kGathering, RiskStanding::kBlind, RiskStanding::kCriesWolf,
                              RiskStanding::kUseless, RiskStanding::kHarmful}) {
    published = ConstantRisk(0.9, standing);
    EXPECT_EQ(Ask(guard), std::nullopt) << Name(standing);
    EXPECT_FALSE(guard.acts());
  }
  EXPECT_EQ(guard.counts().refused, 0u);
}

TEST_F(RiskGuardTest, SlowsAndRefusesOnceItIsTrusted) {
  RiskGuard guard = Guard(RiskAdvice::kAuto);
  published = ConstantRisk(0.1);
  EXPECT_EQ(Ask(guard), 1.0f);
  published = ConstantRisk(0.4);
  EXPECT_NEAR(*Ask(guard), 0.5, 1e-6);
  published = ConstantRisk(0.9);
  EXPECT_EQ(Ask(guard), 0.0f);
  EXPECT_EQ(guard.counts().full, 1u);
  EXPECT_EQ(guard.counts().slowed, 1u);
  EXPECT_EQ(guard.counts().refused, 1u);
}

/// As a float 0.7 would be less than itself, which the safety process would refuse.
TEST_F(RiskGuardTest, AsksForNoLessThanTheSmallestScaleWhereItDoesNotRefuse) {
  RiskGuard guard(RiskAdvice::kAuto, {.tolerated = 0.2, .refused_from = 0.8, .scale_min = 0.7},
                  [this] { return std::exchange(published, std::nullopt); });
  published = ConstantRisk(0.6);
  EXPECT_EQ(Ask(guard), 0.7);
}

TEST_F(RiskGuardTest, LeavesTheControlEpisodesAlone) {
  RiskGuard guard = Guard(RiskAdvice::kAuto);
  published = ConstantRisk(0.9);
  EXPECT_EQ(Ask(guard, ControlEpisode()), std::nullopt);
  EXPECT_EQ(Ask(guard, OwnEpisode()), 0.0f);
}

TEST_F(RiskGuardTest, IsNotHeededWhereItIsConfiguredOffButSaysHowItStands) {
  RiskGuard guard = Guard(RiskAdvice::kOff);
  published = ConstantRisk(0.9);
  EXPECT_EQ(Ask(guard), std::nullopt);
  EXPECT_FALSE(guard.acts());
  EXPECT_EQ(guard.InWords(),
            "off by configuration; left to itself: on, AUC 0.50 [0.00, 1.00] over 0 near misses held out");
}

TEST_F(RiskGuardTest, GoesOffWithTheNewestEvidenceBetweenEpisodes) {
  RiskGuard guard = Guard(RiskAdvice::kAuto);
  published = ConstantRisk(0.9);
  ASSERT_EQ(Ask(guard), 0.0f);
  published = ConstantRisk(0.9, RiskStanding::kHarmful);
  EXPECT_EQ(guard.Scale({}, {}), 0.0f) << "within the episode nothing changes";
  EXPECT_EQ(Ask(guard), std::nullopt);
}

TEST_F(RiskGuardTest, KeepsTheCriticItHasWhenTheNextCannotAct) {
  RiskGuard guard = Guard(RiskAdvice::kAuto);
  published = ConstantRisk(0.9);
  ASSERT_EQ(Ask(guard), 0.0f);
  published = ConstantRisk(0.1);
  published->layers[0].inputs = 3;
  EXPECT_EQ(Ask(guard), 0.0f);
}

TEST_F(RiskGuardTest, RefusesWhatTheCriticCannotSay) {
  RiskGuard guard = Guard(RiskAdvice::kAuto);
  published = ConstantRisk(0.1);
  guard.Begin(OwnEpisode());
  skills::Features features{};
  features[3] = std::nanf("");
  EXPECT_EQ(guard.Scale(features, {}), 0.0f);
}

}  // namespace
}  // namespace nightshift::runtime
