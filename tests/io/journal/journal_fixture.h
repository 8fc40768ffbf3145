// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/catalogue.h"
#include "core/transition.h"
#include "io/journal/reader.h"
#include "io/journal/sqlite.h"
#include "io/journal/sqlite_journal.h"

namespace nightshift::io {

/// A transition whose fields all differ, and differ from those of other numbers.
inline core::Transition StepNumber(int number) {
  core::Transition step;
  const auto observe = [](int seed) {
    core::Observation seen;
    seen.time = core::Instant(core::Seconds(0.1 * seed));
    seen.joints.time = seen.time;
    seen.joints.sequence = static_cast<std::uint64_t>(seed);
    seen.joints.axes = 6;
    for (std::size_t axis = 0; axis < 6; ++axis)
      seen.joints.q_rad[axis] = 0.01 * seed + 0.1 * static_cast<double>(axis);
    seen.tip_m = {0.2, 0.001 * seed, 0.1};
    seen.frame = core::FrameHealth::kGood;
    seen.object_count = 2;
    seen.objects[0] = {{0.2 + 0.001 * seed, 0.05, 0.02}, 0.9, core::Seconds(0.03)};
    seen.objects[1] = {{0.25, -0.05, 0.02}, 0.8, core::Seconds(0.04)};
    return seen;
  };
  step.before = observe(number);
  step.after = observe(number + 1);
  step.proposed = {0.1f * static_cast<float>(number % 7), -0.2f, 0.3f, 1};
  step.applied = {0.05f * static_cast<float>(number % 7), -0.1f, 0.2f, 1};
  step.verdict = core::Verdict::kLimited;
  step.limit = core::LimitId::kVelocity;
  step.reward = static_cast<float>(number);
  return step;
}

inline core::FailureRecord FailureNumber(std::int64_t id, const std::string& signature) {
  return {.id = id,
          .episode = 17,
          .kind = signature.substr(0, signature.find('/')),
          .signature = signature,
          .task = "pick",
          .object = 1,
          .at = core::Instant(core::Seconds(3)),
          .state = StepNumber(static_cast<int>(id)).after};
}

/// A journal in a directory of its own, and a small language to write and read it.
class JournalFixture : public testing::Test {
 protected:
  JournalFixture() {
    // In memory where there is such a place: thousands of syncs on a disk would take most of the test's time.
    const std::filesystem::path shared_memory = "/dev/shm";
    const bool in_memory = access(shared_memory.c_str(), W_OK) == 0;
    const auto parent = in_memory ? shared_memory : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "nightshift-journal-XXXXXX").string();
    data_ = mkdtemp(pattern.data());
    options_.free_bytes = [](const std::filesystem::path&) { return std::int64_t{1} << 40; };
  }
  ~JournalFixture() override {
    journal_.reset();
    std::filesystem::remove_all(data_);
  }

  /// Opens the journal, after closing it where it was open.
  void Open() {
    journal_.reset();
    auto opened = SqliteJournal::Open(data_, options_);
    ASSERT_TRUE(opened) << opened.error().detail;
    journal_ = std::move(*opened);
  }

  core::Episode Fresh(const std::string& task) {
    core::Episode episode;
    episode.id = journal_->NextEpisodeId();
    episode.task = task;
    episode.target = {.object = 1, .goal_m = {0.1, -0.2, 0.3}};
    episode.skill = core::SkillKind::kLearned;
    episode.policy_version = 7;
    episode.demonstration = true;
    episode.started = core::Instant(core::Seconds(1));
    episode.ended = core::Instant(core::Seconds(7));
    episode.utc_ns = 1'700'000'000'000'000'000;
    episode.failure = "dropped";
    return episode;
  }

  core::Episode Practise(const std::string& task, core::Outcome outcome, int steps) {
    auto episode = Fresh(task);
    EXPECT_TRUE(journal_->Begin(episode));
    for (int step = 0; step < steps; ++step) EXPECT_TRUE(journal_->Append(episode.id, step, StepNumber(step)));
    episode.outcome = outcome;
    const auto closed = journal_->Close(episode);
    EXPECT_TRUE(closed) << closed.error().detail;
    return episode;
  }

  JournalReader reader() const { return JournalReader(data_); }

  std::vector<core::Episode> Read() const {
    auto episodes = reader().ClosedAfter(0, kEpisodesPerReadMax);
    EXPECT_TRUE(episodes) << episodes.error().detail;
    return episodes ? std::move(*episodes) : std::vector<core::Episode>{};
  }

  std::set<std::string> DayFiles() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(data_ / "journal")) {
      const std::string name = entry.path().filename();
      if (name.starts_with("journal-") && name.ends_with(".sqlite")) names.insert(name);
    }
    return names;
  }

  std::int64_t Number(const std::string& file, const std::string& sql) const {
    auto database = Database::Open(data_ / "journal" / file, Database::Mode::kReadOnly);
    EXPECT_TRUE(database);
    return database->Scalar(sql).value().value_or(-1);
  }

  void Execute(const std::string& file, const std::string& sql) const {
    auto database = Database::Open(data_ / "journal" / file, Database::Mode::kReadWrite);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->Execute(sql));
  }

  std::filesystem::path data_;
  JournalOptions options_;
  std::unique_ptr<SqliteJournal> journal_;
};

}  // namespace nightshift::io
