// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "core/fault.h"
#include "safety/safety_state.h"

namespace nightshift::runtime {

/// Which boot this is: the file's first word. Empty where it cannot be read, as in a container without it.
/// @param path kBootIdFile, except in tests.
inline constexpr char kBootIdFile[] = "/proc/sys/kernel/random/boot_id";
std::string ReadBootId(const std::string& path);

/// Writes the safety process's state to its file about once a second (wall time), on a thread of its own: a disk may
/// take longer than the supervisor's commands live. Thread: Keep from any one.
class StateKeeper {
 public:
  struct Parts {
    std::string path;
    std::function<safety::Moment()> now;
    std::function<void(const core::Result<void>&)> written;  // After each try; on the keeper's thread.
  };
  explicit StateKeeper(Parts parts);
  /// Writes what was kept last.
  ~StateKeeper();

  /// Returns at once.
  void Keep(const safety::SafetyState& state);

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace nightshift::runtime
