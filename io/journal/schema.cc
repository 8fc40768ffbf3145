// SPDX-License-Identifier: Apache-2.0
#include "io/journal/schema.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace nightshift::io {
namespace {

using core::Fail;
using core::FaultCode;
using core::Result;

constexpr char kCatalogueTables[] = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE task(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, start TEXT NOT NULL, success TEXT NOT NULL, failure TEXT NOT NULL,
  time_limit_ns INTEGER NOT NULL, goal TEXT NOT NULL, script TEXT NOT NULL, signature TEXT NOT NULL,
  failure_kind TEXT NOT NULL, inherits_from TEXT NOT NULL);
CREATE TABLE competence(
  task TEXT NOT NULL, skill TEXT NOT NULL, successes REAL NOT NULL, failures REAL NOT NULL, attempts INTEGER NOT NULL,
  solved INTEGER NOT NULL, PRIMARY KEY(task, skill));
CREATE TABLE failure(
  id INTEGER PRIMARY KEY, episode INTEGER NOT NULL, kind TEXT NOT NULL, signature TEXT NOT NULL, task TEXT NOT NULL,
  object INTEGER NOT NULL, at_ns INTEGER NOT NULL, state BLOB NOT NULL);
CREATE INDEX failure_by_signature ON failure(signature, id);
CREATE TABLE failure_tally(signature TEXT PRIMARY KEY, kind TEXT NOT NULL, seen INTEGER NOT NULL);
CREATE TABLE intervention(
  id INTEGER PRIMARY KEY, reason TEXT NOT NULL, object INTEGER NOT NULL, asked_ns INTEGER NOT NULL,
  resolved_ns INTEGER);
CREATE TABLE snapshot(
  task TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL, sha256 TEXT NOT NULL, attempts INTEGER NOT NULL,
  solved INTEGER NOT NULL, PRIMARY KEY(task, version));
)sql";

constexpr char kEpisodeTables[] = R"sql(
CREATE TABLE episode(
  id INTEGER PRIMARY KEY, task TEXT NOT NULL, object INTEGER NOT NULL, goal_x_m REAL NOT NULL, goal_y_m REAL NOT NULL,
  goal_z_m REAL NOT NULL, skill TEXT NOT NULL, policy_version INTEGER NOT NULL, demonstration INTEGER NOT NULL,
  started_ns INTEGER NOT NULL, ended_ns INTEGER NOT NULL, utc_ns INTEGER NOT NULL, practised_ns INTEGER NOT NULL,
  outcome TEXT NOT NULL, failure TEXT NOT NULL, steps INTEGER NOT NULL);
CREATE INDEX episode_open ON episode(outcome) WHERE outcome = 'running';
CREATE TABLE transition(episode INTEGER NOT NULL, step INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE(episode, step));
)sql";

constexpr std::array kCatalogueTableNames = {"meta",          "task",         "competence", "failure",
                                             "failure_tally", "intervention", "snapshot"};

// Version 1 is the first; the next one adds {1, "ALTER TABLE ..."} here.
constexpr std::span<const Migration> kMigrations{};

Result<void> CopyCatalogue(Database& to, const std::filesystem::path& from) {
  auto attach = to.Prepare("ATTACH DATABASE ? AS source");
  if (!attach) return tl::make_unexpected(attach.error());
  if (auto attached = attach->Bind(std::string_view(from.native())).Run(); !attached) return attached;
  auto transaction = Transaction::Begin(to);
  if (!transaction) return tl::make_unexpected(transaction.error());
  for (const std::string table : kCatalogueTableNames) {
    auto copied = to.Execute("INSERT INTO main." + table + " SELECT * FROM source." + table);
    if (!copied) return copied;
  }
  if (auto committed = transaction->Commit(); !committed) return committed;
  return to.Execute("DETACH DATABASE source");
}

Result<void> Rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code trouble;
  std::filesystem::rename(from, to, trouble);
  if (trouble)
    return Fail(FaultCode::kIoFailed, to.string() + ": cannot be put in place: " + trouble.message() +
                                          "; look at the permissions of the data directory");
  return SyncDirectory(to.parent_path());
}

Result<void> BuildFile(const std::filesystem::path& path, FileKind kind, const std::filesystem::path& catalogue_from) {
  auto made = Database::Open(path, Database::Mode::kCreate);
  if (!made) return tl::make_unexpected(made.error());
  std::string sql = "PRAGMA synchronous=FULL; BEGIN;";
  sql += kCatalogueTables;
  if (kind == FileKind::kDay) sql += kEpisodeTables;
  sql += "PRAGMA application_id=" + std::to_string(kApplicationId) + ";";
  sql += "PRAGMA user_version=" + std::to_string(kSchemaVersion) + "; COMMIT;";
  if (auto built = made->Execute(sql); !built) return built;
  if (!catalogue_from.empty()) return CopyCatalogue(*made, catalogue_from);
  return {};
}

Result<int> VersionOf(Database& database) {
  const auto owner = database.Scalar("PRAGMA application_id");
  if (!owner) return tl::make_unexpected(owner.error());
  if (owner->value_or(0) != kApplicationId)
    return Fail(FaultCode::kCorruptState, database.path().string() +
                                              ": is a database, but not a journal of Nightshift; move it out of the "
                                              "data directory");
  const auto version = database.Scalar("PRAGMA user_version");
  if (!version) return tl::make_unexpected(version.error());
  return static_cast<int>(version->value_or(0));
}

tl::unexpected<core::Fault> TooNew(const std::filesystem::path& path, int found, int known) {
  return Fail(FaultCode::kSchemaTooNew, path.string() + ": was written by a later Nightshift (schema " +
                                            std::to_string(found) + ", this program knows 1 to " +
                                            std::to_string(known) +
                                            "); install that version again, or start with another data directory");
}

Result<void> MigrateCopy(const std::filesystem::path& copy, int from, int to, std::span<const Migration> migrations) {
  auto database = Database::Open(copy, Database::Mode::kReadWrite);
  if (!database) return tl::make_unexpected(database.error());
  if (auto mode = database->Execute("PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL"); !mode) return mode;
  for (int version = from; version < to; ++version) {
    const Migration* step = nullptr;
    for (const Migration& candidate : migrations)
      if (candidate.from == version) step = &candidate;
    if (!step)
      return Fail(FaultCode::kCorruptState, copy.string() + ": there is no way from schema " + std::to_string(version) +
                                                " to " + std::to_string(version + 1) + "; the file was left as it was");
    auto stepped = database->Execute("BEGIN; " + std::string(step->sql) +
                                     "; PRAGMA user_version=" + std::to_string(version + 1) + "; COMMIT");
    if (!stepped) return stepped;
  }
  return {};
}

Result<Database> Checked(Result<Database> database) {
  if (!database) return database;
  const auto version = VersionOf(*database);
  if (!version) return tl::make_unexpected(version.error());
  if (*version > kSchemaVersion) return TooNew(database->path(), *version, kSchemaVersion);
  if (*version < kSchemaVersion)
    return Fail(FaultCode::kCorruptState, database->path().string() + ": has schema " + std::to_string(*version) +
                                              ", and " + std::to_string(kSchemaVersion) +
                                              " is needed; start the supervisor once, it brings the file up");
  return database;
}

}  // namespace

Result<void> SyncDirectory(const std::filesystem::path& directory) {
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && fsync(descriptor) == 0;
  const int trouble = errno;
  if (descriptor >= 0) close(descriptor);
  if (!synced)
    return Fail(FaultCode::kIoFailed, directory.string() + ": cannot be synced: " + std::strerror(trouble) +
                                          "; look at the disk and at the permissions of the data directory");
  return {};
}

Result<void> CreateFile(const std::filesystem::path& path, FileKind kind, const std::filesystem::path& catalogue_from) {
  const std::filesystem::path fresh = path.string() + ".new";
  std::error_code ignored;
  std::filesystem::remove(fresh, ignored);  // Left by a crash while it was made.
  std::filesystem::remove(fresh.string() + "-journal", ignored);
  if (auto built = BuildFile(fresh, kind, catalogue_from); !built) return built;
  return Rename(fresh, path);
}

Result<Database> OpenForWriting(const std::filesystem::path& path) {
  auto database = Checked(Database::Open(path, Database::Mode::kReadWrite));
  if (!database) return database;
  // 16 MiB: what the write-ahead log may keep on disk after a checkpoint.
  auto mode = database->Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=16777216");
  if (!mode) return tl::make_unexpected(mode.error());
  return database;
}

Result<Database> OpenForReading(const std::filesystem::path& path) {
  return Checked(Database::Open(path, Database::Mode::kReadOnly));
}

Result<void> Upgrade(const std::filesystem::path& path) { return Upgrade(path, kSchemaVersion, kMigrations); }

Result<void> Upgrade(const std::filesystem::path& path, int version, std::span<const Migration> migrations) {
  const std::filesystem::path copy = path.string() + ".migrating";
  std::error_code ignored;
  std::filesystem::remove(copy, ignored);
  int found = 0;
  {
    auto original = Database::Open(path, Database::Mode::kReadWrite);
    if (!original) return tl::make_unexpected(original.error());
    const auto has = VersionOf(*original);
    if (!has) return tl::make_unexpected(has.error());
    if (*has > version) return TooNew(path, *has, version);
    if (*has == version) return {};
    found = *has;
    auto into = original->Prepare("VACUUM INTO ?");  // A copy with all that is still in the write-ahead log.
    if (!into) return tl::make_unexpected(into.error());
    if (auto copied = into->Bind(std::string_view(copy.native())).Run(); !copied) return copied;
    if (auto plain = original->Execute("PRAGMA journal_mode=DELETE"); !plain) return plain;  // No log left behind.
  }
  if (auto migrated = MigrateCopy(copy, found, version, migrations); !migrated) return migrated;
  return Rename(copy, path);
}

}  // namespace nightshift::io
