// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "skills/policy.h"
#include "skills/risk_model.h"

namespace nightshift::runtime {

/// The learner's snapshot files, seen by the supervisor: the newest of each task that was not there before, and the
/// risk critic.
/// Thread: the supervisor's.
class SnapshotFolder {
 public:
  /// `on_fault` hears of files that cannot be used, kCorruptSnapshot or kIoFailed; New and NewRisk tell of each once.
  SnapshotFolder(std::filesystem::path folder, std::function<void(const core::Fault&)> on_fault)
      : folder_(std::move(folder)), on_fault_(std::move(on_fault)) {}

  /// Of each task the newest that can be used and was not told before; one that cannot hides neither older nor later.
  std::vector<skills::Snapshot> New();
  /// The risk critic, when its file is another than at the last call.
  std::optional<skills::RiskSnapshot> NewRisk();
  /// One version; none, and on_fault hears why (kMissingFile too), where it cannot be used.
  std::optional<skills::Snapshot> Find(const std::string& task, std::int64_t version) const;

 private:
  std::filesystem::path folder_;
  std::function<void(const core::Fault&)> on_fault_;
  std::map<std::string, std::int64_t> newest_;  // By task.
  std::set<std::filesystem::path> refused_;     // Each was reported.
  std::filesystem::file_time_type risk_seen_{};
};

}  // namespace nightshift::runtime
