// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/fault.h"
#include "core/time.h"
#include "runtime/cli/children.h"

namespace nightshift::runtime::cli {

/// `nightshift run`.
struct RunOptions {
  std::string config_file;
  std::string data_directory;
  std::optional<core::Duration> robot_time;  // None: until Ctrl-C.
  std::string speed = "max";                 // "max", or a factor of real time.
  std::uint64_t seed = 1;
};

/// The programs of one robot in the order of their start, from the folder that holds them. Pure.
std::vector<Program> ProgramsOf(const RunOptions& options, const std::string& folder);

/// Starts the programs, keeps them alive, shows progress; ends when the robot time is over, on SIGINT or SIGTERM: first
/// the supervisor, between two episodes or at once when it does not answer, then learner, safety, cell, metrics. A
/// second signal kills, which loses nothing that was committed. Prints a summary of what was learned.
/// Faults: kInvalidConfig, kMissingFile, kAlreadyRunning, kRefused (a program that cannot live), kIoFailed.
core::Result<void> Run(const RunOptions& options);

/// The folder of this very program.
std::string OwnFolder();

}  // namespace nightshift::runtime::cli
