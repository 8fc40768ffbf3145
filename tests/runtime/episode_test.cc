// SPDX-License-Identifier: Apache-2.0
#include "runtime/episode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "tests/fakes/constant_policy.h"
#include "tests/fakes/constant_risk.h"
#include "tests/fakes/scripted_world.h"

namespace nightshift::runtime {
namespace {

using core::Outcome;

/// Does the same in every period, until it says that it is finished.
struct Drifting : skills::Skill {
  explicit Drifting(core::PolicyAction always, int finished_after = 1000) : action(always), left(finished_after) {}
  core::PolicyAction Act(const core::Observation&, const core::Observation&) override {
    --left;
    return action;
  }
  bool Finished() const override { return left <= 0; }

  core::PolicyAction action;
  int left;
};

class EpisodeTest : public testing::Test {
 protected:
  void SetUp() override {
    world.PutsObject(0.2, 0.0);
    ASSERT_TRUE(body.Rest());
  }

  core::Result<Attempt> Run(skills::Skill& skill, EndsAt ends_at = EndsAt::kFirstFailure) {
    return RunEpisode(body, skills::Task::Make(spec).value(), scene, skill, {.id = 1, .task = spec.name}, ends_at,
                      on_step);
  }

  /// With a risk critic that always says the same.
  core::Result<Attempt> RunAtRisk(skills::Skill& skill, double probability, std::int64_t id = tests::OwnEpisode()) {
    RiskGuard guard(learner::RiskAdvice::kAuto, {.tolerated = 0.2, .refused_from = 0.8, .scale_min = 0.1},
                    [probability] { return tests::ConstantRisk(probability); });
    return RunEpisode(body, skills::Task::Make(spec).value(), scene, skill, {.id = id, .task = spec.name},
                      EndsAt::kFirstFailure, on_step, &guard);
  }

  skills::Scene scene;
  tests::ScriptedWorld world{scene};
  Body body{world, world, scene};
  core::TaskSpec spec{.name = "rise",
                      .start = "1",
                      .success = "tip_z > 0.18",
                      .failure = "tip_z < 0.12",
                      .time_limit = core::Seconds(1)};
  OnStep on_step = [](int, const core::Transition&) { return core::Result<void>{}; };
  Drifting up{{0, 0, 1, -1}}, down{{0, 0, -1, -1}}, still{{0, 0, 0, -1}};
};

TEST_F(EpisodeTest, EndsAtTheStepThatSucceedsAndOnlyThatStepIsRewarded) {
  const auto attempt = Run(up);
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->episode.outcome, Outcome::kSuccess);
  ASSERT_GT(attempt->episode.steps.size(), 1u);
  EXPECT_EQ(attempt->episode.steps.back().reward, 1);
  EXPECT_EQ(attempt->episode.steps.front().reward, 0);
  EXPECT_EQ(attempt->episode.steps.front().ended, Outcome::kRunning);
}

TEST_F(EpisodeTest, EndsAtItsFailureCondition) { EXPECT_EQ(Run(down)->episode.outcome, Outcome::kFailure); }

TEST_F(EpisodeTest, AMeasuredScriptGoesOnAfterAFailure) {
  EXPECT_EQ(Run(down, EndsAt::kTimeOnly)->episode.outcome, Outcome::kTimeout);
}

TEST_F(EpisodeTest, TimeIsRobotTime) {
  const auto attempt = Run(still);
  EXPECT_EQ(attempt->episode.outcome, Outcome::kTimeout);
  EXPECT_EQ(attempt->episode.steps.size(), 10u);
  EXPECT_EQ(attempt->episode.ended - attempt->episode.started, core::Seconds(1));
}

TEST_F(EpisodeTest, ASkillThatIsFinishedHasRunOutOfTime) {
  Drifting brief({0, 0, 0, -1}, 3);
  const auto attempt = Run(brief);
  EXPECT_EQ(attempt->episode.outcome, Outcome::kTimeout);
  EXPECT_EQ(attempt->episode.steps.size(), 3u);
}

TEST_F(EpisodeTest, AStopEndsTheAttemptAsAFailureAndIsNamed) {
  on_step = [this](int index, const core::Transition&) {
    if (index == 1) world.Latches(core::StopCause::kStall);
    return core::Result<void>{};
  };
  const auto attempt = Run(still);
  EXPECT_EQ(attempt->episode.outcome, Outcome::kFailure);
  EXPECT_EQ(attempt->stop, core::StopCause::kStall);
  EXPECT_EQ(attempt->episode.steps.size(), 3u);
}

TEST_F(EpisodeTest, APersonWhoComesNearInterruptsTheAttempt) {
  on_step = [this](int index, const core::Transition&) {
    if (index == 1) world.Latches(core::StopCause::kPersonNear);
    return core::Result<void>{};
  };
  const auto attempt = Run(still);
  EXPECT_EQ(attempt->episode.outcome, Outcome::kInterrupted);
  EXPECT_EQ(attempt->stop, core::StopCause::kPersonNear);
}

TEST_F(EpisodeTest, ActsNoLongerThanHalfASecondWithoutAPicture) {
  world.Blinds();
  const auto attempt = Run(still);
  EXPECT_EQ(attempt->episode.outcome, Outcome::kInterrupted);
  EXPECT_EQ(attempt->episode.steps.size(), 6u);
}

TEST_F(EpisodeTest, AFaultOfTheJournalEndsTheAttemptAtThatStep) {
  int appended = 0;
  on_step = [&](int, const core::Transition&) -> core::Result<void> {
    if (++appended == 2) return core::Fail(core::FaultCode::kDiskFull, "no room");
    return {};
  };
  const auto attempt = Run(still);
  ASSERT_FALSE(attempt);
  EXPECT_EQ(attempt.error().code, core::FaultCode::kDiskFull);
  EXPECT_EQ(appended, 2);
}

TEST_F(EpisodeTest, StepsFollowOneAnother) {
  const auto attempt = Run(up);
  const auto& steps = attempt->episode.steps;
  for (std::size_t i = 1; i < steps.size(); ++i) EXPECT_EQ(steps[i].before.time, steps[i - 1].after.time);
}

TEST_F(EpisodeTest, WhatWasOnlyPinchedWasNeverHeld) {
  spec.failure = "";
  ASSERT_TRUE(body.GoTo({0.2, 0.0, 0.014}, false, 40));
  Drifting pinch({0, 0, 0, 1}), lift({0, 0, 1, 1});
  EXPECT_FALSE(Run(pinch)->was_held);
  EXPECT_EQ(world.held(), 0);
  EXPECT_TRUE(Run(lift)->was_held);
}

TEST_F(EpisodeTest, ALearnedPolicyActsThroughItsFeatures) {
  core::Random random(1);
  auto policy = skills::LearnedPolicy::Make(tests::ConstantPolicy("rise", 1, 3).weights);
  ASSERT_TRUE(policy);
  PolicySkill mean(*policy, scene, {}, PolicySkill::Mode::kMean, random);
  EXPECT_EQ(Run(mean)->episode.outcome, Outcome::kSuccess);
  EXPECT_NEAR(mean.Act(body.seen(), body.seen())[2], std::tanh(3.0f), 1e-5);
}

TEST_F(EpisodeTest, WithoutARiskCriticEverythingIsProposedAtFullSpeedAndNobodyWasAsked) {
  const auto attempt = Run(up);
  ASSERT_TRUE(attempt);
  for (const auto& proposal : world.proposals) EXPECT_EQ(proposal.risk_scale, 1);
  for (const auto& step : attempt->episode.steps) EXPECT_FALSE(step.risk_scale.has_value());
}

TEST_F(EpisodeTest, TheRiskCriticsScaleGoesWithEachProposalAndIntoTheRecord) {
  const auto attempt = RunAtRisk(up, 0.4);
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->episode.outcome, Outcome::kSuccess);
  for (const auto& proposal : world.proposals) EXPECT_NEAR(proposal.risk_scale, 0.5, 1e-6);
  for (const auto& step : attempt->episode.steps) EXPECT_NEAR(step.risk_scale.value(), 0.5, 1e-6);
}

TEST_F(EpisodeTest, WhatTheRiskCriticRefusesThreeTimesInARowIsGivenUpAsAFailureWithTheArmStill) {
  const core::Vec3 before = world.Tip();
  const auto attempt = RunAtRisk(up, 0.9);
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->episode.outcome, Outcome::kFailure);
  EXPECT_EQ(attempt->episode.steps.size(), 3u);
  EXPECT_EQ(attempt->stop, core::StopCause::kNone) << "nothing had to be stopped";
  EXPECT_EQ(world.Tip(), before);
}

TEST_F(EpisodeTest, InAControlEpisodeTheRiskCriticIsNotAsked) {
  const auto attempt = RunAtRisk(up, 0.9, tests::ControlEpisode());
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->episode.outcome, Outcome::kSuccess);
  EXPECT_FALSE(attempt->episode.steps.front().risk_scale.has_value());
}

TEST_F(EpisodeTest, RecordsHowNearEachStepCameToAStopAndWhatStoppedIt) {
  world.Strains(0.6);
  on_step = [this](int index, const core::Transition&) {
    if (index == 1) world.Latches(core::StopCause::kStall);
    return core::Result<void>{};
  };
  const auto attempt = Run(still);
  ASSERT_TRUE(attempt);
  ASSERT_EQ(attempt->episode.steps.size(), 3u);
  EXPECT_EQ(attempt->episode.steps[0].strain, 0.6f);
  EXPECT_EQ(attempt->episode.steps[0].stop, core::StopCause::kNone);
  EXPECT_EQ(attempt->episode.steps[2].stop, core::StopCause::kStall);
}

}  // namespace
}  // namespace nightshift::runtime
