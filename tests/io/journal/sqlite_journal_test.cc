// SPDX-License-Identifier: Apache-2.0
#include "io/journal/sqlite_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/journal/reader.h"
#include "tests/io/journal/journal_fixture.h"

namespace nightshift::io {
namespace {

using core::FaultCode;
using core::Outcome;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using SqliteJournalTest = JournalFixture;

TEST_F(SqliteJournalTest, AnEpisodeComesBackAsItWasWritten) {
  Open();
  const auto written = Practise("pick", Outcome::kSuccess, 3);
  const auto read = Read();
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].id, written.id);
  EXPECT_EQ(read[0].task, "pick");
  EXPECT_EQ(read[0].target.object, 1);
  EXPECT_EQ(read[0].target.goal_m, (core::Vec3{0.1, -0.2, 0.3}));
  EXPECT_EQ(read[0].skill, core::SkillKind::kLearned);
  EXPECT_EQ(read[0].policy_version, 7);
  EXPECT_TRUE(read[0].demonstration);
  EXPECT_EQ(read[0].started, written.started);
  EXPECT_EQ(read[0].ended, written.ended);
  EXPECT_EQ(read[0].utc_ns, written.utc_ns);
  EXPECT_EQ(read[0].outcome, Outcome::kSuccess);
  EXPECT_EQ(read[0].failure, "dropped");
  ASSERT_EQ(read[0].steps.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    const auto& step = read[0].steps[static_cast<std::size_t>(i)];
    const auto expected = StepNumber(i);
    EXPECT_EQ(step.proposed, expected.proposed);
    EXPECT_EQ(step.applied, expected.applied);
    EXPECT_EQ(step.reward, expected.reward);
    EXPECT_EQ(step.verdict, expected.verdict);
    EXPECT_EQ(step.limit, expected.limit);
    EXPECT_EQ(step.before.joints.q_rad, expected.before.joints.q_rad);
    EXPECT_EQ(step.after.objects[0].position_m, expected.after.objects[0].position_m);
    EXPECT_EQ(step.after.time, expected.after.time);
  }
}

TEST_F(SqliteJournalTest, ARunningEpisodeIsNotReadAsClosed) {
  Open();
  auto episode = Fresh("pick");
  ASSERT_TRUE(journal_->Begin(episode));
  ASSERT_TRUE(journal_->Append(episode.id, 0, StepNumber(0)));
  EXPECT_THAT(Read(), IsEmpty());
  EXPECT_EQ(reader().Find(episode.id)->steps.size(), 1u) << "yet its steps are on disk as they happen";
}

TEST_F(SqliteJournalTest, AnEpisodeLeftOpenBecomesInterruptedWithItsStepsAtTheNextStart) {
  Open();
  auto episode = Fresh("pick");
  ASSERT_TRUE(journal_->Begin(episode));
  for (int step = 0; step < 4; ++step) ASSERT_TRUE(journal_->Append(episode.id, step, StepNumber(step)));
  Open();
  const auto read = Read();
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].outcome, Outcome::kInterrupted);
  EXPECT_EQ(read[0].steps.size(), 4u);
}

TEST_F(SqliteJournalTest, ABeginWhileAnotherEpisodeIsOpenEndsThatAsInterrupted) {
  Open();
  const auto first = Fresh("pick");
  ASSERT_TRUE(journal_->Begin(first));
  const auto second = Practise("place", Outcome::kTimeout, 1);
  const auto read = Read();
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].outcome, Outcome::kInterrupted);
  EXPECT_EQ(read[1].id, second.id);
}

TEST_F(SqliteJournalTest, EpisodeIdsAreNeverUsedTwiceAndGrowAcrossRestarts) {
  std::int64_t last = 0;
  for (int session = 0; session < 3; ++session) {
    Open();
    for (int i = 0; i < 3; ++i) {
      const auto id = journal_->NextEpisodeId();
      EXPECT_GT(id, last);
      EXPECT_EQ(id >> 32, session + 1);
      last = id;
    }
  }
}

TEST_F(SqliteJournalTest, StepsThatDoNotFollowAreRefused) {
  Open();
  const auto episode = Fresh("pick");
  ASSERT_TRUE(journal_->Begin(episode));
  ASSERT_TRUE(journal_->Append(episode.id, 0, StepNumber(0)));
  EXPECT_EQ(journal_->Append(episode.id, 0, StepNumber(0)).error().code, FaultCode::kRefused);
  EXPECT_EQ(journal_->Append(episode.id, 2, StepNumber(2)).error().code, FaultCode::kRefused);
  EXPECT_EQ(journal_->Append(episode.id + 1, 1, StepNumber(1)).error().code, FaultCode::kRefused);
  EXPECT_TRUE(journal_->Append(episode.id, 1, StepNumber(1)));
}

TEST_F(SqliteJournalTest, AStepThatCouldNotBeReadBackIsNotStored) {
  Open();
  auto episode = Fresh("pick");
  ASSERT_TRUE(journal_->Begin(episode));
  auto step = StepNumber(0);
  step.after.tip_m.x = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(journal_->Append(episode.id, 0, step).error().code, FaultCode::kNotFinite);
  EXPECT_TRUE(journal_->Append(episode.id, 0, StepNumber(0)));
}

TEST_F(SqliteJournalTest, CloseIsRefusedForAnEpisodeThatIsNotOpenOrStillRunning) {
  Open();
  auto episode = Fresh("pick");
  episode.outcome = Outcome::kSuccess;
  EXPECT_EQ(journal_->Close(episode).error().code, FaultCode::kRefused);
  ASSERT_TRUE(journal_->Begin(episode));
  episode.outcome = Outcome::kRunning;
  EXPECT_EQ(journal_->Close(episode).error().code, FaultCode::kRefused);
}

TEST_F(SqliteJournalTest, TheCatalogueComesBackAsItWasSaved) {
  Open();
  core::TaskSpec task{.name = "recover-dropped-1",
                      .start = "held < 1",
                      .success = "held",
                      .failure = "outside",
                      .time_limit = core::Seconds(4),
                      .goal = core::GoalKind::kTraySpot,
                      .script = "pick",
                      .signature = "dropped/lift/tray",
                      .failure_kind = "dropped",
                      .inherits_from = "pick"};
  ASSERT_TRUE(journal_->SaveTask(task));
  task.time_limit = core::Seconds(9);
  ASSERT_TRUE(journal_->SaveTask(task));
  ASSERT_TRUE(journal_->SaveCompetence({"pick", core::SkillKind::kScripted, 1.5, 2.5, 4, 2}, 41));
  ASSERT_TRUE(journal_->SaveCompetence({"pick", core::SkillKind::kLearned, 3, 0, 3, 3}, 40));
  ASSERT_TRUE(journal_->RecordFailure(FailureNumber(5, "dropped/lift/tray")));
  ASSERT_TRUE(journal_->SaveIntervention({1, "object out of reach", 1, core::Instant(core::Seconds(5)), {}}));
  ASSERT_TRUE(journal_->SaveIntervention({2, "object lost", 0, core::Instant(core::Seconds(6)), {}}));
  ASSERT_TRUE(journal_->SaveIntervention(
      {1, "object out of reach", 1, core::Instant(core::Seconds(5)), core::Instant(core::Seconds(65))}));
  ASSERT_TRUE(journal_->SaveSnapshot({3, "pick", "promoted", "abc", 20, 18}));
  ASSERT_TRUE(journal_->SavePractised(std::chrono::hours(3)));

  const auto by_another = reader().Load();
  Open();
  const auto after_restart = journal_->Load();
  for (const auto* loaded : {&by_another, &after_restart}) {
    ASSERT_TRUE(*loaded);
    const core::Catalogue& catalogue = **loaded;
    ASSERT_EQ(catalogue.recovery_tasks.size(), 1u);
    EXPECT_EQ(catalogue.recovery_tasks[0].start, "held < 1");
    EXPECT_EQ(catalogue.recovery_tasks[0].time_limit, core::Seconds(9));
    EXPECT_EQ(catalogue.recovery_tasks[0].goal, core::GoalKind::kTraySpot);
    EXPECT_EQ(catalogue.recovery_tasks[0].signature, "dropped/lift/tray");
    EXPECT_EQ(catalogue.recovery_tasks[0].inherits_from, "pick");
    ASSERT_EQ(catalogue.competence.size(), 2u);
    EXPECT_EQ(catalogue.competence[1].successes, 1.5);
    EXPECT_EQ(catalogue.last_episode, 41) << "the later one stands, whatever the order of saving";
    ASSERT_EQ(catalogue.failures.size(), 1u);
    EXPECT_EQ(catalogue.failures[0].state.objects[0].position_m, FailureNumber(5, "").state.objects[0].position_m);
    ASSERT_EQ(catalogue.interventions.size(), 2u);
    EXPECT_EQ(catalogue.interventions[0].resolved, core::Instant(core::Seconds(65)));
    EXPECT_EQ(catalogue.interventions[1].resolved, std::nullopt);
    ASSERT_EQ(catalogue.snapshots.size(), 1u);
    EXPECT_EQ(catalogue.snapshots[0].state, "promoted");
    EXPECT_EQ(catalogue.practised, std::chrono::hours(3));
  }
}

TEST_F(SqliteJournalTest, OnlyTheNewestFailuresOfEachSignatureAreKeptAndAllAreCounted) {
  Open();
  for (int i = 1; i <= kFailuresKeptPerSignature + 5; ++i)
    ASSERT_TRUE(journal_->RecordFailure(FailureNumber(i, "wedged/corner")));
  ASSERT_TRUE(journal_->RecordFailure(FailureNumber(0, "dropped/lift")));
  const auto catalogue = journal_->Load();
  ASSERT_EQ(catalogue->failures.size(), static_cast<std::size_t>(kFailuresKeptPerSignature) + 1);
  EXPECT_EQ(catalogue->failures.front().id, 6);
  EXPECT_EQ(catalogue->failures.back().id, kFailuresKeptPerSignature + 6) << "id 0 asks for the next free one";
  const auto tallies = reader().Failures();
  ASSERT_EQ(tallies->size(), 2u);
  EXPECT_EQ((*tallies)[0].seen + (*tallies)[1].seen, kFailuresKeptPerSignature + 6);
}

TEST_F(SqliteJournalTest, AClosedEpisodeThatWasNotAppliedBeforeACrashIsFoundByTheRestart) {
  Open();
  const auto applied = Practise("pick", Outcome::kSuccess, 1);
  ASSERT_TRUE(journal_->SaveCompetence({"pick", core::SkillKind::kLearned, 1, 0, 1, 1}, applied.id));
  const auto unapplied = Practise("pick", Outcome::kFailure, 1);
  Open();
  const auto pending = reader().SummariesAfter(journal_->Load()->last_episode, 100);
  ASSERT_EQ(pending->size(), 1u);
  EXPECT_EQ((*pending)[0].episode.id, unapplied.id);
}

TEST_F(SqliteJournalTest, EachRobotDayHasItsFileWhichBeginsWithTheCatalogue) {
  Open();
  Practise("pick", Outcome::kSuccess, 1);
  ASSERT_TRUE(journal_->SaveSnapshot({3, "pick", "promoted", "abc", 20, 18}));
  ASSERT_TRUE(journal_->SavePractised(std::chrono::hours(25)));
  Practise("place", Outcome::kSuccess, 2);
  EXPECT_THAT(DayFiles(), ElementsAre("journal-0000.sqlite", "journal-0001.sqlite"));
  EXPECT_EQ(Number("journal-0001.sqlite", "SELECT version FROM snapshot WHERE state = 'promoted'"), 3);
  EXPECT_EQ(Read().size(), 2u) << "a reader sees the days as one";
}

TEST_F(SqliteJournalTest, ALostCatalogueIsMadeAnewFromTheNewestDayFile) {
  Open();
  Practise("pick", Outcome::kSuccess, 1);
  ASSERT_TRUE(journal_->SaveSnapshot({3, "pick", "promoted", "abc", 20, 18}));
  ASSERT_TRUE(journal_->SavePractised(std::chrono::hours(25)));
  const auto last = Practise("place", Outcome::kSuccess, 2);
  journal_.reset();
  for (const char* part : {"", "-wal", "-shm"})
    std::filesystem::remove(data_ / "journal" / (std::string("catalogue.sqlite") + part));
  Open();
  EXPECT_EQ(journal_->Load()->snapshots.size(), 1u);
  EXPECT_GT(journal_->NextEpisodeId(), last.id) << "ids stay unique";
}

TEST_F(SqliteJournalTest, RetentionDeletesWholeDaysOldestFirstAndNeverTheNewestTwo) {
  options_.journal_bytes_max = 1;
  Open();
  for (int day = 0; day < 5; ++day) {
    ASSERT_TRUE(journal_->SavePractised(std::chrono::hours(24 * day)));
    Practise("pick", Outcome::kSuccess, 2);
  }
  EXPECT_THAT(DayFiles(), ElementsAre("journal-0003.sqlite", "journal-0004.sqlite"));
  EXPECT_EQ(Read().size(), 2u);
}

TEST_F(SqliteJournalTest, ADiskBelowItsFloorRefusesToBeginAndGoesOnByItself) {
  std::int64_t free_bytes = 1 << 20;
  options_.free_bytes = [&](const std::filesystem::path&) { return free_bytes; };
  Open();
  const auto refused = journal_->Begin(Fresh("pick"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, FaultCode::kDiskFull);
  EXPECT_THAT(refused.error().detail, HasSubstr("disk_free_bytes_min"));
  free_bytes = std::int64_t{1} << 40;
  Practise("pick", Outcome::kSuccess, 2);
  EXPECT_EQ(Read().size(), 1u);
}

TEST_F(SqliteJournalTest, CloseStoresTheStepsThatAppendCouldNot) {
  Open();
  auto episode = Fresh("pick");
  ASSERT_TRUE(journal_->Begin(episode));
  ASSERT_TRUE(journal_->Append(episode.id, 0, StepNumber(0)));
  for (int step = 0; step < 4; ++step) episode.steps.push_back(StepNumber(step));
  episode.outcome = Outcome::kSuccess;
  ASSERT_TRUE(journal_->Close(episode));
  EXPECT_EQ(Read().at(0).steps.size(), 4u);
  EXPECT_EQ(journal_->stats().transitions_committed, 4);
  EXPECT_EQ(journal_->stats().episodes_committed, 1);
  EXPECT_GT(journal_->stats().bytes, 4096);
}

TEST_F(SqliteJournalTest, ASecondWriterOnTheSameDataIsRefusedWithTheProcessNamed) {
  Open();
  const auto second = SqliteJournal::Open(data_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, FaultCode::kAlreadyRunning);
  EXPECT_THAT(second.error().detail, HasSubstr(std::to_string(getpid())));
}

TEST_F(SqliteJournalTest, AFileOfALaterVersionIsRefusedAndLeftAlone) {
  Open();
  Practise("pick", Outcome::kSuccess, 1);
  journal_.reset();
  for (const char* name : {"journal-0000.sqlite", "catalogue.sqlite"}) {
    Execute(name, "PRAGMA user_version=99");
    const auto opened = SqliteJournal::Open(data_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, FaultCode::kSchemaTooNew);
    EXPECT_THAT(opened.error().detail, HasSubstr(name));
    EXPECT_EQ(Number(name, "PRAGMA user_version"), 99);
    Execute(name, "PRAGMA user_version=1");
  }
  EXPECT_TRUE(SqliteJournal::Open(data_));
}

TEST_F(SqliteJournalTest, AFileThatIsNoJournalIsRefusedWithWhatToDo) {
  Open();
  journal_.reset();
  std::ofstream(data_ / "journal" / "catalogue.sqlite", std::ios::trunc) << std::string(8192, 'x');
  const auto opened = SqliteJournal::Open(data_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, FaultCode::kCorruptState);
  EXPECT_THAT(opened.error().detail, HasSubstr("move"));
}

TEST_F(SqliteJournalTest, ImpossibleOptionsAreRefused) {
  options_.robot_day = core::Duration(0);
  EXPECT_EQ(SqliteJournal::Open(data_, options_).error().code, FaultCode::kInvalidConfig);
}

}  // namespace
}  // namespace nightshift::io
