// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/catalogue.h"
#include "core/fault.h"
#include "core/transition.h"
#include "io/journal/sqlite.h"

/// Between the rows of the tables (schema.h) and the words of core.
namespace nightshift::io {

/// Faults of all: kCorruptState for a value that no version of Nightshift writes, and those of Database.
core::Result<core::Catalogue> ReadCatalogue(Database& database);
core::Result<std::int64_t> ReadMeta(Database& database, const std::string& key);
core::Result<void> WriteMeta(Database& database, const std::string& key, std::int64_t value);

/// The columns of `episode` in the order in which ReadEpisode takes them, without its steps.
inline constexpr char kEpisodeColumns[] =
    "id, task, object, goal_x_m, goal_y_m, goal_z_m, skill, policy_version, demonstration, started_ns, ended_ns, "
    "utc_ns, outcome, failure, steps, practised_ns";
inline constexpr int kEpisodeStepsColumn = 14;
inline constexpr int kEpisodePractisedColumn = 15;
core::Result<core::Episode> ReadEpisode(const Statement& row);
core::Result<std::vector<core::Transition>> ReadSteps(Database& database, std::int64_t episode);

/// Episodes of one task, skill and outcome.
struct OutcomeCount {
  std::string task;
  core::SkillKind skill = core::SkillKind::kScripted;
  core::Outcome outcome = core::Outcome::kRunning;
  std::int64_t episodes = 0;
  std::int64_t steps = 0;
};
/// Counts those that began when robot time in [from, to) had been practised.
core::Result<void> CountOutcomes(Database& database, core::Duration from, core::Duration to,
                                 const std::function<void(const OutcomeCount&)>& take);

/// The day files below `<data>/journal`, by their number.
std::map<int, std::filesystem::path> DayFilesIn(const std::filesystem::path& data_directory);
std::filesystem::path DayFile(const std::filesystem::path& data_directory, int day);
std::filesystem::path CatalogueFile(const std::filesystem::path& data_directory);

}  // namespace nightshift::io
