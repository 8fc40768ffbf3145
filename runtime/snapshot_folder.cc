// SPDX-License-Identifier: Apache-2.0
#include "runtime/snapshot_folder.h"

namespace nightshift::runtime {
namespace {

core::Result<skills::Snapshot> Read(const std::string& task, std::int64_t version, const std::filesystem::path& file) {
  auto snapshot = skills::ReadSnapshot(file.string());
  if (snapshot && (snapshot->task != task || snapshot->version != version))
    return core::Fail(core::FaultCode::kCorruptSnapshot, file.string() + " says it is version " +
                                                             std::to_string(snapshot->version) + " of task " +
                                                             snapshot->task + "; it is not used");
  return snapshot;
}

}  // namespace

/// A file that cannot be used is reported once, and hides neither older nor later versions.
std::vector<skills::Snapshot> SnapshotFolder::New() {
  std::map<std::string, std::map<std::int64_t, std::filesystem::path, std::greater<>>> fresh;  // Newest first.
  std::error_code trouble;
  for (std::filesystem::directory_iterator it(folder_, trouble), end; !trouble && it != end; it.increment(trouble)) {
    const auto named = skills::SnapshotNameIn(it->path().filename().string());
    if (!named || named->version <= newest_[named->task] || refused_.contains(it->path())) continue;
    fresh[named->task].emplace(named->version, it->path());
  }
  std::vector<skills::Snapshot> snapshots;
  for (const auto& [task, versions] : fresh) {
    for (const auto& [version, file] : versions) {
      auto snapshot = Read(task, version, file);
      if (!snapshot) {
        refused_.insert(file);
        on_fault_(snapshot.error());
        continue;
      }
      newest_[task] = version;
      snapshots.push_back(std::move(*snapshot));
      break;
    }
  }
  return snapshots;
}

std::optional<skills::RiskSnapshot> SnapshotFolder::NewRisk() {
  const std::filesystem::path file = folder_ / skills::kRiskFileName;
  std::error_code missing;
  const auto written = std::filesystem::last_write_time(file, missing);
  if (missing || written == risk_seen_) return std::nullopt;
  risk_seen_ = written;
  auto snapshot = skills::ReadRiskSnapshot(file.string());
  if (snapshot) return std::move(*snapshot);
  on_fault_(snapshot.error());
  return std::nullopt;
}

std::optional<skills::Snapshot> SnapshotFolder::Find(const std::string& task, std::int64_t version) const {
  auto snapshot = Read(task, version, folder_ / skills::FileNameOf({task, version}));
  if (snapshot) return *snapshot;
  on_fault_(snapshot.error());
  return std::nullopt;
}

}  // namespace nightshift::runtime
