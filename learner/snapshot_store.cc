// SPDX-License-Identifier: Apache-2.0
#include "learner/snapshot_store.h"

#include <algorithm>
#include <system_error>
#include <vector>

namespace nightshift::learner {

namespace {

std::vector<skills::SnapshotName> FilesIn(const std::filesystem::path& folder) {
  std::vector<skills::SnapshotName> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (auto named = skills::SnapshotNameIn(it->path().filename().string())) files.push_back(std::move(*named));
  return files;
}

}  // namespace

core::Result<SnapshotStore> SnapshotStore::Open(const std::filesystem::path& folder, std::int64_t version_used) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return core::Fail(core::FaultCode::kIoFailed,
                      folder.string() + ": cannot make the folder for snapshots: " + error.message());
  std::int64_t newest = version_used;
  for (const skills::SnapshotName& file : FilesIn(folder)) newest = std::max(newest, file.version);
  return SnapshotStore(folder, newest);
}

std::filesystem::path SnapshotStore::PathOf(const std::string& task, std::int64_t version) const {
  return folder_ / skills::FileNameOf({task, version});
}

core::Result<std::int64_t> SnapshotStore::Write(const std::string& task, std::int64_t updates,
                                                skills::PolicyWeights weights,
                                                const std::optional<skills::HeldOutValue>& held_out) {
  const std::int64_t version = ++newest_;
  const skills::Snapshot snapshot{version, task, updates, std::move(weights), held_out};
  if (auto written = skills::WriteSnapshot(PathOf(task, version).string(), snapshot); !written)
    return tl::make_unexpected(written.error());
  return version;
}

int SnapshotStore::Prune(const std::string& task, int kept, const std::set<std::int64_t>& needed) {
  std::vector<std::int64_t> versions;
  for (const skills::SnapshotName& file : FilesIn(folder_))
    if (file.task == task) versions.push_back(file.version);
  std::sort(versions.rbegin(), versions.rend());
  int removed = 0;
  for (std::size_t i = static_cast<std::size_t>(std::max(kept, 1)); i < versions.size(); ++i) {
    std::error_code error;
    if (!needed.contains(versions[i]) && std::filesystem::remove(PathOf(task, versions[i]), error)) ++removed;
  }
  return removed;
}

}  // namespace nightshift::learner
