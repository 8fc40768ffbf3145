// SPDX-License-Identifier: Apache-2.0
#include "learner/risk_evidence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/random.h"

namespace nightshift::learner {
namespace {

using skills::RiskReport;
using skills::RiskStanding;

// ---- AUC ----

TEST(AreaUnderCurve, IsTheShareOfPairsThatAreInOrderATieBeingHalf) {
  const std::vector<ScoredEpisode> episodes{{{0.9, true}, {0.4, false}}, {{0.4, true}, {0.1, false}, {0.95, false}}};
  // Near 0.9: above 0.4 and 0.1. Near 0.4: a tie with 0.4, above 0.1. Of six pairs: 2 + 1.5.
  EXPECT_DOUBLE_EQ(AreaUnderCurve(episodes).auc, 3.5 / 6);
}

TEST(AreaUnderCurve, OfEverythingInOrderIsOneAndOfEverythingAlikeAHalf) {
  std::vector<ScoredEpisode> ordered, alike;
  for (int i = 0; i < 10; ++i) {
    ordered.push_back({{0.8, true}, {0.2, false}});
    alike.push_back({{0.5, true}, {0.5, false}});
  }
  EXPECT_EQ(AreaUnderCurve(ordered).auc, 1);
  EXPECT_EQ(AreaUnderCurve(alike).auc, 0.5);
}

TEST(AreaUnderCurve, SaysNothingWhereOneKindIsMissing) {
  const Area none = AreaUnderCurve(std::vector<ScoredEpisode>{{{0.5, false}}, {{0.7, false}}});
  EXPECT_EQ(none.auc, 0.5);
  EXPECT_EQ(none.low, 0);
  EXPECT_EQ(none.high, 1);
  EXPECT_EQ(AreaUnderCurve({}).low, 0);
}

TEST(AreaUnderCurve, OfOneEpisodeIsNotSureOfAnything) {
  const Area one = AreaUnderCurve(std::vector<ScoredEpisode>{{{0.9, true}, {0.1, false}}, {{0.2, false}}});
  EXPECT_EQ(one.auc, 1);
  EXPECT_EQ(one.low, 0);
}

/// An episode's steps share a draw: they rise and fall together. One episode in `near_every` has steps near a miss,
/// from `near_from` on.
struct Mixture {
  double together = 0;
  int near_every = 4, near_from = 0;
};
std::vector<ScoredEpisode> Draw(core::Random& random, int episodes, double shift, const Mixture& mixture) {
  std::vector<ScoredEpisode> drawn;
  for (int e = 0; e < episodes; ++e) {
    const double common = mixture.together * random.Normal(0, 1);
    const double own = std::sqrt(1 - mixture.together * mixture.together);
    ScoredEpisode steps;
    for (int i = 0; i < 12; ++i) {
      const bool near = e % mixture.near_every == 0 && i >= mixture.near_from;
      const double x = common + own * random.Normal(0, 1) + (near ? shift : 0);
      steps.push_back({1 / (1 + std::exp(-x)), near});
    }
    drawn.push_back(steps);
  }
  return drawn;
}

/// Of 1,000 data sets with a known truth; the truth of two shifted normals is Phi(shift / sqrt 2).
TEST(AreaUnderCurve, ItsIntervalHoldsTheTruthAboutAsOftenAsItSaysAlsoWhereStepsAreAlike) {
  core::Random random(5);
  const double shift = 1, truth = 0.5 * std::erfc(-shift / 2);
  for (const Mixture& mixture :
       {Mixture{}, Mixture{.together = 0.9}, Mixture{.together = 0.9, .near_every = 1, .near_from = 6}}) {
    int held = 0;
    for (int set = 0; set < 1000; ++set) {
      const Area area = AreaUnderCurve(Draw(random, 120, shift, mixture));
      held += area.low <= truth && truth <= area.high;
    }
    EXPECT_GT(held, 915) << mixture.together << " " << mixture.near_from;
    EXPECT_LT(held, 980) << mixture.together << " " << mixture.near_from << ": what always holds says nothing";
  }
}

TEST(AreaUnderCurve, IsMuchLessSureWhereStepsOfAnEpisodeAreAlike) {
  core::Random random(7);
  const Area apart = AreaUnderCurve(Draw(random, 120, 1, {})),
             alike = AreaUnderCurve(Draw(random, 120, 1, {.together = 0.95}));
  EXPECT_GT(alike.high - alike.low, 2 * (apart.high - apart.low));
}

// ---- Calibration ----

TEST(Measure, CountsEpisodesStepsAndNearMissesByEpisode) {
  RiskReport report;
  Measure(std::vector<ScoredEpisode>{{{0.9, true}, {0.8, true}}, {{0.1, false}}, {}}, {}, report);
  EXPECT_EQ(report.episodes, 3);
  EXPECT_EQ(report.steps, 3);
  EXPECT_EQ(report.near_misses, 1) << "two steps of one near miss are one";
}

TEST(Measure, TellsWhatIsSaidFromWhatComes) {
  core::Random random(9);
  std::vector<ScoredEpisode> honest, loud;
  for (int e = 0; e < 4000; ++e) {
    const double p = random.Uniform(0, 1);
    honest.push_back({{p, random.Chance(p)}});
    loud.push_back({{std::min(0.99, 2 * p), random.Chance(p)}});
  }
  RiskReport of_honest, of_loud;
  Measure(honest, {}, of_honest);
  Measure(loud, {}, of_loud);
  EXPECT_LT(of_honest.calibration_error, 0.03);
  EXPECT_GT(of_loud.calibration_error, 0.2);
  EXPECT_NEAR(of_honest.slowed_predicted, of_honest.slowed_observed, 0.03);
  EXPECT_NEAR(of_honest.slowed_share, 0.7, 0.03) << "all beyond what is tolerated";
  EXPECT_GT(of_loud.slowed_predicted, of_loud.slowed_observed + 0.2);
}

// ---- May it act? ----

RiskReport Convincing() {
  return {.near_misses = 60,
          .auc = 0.93,
          .auc_low = 0.9,
          .auc_high = 0.96,
          .slowed_predicted = 0.6,
          .slowed_observed = 0.5};
}

TEST(RiskStandingOf, IsTrustedWhenAllOfTheEvidenceIsThere) {
  EXPECT_EQ(StandingOf(Convincing(), {}), RiskStanding::kTrusted);
}

TEST(RiskStandingOf, IsGatheringWithFewNearMissesHoweverWellItDoes) {
  EXPECT_EQ(StandingOf({}, {}), RiskStanding::kGathering) << "with nothing seen";
  RiskReport report = Convincing();
  report.auc_low = 1;
  report.near_misses = 49;
  EXPECT_EQ(StandingOf(report, {}), RiskStanding::kGathering);
  report.near_misses = 50;
  EXPECT_EQ(StandingOf(report, {}), RiskStanding::kTrusted);
}

TEST(RiskStandingOf, IsBlindWhereTheLowerEndOfItsIntervalIsTooLow) {
  RiskReport report = Convincing();
  report.auc_low = 0.799;
  EXPECT_EQ(StandingOf(report, {}), RiskStanding::kBlind);
  report.auc_low = std::nan("");
  EXPECT_EQ(StandingOf(report, {}), RiskStanding::kBlind);
}

TEST(RiskStandingOf, CriesWolfWhereItForetellsMoreThanTwiceOfWhatComes) {
  RiskReport report = Convincing();
  report.slowed_observed = 0.29;
  EXPECT_EQ(StandingOf(report, {}), RiskStanding::kCriesWolf);
}

TEST(RiskStandingOf, IsHarmfulWhereEpisodesSurelySucceedLessOftenWithIt) {
  RiskReport report = Convincing();
  report.control = {.episodes = 100, .solved = 70, .near_misses = 15};
  report.advised = {.episodes = 300, .solved = 150, .near_misses = 6};
  EXPECT_EQ(StandingOf(report, {}), RiskStanding::kHarmful);
  report.advised.solved = 195;
  EXPECT_EQ(StandingOf(report, {}), RiskStanding::kTrusted) << "65 % against 70 % may be chance";
}

TEST(RiskStandingOf, IsUselessWhereALongTrialDoesNotShowFewerNearMisses) {
  RiskReport report = Convincing();
  report.control = {.episodes = 299, .solved = 200, .near_misses = 45};
  report.advised = {.episodes = 900, .solved = 600, .near_misses = 130};
  EXPECT_EQ(StandingOf(report, {}), RiskStanding::kTrusted) << "the trial goes on";
  report.control.episodes = 300;
  EXPECT_EQ(StandingOf(report, {}), RiskStanding::kUseless);
  report.advised.near_misses = 40;
  EXPECT_EQ(StandingOf(report, {}), RiskStanding::kTrusted);
}

}  // namespace
}  // namespace nightshift::learner
