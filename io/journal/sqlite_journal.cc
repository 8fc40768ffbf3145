// SPDX-License-Identifier: Apache-2.0
#include "io/journal/sqlite_journal.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/check.h"
#include "io/journal/catalogue_writer.h"
#include "io/journal/day_writer.h"
#include "io/journal/instance_lock.h"
#include "io/journal/rows.h"
#include "io/journal/schema.h"

namespace nightshift::io {
namespace {

using core::Fail;
using core::FaultCode;
using core::Result;

constexpr int kSessionShift = 32;

std::int64_t SystemFreeBytes(const std::filesystem::path& path) {
  struct statvfs system {};
  if (statvfs(path.c_str(), &system) != 0) return 0;  // What cannot be seen is not there.
  return static_cast<std::int64_t>(system.f_bavail) * static_cast<std::int64_t>(system.f_frsize);
}

std::int64_t BytesOf(const std::filesystem::path& file) {
  std::int64_t bytes = 0;
  for (const char* part : {"", "-wal", "-shm"}) {
    std::error_code absent;
    const auto size = std::filesystem::file_size(file.string() + part, absent);
    if (!absent) bytes += static_cast<std::int64_t>(size);
  }
  return bytes;
}

std::int64_t BytesOf(const std::map<int, std::filesystem::path>& files) {
  std::int64_t bytes = 0;
  for (const auto& [day, file] : files) bytes += BytesOf(file);
  return bytes;
}

Result<void> Validate(const JournalOptions& options) {
  if (!(options.robot_day >= std::chrono::minutes(1)))
    return Fail(FaultCode::kInvalidConfig, "journal: robot_day must be at least one minute of robot time");
  if (!(options.disk_free_bytes_min >= 0 && options.journal_bytes_max > 0))
    return Fail(FaultCode::kInvalidConfig,
                "journal: disk_free_bytes_min must be 0 or more and journal_bytes_max above 0");
  return {};
}

}  // namespace

class SqliteJournal::Files {
 public:
  static Result<std::unique_ptr<Files>> Open(const std::filesystem::path& data_directory,
                                             const JournalOptions& options);

  std::int64_t NextEpisodeId() { return (session_ << kSessionShift) | ++counter_; }
  Result<void> Begin(const core::Episode& episode);
  Result<void> Append(std::int64_t episode, int step, const core::Transition& transition);
  Result<void> Close(const core::Episode& episode);
  Result<void> SavePractised(core::Duration practised);

  /// Runs one write on the catalogue.
  template <typename Write>
  Result<void> Catalogue(Write write) {
    if (broken_) return tl::make_unexpected(*broken_);
    return Noted(write(catalogue_));
  }
  Result<core::Catalogue> Load() { return catalogue_.Load(); }

  const JournalStats& stats() const { return stats_; }

 private:
  Files(std::filesystem::path data_directory, JournalOptions options, InstanceLock lock, CatalogueWriter catalogue)
      : data_directory_(std::move(data_directory)),
        options_(std::move(options)),
        lock_(std::move(lock)),
        catalogue_(std::move(catalogue)) {}

  Result<void> Recover();
  Result<void> EnterDay();
  Result<void> CheckRoom() const;
  void DeleteOldDays() const;

  /// After a failed sync nobody knows what is on disk: keep the fault for good.
  template <typename T>
  Result<T> Noted(Result<T> result) {
    if (!result && result.error().code == FaultCode::kIoFailed) broken_ = result.error();
    return result;
  }

  std::filesystem::path data_directory_;
  JournalOptions options_;
  InstanceLock lock_;
  CatalogueWriter catalogue_;
  std::optional<DayWriter> day_;
  int day_number_ = -1;
  core::Duration practised_{0};
  std::int64_t session_ = 0;
  std::int64_t counter_ = 0;
  std::int64_t open_episode_ = 0;  // 0: none.
  int open_steps_ = 0;
  std::optional<core::Fault> broken_;
  JournalStats stats_;
};

Result<std::unique_ptr<SqliteJournal::Files>> SqliteJournal::Files::Open(const std::filesystem::path& data_directory,
                                                                         const JournalOptions& options) {
  if (auto valid = Validate(options); !valid) return tl::make_unexpected(valid.error());
  auto lock = InstanceLock::Acquire(data_directory, "journal");
  if (!lock) return tl::make_unexpected(lock.error());
  std::error_code trouble;
  std::filesystem::create_directories(data_directory / "journal", trouble);
  if (trouble)
    return Fail(FaultCode::kIoFailed, (data_directory / "journal").string() + ": cannot be made: " + trouble.message() +
                                          "; the data directory must be writable for this user");
  for (const auto& [day, file] : DayFilesIn(data_directory))
    if (auto upgraded = Upgrade(file); !upgraded) return tl::make_unexpected(upgraded.error());
  auto catalogue = CatalogueWriter::Open(data_directory);
  if (!catalogue) return tl::make_unexpected(catalogue.error());
  std::unique_ptr<Files> files(new Files(data_directory, options, std::move(*lock), std::move(*catalogue)));
  if (!files->options_.free_bytes) files->options_.free_bytes = SystemFreeBytes;
  if (auto recovered = files->Recover(); !recovered) return tl::make_unexpected(recovered.error());
  return files;
}

Result<void> SqliteJournal::Files::Recover() {
  const auto days = DayFilesIn(data_directory_);
  std::int64_t newest_id = 0;
  // Newest first: the day that goes on is opened last and stays open. Only the newest two can hold an open episode.
  auto day = days.rbegin();
  for (int looked = 0; looked < kDayFilesMin && day != days.rend(); ++looked, ++day) {
    auto writer = DayWriter::Open(day->second);
    if (!writer) return tl::make_unexpected(writer.error());
    if (auto ended = writer->InterruptOpen(); !ended) return ended;
    const auto newest = writer->NewestEpisode();
    if (!newest) return tl::make_unexpected(newest.error());
    newest_id = std::max(newest_id, *newest);
    if (looked > 0) continue;
    day_ = std::move(*writer);
    day_number_ = day->first;
  }
  const auto session = catalogue_.BeginSession(newest_id >> kSessionShift);
  if (!session) return tl::make_unexpected(session.error());
  session_ = *session;
  const auto practised = catalogue_.Practised();
  if (!practised) return tl::make_unexpected(practised.error());
  practised_ = *practised;
  DeleteOldDays();
  stats_.bytes = BytesOf(DayFilesIn(data_directory_)) + BytesOf(CatalogueFile(data_directory_));
  return {};
}

Result<void> SqliteJournal::Files::EnterDay() {
  const auto wanted = static_cast<int>(practised_ / options_.robot_day);
  if (day_ && wanted <= day_number_) return {};
  const auto path = DayFile(data_directory_, wanted);
  if (auto made = CreateFile(path, FileKind::kDay, CatalogueFile(data_directory_)); !made) return made;
  auto writer = DayWriter::Open(path);
  if (!writer) return tl::make_unexpected(writer.error());
  // A reader may keep the old log from being emptied now; it is whole all the same.
  if (day_) static_cast<void>(day_->Finish());
  day_ = std::move(*writer);
  day_number_ = wanted;
  DeleteOldDays();
  return {};
}

Result<void> SqliteJournal::Files::CheckRoom() const {
  const std::int64_t free_bytes = options_.free_bytes(data_directory_);
  if (free_bytes >= options_.disk_free_bytes_min) return {};
  return Fail(FaultCode::kDiskFull, data_directory_.string() + ": " + std::to_string(free_bytes >> 20) +
                                        " MiB free, and practice needs " +
                                        std::to_string(options_.disk_free_bytes_min >> 20) +
                                        " MiB (journal.disk_free_bytes_min); free some space, practice goes on by "
                                        "itself");
}

void SqliteJournal::Files::DeleteOldDays() const {
  auto files = DayFilesIn(data_directory_);
  std::int64_t bytes = BytesOf(files);
  while (bytes > options_.journal_bytes_max && files.size() > kDayFilesMin) {
    const auto oldest = files.begin();
    bytes -= BytesOf(oldest->second);
    for (const char* part : {"", "-wal", "-shm"}) {
      std::error_code absent;
      std::filesystem::remove(oldest->second.string() + part, absent);
    }
    files.erase(oldest);
  }
}

Result<void> SqliteJournal::Files::Begin(const core::Episode& episode) {
  if (broken_) return tl::make_unexpected(*broken_);
  if (auto room = CheckRoom(); !room) return room;
  if (open_episode_ != 0) {
    if (auto ended = Noted(day_->InterruptOpen()); !ended) return ended;
    open_episode_ = 0;
  }
  if (auto entered = Noted(EnterDay()); !entered) return entered;
  if (auto begun = Noted(day_->Begin(episode, practised_)); !begun) return begun;
  open_episode_ = episode.id;
  open_steps_ = 0;
  return {};
}

Result<void> SqliteJournal::Files::Append(std::int64_t episode, int step, const core::Transition& transition) {
  if (broken_) return tl::make_unexpected(*broken_);
  if (episode != open_episode_ || step != open_steps_)
    return Fail(FaultCode::kRefused, "journal: step " + std::to_string(step) + " of episode " +
                                         std::to_string(episode) + " does not follow; next is step " +
                                         std::to_string(open_steps_) + " of episode " + std::to_string(open_episode_));
  if (auto appended = Noted(day_->Append(episode, step, transition)); !appended) return appended;
  ++open_steps_;
  return {};
}

Result<void> SqliteJournal::Files::Close(const core::Episode& episode) {
  if (broken_) return tl::make_unexpected(*broken_);
  if (episode.id != open_episode_ || episode.outcome == core::Outcome::kRunning)
    return Fail(FaultCode::kRefused, "journal: episode " + std::to_string(episode.id) + " cannot be closed as " +
                                         std::string(core::Name(episode.outcome)) + "; open is episode " +
                                         std::to_string(open_episode_));
  const auto began = std::chrono::steady_clock::now();
  if (auto closed = Noted(day_->Close(episode, open_steps_)); !closed) return closed;
  stats_.last_close_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  ++stats_.episodes_committed;
  stats_.transitions_committed += std::max<std::int64_t>(open_steps_, static_cast<std::int64_t>(episode.steps.size()));
  stats_.last_closed_episode = episode.id;
  stats_.bytes = BytesOf(DayFilesIn(data_directory_)) + BytesOf(CatalogueFile(data_directory_));
  open_episode_ = 0;
  return {};
}

Result<void> SqliteJournal::Files::SavePractised(core::Duration practised) {
  auto saved = Catalogue([&](CatalogueWriter& catalogue) { return catalogue.SavePractised(practised); });
  if (saved) practised_ = practised;
  return saved;
}

SqliteJournal::SqliteJournal(std::unique_ptr<Files> files) : files_(std::move(files)) {}
SqliteJournal::~SqliteJournal() = default;

Result<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(const std::filesystem::path& data_directory,
                                                           const JournalOptions& options) {
  auto files = Files::Open(data_directory, options);
  if (!files) return tl::make_unexpected(files.error());
  return std::unique_ptr<SqliteJournal>(new SqliteJournal(std::move(*files)));
}

std::int64_t SqliteJournal::NextEpisodeId() { return files_->NextEpisodeId(); }
Result<void> SqliteJournal::Begin(const core::Episode& episode) { return files_->Begin(episode); }
Result<void> SqliteJournal::Append(std::int64_t episode, int step, const core::Transition& transition) {
  return files_->Append(episode, step, transition);
}
Result<void> SqliteJournal::Close(const core::Episode& episode) { return files_->Close(episode); }

Result<core::Catalogue> SqliteJournal::Load() { return files_->Load(); }
Result<void> SqliteJournal::SaveTask(const core::TaskSpec& task) {
  return files_->Catalogue([&](CatalogueWriter& catalogue) { return catalogue.SaveTask(task); });
}
Result<void> SqliteJournal::SaveCompetence(const core::Competence& competence, std::int64_t episode) {
  return files_->Catalogue([&](CatalogueWriter& catalogue) { return catalogue.SaveCompetence(competence, episode); });
}
Result<void> SqliteJournal::RecordFailure(const core::FailureRecord& failure) {
  return files_->Catalogue(
      [&](CatalogueWriter& catalogue) { return catalogue.RecordFailure(failure, kFailuresKeptPerSignature); });
}
Result<void> SqliteJournal::SaveIntervention(const core::InterventionRecord& intervention) {
  return files_->Catalogue([&](CatalogueWriter& catalogue) { return catalogue.SaveIntervention(intervention); });
}
Result<void> SqliteJournal::SaveSnapshot(const core::SnapshotRecord& snapshot) {
  return files_->Catalogue([&](CatalogueWriter& catalogue) { return catalogue.SaveSnapshot(snapshot); });
}
Result<void> SqliteJournal::SavePractised(core::Duration practised) { return files_->SavePractised(practised); }

const JournalStats& SqliteJournal::stats() const { return files_->stats(); }

}  // namespace nightshift::io
