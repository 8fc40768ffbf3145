// SPDX-License-Identifier: Apache-2.0
#include "runtime/practice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "tests/fakes/constant_policy.h"
#include "tests/fakes/memory_journal.h"
#include "tests/fakes/scripted_world.h"

namespace nightshift::runtime {
namespace {

using core::FaultCode;
using core::Outcome;
using core::SkillKind;
using core::TaskSpec;
using testing::ElementsAre;
using testing::HasSubstr;

struct Ear : PracticeListener {
  void OnEpisode(const Attempt&, bool) override { ++episodes; }
  void OnFailure(const core::FailureRecord&) override {}
  void OnRecoveryTask(const TaskSpec&) override {}
  void OnIntervention(const core::InterventionRecord&) override { ++interventions; }
  void OnPolicy(const core::SnapshotRecord& snapshot) override { verdicts.push_back(snapshot.state); }
  void OnStatus(const PracticeStatus&) override {}
  void OnFault(const core::Fault& fault) override { faults.push_back(fault.code); }

  int episodes = 0, interventions = 0;
  std::vector<std::string> verdicts;
  std::vector<FaultCode> faults;
};

std::vector<TaskSpec> TabletopTasks() {
  TaskSpec pick{.name = "pick",
                .start = "in_tray && !held && object_seen",
                .success = "held && object_z > 0.07",
                .failure = "outside",
                .script = "pick"};
  TaskSpec place{.name = "place",
                 .start = "held",
                 .success = "in_bin && !held && tip_z > 0.06",
                 .failure = "!held && !in_bin",
                 .goal = core::GoalKind::kBin,
                 .script = "place"};
  TaskSpec unload{.name = "unload",
                  .start = "in_bin && !held && object_seen",
                  .success = "in_tray && !held && goal_distance < 0.05",
                  .failure = "outside",
                  .time_limit = core::Seconds(10),
                  .goal = core::GoalKind::kTraySpot,
                  .script = "unload"};
  return {pick, place, unload};
}

/// A task that a policy solves by going up, and fails by going down.
TaskSpec Rise() {
  return {.name = "rise",
          .start = "tip_z > 0.1",
          .success = "tip_z > 0.17",
          .failure = "tip_z < 0.13",
          .time_limit = core::Seconds(2),
          .script = "pick"};
}

/// One supervisor's life over a world and a journal that outlive it.
class Lab : public testing::Test {
 protected:
  void Start(const std::vector<TaskSpec>& tasks = TabletopTasks()) {
    body_.emplace(world, world, scene);
    PracticeParts parts{*body_,
                        journal,
                        world,
                        ear,
                        random,
                        [this] { return std::exchange(published, {}); },
                        [this](const std::string& task, std::int64_t version) -> std::optional<skills::Snapshot> {
                          for (const auto& one : on_disk)
                            if (one.task == task && one.version == version) return one;
                          return std::nullopt;
                        },
                        [] {}};
    auto made = Practice::Make(std::move(parts), scene, config, tasks);
    ASSERT_TRUE(made) << made.error().detail;
    practice = std::move(*made);
  }

  /// The process dies and comes back: what was not in the journal is gone.
  void Restart(const std::vector<TaskSpec>& tasks = TabletopTasks()) {
    practice.reset();
    auto next = MemoryJournal();
    next.catalogue = journal.AsRestarted();
    next.last_id = journal.last_id;
    journal = next;
    Start(tasks);
  }

  void Cycles(int count) {
    for (int i = 0; i < count; ++i) {
      const auto done = practice->Cycle();
      ASSERT_TRUE(done) << done.error().detail;
    }
  }

  /// At most this many cycles, until it is true.
  template <typename Condition>
  bool Until(Condition condition, int cycles_max = 40) {
    for (int i = 0; i < cycles_max && !condition(); ++i) Cycles(1);
    return condition();
  }

  bool KnowsTask(const std::string& name) const {
    return std::ranges::any_of(practice->tasks(), [&](const TaskSpec& task) { return task.name == name; });
  }
  core::Competence CompetenceOf(const std::string& task, SkillKind skill) const {
    for (const auto& one : practice->competence())
      if (one.task == task && one.skill == skill) return one;
    return {};
  }
  std::vector<std::string> FailureKinds() const {
    std::vector<std::string> kinds;
    for (const auto& failure : journal.failures) kinds.push_back(failure.kind);
    return kinds;
  }

  /// A policy acts at once, always, and is judged after four attempts.
  void TrustsPolicies() {
    config.demonstrations_wanted = 0;
    config.scripted_share = 0;
    config.learned_share_min = 1;
    config.mean_action_share = 1;
    config.judged_after_attempts = 4;
    config.plan.failures_for_a_task = 1000;
  }

  /// Version 1 of the policy for `Rise` succeeds and is promoted, version 2 fails and is rejected; both are on disk.
  void PromotesOneRejectsTwo() {
    TrustsPolicies();
    world.PutsObject(0.20, 0.0);
    Start({Rise()});
    on_disk = {tests::ConstantPolicy("rise", 1, 3), tests::ConstantPolicy("rise", 2, -3)};
    published = {on_disk[0]};
    Cycles(4);
    published = {on_disk[1]};
    ASSERT_TRUE(Until([this] { return ear.verdicts.size() == 2; }));
  }

  using MemoryJournal = tests::MemoryJournal;
  skills::Scene scene;
  PracticeConfig config;
  tests::ScriptedWorld world{scene};
  MemoryJournal journal;
  Ear ear;
  core::Random random{1};
  std::vector<skills::Snapshot> published, on_disk;
  std::optional<Body> body_;
  std::unique_ptr<Practice> practice;
};

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

// ---- Policies ----

TEST_F(Lab, ACandidateIsPromotedOnEvidence) {
  TrustsPolicies();
  world.PutsObject(0.20, 0.0);
  Start({Rise()});
  published = {tests::ConstantPolicy("rise", 1, 3)};
  Cycles(4);
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

TEST_F(Lab, ACorruptSnapshotIsReportedAndThePreviousPolicyStays) {
  TrustsPolicies();
  world.PutsObject(0.20, 0.0);
  Start({Rise()});
  published = {tests::ConstantPolicy("rise", 1, 3)};
  Cycles(4);
  published = {tests::ConstantPolicy("rise", 2, std::numeric_limits<float>::quiet_NaN())};
  Cycles(1);
  EXPECT_THAT(ear.faults, ElementsAre(FaultCode::kCorruptSnapshot));
  EXPECT_EQ(practice->slot("rise")->acting_version(), 1);
  EXPECT_EQ(journal.closed.back().policy_version, 1);
}

TEST_F(Lab, AVerdictThatCouldNotBeWrittenSurfaces) {
  TrustsPolicies();
  config.judged_after_attempts = 1;
  world.PutsObject(0.20, 0.0);
  Start({Rise()});
  published = {tests::ConstantPolicy("rise", 1, 3)};
  journal.refuses["SaveSnapshot"] = {FaultCode::kDiskFull, "no room"};
  EXPECT_FALSE(practice->Cycle());
  EXPECT_TRUE(ear.verdicts.empty());
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
  TrustsPolicies();
  world.PutsObject(0.20, 0.0);
  Start({Rise()});
  on_disk = published = {tests::ConstantPolicy("rise", 1, 3)};
  Cycles(4);
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

TEST_F(Lab, AnEpisodeClosedBeforeTheCrashIsCountedOnce) {
  Start();
  const core::Episode closed{.id = 9, .task = "pick", .outcome = Outcome::kSuccess};
  ASSERT_TRUE(practice->Apply(closed));
  EXPECT_EQ(CompetenceOf("pick", SkillKind::kScripted).solved, 1);
  EXPECT_EQ(journal.catalogue.last_episode, 9);
}

}  // namespace
}  // namespace nightshift::runtime
