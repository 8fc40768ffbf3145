// SPDX-License-Identifier: Apache-2.0
#include "learner/risk_critic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/learner/risk_world.h"

namespace nightshift::learner {
namespace {

using core::StopCause;
using skills::RiskStanding;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using tests::RiskWorld;
using Reading = RiskCritic::Reading;

constexpr auto kOrdinary = Foresight::kOrdinary, kNear = Foresight::kNearMiss, kUnknown = Foresight::kUnknown;

// ---- What a near miss is ----

TEST(NearMiss, IsAStopForWhatTheArmItselfDid) {
  for (const StopCause cause : core::kStopCauses) {
    core::Transition step;
    step.stop = cause;
    const bool own = cause == StopCause::kStall || cause == StopCause::kTrackingError || cause == StopCause::kHot ||
                     cause == StopCause::kContact;
    EXPECT_EQ(IsNearMiss(step, {}), own) << Name(cause);
  }
}

TEST(NearMiss, IsAlsoAStepThatCameNearToOne) {
  core::Transition step;
  step.strain = 0.74f;
  EXPECT_FALSE(IsNearMiss(step, {}));
  step.strain = 0.75f;
  EXPECT_TRUE(IsNearMiss(step, {}));
  step.stop = StopCause::kOperator;
  EXPECT_FALSE(IsNearMiss(step, {})) << "what a person did while it pushed is not for it to foresee";
}

class Foreseeing : public testing::Test {
 protected:
  Foreseeing() {
    config.horizon_steps = 2;
    episode.outcome = core::Outcome::kTimeout;
    episode.steps.resize(5);
  }
  std::vector<Foresight> Foresights() const { return ForesightsOf(episode, config); }

  RiskConfig config;
  core::Episode episode;
};

TEST_F(Foreseeing, AStepIsNearWhereANearMissComesWithinTheHorizonItselfIncluded) {
  episode.steps[3].strain = 0.9f;
  EXPECT_THAT(Foresights(), ElementsAre(kOrdinary, kOrdinary, kNear, kNear, kOrdinary));
}

TEST_F(Foreseeing, NothingIsKnownOfStepsThatWereCutShortByAnInterruption) {
  episode.outcome = core::Outcome::kInterrupted;
  EXPECT_THAT(Foresights(), ElementsAre(kOrdinary, kOrdinary, kOrdinary, kUnknown, kUnknown));
}

TEST_F(Foreseeing, NothingIsKnownOfStepsThatWereCutShortByAPerson) {
  episode.outcome = core::Outcome::kFailure;
  episode.steps[4].stop = StopCause::kOperator;
  episode.steps[4].verdict = core::Verdict::kStopped;
  EXPECT_THAT(Foresights(), ElementsAre(kOrdinary, kOrdinary, kOrdinary, kUnknown, kUnknown));
}

TEST_F(Foreseeing, AStopOfAJournalThatDoesNotSayWhyIsNotTakenForOrdinary) {
  episode.outcome = core::Outcome::kFailure;
  episode.steps[4].verdict = core::Verdict::kStopped;
  EXPECT_THAT(Foresights(), ElementsAre(kOrdinary, kOrdinary, kOrdinary, kUnknown, kUnknown));
}

TEST_F(Foreseeing, WhereTheCriticSlowedTheArmNothingIsKnownUnlessItCameAllTheSame) {
  episode.steps[1].risk_scale = 0.5f;
  episode.steps[2].risk_scale = 1.0f;
  EXPECT_THAT(Foresights(), ElementsAre(kUnknown, kUnknown, kOrdinary, kOrdinary, kOrdinary));
  episode.steps[1].strain = 1;
  EXPECT_THAT(Foresights(), ElementsAre(kNear, kNear, kOrdinary, kOrdinary, kOrdinary));
  episode.steps[1] = {};
  episode.steps[1].risk_scale = 0.0f;
  EXPECT_THAT(Foresights(), ElementsAre(kUnknown, kUnknown, kOrdinary, kOrdinary, kOrdinary)) << "refused";
}

TEST_F(Foreseeing, OfNoStepsIsNothing) {
  episode.steps.clear();
  EXPECT_TRUE(Foresights().empty());
}

// ---- Learning ----

/// Presses are over within half a second here.
RiskConfig QuickConfig() {
  RiskConfig config;
  config.horizon_steps = 5;
  config.update_ratio = 0.2;
  return config;
}

void Teach(RiskCritic& critic, RiskWorld& world, int episodes) {
  for (int i = 0; i < episodes; ++i) {
    critic.Ingest(world.Practise(), world.scene(), Reading::kNew);
    while (critic.Backlog() >= 1) critic.Update();
  }
}

skills::RiskModel ModelOf(const RiskCritic& critic) {
  auto model = skills::RiskModel::Make(critic.Snapshot());
  EXPECT_TRUE(model) << model.error().detail;
  return *model;
}

TEST(RiskCritic, LearnsWhatThereIsToForeseeAndKnowsHowWell) {
  RiskCritic critic(QuickConfig(), 1);
  RiskWorld world(1);
  Teach(critic, world, 600);
  const auto report = critic.Snapshot().report;
  EXPECT_GT(report.auc_low, 0.9);
  EXPECT_LT(report.calibration_error, 0.06);
  EXPECT_NEAR(report.slowed_predicted, report.slowed_observed, 0.15);
  EXPECT_GT(report.near_misses, 50);
  EXPECT_EQ(report.standing, RiskStanding::kTrusted) << InWords(report);
}

/// What is more often in a batch than in practice is not taken to come as often.
TEST(RiskCritic, TakesOffItsLogOddsWhatTheShareOfNearMissesInItsBatchesAdds) {
  const auto shift = [](double share) {
    RiskConfig config = QuickConfig();
    config.near_miss_share = share;
    RiskCritic critic(config, 1);
    RiskWorld world(1);
    for (int i = 0; i < 50; ++i) critic.Ingest(world.Practise(), world.scene(), Reading::kNew);
    return critic.Snapshot().log_odds_shift;
  };
  EXPECT_LT(shift(0.5), -1) << "they are rare";
  EXPECT_NEAR(shift(0.9), shift(0.5) - std::log(9), 1e-9);
  EXPECT_NEAR(shift(0.1), shift(0.5) + std::log(9), 1e-9);
}

TEST(RiskCritic, FearsPressingDownAtTheFloorAndNothingHighUp) {
  RiskCritic critic(QuickConfig(), 1);
  RiskWorld world(1);
  Teach(critic, world, 600);
  auto model = ModelOf(critic);
  const auto risk = [&](double z_m, float dz) {
    core::Observation seen = world.Practise().steps[0].before;
    seen.tip_m.z = seen.commanded_tip_m.z = z_m;
    return model.Probability(skills::FeaturesOf(seen, seen, {}, world.scene()), {0, 0, dz, 0});
  };
  EXPECT_GT(risk(0.031, -1), 0.5);
  EXPECT_LT(risk(0.031, 1), 0.2) << "the action counts, not only the place";
  EXPECT_LT(risk(0.18, -1), 0.1);
}

TEST(RiskCritic, IsNotTrainedOnWhatItIsJudgedBy) {
  RiskCritic critic(QuickConfig(), 1);
  RiskWorld world(1);
  for (int i = 0; i < 200; ++i) critic.Ingest(world.Practise(RiskWorld::Group::kControl), world.scene(), Reading::kNew);
  EXPECT_EQ(critic.Backlog(), 0) << "there is nothing to learn from";
  EXPECT_GT(critic.Snapshot().report.near_misses, 20);
}

TEST(RiskCritic, FindsNothingWhereThereIsNothingToFind) {
  RiskCritic critic(QuickConfig(), 1);
  RiskWorld world(1);
  core::Random random(2);
  for (int i = 0; i < 400; ++i) {
    core::Episode episode = world.Practise();
    for (auto& step : episode.steps) {
      step.stop = StopCause::kNone;
      step.verdict = core::Verdict::kPass;
      step.strain = random.Chance(0.05) ? 0.9f : 0;
    }
    critic.Ingest(episode, world.scene(), Reading::kNew);
    while (critic.Backlog() >= 1) critic.Update();
  }
  const auto report = critic.Snapshot().report;
  ASSERT_GT(report.near_misses, 50);
  EXPECT_LT(report.auc, 0.6);
  EXPECT_EQ(report.standing, RiskStanding::kBlind) << InWords(report);
}

TEST(RiskCritic, StaysOffUntilItHasSeenEnoughAndSaysHowMuch) {
  RiskCritic critic(QuickConfig(), 1);
  EXPECT_EQ(InWords(critic.Snapshot().report), "off, 0 of 50 near misses seen");
  RiskWorld world(1);
  Teach(critic, world, 100);
  const auto report = critic.Snapshot().report;
  EXPECT_EQ(report.standing, RiskStanding::kGathering);
  EXPECT_THAT(InWords(report), HasSubstr(" of 50 near misses seen"));
}

TEST(RiskCritic, OwesUpdatesByTheStepsOfNewEpisodesOnly) {
  RiskCritic critic(QuickConfig(), 1);
  RiskWorld world(1);
  core::Episode episode;
  for (int i = 0; i < 40; ++i) critic.Ingest(episode = world.Practise(), world.scene(), Reading::kNew);
  const double due = critic.Backlog();
  EXPECT_DOUBLE_EQ(due, 0.2 * static_cast<double>(critic.state().steps));
  critic.Ingest(episode, world.scene(), Reading::kAgain);
  EXPECT_EQ(critic.Backlog(), due);
  critic.Update();
  EXPECT_EQ(critic.Backlog(), due - 1);
}

TEST(RiskCritic, IgnoresEpisodesThatItCannotSee) {
  RiskCritic critic(QuickConfig(), 1);
  RiskWorld world(1);
  core::Episode blind = world.Practise();
  for (auto& step : blind.steps) step.before.object_count = 0;
  critic.Ingest(blind, world.scene(), Reading::kNew);
  critic.Ingest({}, world.scene(), Reading::kNew);
  EXPECT_EQ(critic.state().steps, 0);
}

TEST(RiskCritic, LeavesOutStepsThatAreNotFinite) {
  RiskCritic critic(QuickConfig(), 1);
  RiskWorld world(1);
  for (int i = 0; i < 300; ++i) {
    core::Episode episode = world.Practise();
    episode.steps[0].proposed[1] = std::nanf("");
    critic.Ingest(episode, world.scene(), Reading::kNew);
    while (critic.Backlog() >= 1) critic.Update();
  }
  EXPECT_TRUE(std::isfinite(NormOf(critic.state().parameters)));
  EXPECT_TRUE(std::isfinite(critic.Snapshot().report.auc_low));
}

TEST(RiskCritic, RemembersNoMoreThanItIsAllowed) {
  RiskConfig config = QuickConfig();
  config.held_out_max = 1000;
  RiskCritic critic(config, 1);
  RiskWorld world(1);
  for (int i = 0; i < 400; ++i) critic.Ingest(world.Practise(), world.scene(), Reading::kNew);
  EXPECT_LE(critic.Snapshot().report.steps, 1000);
  EXPECT_GT(critic.Snapshot().report.steps, 900);
  RiskRing ring(2);
  for (const float value : {1.0f, 2.0f, 3.0f}) ring.Add({value});
  EXPECT_EQ(ring.size(), 2u);
  Dice dice(1);
  for (int i = 0; i < 20; ++i) EXPECT_NE(ring.Draw(dice)[0], 1) << "the oldest went";
}

// ---- The trial ----

core::Episode Advised(core::Episode episode, core::Outcome outcome) {
  if (!skills::IsRiskControl(episode.id))
    for (auto& step : episode.steps) step.risk_scale = 1.0f;
  episode.outcome = outcome;
  return episode;
}

TEST(RiskTrial, ComparesEpisodesWithItsAdviceToTheControlsAmongThem) {
  RiskCritic critic(QuickConfig(), 1);
  RiskWorld world(1);
  for (int i = 0; i < 100; ++i) critic.Ingest(world.Practise(), world.scene(), Reading::kNew);  // Off.
  EXPECT_EQ(critic.Snapshot().report.control.episodes, 0);
  int controls = 0, solved = 0, with = 0;
  for (int i = 0; i < 100; ++i) {
    const core::Episode episode = Advised(world.Practise(), i % 2 ? core::Outcome::kSuccess : core::Outcome::kTimeout);
    const bool control = skills::IsRiskControl(episode.id);
    if (with == 0 && control) continue;  // Before its first own nothing says that it acts.
    controls += control;
    with += !control;
    solved += control && episode.outcome == core::Outcome::kSuccess;
    critic.Ingest(episode, world.scene(), Reading::kNew);
  }
  const auto report = critic.Snapshot().report;
  EXPECT_EQ(report.control.episodes, controls);
  EXPECT_EQ(report.control.solved, solved);
  EXPECT_EQ(report.advised.episodes, with);
  EXPECT_GT(report.advised.near_misses, 5);
}

TEST(RiskTrial, LeavesOutInterruptedEpisodesAndThoseAfterItWentOff) {
  RiskCritic critic(QuickConfig(), 1);
  RiskWorld world(1);
  using Group = RiskWorld::Group;
  critic.Ingest(Advised(world.Practise(Group::kOwn), core::Outcome::kInterrupted), world.scene(), Reading::kNew);
  EXPECT_EQ(critic.Snapshot().report.advised.episodes, 0);
  critic.Ingest(world.Practise(Group::kOwn), world.scene(), Reading::kNew);  // Without advice: it is off again.
  critic.Ingest(world.Practise(Group::kControl), world.scene(), Reading::kNew);
  EXPECT_EQ(critic.Snapshot().report.control.episodes, 0);
}

// ---- State ----

TEST(RiskCritic, IsTheSameForTheSameSeedAndEpisodes) {
  const auto parameters = [](std::uint64_t seed) {
    RiskCritic critic(QuickConfig(), seed);
    RiskWorld world(1);
    Teach(critic, world, 100);
    return critic.state().parameters;
  };
  EXPECT_EQ(parameters(4), parameters(4));
  EXPECT_NE(parameters(4), parameters(5));
}

TEST(RiskCritic, RefusesAStateOfAnotherSizeOrThatIsNotFinite) {
  RiskConfig wide = QuickConfig();
  wide.width = 48;
  RiskCritic critic(QuickConfig(), 1);
  const auto other = critic.Restore(RiskCritic(wide, 1).state());
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, core::FaultCode::kCorruptState);
  EXPECT_THAT(other.error().detail, HasSubstr("learner.risk.width = 32"));
  RiskState spoilt = critic.state();
  spoilt.parameters[7] = std::nanf("");
  EXPECT_FALSE(critic.Restore(spoilt));
  spoilt = critic.state();
  spoilt.adam.first.assign(3, 0);
  spoilt.adam.second.assign(3, 0);
  EXPECT_FALSE(critic.Restore(spoilt));
}

}  // namespace
}  // namespace nightshift::learner
