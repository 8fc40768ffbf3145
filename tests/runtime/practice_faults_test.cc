// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/lab.h"

namespace nightshift::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// ---- Stops, pictures, lost safety ----

TEST_F(Lab, AStopIsClearedBeforePracticeGoesOn) {
  world.PutsObject(0.20, 0.0);
  world.Latches(core::StopCause::kStall);
  Start();
  Cycles(1);
  EXPECT_EQ(ear.episodes, 0);
  Cycles(1);
  EXPECT_EQ(journal.closed.at(0).outcome, Outcome::kSuccess);
}

TEST_F(Lab, AStopThatOnlyAPersonMayClearIsWaitedForAndNamed) {
  world.PutsObject(0.20, 0.0);
  world.Latches(core::StopCause::kOperator);
  world.RefusesToClear();
  Start();
  Cycles(5);
  EXPECT_EQ(ear.episodes, 0);
  EXPECT_THAT(practice->status().why, HasSubstr("a person must clear this stop"));
  world.RefusesToClear(false);
  EXPECT_TRUE(Until([this] { return ear.episodes > 0; }));
}

TEST_F(Lab, APersonIsAskedOnceAboutAStopThatOnlyAPersonMayClear) {
  world.PutsObject(0.20, 0.0);
  world.Latches(core::StopCause::kContact, tests::ScriptedWorld::ClearedBy::kPerson);
  world.RefusesToClear();
  Start();
  Cycles(5);
  ASSERT_EQ(world.asked.size(), 1u);
  EXPECT_EQ(world.asked[0].second, core::kTheRobot);
  EXPECT_THAT(world.asked[0].first, HasSubstr("stopped because of contact"));
  EXPECT_EQ(practice->status().interventions, 1u);
  EXPECT_FALSE(journal.interventions.rbegin()->second.resolved);
  world.RefusesToClear(false);
  EXPECT_TRUE(Until([this] { return ear.episodes > 0; }));
  EXPECT_TRUE(journal.interventions.rbegin()->second.resolved);
  EXPECT_EQ(ear.helped.size(), 1u);
}

TEST_F(Lab, ARestartRepeatsTheQuestionAboutAStopWithoutCountingItTwice) {
  world.PutsObject(0.20, 0.0);
  world.Latches(core::StopCause::kContact, tests::ScriptedWorld::ClearedBy::kPerson);
  world.RefusesToClear();
  Start();
  Cycles(2);
  Start();
  Cycles(2);
  EXPECT_EQ(world.asked.size(), 2u) << "who was asked may have stopped with us";
  EXPECT_EQ(practice->status().interventions, 1u);
  world.RefusesToClear(false);
  EXPECT_TRUE(Until([this] { return ear.episodes > 0; }));
  EXPECT_TRUE(journal.interventions.rbegin()->second.resolved);
}

TEST_F(Lab, NothingIsDoneWhileTheCameraShowsNothing) {
  world.PutsObject(0.20, 0.0);
  Start();
  (void)body_->Rest();
  world.Blinds();
  for (int i = 0; i < 10; ++i) (void)body_->Rest();
  Cycles(20);
  EXPECT_EQ(ear.episodes, 0);
  EXPECT_TRUE(world.asked.empty());
  EXPECT_TRUE(world.proposals.empty()) << "blind, it holds still";
  EXPECT_THAT(practice->status().why, HasSubstr("camera"));
  world.Blinds(false);
  EXPECT_TRUE(Until([this] { return ear.episodes > 0; }));
}

TEST_F(Lab, AnArmThatIsRefusedItsWayUpWorksItselfFreeJointByJoint) {
  world.PutsObject(0.20, 0.0);
  world.Folds();
  world.Latches(core::StopCause::kTrackingError);
  world.RefusesUntilOutwardsOf(NormXy(world.Tip()) + 0.03);
  Start();
  EXPECT_TRUE(Until([this] { return ear.episodes > 0; }));
  EXPECT_EQ(journal.closed.at(0).outcome, Outcome::kSuccess);
}

TEST_F(Lab, ABlindCameraInterruptsTheEpisodeAndSaysNothingAboutTheSkill) {
  world.PutsObject(0.20, 0.0);
  Start();
  journal.on_close = [this](const core::Episode& episode) {
    if (episode.task == "pick") world.Blinds();
  };
  Cycles(2);
  EXPECT_EQ(journal.closed.at(1).task, "place");
  EXPECT_EQ(journal.closed.at(1).outcome, Outcome::kInterrupted);
  EXPECT_THAT(FailureKinds(), ElementsAre("camera_bad"));
  EXPECT_EQ(CompetenceOf("place", SkillKind::kScripted).attempts, 0);
}

TEST_F(Lab, AnEpisodeDuringWhichSafetyIsLostIsClosedAsInterrupted) {
  world.PutsObject(0.20, 0.0);
  Start();
  world.LosesTheArmAfter(6);
  const auto done = practice->Cycle();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, FaultCode::kPeerTimeout);
  EXPECT_EQ(journal.closed.at(0).outcome, Outcome::kInterrupted);
  EXPECT_TRUE(journal.open.empty());
  EXPECT_EQ(CompetenceOf("pick", SkillKind::kScripted).attempts, 0);
}

TEST_F(Lab, WhereverSafetyIsLostNoEpisodeStaysOpen) {
  int lost = 0;
  for (int periods = 0; periods < 80; ++periods) {
    world = tests::ScriptedWorld(scene);
    journal = {};
    world.PutsObject(0.20, 0.0);
    world.DropsBeyond(0.05);
    Start();
    world.LosesTheArmAfter(periods);
    if (practice->Cycle() && practice->Cycle()) continue;
    ++lost;
    EXPECT_TRUE(journal.open.empty()) << "lost after " << periods << " periods";
  }
  EXPECT_GT(lost, 30);
}

// ---- The journal comes first ----

class FullDisk : public Lab, public testing::WithParamInterface<const char*> {};

TEST_P(FullDisk, SurfacesFromTheCycleAndNothingIsCounted) {
  world.PutsObject(0.20, 0.0);
  Start();
  journal.refuses[GetParam()] = {FaultCode::kDiskFull, "no room"};
  const auto done = practice->Cycle();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, FaultCode::kDiskFull);
  EXPECT_EQ(CompetenceOf("pick", SkillKind::kScripted).attempts, 0);
  EXPECT_EQ(ear.episodes, 0);
}

INSTANTIATE_TEST_SUITE_P(At, FullDisk, testing::Values("Begin", "Append", "Close", "SaveCompetence"),
                         [](const auto& at) { return std::string(at.param); });

TEST_F(Lab, ADiskThatIsFullWhenAFailureIsNotedMakesNoTask) {
  world.PutsObject(0.20, -0.15);
  Start();
  journal.refuses["SaveTask"] = {FaultCode::kDiskFull, "no room"};
  const auto done = practice->Cycle();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, FaultCode::kDiskFull);
  EXPECT_FALSE(KnowsTask("regain-outside"));
}

TEST_F(Lab, APersonIsNotAskedAQuestionThatCouldNotBeWrittenDown) {
  world.PutsObject(0.45, 0.20);
  Start();
  journal.refuses["SaveIntervention"] = {FaultCode::kDiskFull, "no room"};
  bool refused = false;
  for (int i = 0; i < 5; ++i) refused = refused || !practice->Cycle();
  EXPECT_TRUE(refused);
  EXPECT_TRUE(world.asked.empty());
  EXPECT_EQ(practice->status().interventions, 0u);
}

}  // namespace
}  // namespace nightshift::runtime
