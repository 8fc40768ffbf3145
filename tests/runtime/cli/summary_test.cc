// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "io/journal/sqlite_journal.h"

namespace nightshift::runtime::cli {
namespace {

using testing::HasSubstr;

std::string FreshFolder() {
  const std::string folder = testing::TempDir() + "ns-summary";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

void Attempt(core::Journal& journal, const std::string& task, core::SkillKind skill, core::Outcome outcome) {
  core::Episode episode;
  episode.id = journal.NextEpisodeId();
  episode.task = task;
  episode.skill = skill;
  ASSERT_TRUE(journal.Begin(episode));
  episode.outcome = outcome;
  ASSERT_TRUE(journal.Close(episode));
}

TEST(WilsonInterval, IsThePublishedOneAndStaysWithinBounds) {
  const Interval half = WilsonInterval({.solved = 100, .attempts = 200});
  EXPECT_NEAR(half.low, 0.4313, 1e-3);
  EXPECT_NEAR(half.high, 0.5687, 1e-3);
  EXPECT_EQ(WilsonInterval({.solved = 0, .attempts = 10}).low, 0);
  EXPECT_EQ(WilsonInterval({.solved = 10, .attempts = 10}).high, 1);
  EXPECT_EQ(WilsonInterval({}).high, 1);
}

TEST(Summary, ComparesScriptedWithLearnedAndTheBeginningWithTheEnd) {
  const std::string folder = FreshFolder();
  {
    auto journal = io::SqliteJournal::Open(folder, {});
    ASSERT_TRUE(journal) << journal.error().detail;
    for (int i = 0; i < 4; ++i) {
      Attempt(**journal, "pick", core::SkillKind::kScripted, i < 2 ? core::Outcome::kSuccess : core::Outcome::kTimeout);
      Attempt(**journal, "pick", core::SkillKind::kLearned, i == 3 ? core::Outcome::kSuccess : core::Outcome::kFailure);
    }
    Attempt(**journal, "pick", core::SkillKind::kLearned, core::Outcome::kInterrupted);
    ASSERT_TRUE((*journal)->SavePractised(core::Seconds(7200)));
    ASSERT_TRUE((*journal)->SaveIntervention({.id = 0, .reason = "lost", .object = 0, .asked = {}, .resolved = {}}));
  }
  const auto summary = SummaryOf(folder);
  ASSERT_TRUE(summary) << summary.error().detail;
  EXPECT_THAT(*summary, HasSubstr("scripted 2/4, 50 %"));
  EXPECT_THAT(*summary, HasSubstr("learned  1/4, 25 %"));
  EXPECT_THAT(*summary, HasSubstr("first quarter of them 0/1, 0 %"));
  EXPECT_THAT(*summary, HasSubstr("last quarter 1/1, 100 %"));
  EXPECT_THAT(*summary, HasSubstr("interventions: 1 in 2 h 00 min of robot time (0.50 per robot-hour)"));
}

TEST(Summary, OfAnEmptyFolderSaysThatThereIsNothingYet) {
  const auto summary = SummaryOf(FreshFolder());
  ASSERT_TRUE(summary);
  EXPECT_THAT(*summary, HasSubstr("no attempt yet"));
}

}  // namespace
}  // namespace nightshift::runtime::cli
