// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "tests/runtime/lab.h"

namespace nightshift::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// ---- Policies ----

TEST_F(Lab, ACandidateIsPromotedOnEvidence) {
  PromotesOne();
  EXPECT_THAT(ear.verdicts, ElementsAre("promoted"));
  ASSERT_EQ(journal.snapshots.size(), 1u);
  EXPECT_EQ(journal.snapshots[0].solved, 4);
  EXPECT_EQ(practice->slot("rise")->promoted_version(), 1);
  EXPECT_EQ(journal.closed.back().policy_version, 1);
}

TEST_F(Lab, AWorseCandidateIsRejectedAndThePromotedPolicyActsAgain) {
  PromotesOneRejectsTwo();
  EXPECT_THAT(ear.verdicts, ElementsAre("promoted", "rejected"));
  EXPECT_EQ(practice->slot("rise")->promoted_version(), 1);
  EXPECT_EQ(practice->slot("rise")->acting_version(), 1);
}

TEST_F(Lab, CountsAPolicysAttemptsApartFromThoseInWhichItExplores) {
  PromotesOne();
  EXPECT_EQ(practice->Latest("rise").mean.attempts(), 4u);
  EXPECT_EQ(practice->Latest("rise").mean.solved(), 4u);
  config.mean_action_share = 0;
  Restart({Rise()});
  published = {tests::ConstantPolicy("rise", 2, 3)};
  Cycles(3);
  EXPECT_GT(CompetenceOf("rise", SkillKind::kLearned).attempts, 4);
  EXPECT_EQ(practice->Latest("rise").mean.attempts(), 0u);
}

/// A recovery task like `Rise`, whose parent is `Rise`.
TaskSpec RiseAgain() {
  TaskSpec task = Rise();
  task.name = "rise-again";
  task.failure_kind = "stuck";
  task.signature = "stuck";
  task.inherits_from = "rise";
  task.script = "unwedge";
  return task;
}

/// A session in which `Rise` has a promoted policy and may not start: its recovery task is all there is to do.
struct Borrowing : Lab {
  void Begins(const std::vector<core::Competence>& known = {}) {
    PromotesOneRejectsTwo();
    journal.catalogue.recovery_tasks = {RiseAgain()};
    journal.catalogue.competence = known;
    config.recovery_demonstrations_wanted = 0;
    TaskSpec not_now = Rise();
    not_now.start = "tip_z > 9";
    Restart({not_now});
  }
};

TEST_F(Borrowing, ARecoveryTaskWithoutAPolicyOfItsOwnActsWithWhatItsParentHasPromoted) {
  Begins();
  ASSERT_TRUE(Until([this] { return CompetenceOf("rise-again", SkillKind::kLearned).attempts > 0; }));
  EXPECT_EQ(journal.closed.back().policy_version, 1);
  EXPECT_EQ(journal.closed.back().outcome, Outcome::kSuccess);
  EXPECT_THAT(practice->status().activity, HasSubstr("borrowed from rise"));
}

TEST_F(Borrowing, EarlyFailuresDoNotSilenceAPolicyThatDoesWellAtHome) {
  const core::Competence failed{.task = "rise-again", .skill = SkillKind::kLearned, .failures = 500, .attempts = 500};
  core::Competence script = failed;
  script.skill = SkillKind::kScripted;
  script.failures = 50;
  config.borrowed_belief_attempts = 1000;
  Begins({failed, script});
  Cycles(1);
  EXPECT_EQ(CompetenceOf("rise-again", SkillKind::kLearned).attempts, 501);
}

TEST_F(Borrowing, APolicyOfItsOwnThatNeverSucceedsGivesWayToWhatItsParentHasPromoted) {
  config.recovery_judged_after_attempts = 2;
  config.borrowed_belief_attempts = 1000;
  Begins({{.task = "rise-again", .skill = SkillKind::kScripted, .failures = 50, .attempts = 50}});
  published = {tests::ConstantPolicy("rise-again", 3, -3)};
  ASSERT_TRUE(Until([this] { return CompetenceOf("rise-again", SkillKind::kLearned).solved > 0; }));
  EXPECT_EQ(ear.verdicts.back(), "rejected");
  EXPECT_EQ(journal.closed.back().policy_version, 1);
}

TEST_F(Lab, ACorruptSnapshotIsReportedAndThePreviousPolicyStays) {
  PromotesOne();
  published = {tests::ConstantPolicy("rise", 2, std::numeric_limits<float>::quiet_NaN())};
  Cycles(1);
  EXPECT_THAT(ear.faults, ElementsAre(FaultCode::kCorruptSnapshot));
  EXPECT_EQ(practice->slot("rise")->acting_version(), 1);
  EXPECT_EQ(journal.closed.back().policy_version, 1);
}

TEST_F(Lab, AVerdictThatCouldNotBeWrittenSurfacesAndIsWrittenAndToldOnceThereIsRoom) {
  TrustsPolicies();
  config.judged_after_attempts = 1;
  world.PutsObject(0.20, 0.0);
  Start({Rise()});
  published = {tests::ConstantPolicy("rise", 1, 3)};
  journal.refuses["SaveSnapshot"] = {FaultCode::kDiskFull, "no room"};
  EXPECT_FALSE(practice->Cycle());
  EXPECT_TRUE(ear.verdicts.empty());
  EXPECT_FALSE(practice->Cycle()) << "practice waits with it";
  EXPECT_EQ(ear.episodes, 0);
  journal.refuses.clear();
  Cycles(1);
  EXPECT_THAT(ear.verdicts, ElementsAre("promoted"));
  ASSERT_EQ(journal.snapshots.size(), 1u);
  EXPECT_EQ(journal.snapshots[0].attempts, 1);
}

TEST_F(Lab, ASnapshotThatCameWithAVerdictThatCouldNotBeWrittenIsTriedAllTheSame) {
  TrustsPolicies();
  world.PutsObject(0.20, 0.0);
  TaskSpec other = Rise();
  other.name = "rise-too";
  Start({Rise(), other});
  skills::Snapshot blind = tests::ConstantPolicy("rise", 1, 3);
  blind.held_out = skills::HeldOutValue{.episodes = 9, .steps = 90, .error_rms = 1.9, .bias = 1.8, .value_range = 2};
  published = {blind, tests::ConstantPolicy("rise-too", 2, 3)};
  journal.refuses["SaveSnapshot"] = {FaultCode::kDiskFull, "no room"};
  EXPECT_FALSE(practice->Cycle());
  journal.refuses.clear();
  Cycles(1);
  EXPECT_THAT(ear.verdicts, ElementsAre("refused"));
  EXPECT_EQ(practice->slot("rise-too")->candidate_version(), 2);
}

/// Versions 1, 2 and 3 succeed and are promoted, one after the other; all stay on disk.
struct ThreePromoted : Lab {
  void Begins() {
    PromotesOne();
    on_disk = {tests::ConstantPolicy("rise", 1, 3), tests::ConstantPolicy("rise", 2, 3),
               tests::ConstantPolicy("rise", 3, 3)};
    for (const std::size_t next : {1u, 2u}) {
      published = {on_disk[next]};
      ASSERT_TRUE(Until([&] { return ear.verdicts.size() == next + 1; }));
    }
    ASSERT_EQ(practice->slot("rise")->promoted_version(), 3);
  }
  std::string StateOf(std::int64_t version) const {
    for (const auto& one : journal.AsRestarted().snapshots)
      if (one.version == version) return one.state;
    return "";
  }
};

TEST_F(ThreePromoted, WhatIsNeitherDeployedNorGoneBackToIsRetired) {
  Begins();
  EXPECT_EQ(StateOf(1), "retired");
  EXPECT_EQ(journal.snapshots.back().version, 1);
  EXPECT_GT(journal.snapshots.back().solved, 4) << "what it did is kept";
  EXPECT_EQ(StateOf(2), "promoted");
  EXPECT_EQ(StateOf(3), "promoted");
  EXPECT_THAT(ear.verdicts, ElementsAre("promoted", "promoted", "promoted")) << "retired is no verdict";
}

TEST_F(ThreePromoted, WhatTheOneBeforeItDidSinceItWasPromotedIsSaved) {
  Begins();
  std::vector<std::int64_t> attempts;
  for (const auto& one : journal.snapshots)
    if (one.version == 2) attempts.push_back(one.attempts);
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_GT(attempts[1], attempts[0]) << "it was the control of version 3";
}

TEST_F(ThreePromoted, AJournalFromBeforeThereWereRetiredOnesIsPutInOrder) {
  TrustsPolicies();
  on_disk = {tests::ConstantPolicy("rise", 1, 3), tests::ConstantPolicy("rise", 2, 3),
             tests::ConstantPolicy("rise", 3, 3)};
  for (const std::int64_t version : {1, 2, 3})
    journal.catalogue.snapshots.push_back(
        {.version = version, .task = "rise", .state = "promoted", .sha256 = "", .attempts = 10, .solved = 9});
  Start({Rise()});
  EXPECT_EQ(StateOf(1), "retired");
  EXPECT_EQ(practice->slot("rise")->promoted_version(), 3);
  EXPECT_EQ(practice->slot("rise")->previous_version(), 2);
}

/// Version 1 was promoted, and after it version 2, which was lucky.
struct Regressed : Lab {
  void Begins() {
    TrustsPolicies();
    on_disk = {tests::ConstantPolicy("rise", 1, 3), tests::ConstantPolicy("rise", 2, -3)};
    for (const std::int64_t version : {1, 2})
      journal.catalogue.snapshots.push_back(
          {.version = version, .task = "rise", .state = "promoted", .sha256 = "", .attempts = 10, .solved = 9});
    world.PutsObject(0.20, 0.0);
    Start({Rise()});
  }
};

TEST_F(Regressed, APromotedPolicyThatFailsIsRolledBackAndTheOneBeforeItActsInTheNextEpisode) {
  Begins();
  ASSERT_EQ(practice->slot("rise")->promoted_version(), 2);
  ASSERT_TRUE(Until([this] { return !ear.verdicts.empty(); }));
  EXPECT_THAT(ear.verdicts, ElementsAre("rolled back"));
  EXPECT_THAT(ear.why, HasSubstr("1 is back"));
  EXPECT_LE(ear.episodes, 6);
  EXPECT_EQ(journal.closed.back().policy_version, 2);
  ASSERT_TRUE(Until([this, before = ear.episodes] { return ear.episodes > before; }));
  EXPECT_EQ(journal.closed.back().policy_version, 1);
  EXPECT_EQ(journal.closed.back().outcome, Outcome::kSuccess);
}

TEST_F(Regressed, AfterARestartThePolicyThatWasRolledBackStaysAway) {
  Begins();
  ASSERT_TRUE(Until([this] { return !ear.verdicts.empty(); }));
  Restart({Rise()});
  published = {on_disk[1]};
  EXPECT_EQ(practice->slot("rise")->promoted_version(), 1);
  EXPECT_EQ(practice->slot("rise")->previous_version(), 0);
  Cycles(2);
  EXPECT_EQ(journal.closed.back().policy_version, 1);
}

TEST_F(Lab, ACandidateWhoseCriticsKnowNothingIsRefusedBeforeItActs) {
  PromotesOne();
  skills::Snapshot blind = tests::ConstantPolicy("rise", 2, 3);
  blind.held_out = skills::HeldOutValue{.episodes = 9, .steps = 90, .error_rms = 1.9, .bias = 1.8, .value_range = 2};
  published = {blind};
  Cycles(1);
  EXPECT_THAT(ear.verdicts, ElementsAre("promoted", "refused"));
  EXPECT_EQ(journal.closed.back().policy_version, 1);
  EXPECT_EQ(journal.snapshots.end()[-2].state, "refused") << "then what the promoted policy did meanwhile";
}

// ---- Restarts ----

TEST_F(Lab, ARestartRemembersCompetenceAndRecoveryTasks) {
  world.PutsObject(0.20, 0.0);
  world.DropsBeyond(0.05);
  Start();
  ASSERT_TRUE(Until([this] { return CompetenceOf("regain-dropped-in-tray", SkillKind::kScripted).attempts > 0; }));
  const auto before = CompetenceOf("pick", SkillKind::kScripted);
  Restart();
  EXPECT_TRUE(KnowsTask("regain-dropped-in-tray"));
  EXPECT_EQ(CompetenceOf("pick", SkillKind::kScripted).attempts, before.attempts);
  EXPECT_EQ(CompetenceOf("pick", SkillKind::kScripted).successes, before.successes);
  EXPECT_GT(CompetenceOf("regain-dropped-in-tray", SkillKind::kScripted).attempts, 0);
}

TEST_F(Lab, ARestartPutsThePromotedPolicyBack) {
  PromotesOne();
  on_disk = {tests::ConstantPolicy("rise", 1, 3)};
  Restart({Rise()});
  EXPECT_EQ(practice->slot("rise")->promoted_version(), 1);
  Cycles(1);
  EXPECT_EQ(journal.closed.back().policy_version, 1);
}

TEST_F(Lab, ARestartRemembersWhatThePromotedPolicyDidAsAControl) {
  PromotesOneRejectsTwo();
  Restart({Rise()});
  const auto evidence = practice->slot("rise")->promoted_evidence();
  ASSERT_TRUE(evidence);
  EXPECT_EQ(evidence->version, 1);
  EXPECT_GT(evidence->attempts, 4);
}

TEST_F(Lab, ARejectedCandidateIsNotTriedAgainAfterARestart) {
  PromotesOneRejectsTwo();
  Restart({Rise()});
  published = {on_disk[1]};  // The newest file in the folder is seen anew.
  Cycles(1);
  EXPECT_EQ(practice->slot("rise")->acting_version(), 1);
}

TEST_F(Lab, ARestartKeepsTheOpenQuestionAndCountsItOnce) {
  world.PutsObject(0.45, 0.20);
  Start();
  ASSERT_TRUE(Until([this] { return !world.asked.empty(); }));
  Restart();
  Cycles(10);
  EXPECT_EQ(practice->status().interventions, 1u);
  EXPECT_EQ(ear.interventions, 1);
  EXPECT_EQ(ear.episodes, 0);
}

TEST_F(Lab, ARestartRepeatsAnOpenQuestionToAnAttendantWhoMayHaveForgottenIt) {
  world.PutsObject(0.45, 0.20);
  Start();
  ASSERT_TRUE(Until([this] { return !world.asked.empty(); }));
  world.asked.clear();
  Restart();
  ASSERT_EQ(world.asked.size(), 1u);
  EXPECT_THAT(world.asked[0].first, HasSubstr("beyond the arm's reach"));
}

TEST_F(Lab, AQuestionOfASessionWithALaterClockIsResolvedWhenTheObjectIsBack) {
  const int cube = world.PutsObject(0.45, 0.20);
  journal.catalogue.interventions = {{.id = 7,
                                      .reason = "please help",
                                      .object = cube,
                                      .asked = core::Instant(core::Seconds(50'000)),
                                      .resolved = std::nullopt}};
  world.MovesObject(cube, 0.20, 0.0);
  Start();
  EXPECT_TRUE(Until([this] { return ear.episodes > 0; }));
  EXPECT_TRUE(journal.interventions.at(7).resolved);
}

TEST_F(Lab, AnEpisodeOfACandidateClosedBeforeTheCrashIsNotHeldAgainstThePromotedPolicy) {
  PromotesOneRejectsTwo();
  Restart({Rise()});
  const auto before = practice->slot("rise")->promoted_evidence();
  ASSERT_TRUE(before);
  core::Episode closed{.id = 99, .task = "rise", .outcome = Outcome::kFailure};
  closed.skill = SkillKind::kLearned;
  closed.policy_version = 7;
  ASSERT_TRUE(practice->Apply(closed));
  EXPECT_EQ(practice->slot("rise")->promoted_evidence()->attempts, before->attempts);
  closed.id = 100;
  closed.policy_version = 1;
  ASSERT_TRUE(practice->Apply(closed));
  EXPECT_EQ(practice->slot("rise")->promoted_evidence()->attempts, before->attempts + 1);
}

TEST_F(Lab, AnEpisodeClosedBeforeTheCrashIsCountedOnce) {
  Start();
  const core::Episode closed{.id = 9, .task = "pick", .outcome = Outcome::kSuccess};
  ASSERT_TRUE(practice->Apply(closed));
  EXPECT_EQ(CompetenceOf("pick", SkillKind::kScripted).solved, 1);
  EXPECT_EQ(journal.catalogue.last_episode, 9);
}

}  // namespace
}  // namespace nightshift::runtime
