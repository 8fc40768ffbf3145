// SPDX-License-Identifier: Apache-2.0
#include "io/journal/rows.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <span>

#include "io/journal/blob.h"

namespace nightshift::io {
namespace {

using core::FaultCode;
using core::Result;

constexpr std::array kOutcomes = {core::Outcome::kRunning, core::Outcome::kSuccess, core::Outcome::kFailure,
                                  core::Outcome::kTimeout, core::Outcome::kInterrupted};
constexpr std::array kSkills = {core::SkillKind::kScripted, core::SkillKind::kLearned};
constexpr std::array kGoals = {core::GoalKind::kNone, core::GoalKind::kBin, core::GoalKind::kTraySpot};

template <typename Enum, std::size_t count>
Result<Enum> Named(const std::array<Enum, count>& known, const std::string& name) {
  std::string names;
  for (const Enum value : known) {
    if (core::Name(value) == name) return value;
    names += (names.empty() ? "" : ", ") + std::string(core::Name(value));
  }
  return core::Fail(FaultCode::kCorruptState, "journal: \"" + name + "\" where one of " + names +
                                                  " belongs; the file was changed by something else than Nightshift");
}

/// Calls `take` with each row; stops at the first fault.
template <typename Take>
Result<void> ForEachRow(Database& database, std::string_view sql, Take take) {
  auto statement = database.Prepare(sql);
  if (!statement) return tl::make_unexpected(statement.error());
  for (;;) {  // Ends with the rows.
    const auto row = statement->Step();
    if (!row) return tl::make_unexpected(row.error());
    if (!*row) return {};
    if (Result<void> taken = take(*statement); !taken) return taken;
  }
}

Result<void> ReadTasks(Database& database, core::Catalogue& catalogue) {
  constexpr char kSql[] =
      "SELECT name, start, success, failure, time_limit_ns, goal, script, signature, failure_kind, "
      "inherits_from FROM task "
      "ORDER BY id";
  return ForEachRow(database, kSql, [&](const Statement& row) -> Result<void> {
    const auto goal = Named(kGoals, row.Text(5));
    if (!goal) return tl::make_unexpected(goal.error());
    catalogue.recovery_tasks.push_back({.name = row.Text(0),
                                        .start = row.Text(1),
                                        .success = row.Text(2),
                                        .failure = row.Text(3),
                                        .time_limit = core::Duration(row.Integer(4)),
                                        .goal = *goal,
                                        .script = row.Text(6),
                                        .signature = row.Text(7),
                                        .failure_kind = row.Text(8),
                                        .inherits_from = row.Text(9)});
    return {};
  });
}

Result<void> ReadCompetence(Database& database, core::Catalogue& catalogue) {
  constexpr char kSql[] =
      "SELECT task, skill, successes, failures, attempts, solved FROM competence ORDER BY task, skill";
  return ForEachRow(database, kSql, [&](const Statement& row) -> Result<void> {
    const auto skill = Named(kSkills, row.Text(1));
    if (!skill) return tl::make_unexpected(skill.error());
    catalogue.competence.push_back({.task = row.Text(0),
                                    .skill = *skill,
                                    .successes = row.Real(2),
                                    .failures = row.Real(3),
                                    .attempts = row.Integer(4),
                                    .solved = row.Integer(5)});
    return {};
  });
}

Result<void> ReadFailures(Database& database, core::Catalogue& catalogue) {
  constexpr char kSql[] = "SELECT id, episode, kind, signature, task, object, at_ns, state FROM failure ORDER BY id";
  return ForEachRow(database, kSql, [&](const Statement& row) -> Result<void> {
    const auto state = ObservationIn(row.Blob(7));
    if (!state) return tl::make_unexpected(state.error());
    catalogue.failures.push_back({.id = row.Integer(0),
                                  .episode = row.Integer(1),
                                  .kind = row.Text(2),
                                  .signature = row.Text(3),
                                  .task = row.Text(4),
                                  .object = static_cast<int>(row.Integer(5)),
                                  .at = core::FromNanoseconds(row.Integer(6)),
                                  .state = *state});
    return {};
  });
}

Result<void> ReadInterventions(Database& database, core::Catalogue& catalogue) {
  constexpr char kSql[] = "SELECT id, reason, object, asked_ns, resolved_ns FROM intervention ORDER BY id";
  return ForEachRow(database, kSql, [&](const Statement& row) -> Result<void> {
    std::optional<core::Instant> resolved;
    if (const auto at_ns = row.MaybeInteger(4)) resolved = core::FromNanoseconds(*at_ns);
    catalogue.interventions.push_back({.id = row.Integer(0),
                                       .reason = row.Text(1),
                                       .object = static_cast<int>(row.Integer(2)),
                                       .asked = core::FromNanoseconds(row.Integer(3)),
                                       .resolved = resolved});
    return {};
  });
}

Result<void> ReadSnapshots(Database& database, core::Catalogue& catalogue) {
  constexpr char kSql[] = "SELECT version, task, state, sha256, attempts, solved FROM snapshot ORDER BY task, version";
  return ForEachRow(database, kSql, [&](const Statement& row) -> Result<void> {
    catalogue.snapshots.push_back({.version = row.Integer(0),
                                   .task = row.Text(1),
                                   .state = row.Text(2),
                                   .sha256 = row.Text(3),
                                   .attempts = row.Integer(4),
                                   .solved = row.Integer(5)});
    return {};
  });
}

Result<void> ReadProgress(Database& database, core::Catalogue& catalogue) {
  const auto last_episode = ReadMeta(database, "last_episode");
  if (!last_episode) return tl::make_unexpected(last_episode.error());
  const auto practised_ns = ReadMeta(database, "practised_ns");
  if (!practised_ns) return tl::make_unexpected(practised_ns.error());
  catalogue.last_episode = *last_episode;
  catalogue.practised = core::Duration(*practised_ns);
  return {};
}

}  // namespace

Result<core::Catalogue> ReadCatalogue(Database& database) {
  // One read transaction, so that all tables are of the same moment.
  if (auto begun = database.Execute("BEGIN"); !begun) return tl::make_unexpected(begun.error());
  core::Catalogue catalogue;
  Result<void> read = {};
  for (const auto part : {ReadTasks, ReadCompetence, ReadFailures, ReadInterventions, ReadSnapshots, ReadProgress})
    if (read) read = part(database, catalogue);
  const auto ended = database.Execute("COMMIT");
  if (!read) return tl::make_unexpected(read.error());
  if (!ended) return tl::make_unexpected(ended.error());
  return catalogue;
}

Result<std::int64_t> ReadMeta(Database& database, const std::string& key) {
  const auto value = database.Scalar("SELECT value FROM meta WHERE key = '" + key + "'");
  if (!value) return tl::make_unexpected(value.error());
  return value->value_or(0);
}

Result<void> WriteMeta(Database& database, const std::string& key, std::int64_t value) {
  return database.Execute("INSERT INTO meta VALUES('" + key + "', " + std::to_string(value) +
                          ") ON CONFLICT(key) DO UPDATE SET value = excluded.value");
}

Result<core::Episode> ReadEpisode(const Statement& row) {
  const auto skill = Named(kSkills, row.Text(6));
  if (!skill) return tl::make_unexpected(skill.error());
  const auto outcome = Named(kOutcomes, row.Text(12));
  if (!outcome) return tl::make_unexpected(outcome.error());
  core::Episode episode;
  episode.id = row.Integer(0);
  episode.task = row.Text(1);
  episode.target.object = static_cast<int>(row.Integer(2));
  episode.target.goal_m = {row.Real(3), row.Real(4), row.Real(5)};
  episode.skill = *skill;
  episode.policy_version = row.Integer(7);
  episode.demonstration = row.Integer(8) != 0;
  episode.started = core::FromNanoseconds(row.Integer(9));
  episode.ended = core::FromNanoseconds(row.Integer(10));
  episode.utc_ns = row.Integer(11);
  episode.outcome = *outcome;
  episode.failure = row.Text(13);
  return episode;
}

Result<std::vector<core::Transition>> ReadSteps(Database& database, std::int64_t episode) {
  std::vector<core::Transition> steps;
  const std::string sql = "SELECT body FROM transition WHERE episode = " + std::to_string(episode) + " ORDER BY step";
  auto read = ForEachRow(database, sql, [&](const Statement& row) -> Result<void> {
    auto transition = TransitionIn(row.Blob(0));
    if (!transition) return tl::make_unexpected(transition.error());
    steps.push_back(std::move(*transition));
    return {};
  });
  if (!read) return tl::make_unexpected(read.error());
  return steps;
}

Result<void> CountOutcomes(Database& database, core::Duration from, core::Duration to,
                           const std::function<void(const OutcomeCount&)>& take) {
  const std::string sql = "SELECT task, skill, outcome, count(*), sum(steps) FROM episode WHERE practised_ns >= " +
                          std::to_string(from.count()) + " AND practised_ns < " + std::to_string(to.count()) +
                          " GROUP BY task, skill, outcome";
  return ForEachRow(database, sql, [&](const Statement& row) -> Result<void> {
    const auto skill = Named(kSkills, row.Text(1));
    if (!skill) return tl::make_unexpected(skill.error());
    const auto outcome = Named(kOutcomes, row.Text(2));
    if (!outcome) return tl::make_unexpected(outcome.error());
    take({.task = row.Text(0),
          .skill = *skill,
          .outcome = *outcome,
          .episodes = row.Integer(3),
          .steps = row.Integer(4)});
    return {};
  });
}

std::filesystem::path DayFile(const std::filesystem::path& data_directory, int day) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "journal-%04d.sqlite", day);
  return data_directory / "journal" / name.data();
}

std::filesystem::path CatalogueFile(const std::filesystem::path& data_directory) {
  return data_directory / "journal" / "catalogue.sqlite";
}

std::map<int, std::filesystem::path> DayFilesIn(const std::filesystem::path& data_directory) {
  constexpr std::string_view kPrefix = "journal-", kSuffix = ".sqlite";
  std::map<int, std::filesystem::path> files;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(data_directory / "journal", absent)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    const char* end = name.data() + name.size() - kSuffix.size();
    int day = 0;
    const auto parsed = std::from_chars(name.data() + kPrefix.size(), end, day);
    if (parsed.ec == std::errc() && parsed.ptr == end && day >= 0) files.emplace(day, entry.path());
  }
  return files;
}

}  // namespace nightshift::io
