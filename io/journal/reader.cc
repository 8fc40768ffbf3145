// SPDX-License-Identifier: Apache-2.0
#include "io/journal/reader.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "io/journal/rows.h"
#include "io/journal/schema.h"

namespace nightshift::io {

using core::FaultCode;
using core::Result;

class JournalReader::Files {
 public:
  explicit Files(std::filesystem::path data_directory) : data_directory_(std::move(data_directory)) {}

  /// Calls `visit(Database&) -> Result<void>` with each day file that may hold an id above `cursor`, oldest first, as
  /// long as `more()`.
  template <typename Visit, typename More>
  Result<void> VisitDays(std::int64_t cursor, Visit visit, More more);

  /// Calls `take(row, Database&) -> Result<void>` with each closed episode above `cursor`, at most `max` of them.
  template <typename Take>
  Result<void> VisitClosed(std::int64_t cursor, int max, Take take);

  /// Nothing when there is no catalogue yet.
  Result<std::optional<Database>> OpenCatalogue() const;

 private:
  /// Null: retention deleted it in this moment.
  Result<Database*> OpenDay(int day, const std::filesystem::path& path);

  std::filesystem::path data_directory_;
  int open_day_ = -1;  // Readers follow the newest day: its connection is kept.
  std::optional<Database> open_;
  std::map<int, std::int64_t> last_id_of_;  // Of days that are over, so that they need not be opened again.
};

Result<Database*> JournalReader::Files::OpenDay(int day, const std::filesystem::path& path) {
  if (open_ && open_day_ == day) return &*open_;
  open_.reset();
  auto database = OpenForReading(path);
  if (!database) {
    if (!std::filesystem::exists(path)) return nullptr;
    return tl::make_unexpected(database.error());
  }
  open_ = std::move(*database);
  open_day_ = day;
  return &*open_;
}

template <typename Visit, typename More>
Result<void> JournalReader::Files::VisitDays(std::int64_t cursor, Visit visit, More more) {
  const auto days = DayFilesIn(data_directory_);
  for (const auto& [day, path] : days) {
    if (!more()) break;
    const auto last_id = last_id_of_.find(day);
    if (last_id != last_id_of_.end() && last_id->second <= cursor) continue;
    const auto database = OpenDay(day, path);
    if (!database) return tl::make_unexpected(database.error());
    if (!*database) continue;
    if (auto visited = visit(**database); !visited) return visited;
    if (day == days.rbegin()->first) continue;
    const auto newest = (*database)->Scalar("SELECT max(id) FROM episode");
    if (!newest) return tl::make_unexpected(newest.error());
    last_id_of_[day] = newest->value_or(0);
  }
  return {};
}

template <typename Take>
Result<void> JournalReader::Files::VisitClosed(std::int64_t cursor, int max, Take take) {
  std::int64_t room = std::clamp(max, 0, kEpisodesPerReadMax);
  const auto visit = [&](Database& day) -> Result<void> {
    auto rows = day.Prepare(std::string("SELECT ") + kEpisodeColumns +
                            " FROM episode WHERE id > ? AND outcome <> 'running' ORDER BY id LIMIT ?");
    if (!rows) return tl::make_unexpected(rows.error());
    rows->Bind(cursor).Bind(room);
    for (;;) {  // Ends with the rows, of which there are at most `room`.
      const auto row = rows->Step();
      if (!row) return tl::make_unexpected(row.error());
      if (!*row) return {};
      if (Result<void> taken = take(*rows, day); !taken) return taken;
      --room;
    }
  };
  return VisitDays(cursor, visit, [&] { return room > 0; });
}

Result<std::optional<Database>> JournalReader::Files::OpenCatalogue() const {
  const auto path = CatalogueFile(data_directory_);
  if (!std::filesystem::exists(path)) return std::nullopt;
  auto database = OpenForReading(path);
  if (!database) return tl::make_unexpected(database.error());
  return std::optional<Database>(std::move(*database));
}

JournalReader::JournalReader(std::filesystem::path data_directory)
    : files_(std::make_unique<Files>(std::move(data_directory))) {}
JournalReader::JournalReader(JournalReader&&) noexcept = default;
JournalReader& JournalReader::operator=(JournalReader&&) noexcept = default;
JournalReader::~JournalReader() = default;

Result<std::vector<core::Episode>> JournalReader::ClosedAfter(std::int64_t cursor, int max) {
  std::vector<core::Episode> found;
  auto read = files_->VisitClosed(cursor, max, [&](const Statement& row, Database& day) -> Result<void> {
    auto episode = ReadEpisode(row);
    if (!episode) return tl::make_unexpected(episode.error());
    auto steps = ReadSteps(day, episode->id);
    if (!steps) return tl::make_unexpected(steps.error());
    episode->steps = std::move(*steps);
    found.push_back(std::move(*episode));
    return {};
  });
  if (!read) return tl::make_unexpected(read.error());
  return found;
}

Result<std::vector<EpisodeSummary>> JournalReader::SummariesAfter(std::int64_t cursor, int max) {
  std::vector<EpisodeSummary> found;
  auto read = files_->VisitClosed(cursor, max, [&](const Statement& row, Database&) -> Result<void> {
    auto episode = ReadEpisode(row);
    if (!episode) return tl::make_unexpected(episode.error());
    found.push_back({.episode = std::move(*episode),
                     .steps = row.Integer(kEpisodeStepsColumn),
                     .practised_before = core::Duration(row.Integer(kEpisodePractisedColumn))});
    return {};
  });
  if (!read) return tl::make_unexpected(read.error());
  return found;
}

Result<core::Episode> JournalReader::Find(std::int64_t id) {
  std::optional<core::Episode> found;
  const auto visit = [&](Database& day) -> Result<void> {
    auto rows = day.Prepare(std::string("SELECT ") + kEpisodeColumns + " FROM episode WHERE id = ?");
    if (!rows) return tl::make_unexpected(rows.error());
    const auto row = rows->Bind(id).Step();
    if (!row) return tl::make_unexpected(row.error());
    if (!*row) return {};
    auto episode = ReadEpisode(*rows);
    if (!episode) return tl::make_unexpected(episode.error());
    auto steps = ReadSteps(day, id);
    if (!steps) return tl::make_unexpected(steps.error());
    found = std::move(*episode);
    found->steps = std::move(*steps);
    return {};
  };
  if (auto read = files_->VisitDays(id - 1, visit, [&] { return !found; }); !read)
    return tl::make_unexpected(read.error());
  if (!found)
    return core::Fail(FaultCode::kMissingFile, "journal: there is no episode " + std::to_string(id) +
                                                   "; it never was, or retention deleted its day");
  return *found;
}

Result<std::vector<Tally>> JournalReader::Count(const PractisedWindow& window) {
  std::map<std::pair<std::string, core::SkillKind>, Tally> tallies;
  const auto visit = [&](Database& day) -> Result<void> {
    return CountOutcomes(day, window.from, window.to, [&](const OutcomeCount& counted) {
      Tally& tally = tallies[{counted.task, counted.skill}];
      tally.task = counted.task;
      tally.skill = counted.skill;
      tally.steps += counted.steps;
      switch (counted.outcome) {
        case core::Outcome::kRunning: break;
        case core::Outcome::kSuccess: tally.successes += counted.episodes; break;
        case core::Outcome::kFailure: tally.failures += counted.episodes; break;
        case core::Outcome::kTimeout: tally.timeouts += counted.episodes; break;
        case core::Outcome::kInterrupted: tally.interrupted += counted.episodes; break;
      }
    });
  };
  if (auto read = files_->VisitDays(0, visit, [] { return true; }); !read) return tl::make_unexpected(read.error());
  std::vector<Tally> all;
  for (auto& [key, tally] : tallies) all.push_back(std::move(tally));
  return all;
}

Result<core::Catalogue> JournalReader::Load() {
  auto database = files_->OpenCatalogue();
  if (!database) return tl::make_unexpected(database.error());
  if (!*database) return core::Catalogue{};
  return ReadCatalogue(**database);
}

Result<std::vector<FailureTally>> JournalReader::Failures() {
  auto database = files_->OpenCatalogue();
  if (!database) return tl::make_unexpected(database.error());
  std::vector<FailureTally> tallies;
  if (!*database) return tallies;
  auto rows = (*database)->Prepare("SELECT kind, signature, seen FROM failure_tally ORDER BY kind, signature");
  if (!rows) return tl::make_unexpected(rows.error());
  for (;;) {  // Ends with the rows: one for each signature ever seen.
    const auto row = rows->Step();
    if (!row) return tl::make_unexpected(row.error());
    if (!*row) return tallies;
    tallies.push_back({.kind = rows->Text(0), .signature = rows->Text(1), .seen = rows->Integer(2)});
  }
}

Result<std::int64_t> JournalReader::NewestClosed() {
  std::int64_t newest = 0;
  const auto visit = [&](Database& day) -> Result<void> {
    const auto last = day.Scalar("SELECT id FROM episode WHERE outcome <> 'running' ORDER BY id DESC LIMIT 1");
    if (!last) return tl::make_unexpected(last.error());
    newest = std::max(newest, last->value_or(0));
    return {};
  };
  // Days that are over are passed by once their last id is known.
  auto read = files_->VisitDays(newest_closed_, visit, [] { return true; });
  if (!read) return tl::make_unexpected(read.error());
  newest_closed_ = std::max(newest_closed_, newest);
  return newest_closed_;
}

}  // namespace nightshift::io
