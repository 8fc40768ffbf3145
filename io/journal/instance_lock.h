// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <utility>

#include "core/fault.h"

namespace nightshift::io {

/// One process of a name per data directory. The kernel drops the lock with the process, also after kill -9.
class InstanceLock {
 public:
  /// Locks `<data_directory>/<name>.lock`, which holds the owner's process id. Makes the directory if need be.
  /// Faults: kAlreadyRunning naming the process id, kIoFailed.
  static core::Result<InstanceLock> Acquire(const std::filesystem::path& data_directory, const std::string& name);

  InstanceLock(InstanceLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  InstanceLock& operator=(InstanceLock&&) = delete;
  ~InstanceLock();

 private:
  explicit InstanceLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace nightshift::io
