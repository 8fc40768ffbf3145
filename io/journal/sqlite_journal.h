// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "core/catalogue.h"
#include "core/fault.h"
#include "core/time.h"
#include "core/transition.h"

namespace nightshift::io {

inline constexpr int kFailuresKeptPerSignature = 20;  // As starts of its recovery task; the tally counts them all.
inline constexpr int kDayFilesMin = 2;                // Retention never deletes the newest two.

struct JournalOptions {
  /// Robot time in one file.
  core::Duration robot_day = std::chrono::hours(24);
  /// Below this no episode begins. What is left is for closing the one that runs and for everybody else's logs.
  std::int64_t disk_free_bytes_min = std::int64_t{256} << 20;
  /// Above this the oldest day files are deleted, whole. One robot-day at 10 Hz is some 1 GB.
  std::int64_t journal_bytes_max = std::int64_t{32} << 30;
  /// Free bytes for us on the file system of a path; empty: the operating system's word (statvfs).
  std::function<std::int64_t(const std::filesystem::path&)> free_bytes;
};

/// What the journal has done since it was opened, for the metrics.
struct JournalStats {
  std::int64_t episodes_committed = 0;
  std::int64_t transitions_committed = 0;
  std::int64_t bytes = 0;                // All files, as of the last Close.
  double last_close_seconds = 0;         // Wall time of the last Close.
  std::int64_t last_closed_episode = 0;  // For the learner's lag; 0: none since it was opened.
};

/// The journal and catalogue in SQLite, below `<data>/journal`; docs/journal.md describes the files.
///
/// What is promised: Begin and Close return after fsync. Append returns when the step is safe against the death of this
/// process (kill -9); a power cut may cost the steps since the last Begin or Close, all of an episode that ends as
/// interrupted anyway. One episode is open at a time: a Begin while another is open ends that as interrupted.
///
/// Faults of all: kDiskFull (nothing is lost; the same call works once there is room), kCorruptState, kIoFailed (after
/// a failed fsync for good: what is on disk is then unknown, so the process should end and open the journal again).
/// Thread: one at a time, the supervisor's.
class SqliteJournal final : public core::Journal {
 public:
  /// Takes the data directory, ends episodes that a crash left open as interrupted, and deletes what retention allows.
  /// Faults: kAlreadyRunning naming the process, kSchemaTooNew, kCorruptState, kDiskFull, kIoFailed, kInvalidConfig.
  static core::Result<std::unique_ptr<SqliteJournal>> Open(const std::filesystem::path& data_directory,
                                                           const JournalOptions& options = {});
  ~SqliteJournal() override;

  std::int64_t NextEpisodeId() override;
  /// Also kDiskFull when less than `disk_free_bytes_min` is free. `episode.steps` is not looked at.
  core::Result<void> Begin(const core::Episode& episode) override;
  /// `step` counts from 0 without gaps. Faults also: kRefused for another episode or step than the next, kNotFinite.
  core::Result<void> Append(std::int64_t episode, int step, const core::Transition& transition) override;
  /// Steps of `episode.steps` that an Append could not store (full disk) are stored now, in the same commit.
  core::Result<void> Close(const core::Episode& episode) override;

  core::Result<core::Catalogue> Load() override;
  core::Result<void> SaveTask(const core::TaskSpec& task) override;
  core::Result<void> SaveCompetence(const core::Competence& competence, std::int64_t episode) override;
  /// A failure or intervention with id 0 is given the next free one; a known id is overwritten.
  core::Result<void> RecordFailure(const core::FailureRecord& failure) override;
  core::Result<void> SaveIntervention(const core::InterventionRecord& intervention) override;
  core::Result<void> SaveSnapshot(const core::SnapshotRecord& snapshot) override;
  /// Also decides in which day file the next episode goes.
  core::Result<void> SavePractised(core::Duration practised) override;

  const JournalStats& stats() const;

 private:
  class Files;
  explicit SqliteJournal(std::unique_ptr<Files> files);
  std::unique_ptr<Files> files_;
};

}  // namespace nightshift::io
