// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>

#include "core/catalogue.h"
#include "core/fault.h"
#include "io/journal/sqlite.h"

namespace nightshift::io {

/// Writes catalogue.sqlite. Each call is one synced commit. Faults of all: those of Database.
/// Thread: that of the journal.
class CatalogueWriter {
 public:
  /// Makes the file if it is not there: from the newest day file's copy, or empty when there is no day file.
  static core::Result<CatalogueWriter> Open(const std::filesystem::path& data_directory);

  core::Result<core::Catalogue> Load();
  core::Result<void> SaveTask(const core::TaskSpec& task);
  core::Result<void> SaveCompetence(const core::Competence& competence, std::int64_t episode);
  core::Result<void> RecordFailure(const core::FailureRecord& failure, int kept_per_signature);
  core::Result<void> SaveIntervention(const core::InterventionRecord& intervention);
  core::Result<void> SaveSnapshot(const core::SnapshotRecord& snapshot);
  core::Result<void> SavePractised(core::Duration practised);

  core::Result<core::Duration> Practised();
  /// A session number that was never used: above all earlier ones and above `used`.
  core::Result<std::int64_t> BeginSession(std::int64_t used);

 private:
  explicit CatalogueWriter(Database database) : database_(std::move(database)) {}
  Database database_;
};

}  // namespace nightshift::io
