// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/lab.h"

namespace nightshift::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// ---- Practice ----

TEST_F(Lab, PlaceFollowsPickAndTheObjectEndsInTheBin) {
  const int cube = world.PutsObject(0.20, 0.0);
  Start();
  Cycles(2);
  ASSERT_EQ(journal.closed.size(), 2u);
  EXPECT_EQ(journal.closed[0].task, "pick");
  EXPECT_EQ(journal.closed[1].task, "place");
  for (const auto& episode : journal.closed) EXPECT_EQ(episode.outcome, Outcome::kSuccess);
  EXPECT_TRUE(scene.bin.Contains(world.Where(cube)));
  EXPECT_FALSE(world.held());
}

TEST_F(Lab, GoesRoundWithoutAResetByUnloadingTheBin) {
  const int cube = world.PutsObject(0.20, 0.0);
  Start();
  Cycles(3);
  EXPECT_EQ(journal.closed.at(2).task, "unload");
  EXPECT_TRUE(scene.tray.Contains(world.Where(cube)));
  Cycles(3);
  EXPECT_EQ(ear.episodes, 6);
  EXPECT_TRUE(world.asked.empty());
}

TEST_F(Lab, OnlyScriptedSuccessesAreDemonstrations) {
  world.PutsObject(0.20, 0.0);
  world.DropsBeyond(0.05);
  Start();
  Cycles(2);
  EXPECT_TRUE(journal.closed.at(0).demonstration);
  EXPECT_FALSE(journal.closed.at(1).demonstration);
}

TEST_F(Lab, EveryStepIsInTheJournalBeforeItsEpisodeCloses) {
  world.PutsObject(0.20, 0.0);
  journal.on_close = [this](const core::Episode& episode) {
    EXPECT_EQ(journal.appended, static_cast<std::int64_t>(episode.steps.size()));
  };
  Start();
  Cycles(1);
  EXPECT_EQ(ear.episodes, 1);
  EXPECT_TRUE(journal.open.empty());
}

TEST_F(Lab, CountsTheScriptsSingleTriesApartFromThoseThatRetry) {
  world.PutsObject(0.20, 0.0);
  config.scripted_retry_share = 0;
  Start();
  Cycles(3);
  EXPECT_EQ(practice->Latest("pick").single_try.solved(), 1u);
  config.scripted_retry_share = 1;
  Restart();
  Cycles(3);
  EXPECT_EQ(CompetenceOf("pick", SkillKind::kScripted).solved, 2);
  EXPECT_EQ(practice->Latest("pick").single_try.attempts(), 0u);
}

// ---- Failures become tasks ----

TEST_F(Lab, ADropWhilePlacingIsAFailureNamedDropped) {
  world.PutsObject(0.20, 0.0);
  world.DropsBeyond(0.05);
  Start();
  Cycles(2);
  ASSERT_THAT(FailureKinds(), ElementsAre("dropped"));
  EXPECT_EQ(journal.failures[0].signature, "dropped/in_tray");
  EXPECT_EQ(journal.failures[0].task, "place");
  EXPECT_EQ(journal.closed.at(1).failure, "dropped");
  EXPECT_TRUE(journal.catalogue.recovery_tasks.empty()) << "one drop is bad luck";
}

TEST_F(Lab, ARepeatedDropBecomesARecoveryTaskThatIsSavedBeforeItIsPractised) {
  world.PutsObject(0.20, 0.0);
  world.DropsBeyond(0.05);
  Start();
  ASSERT_TRUE(Until([this] { return KnowsTask("regain-dropped-in-tray"); }));
  EXPECT_EQ(std::ranges::count(journal.failures, "dropped/in_tray", &core::FailureRecord::signature),
            config.plan.failures_for_a_task);
  Cycles(2);
  const auto saved = std::ranges::find(journal.order, "save task regain-dropped-in-tray");
  const auto begun = std::ranges::find(journal.order, "begin regain-dropped-in-tray");
  ASSERT_NE(saved, journal.order.end());
  ASSERT_NE(begun, journal.order.end());
  EXPECT_LT(saved, begun);
}

TEST_F(Lab, ThePractisedRecoveryRegainsWhatWasLost) {
  world.PutsObject(0.20, 0.0);
  world.DropsBeyond(0.05);
  Start();
  const auto recovered = [this] { return CompetenceOf("regain-dropped-in-tray", SkillKind::kScripted).solved > 0; };
  ASSERT_TRUE(Until(recovered));
  EXPECT_TRUE(world.held());
  EXPECT_EQ(practice->FailureKindOf("regain-dropped-in-tray"), "dropped");
  EXPECT_THAT(ear.recovered_after, ElementsAre(journal.closed.back().ended - journal.failures.back().at));
  EXPECT_GT(ear.recovered_after[0], core::Duration(0));
  world.DropsBeyond(std::nullopt);
  Cycles(1);
  EXPECT_EQ(journal.closed.back().task, "place");
  EXPECT_EQ(journal.closed.back().outcome, Outcome::kSuccess);
}

TEST_F(Lab, ARecoveryTaskDoesNotSucceedInTheStateItsFailureWasSeenIn) {
  world.PutsObject(0.20, 0.0);
  world.DropsBeyond(0.05);
  Start();
  ASSERT_TRUE(Until([this] { return !journal.catalogue.recovery_tasks.empty(); }));
  const auto task = skills::Task::Make(journal.catalogue.recovery_tasks.front());
  ASSERT_TRUE(task);
  for (const auto& failure : journal.failures) {
    const core::Target target{failure.object, failure.state.objects[0].position_m};
    const auto facts = FactsOf(failure.state, target, scene);
    EXPECT_TRUE(task->MayStart(facts));
    EXPECT_EQ(task->Judge(facts), Outcome::kRunning);
  }
}

TEST_F(Lab, AnObjectBesideTheTrayIsFetchedBackWithoutAPerson) {
  const int cube = world.PutsObject(0.20, -0.15);
  Start();
  ASSERT_TRUE(Until([this] { return world.held().has_value(); }));
  EXPECT_EQ(world.held(), cube);
  EXPECT_THAT(FailureKinds(), ElementsAre("outside"));
  EXPECT_TRUE(world.asked.empty());
}

TEST_F(Lab, AnObjectThatWasLeftOutsideIsFetchedBackInItsTurn) {
  const int left = world.PutsObject(0.20, -0.15);
  Start();
  ASSERT_TRUE(Until([this] { return world.held().has_value(); }));
  world.MovesObject(left, 0.20, -0.15);  // Long ago: nobody remembers the failure, the task is known.
  journal.failures.clear();
  Restart();
  const int handy = world.PutsObject(0.20, 0.03);
  ASSERT_TRUE(Until([&] { return world.held() == handy; }));
  EXPECT_TRUE(Until([&] { return world.held() == left; }, 200));
  EXPECT_TRUE(world.asked.empty());
}

// ---- A person ----

TEST_F(Lab, AnUnreachableObjectIsAskedForExactlyOnce) {
  world.PutsObject(0.45, 0.20);
  Start();
  Cycles(80);
  ASSERT_EQ(world.asked.size(), 1u);
  EXPECT_THAT(world.asked[0].first, HasSubstr("beyond the arm's reach"));
  EXPECT_EQ(journal.interventions.size(), 1u);
  EXPECT_EQ(practice->status().interventions, 1u);
  EXPECT_EQ(ear.episodes, 0);
}

TEST_F(Lab, AnInterventionIsResolvedWhenTheObjectIsBackAndPracticeGoesOn) {
  const int cube = world.PutsObject(0.45, 0.20);
  Start();
  ASSERT_TRUE(Until([this] { return !world.asked.empty(); }));
  EXPECT_FALSE(journal.interventions.begin()->second.resolved);
  world.MovesObject(cube, 0.20, 0.0);
  ASSERT_TRUE(Until([this] { return ear.episodes > 0; }, 100));
  EXPECT_TRUE(journal.interventions.begin()->second.resolved);
  EXPECT_EQ(journal.interventions.size(), 1u);
  ASSERT_EQ(ear.helped.size(), 1u);
  EXPECT_EQ(ear.helped[0].resolved, journal.interventions.begin()->second.resolved);
}

TEST_F(Lab, AnObjectThatHelpFoundInTheBinCountsAsBack) {
  const int cube = world.PutsObject(0.45, 0.20);
  Start();
  ASSERT_TRUE(Until([this] { return !world.asked.empty(); }));
  world.MovesObject(cube, 0.15, 0.19);
  EXPECT_TRUE(Until([this] { return ear.episodes > 0; }, 100));
  EXPECT_EQ(journal.closed.at(0).task, "unload");
}

TEST_F(Lab, AHiddenObjectIsLookedForAFewTimesBeforeAPersonIsAsked) {
  const int cube = world.PutsObject(0.20, 0.0);
  world.Hides(cube);
  Start();
  ASSERT_TRUE(Until([this] { return !world.asked.empty(); }, 60));
  EXPECT_EQ(CompetenceOf("look-again", SkillKind::kScripted).attempts, config.plan.looks_max);
  EXPECT_THAT(world.asked[0].first, HasSubstr("nowhere to be seen"));
}

TEST_F(Lab, WithoutRecoveryAFailureIsRetriedThreeTimesAndThenAPersonIsAsked) {
  world.PutsObject(0.20, -0.15);
  config.recovery = false;
  Start({{.name = "pick",
          .start = "object_seen && !held",
          .success = "object_z > 1",
          .time_limit = core::Seconds(2),
          .script = "retreat"}});
  Cycles(3);
  EXPECT_EQ(ear.episodes, 3);
  EXPECT_EQ(world.asked.size(), 1u);
  EXPECT_TRUE(journal.catalogue.recovery_tasks.empty());
}

}  // namespace
}  // namespace nightshift::runtime
