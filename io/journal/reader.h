// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/catalogue.h"
#include "core/fault.h"
#include "core/time.h"
#include "core/transition.h"

namespace nightshift::io {

inline constexpr int kEpisodesPerReadMax = 10000;

/// An episode without its steps, with what reports need.
struct EpisodeSummary {
  core::Episode episode;               // `steps` is empty.
  std::int64_t steps = 0;              // How many there are.
  core::Duration practised_before{0};  // Robot time of all sessions, as last saved before it began.
};

/// Attempts of one task by one kind of skill.
struct Tally {
  std::string task;
  core::SkillKind skill = core::SkillKind::kScripted;
  std::int64_t successes = 0;
  std::int64_t failures = 0;
  std::int64_t timeouts = 0;
  std::int64_t interrupted = 0;  // Says nothing about the skill.
  std::int64_t steps = 0;

  std::int64_t attempts() const { return successes + failures + timeouts; }
};

/// Practised robot time, half open: [from, to).
struct PractisedWindow {
  core::Duration from{0};
  core::Duration to = core::Duration::max();
};

/// How often one kind of failure was seen, ever.
struct FailureTally {
  std::string kind;
  std::string signature;
  std::int64_t seen = 0;
};

/// Reads what the supervisor writes, while it writes or when it does not run. Where no file exists yet it finds
/// nothing. Faults of all: kSchemaTooNew, kCorruptState, kIoFailed. Thread: one at a time.
class JournalReader {
 public:
  explicit JournalReader(std::filesystem::path data_directory);
  JournalReader(JournalReader&&) noexcept;
  JournalReader& operator=(JournalReader&&) noexcept;
  ~JournalReader();

  /// Closed episodes (also interrupted ones) with an id above `cursor`, in the order of their ids, with all steps, at
  /// most `max` and kEpisodesPerReadMax of them. The cursor for the next call is the last one's id.
  core::Result<std::vector<core::Episode>> ClosedAfter(std::int64_t cursor, int max);

  /// The same without the steps: fast enough for a whole night.
  core::Result<std::vector<EpisodeSummary>> SummariesAfter(std::int64_t cursor, int max);

  /// One closed or running episode with the steps it has so far. Faults also: kMissingFile when there is none.
  core::Result<core::Episode> Find(std::int64_t episode);

  /// Attempts that began in the window, by task and skill.
  core::Result<std::vector<Tally>> Count(const PractisedWindow& window = {});

  core::Result<core::Catalogue> Load();
  core::Result<std::vector<FailureTally>> Failures();

  /// The newest closed episode; 0: none.
  core::Result<std::int64_t> NewestClosed();

 private:
  class Files;
  std::unique_ptr<Files> files_;
  std::int64_t newest_closed_ = 0;
};

}  // namespace nightshift::io
