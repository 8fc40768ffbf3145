// SPDX-License-Identifier: Apache-2.0
#include "safety/state_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace nightshift::safety {
namespace {

using core::FaultCode;
using core::Result;

constexpr std::size_t kBytesMax = 64 * 1024;  // Some ten times what a state takes.

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  int value() const { return value_; }

 private:
  int value_;
};

tl::unexpected<core::Fault> IoFault(const std::string& what, const std::string& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return core::Fail(full ? FaultCode::kDiskFull : FaultCode::kIoFailed,
                    "safety state: cannot " + what + " " + path + ": " + std::strerror(error) +
                        (full ? "; free some space" : "; check the data directory and its owner"));
}

Result<void> WriteWhole(const std::string& path, const std::string& bytes) {
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (file.value() < 0) return IoFault("create", path, errno);
  const ssize_t size = write(file.value(), bytes.data(), bytes.size());
  if (size < 0) return IoFault("write", path, errno);
  if (size != static_cast<ssize_t>(bytes.size())) return IoFault("write", path, ENOSPC);
  if (fsync(file.value()) != 0) return IoFault("sync", path, errno);
  return {};
}

/// Without it a power cut may bring the old name back, or none.
Result<void> SyncFolder(const std::string& folder) {
  const Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.value() < 0 || fsync(opened.value()) != 0) return IoFault("sync", folder, errno);
  return {};
}

}  // namespace

Result<std::optional<StoredState>> ReadStateFile(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.value() < 0 && errno == ENOENT) return std::optional<StoredState>();
  if (file.value() < 0) return IoFault("read", path, errno);
  std::string bytes(kBytesMax, '\0');
  std::size_t size = 0;
  for (ssize_t more = 1; more > 0 && size < bytes.size(); size += static_cast<std::size_t>(more)) {
    more = read(file.value(), bytes.data() + size, bytes.size() - size);
    if (more < 0) return IoFault("read", path, errno);
  }
  bytes.resize(size);
  const auto decoded = Decode(bytes);
  if (decoded) return std::optional(*decoded);
  return core::Fail(decoded.error().code,
                    "safety state: " + path + ": " + decoded.error().detail +
                        "; it counts as the first start after a boot, and clears and wear before it are forgotten");
}

Result<void> WriteStateFile(const std::string& path, const StoredState& stored) {
  const std::string fresh = path + ".new";
  if (auto written = WriteWhole(fresh, Encode(stored)); !written) return written;
  if (rename(fresh.c_str(), path.c_str()) != 0) return IoFault("replace", path, errno);
  return SyncFolder(std::filesystem::path(path).parent_path().string());
}

}  // namespace nightshift::safety
