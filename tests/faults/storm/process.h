// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "core/fault.h"

namespace nightshift::storm {

/// One program of the robot, to be killed, stopped and started again. It dies with this process.
/// Thread: the main thread only, the one whose death the kernel reports.
class Process {
 public:
  Process(std::string role, std::vector<std::string> command, std::string log_file)
      : role_(std::move(role)), command_(std::move(command)), log_file_(std::move(log_file)) {}
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  ~Process();

  /// Faults: kIoFailed.
  core::Result<void> Start();
  /// SIGKILL; it is gone when this returns.
  void Kill();
  /// SIGSTOP; it stands when this returns. False: it had ended before.
  bool Stop();
  void Continue() const;

  /// Has it ended without having been killed by us? Then what it said is in its log file.
  bool Died();
  /// Readable when it has ended; waits need nothing else.
  int descriptor() const { return descriptor_; }
  const std::string& role() const { return role_; }
  const std::string& log_file() const { return log_file_; }

 private:
  std::string role_;
  std::vector<std::string> command_;
  std::string log_file_;
  pid_t pid_ = 0;
  int descriptor_ = -1;
};

}  // namespace nightshift::storm
