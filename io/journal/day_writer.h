// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>

#include "core/fault.h"
#include "core/transition.h"
#include "io/journal/sqlite.h"

namespace nightshift::io {

/// Writes the episodes of one day file. Faults of all: those of Database.
/// Thread: that of the journal.
class DayWriter {
 public:
  static core::Result<DayWriter> Open(const std::filesystem::path& path);

  /// The greatest id in the file; 0: none.
  core::Result<std::int64_t> NewestEpisode();
  /// Gives every open episode the outcome "interrupted".
  core::Result<void> InterruptOpen();

  core::Result<void> Begin(const core::Episode& episode, core::Duration practised);
  core::Result<void> Append(std::int64_t episode, int step, const core::Transition& transition);
  /// Stores episode.steps from `stored` on, and the outcome, in one commit.
  core::Result<void> Close(const core::Episode& episode, int stored);

  /// Moves the write-ahead log into the file; for a day that is over.
  core::Result<void> Finish();

 private:
  DayWriter(Database database, Statement append) : database_(std::move(database)), append_(std::move(append)) {}

  Database database_;
  Statement append_;
};

}  // namespace nightshift::io
