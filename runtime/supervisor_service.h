// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "io/link/link.h"
#include "runtime/config.h"

namespace nightshift::runtime {

struct SupervisorServiceOptions {
  Config config;
  std::filesystem::path data_directory;  // Absolute.
  io::Endpoints endpoints;
  std::optional<core::Duration> robot_time;  // Of this session; none: until told to end.
  std::uint64_t seed = 1;
  std::string version;
};

/// What nightshift-supervisor does: practises until `must_end`, a Finish request, or the end of the robot time; always
/// between episodes. Whatever happens to safety, learner, camera or disk is named in the status and waited out.
/// Faults: kAlreadyRunning, kCorruptState, kSchemaTooNew, kInvalidConfig, kIoFailed.
/// Thread: that of the caller.
core::Result<void> ServeSupervisor(const SupervisorServiceOptions& options, const std::function<bool()>& must_end);

}  // namespace nightshift::runtime
