// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/fault.h"

struct sqlite3;
struct sqlite3_stmt;

/// SQLite with owners and Results. Nothing outside io/journal includes this.
namespace nightshift::io {

inline constexpr int kBusyWaitMs = 2000;  // A checkpoint of a full write-ahead log takes some 20 ms here.

/// One prepared statement. Parameters are bound in order, then it is run or stepped.
/// Thread: that of its Database, which it must not outlive.
class Statement {
 public:
  /// Starts over: no row, no parameter bound.
  Statement& Reset();
  Statement& Bind(std::int64_t value);
  Statement& Bind(double value);
  Statement& Bind(std::string_view text);
  Statement& BindBlob(std::string_view bytes);
  Statement& Bind(std::optional<std::int64_t> value);

  /// True: there is a row to look at. Faults: as Database.
  core::Result<bool> Step();
  /// Steps to the end and starts over. Faults: as Database.
  core::Result<void> Run();

  std::int64_t Integer(int column) const;
  std::optional<std::int64_t> MaybeInteger(int column) const;
  double Real(int column) const;
  std::string Text(int column) const;
  std::string_view Blob(int column) const;  // Valid until the next Step, Run or Reset.

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
};

/// One database connection. Faults of all members: kDiskFull (SQLITE_FULL, or the system's ENOSPC or EDQUOT),
/// kCorruptState (not a database, or damaged), kIoFailed (all else); each names the file and SQLite's own words.
/// Thread: one at a time.
class Database {
 public:
  enum class Mode { kReadOnly, kReadWrite, kCreate };

  static core::Result<Database> Open(const std::filesystem::path& path, Mode mode);

  core::Result<void> Execute(const std::string& sql);
  core::Result<Statement> Prepare(std::string_view sql);
  /// The first column of the first row; nothing when there is no row or it is NULL.
  core::Result<std::optional<std::int64_t>> Scalar(std::string_view sql);

  const std::filesystem::path& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  Database(sqlite3* connection, std::filesystem::path path) : connection_(connection), path_(std::move(path)) {}

  std::unique_ptr<sqlite3, Close> connection_;
  std::filesystem::path path_;
};

/// Rolls back unless committed.
class Transaction {
 public:
  static core::Result<Transaction> Begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  core::Result<void> Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace nightshift::io
