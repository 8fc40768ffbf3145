// SPDX-License-Identifier: Apache-2.0
#include "io/journal/instance_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace nightshift::io {
namespace {

std::string OwnerIn(int descriptor) {
  std::array<char, 24> text{};
  const auto length = pread(descriptor, text.data(), text.size() - 1, 0);
  if (length <= 0) return "unknown";
  std::string owner(text.data(), static_cast<std::size_t>(length));
  owner.erase(owner.find_last_not_of(" \n") + 1);
  return owner;
}

/// The file keeps the last owner's id when it is not locked; nobody reads it then.
bool WriteOwner(int descriptor) {
  const std::string owner = std::to_string(getpid()) + "\n";
  return ftruncate(descriptor, 0) == 0 &&
         pwrite(descriptor, owner.data(), owner.size(), 0) == static_cast<ssize_t>(owner.size());
}

}  // namespace

core::Result<InstanceLock> InstanceLock::Acquire(const std::filesystem::path& data_directory, const std::string& name) {
  std::error_code trouble;
  std::filesystem::create_directories(data_directory, trouble);
  const std::filesystem::path path = data_directory / (name + ".lock");
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0660);
  if (descriptor < 0)
    return core::Fail(core::FaultCode::kIoFailed, path.string() + ": cannot be opened: " + std::strerror(errno) +
                                                      "; the data directory must be writable for this user");
  InstanceLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return core::Fail(core::FaultCode::kIoFailed, path.string() + ": cannot be locked: " + std::strerror(errno) +
                                                        "; the data directory must be on a local file system");
    return core::Fail(core::FaultCode::kAlreadyRunning,
                      data_directory.string() + ": is in use by another " + name + ", process " + OwnerIn(descriptor) +
                          "; stop that one, or give this one another data directory (--data)");
  }
  // On a full disk the id cannot be written, and the lock holds all the same.
  static_cast<void>(WriteOwner(descriptor));
  return lock;
}

InstanceLock::~InstanceLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace nightshift::io
