// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "core/fault.h"
#include "skills/policy.h"

namespace nightshift::learner {

/// The snapshot files `<folder>/<task>-<version>.nspolicy`. Versions increase over all tasks and are never reused.
/// Thread: one at a time.
class SnapshotStore {
 public:
  /// Makes the folder. @param version_used the highest version that anybody else remembers. Faults: kIoFailed.
  static core::Result<SnapshotStore> Open(const std::filesystem::path& folder, std::int64_t version_used);

  /// Returns the new version. Faults: kDiskFull, kIoFailed; the version is then used up all the same.
  core::Result<std::int64_t> Write(const std::string& task, std::int64_t updates, skills::PolicyWeights weights,
                                   const std::optional<skills::HeldOutValue>& held_out = std::nullopt);

  /// Deletes a task's files but the newest `kept` and those in `needed`. Returns how many went.
  int Prune(const std::string& task, int kept, const std::set<std::int64_t>& needed);

  std::filesystem::path PathOf(const std::string& task, std::int64_t version) const;
  std::int64_t newest() const { return newest_; }

 private:
  SnapshotStore(std::filesystem::path folder, std::int64_t newest) : folder_(std::move(folder)), newest_(newest) {}
  std::filesystem::path folder_;
  std::int64_t newest_;
};

}  // namespace nightshift::learner
