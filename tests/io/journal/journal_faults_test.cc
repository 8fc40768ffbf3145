// SPDX-License-Identifier: Apache-2.0
// The disk fails at the n-th operation, for every n; the process is killed wherever it is.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <map>

#include "core/random.h"
#include "tests/io/journal/faulty_vfs.h"
#include "tests/io/journal/journal_fixture.h"

namespace nightshift::io {
namespace {

using core::FaultCode;
using core::Outcome;
using core::Result;

constexpr int kOperationsMax = 1000;  // A session below makes some 30 writes; this bounds the search.
constexpr int kSteps = 3;

class JournalFaults : public JournalFixture {
 protected:
  /// One episode and what follows it, call by call.
  std::vector<std::function<Result<void>()>> Session(const core::Episode& episode) {
    std::vector<std::function<Result<void>()>> calls;
    calls.emplace_back([=, this] { return journal_->Begin(episode); });
    for (int step = 0; step < kSteps; ++step)
      calls.emplace_back([=, this] { return journal_->Append(episode.id, step, StepNumber(step)); });
    calls.emplace_back([=, this] { return journal_->Close(episode); });
    calls.emplace_back([=, this] {
      return journal_->SaveCompetence({episode.task, episode.skill, 1, 0, 1, 1}, episode.id);
    });
    calls.emplace_back([=, this] { return journal_->RecordFailure(FailureNumber(episode.id, "dropped/lift")); });
    calls.emplace_back([=, this] { return journal_->SavePractised(std::chrono::hours(25)); });
    return calls;
  }

  core::Episode Ended(const std::string& task) {
    auto episode = Fresh(task);
    episode.outcome = Outcome::kSuccess;
    return episode;
  }

  /// Everything that was promised is there, and nothing twice.
  void ExpectWhole(const std::vector<core::Episode>& promised) const {
    std::map<std::int64_t, core::Episode> read;
    for (auto& episode : Read()) EXPECT_TRUE(read.emplace(episode.id, episode).second) << "twice: " << episode.id;
    for (const auto& episode : promised) {
      ASSERT_TRUE(read.contains(episode.id)) << "lost: " << episode.id;
      EXPECT_EQ(read[episode.id].outcome, Outcome::kSuccess);
      EXPECT_EQ(read[episode.id].steps.size(), static_cast<std::size_t>(kSteps));
    }
  }

  void Clear() {
    journal_.reset();
    std::filesystem::remove_all(data_ / "journal");
  }

  FaultyDisk disk_;
};

TEST_F(JournalFaults, AtWhicheverWriteTheDiskFillsNothingIsLostAndTheSameCallWorksOnceThereIsRoom) {
  int n = 1;
  for (bool failed = true; failed && n < kOperationsMax; ++n) {
    SCOPED_TRACE("full from write " + std::to_string(n));
    Clear();
    Open();
    const std::vector<core::Episode> promised{Practise("before", Outcome::kSuccess, kSteps), Ended("first"),
                                              Ended("second, of the next day")};
    disk_.FailFrom(FaultyDisk::Fault::kFull, n);
    for (std::size_t i = 1; i < promised.size(); ++i) {
      for (const auto& call : Session(promised[i])) {
        auto done = call();
        if (!done) {
          EXPECT_EQ(done.error().code, FaultCode::kDiskFull) << done.error().detail;
          disk_.Heal();
          done = call();
        }
        ASSERT_TRUE(done) << done.error().detail;
      }
    }
    failed = disk_.failed();
    disk_.Heal();
    ExpectWhole(promised);
    Open();
    ExpectWhole(promised);
  }
  EXPECT_GT(n, 10) << "the search has tried real writes";
  EXPECT_LT(n, kOperationsMax) << "and come to its end";
}

TEST_F(JournalFaults, AfterAFailedSyncTheJournalStaysShutAndTheNextStartHasAllThatWasPromised) {
  int n = 1;
  for (bool failed = true; failed && n < kOperationsMax; ++n) {
    SCOPED_TRACE("failing from sync " + std::to_string(n));
    Clear();
    Open();
    std::vector<core::Episode> promised{Practise("before", Outcome::kSuccess, kSteps)};
    const auto episode = Ended("first");
    disk_.FailFrom(FaultyDisk::Fault::kSyncFails, n);
    Result<void> last = {};
    for (const auto& call : Session(episode))
      if (last) last = call();
    const bool closed = [&] {
      disk_.Heal();
      return last || journal_->stats().last_closed_episode == episode.id;
    }();
    failed = disk_.failed();
    if (!last) {
      EXPECT_EQ(last.error().code, FaultCode::kIoFailed) << last.error().detail;
      const auto again = journal_->Begin(Fresh("again"));
      ASSERT_FALSE(again) << "what is on disk is not known, so no call may go on";
      EXPECT_EQ(again.error().detail, last.error().detail) << "the first cause is kept";
    }
    if (closed) promised.push_back(episode);
    Open();
    ExpectWhole(promised);
  }
  EXPECT_GT(n, 4);
  EXPECT_LT(n, kOperationsMax);
}

/// Practises for ever, and writes a byte for each step and an id for each closed episode; never returns.
[[noreturn]] void PractiseUntilKilled(const std::filesystem::path& data, int tell) {
  auto journal = SqliteJournal::Open(data);
  if (!journal) _exit(1);
  for (;;) {
    core::Episode episode;
    episode.id = (*journal)->NextEpisodeId();
    episode.task = "pick";
    if (!(*journal)->Begin(episode)) _exit(1);
    for (int step = 0; step < kSteps; ++step)
      if (!(*journal)->Append(episode.id, step, StepNumber(step))) _exit(1);
    episode.outcome = Outcome::kSuccess;
    if (!(*journal)->Close(episode)) _exit(1);
    if (write(tell, &episode.id, sizeof(episode.id)) != sizeof(episode.id)) _exit(1);
  }
}

TEST_F(JournalFaults, KilledAtAnyInstantNoClosedEpisodeIsLostOrDoubledAndTheOpenOneIsInterrupted) {
  constexpr int kKills = 20;
  core::Random random(20240607);
  std::vector<core::Episode> promised;
  for (int kill_number = 0; kill_number < kKills; ++kill_number) {
    SCOPED_TRACE("kill " + std::to_string(kill_number));
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) PractiseUntilKilled(data_, ends[1]);
    close(ends[1]);
    core::Episode episode;
    const int before_kill = 1 + random.Index(6);
    for (int i = 0; i < before_kill; ++i) {
      ASSERT_EQ(read(ends[0], &episode.id, sizeof(episode.id)), static_cast<ssize_t>(sizeof(episode.id)));
      promised.push_back(episode);
    }
    kill(child, SIGKILL);  // In the midst of whatever comes next.
    while (read(ends[0], &episode.id, sizeof(episode.id)) == static_cast<ssize_t>(sizeof(episode.id)))
      promised.push_back(episode);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
  }
  Open();
  ExpectWhole(promised);
  int interrupted = 0;
  for (const auto& episode : Read()) interrupted += episode.outcome == Outcome::kInterrupted ? 1 : 0;
  // How many kills hit an open episode is chance: on a fast disk perhaps none.
  EXPECT_LE(interrupted, kKills);
}

}  // namespace
}  // namespace nightshift::io
