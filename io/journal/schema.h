// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <span>

#include "core/fault.h"
#include "io/journal/sqlite.h"

/// What the tables are, and how a file of an older version becomes one of this version. docs/journal.md describes them.
namespace nightshift::io {

inline constexpr int kSchemaVersion = 1;
inline constexpr int kApplicationId = 0x4e534a4c;  // "NSJL": the file says whose it is.

/// Takes a file from version `from` to `from + 1`.
struct Migration {
  int from;
  const char* sql;
};

/// Makes a database with the tables of the catalogue, and those of the episodes if it is a day file. The file appears
/// under its name whole or not at all. `catalogue_from`: a database whose catalogue it begins with; empty: none.
enum class FileKind { kCatalogue, kDay };
core::Result<void> CreateFile(const std::filesystem::path& path, FileKind kind,
                              const std::filesystem::path& catalogue_from);

/// Opens for writing: WAL, synchronous=FULL. Faults: kSchemaTooNew, kCorruptState, those of Database.
core::Result<Database> OpenForWriting(const std::filesystem::path& path);

/// Opens for reading only. Faults: kSchemaTooNew, kCorruptState, those of Database.
core::Result<Database> OpenForReading(const std::filesystem::path& path);

/// Refuses a file of a later version; brings one of an older version up by migrating a copy that then takes its place.
core::Result<void> Upgrade(const std::filesystem::path& path);
core::Result<void> Upgrade(const std::filesystem::path& path, int version, std::span<const Migration> migrations);

/// Makes a rename or removal in `directory` durable.
core::Result<void> SyncDirectory(const std::filesystem::path& directory);

}  // namespace nightshift::io
