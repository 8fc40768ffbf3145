// SPDX-License-Identifier: Apache-2.0
#include "io/journal/sqlite.h"

#include <cerrno>
#include <cstring>

#include <sqlite3.h>

namespace nightshift::io {
namespace {

using core::FaultCode;
using core::Result;

FaultCode CodeFor(int code, int system_errno) {
  const int primary = code & 0xff;
  if (primary == SQLITE_FULL) return FaultCode::kDiskFull;
  if (primary == SQLITE_IOERR && (system_errno == ENOSPC || system_errno == EDQUOT)) return FaultCode::kDiskFull;
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) return FaultCode::kCorruptState;
  return FaultCode::kIoFailed;
}

std::string RemedyFor(FaultCode code) {
  if (code == FaultCode::kDiskFull) return "free some space on this file system; practice goes on by itself";
  if (code == FaultCode::kCorruptState)
    return "move the file out of the data directory and start again (docs/journal.md, \"When a file is damaged\")";
  return "look at the disk and at the permissions of the data directory";
}

tl::unexpected<core::Fault> FaultOf(sqlite3* connection, int code) {
  const FaultCode kind = CodeFor(code, sqlite3_system_errno(connection));
  const char* file = sqlite3_db_filename(connection, "main");
  return core::Fail(kind, std::string(file ? file : "journal") + ": " + sqlite3_errmsg(connection) + " (SQLite code " +
                              std::to_string(sqlite3_extended_errcode(connection)) + "); " + RemedyFor(kind));
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::Reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  bound_ = 0;
  return *this;
}

Statement& Statement::Bind(std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), ++bound_, value);
  return *this;
}

Statement& Statement::Bind(double value) {
  sqlite3_bind_double(statement_.get(), ++bound_, value);
  return *this;
}

Statement& Statement::Bind(std::string_view text) {
  sqlite3_bind_text64(statement_.get(), ++bound_, text.data() ? text.data() : "", text.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}

Statement& Statement::BindBlob(std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), ++bound_, bytes.data() ? bytes.data() : "", bytes.size(), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::Bind(std::optional<std::int64_t> value) {
  if (value) return Bind(*value);
  sqlite3_bind_null(statement_.get(), ++bound_);
  return *this;
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  auto fault = FaultOf(sqlite3_db_handle(statement_.get()), code);
  Reset();
  return fault;
}

Result<void> Statement::Run() {
  for (;;) {  // Ends with the rows of the statement; ours return none or one.
    const auto row = Step();
    if (!row) return tl::make_unexpected(row.error());
    if (!*row) break;
  }
  Reset();
  return {};
}

std::int64_t Statement::Integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::optional<std::int64_t> Statement::MaybeInteger(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return Integer(column);
}

double Statement::Real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return text ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))) : "";
}

std::string_view Statement::Blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  return {bytes ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

// A statement that outlives its connection for a moment (destruction order of members) keeps it open until it is gone.
void Database::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

Result<Database> Database::Open(const std::filesystem::path& path, Mode mode) {
  const int flags = mode == Mode::kReadOnly    ? SQLITE_OPEN_READONLY
                    : mode == Mode::kReadWrite ? SQLITE_OPEN_READWRITE
                                               : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(connection, path);
  if (code != SQLITE_OK) {
    const FaultCode kind = connection ? CodeFor(code, sqlite3_system_errno(connection)) : FaultCode::kIoFailed;
    return core::Fail(kind, path.string() + ": cannot be opened: " + sqlite3_errstr(code) + "; " + RemedyFor(kind));
  }
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, kBusyWaitMs);
  return database;
}

Result<void> Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return FaultOf(connection_.get(), code);
  return {};
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()), 0, &statement, nullptr);
  if (code != SQLITE_OK) return FaultOf(connection_.get(), code);
  return Statement(statement);
}

Result<std::optional<std::int64_t>> Database::Scalar(std::string_view sql) {
  auto statement = Prepare(sql);
  if (!statement) return tl::make_unexpected(statement.error());
  const auto row = statement->Step();
  if (!row) return tl::make_unexpected(row.error());
  return *row ? statement->MaybeInteger(0) : std::nullopt;
}

Result<Transaction> Transaction::Begin(Database& database) {
  if (auto begun = database.Execute("BEGIN IMMEDIATE"); !begun) return tl::make_unexpected(begun.error());
  return Transaction(database);
}

Transaction::~Transaction() {
  // After some errors SQLite has rolled back by itself; a second rollback then only reports that.
  if (database_) static_cast<void>(database_->Execute("ROLLBACK"));
}

Result<void> Transaction::Commit() {
  if (auto committed = database_->Execute("COMMIT"); !committed) return committed;  // The destructor rolls back.
  database_ = nullptr;
  return {};
}

}  // namespace nightshift::io
