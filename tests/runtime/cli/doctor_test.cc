// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace nightshift::runtime::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A learner that is well.
Symptoms Well() {
  Symptoms symptoms;
  symptoms.source = Symptoms::Source::kLive;
  symptoms.tasks = {{.task = "pick",
                     .attempts = 100,
                     .solved = 60,
                     .latest_steps = 2000,
                     .gripper_turns = 80,
                     .saturated_parts = 2400}};
  wire::LearnerStatus learner;
  learner.set_updates(20000);
  learner.set_update_ratio(3.2);
  learner.set_update_ratio_target(4);
  learner.set_backlog(100);
  learner.set_seconds_since_episode(4);
  auto* agent = learner.add_agents();
  agent->set_task("pick");
  auto* health = agent->mutable_health();
  health->set_held_out_episodes(20);
  health->set_value_bias(0.05);
  health->set_value_error(0.3);
  health->set_value_range(2);
  health->set_feature_rank(60);
  health->set_features(128);
  symptoms.learner = learner;
  return symptoms;
}

wire::AgentStatus& Agent(Symptoms& symptoms) { return *symptoms.learner->mutable_agents(0); }

std::string Say(const Symptoms& symptoms) { return Text(Diagnose(symptoms)); }
Finding WorstOf(const Symptoms& symptoms) { return Worst(Diagnose(symptoms)); }

TEST(Doctor, FindsNothingInALearnerThatIsWell) {
  EXPECT_EQ(WorstOf(Well()), Finding::kGood) << Say(Well());
  EXPECT_THAT(Say(Well()), HasSubstr("a reward was seen in 60 of 100 attempts"));
  EXPECT_THAT(Say(Well()), HasSubstr("3.20 per step"));
  EXPECT_THAT(Say(Well()), HasSubstr("biased by +0.05"));
}

TEST(Doctor, SaysWhenNoRewardWasEverSeen) {
  Symptoms symptoms = Well();
  symptoms.tasks[0].solved = 0;
  EXPECT_EQ(WorstOf(symptoms), Finding::kBad);
  EXPECT_THAT(Say(symptoms), HasSubstr("seen in 0 of 100 attempts, normal is at least one in 20"));
  symptoms.tasks[0].attempts = 5;
  EXPECT_EQ(WorstOf(symptoms), Finding::kGood) << "too few to tell";
}

TEST(Doctor, SaysWhenTheGripperThrashes) {
  Symptoms symptoms = Well();
  symptoms.tasks[0].gripper_turns = 900;
  EXPECT_EQ(WorstOf(symptoms), Finding::kWarning);
  EXPECT_THAT(Say(symptoms), HasSubstr("45 % of the latest 2000 steps, normal is below 10 %: it thrashes"));
}

TEST(Doctor, SaysWhenActionsAreSaturated) {
  Symptoms symptoms = Well();
  symptoms.tasks[0].saturated_parts = 7800;
  EXPECT_EQ(WorstOf(symptoms), Finding::kWarning);
  EXPECT_THAT(Say(symptoms), HasSubstr("98 % of its actions' parts are saturated"));
}

TEST(Doctor, SaysWhenUpdatesAreOwed) {
  Symptoms symptoms = Well();
  symptoms.learner->set_backlog(5000);
  EXPECT_EQ(WorstOf(symptoms), Finding::kWarning);
  EXPECT_THAT(Say(symptoms), HasSubstr("5000 owed, normal is below 2000: the learner is too slow"));
}

TEST(Doctor, SaysWhenSamplesAreStaleButOnlyOfALearnerThatIsAlive) {
  Symptoms symptoms = Well();
  symptoms.learner->set_seconds_since_episode(4000);
  EXPECT_EQ(WorstOf(symptoms), Finding::kWarning);
  EXPECT_THAT(Say(symptoms), HasSubstr("came in 4000 s ago"));
  symptoms.source = Symptoms::Source::kSaved;
  EXPECT_EQ(WorstOf(symptoms), Finding::kGood);
}

TEST(Doctor, SaysWhenOneTaskIsNoLongerPractisedOrPromoted) {
  Symptoms symptoms = Well();
  Agent(symptoms).set_updates_since_sample(30000);
  EXPECT_THAT(Say(symptoms), HasSubstr("its samples are stale"));
  Agent(symptoms).set_updates_since_promoted(40000);
  EXPECT_THAT(Say(symptoms), HasSubstr("candidates are no better"));
  EXPECT_EQ(WorstOf(symptoms), Finding::kWarning);
}

TEST(Doctor, RepeatsTheLearnersOwnTroubles) {
  Symptoms symptoms = Well();
  Agent(symptoms).mutable_health()->add_troubles("values are +0.80 off on average, normal is within 0.40");
  EXPECT_EQ(WorstOf(symptoms), Finding::kWarning);
  EXPECT_THAT(Say(symptoms), HasSubstr("+0.80 off on average"));
}

TEST(Doctor, SaysWhenALearnerDivergedAndPublishesNothing) {
  Symptoms symptoms = Well();
  Agent(symptoms).set_publishing_stopped(true);
  Agent(symptoms).set_divergences(4);
  EXPECT_EQ(WorstOf(symptoms), Finding::kBad);
  EXPECT_THAT(Say(symptoms), HasSubstr("diverged (4 times so far, normal is 0)"));
}

TEST(Doctor, SaysWhenThereIsNothingToGoBy) {
  EXPECT_EQ(WorstOf({}), Finding::kWarning);
  EXPECT_THAT(Say({}), HasSubstr("no finished attempt yet"));
  EXPECT_THAT(Say({}), HasSubstr("has saved nothing"));
}

TEST(Doctor, EndsWithACodeOfItsOwnForEachFinding) {
  EXPECT_EQ(DoctorsExitCode(Finding::kGood), 0);
  EXPECT_EQ(DoctorsExitCode(Finding::kWarning), 3);
  EXPECT_EQ(DoctorsExitCode(Finding::kBad), 4);
}

}  // namespace
}  // namespace nightshift::runtime::cli
