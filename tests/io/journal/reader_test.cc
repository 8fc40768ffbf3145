// SPDX-License-Identifier: Apache-2.0
#include "io/journal/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "tests/io/journal/journal_fixture.h"

namespace nightshift::io {
namespace {

using core::FaultCode;
using core::Outcome;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using JournalReaderTest = JournalFixture;

std::vector<std::string> TasksOf(const core::Result<std::vector<core::Episode>>& episodes) {
  std::vector<std::string> tasks;
  if (episodes)
    for (const auto& episode : *episodes) tasks.push_back(episode.task);
  return tasks;
}

TEST_F(JournalReaderTest, WhereNoFileExistsYetThereIsNothingAndNoFault) {
  auto nothing = reader();
  EXPECT_THAT(nothing.ClosedAfter(0, 10).value(), IsEmpty());
  EXPECT_THAT(nothing.SummariesAfter(0, 10).value(), IsEmpty());
  EXPECT_THAT(nothing.Count().value(), IsEmpty());
  EXPECT_THAT(nothing.Failures().value(), IsEmpty());
  EXPECT_EQ(nothing.NewestClosed().value(), 0);
  EXPECT_EQ(nothing.Load().value().last_episode, 0);
  EXPECT_THAT(JournalReader("/nowhere/at/all").ClosedAfter(0, 10).value(), IsEmpty());
}

TEST_F(JournalReaderTest, ACursorGoesThroughAllDaysAndSessionsWithoutGapOrRepeat) {
  std::vector<std::string> written;
  for (int day = 0; day < 4; ++day) {
    Open();
    ASSERT_TRUE(journal_->SavePractised(std::chrono::hours(24 * day)));
    for (int i = 0; i < 3; ++i) {
      written.push_back("task " + std::to_string(written.size()));
      Practise(written.back(), Outcome::kSuccess, 1);
    }
  }
  auto tail = reader();
  std::vector<std::string> seen;
  std::int64_t cursor = 0;
  for (std::size_t i = 0; i <= written.size(); ++i) {
    const auto episodes = tail.ClosedAfter(cursor, 2);
    ASSERT_TRUE(episodes);
    ASSERT_LE(episodes->size(), 2u);
    for (const auto& episode : *episodes) seen.push_back(episode.task);
    if (!episodes->empty()) cursor = episodes->back().id;
  }
  EXPECT_EQ(seen, written);
  EXPECT_EQ(tail.NewestClosed().value(), cursor);
}

TEST_F(JournalReaderTest, AReaderThatStaysOpenSeesWhatIsClosedLaterAlsoInANewDay) {
  auto tail = reader();
  Open();
  const auto first = Practise("first", Outcome::kSuccess, 1);
  EXPECT_THAT(TasksOf(tail.ClosedAfter(0, 10)), ElementsAre("first"));
  EXPECT_EQ(tail.NewestClosed().value(), first.id);
  const auto second = Practise("second", Outcome::kSuccess, 1);
  EXPECT_THAT(TasksOf(tail.ClosedAfter(first.id, 10)), ElementsAre("second"));
  ASSERT_TRUE(journal_->SavePractised(std::chrono::hours(24)));
  const auto third = Practise("third", Outcome::kSuccess, 1);
  EXPECT_THAT(TasksOf(tail.ClosedAfter(second.id, 10)), ElementsAre("third"));
  EXPECT_EQ(tail.NewestClosed().value(), third.id);
}

TEST_F(JournalReaderTest, DaysThatRetentionDeletedArePassedByWithoutAFault) {
  Open();
  for (int day = 0; day < 3; ++day) {
    ASSERT_TRUE(journal_->SavePractised(std::chrono::hours(24 * day)));
    Practise("day " + std::to_string(day), Outcome::kSuccess, 1);
  }
  auto tail = reader();
  ASSERT_EQ(tail.ClosedAfter(0, 1)->size(), 1u);
  options_.journal_bytes_max = 1;
  Open();
  EXPECT_THAT(TasksOf(tail.ClosedAfter(0, 10)), ElementsAre("day 1", "day 2"));
}

TEST_F(JournalReaderTest, EpisodesAreCountedByTaskSkillAndOutcomeOverPractisedTime) {
  Open();
  Practise("pick", Outcome::kSuccess, 2);
  Practise("pick", Outcome::kTimeout, 3);
  ASSERT_TRUE(journal_->SavePractised(std::chrono::hours(1)));
  Practise("pick", Outcome::kFailure, 1);
  Practise("place", Outcome::kInterrupted, 1);
  const auto all = reader().Count();
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].task, "pick");
  EXPECT_EQ((*all)[0].skill, core::SkillKind::kLearned);
  EXPECT_EQ((*all)[0].attempts(), 3);
  EXPECT_EQ((*all)[0].successes, 1);
  EXPECT_EQ((*all)[0].timeouts, 1);
  EXPECT_EQ((*all)[0].failures, 1);
  EXPECT_EQ((*all)[0].steps, 6);
  EXPECT_EQ((*all)[1].interrupted, 1);
  EXPECT_EQ((*all)[1].attempts(), 0) << "an interruption says nothing about the skill";
  const auto later = reader().Count({.from = std::chrono::hours(1)});
  ASSERT_EQ(later->size(), 2u);
  EXPECT_EQ((*later)[0].attempts(), 1);
}

TEST_F(JournalReaderTest, SummariesTellHowMuchHadBeenPractisedBefore) {
  Open();
  ASSERT_TRUE(journal_->SavePractised(std::chrono::minutes(90)));
  Practise("pick", Outcome::kSuccess, 2);
  const auto summaries = reader().SummariesAfter(0, 10);
  ASSERT_EQ(summaries->size(), 1u);
  EXPECT_EQ((*summaries)[0].steps, 2);
  EXPECT_EQ((*summaries)[0].practised_before, std::chrono::minutes(90));
  EXPECT_THAT((*summaries)[0].episode.steps, IsEmpty());
}

TEST_F(JournalReaderTest, AnEpisodeThatNeverWasIsNamedAsMissing) {
  Open();
  const auto missing = reader().Find(12345);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, FaultCode::kMissingFile);
  EXPECT_THAT(missing.error().detail, HasSubstr("12345"));
}

TEST_F(JournalReaderTest, ADayFileOfALaterVersionOrADamagedOneIsAFaultThatNamesTheFile) {
  Open();
  Practise("pick", Outcome::kSuccess, 1);
  journal_.reset();
  Execute("journal-0000.sqlite", "PRAGMA user_version=99");
  EXPECT_EQ(reader().ClosedAfter(0, 10).error().code, FaultCode::kSchemaTooNew);
  std::ofstream(data_ / "journal" / "journal-0000.sqlite", std::ios::trunc) << std::string(8192, 'x');
  const auto damaged = reader().ClosedAfter(0, 10);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, FaultCode::kCorruptState);
  EXPECT_THAT(damaged.error().detail, HasSubstr("journal-0000.sqlite"));
}

TEST_F(JournalReaderTest, AReaderBesideABusyWriterSeesOnlyWholeClosedEpisodesInOrder) {
  constexpr int kEpisodes = 200, kSteps = 5;
  Open();
  std::atomic<bool> writing{true};
  std::thread writer([&] {
    for (int i = 0; i < kEpisodes; ++i) Practise("pick", Outcome::kSuccess, kSteps);
    writing = false;
  });
  auto tail = reader();
  std::int64_t cursor = 0;
  int seen = 0;
  for (bool more = true; more;) {
    more = writing;  // One more look after the last was written.
    const auto episodes = tail.ClosedAfter(cursor, 50);
    ASSERT_TRUE(episodes) << episodes.error().detail;
    for (const auto& episode : *episodes) {
      EXPECT_EQ(episode.id, cursor == 0 ? episode.id : cursor + 1);
      EXPECT_EQ(episode.steps.size(), static_cast<std::size_t>(kSteps));
      cursor = episode.id;
      ++seen;
    }
    more = more || episodes->size() == 50u;
  }
  writer.join();
  EXPECT_EQ(seen, kEpisodes);
}

}  // namespace
}  // namespace nightshift::io
