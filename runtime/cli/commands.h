// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "core/fault.h"
#include "io/link/link.h"

namespace nightshift::runtime::cli {

/// Single requests to running processes. Faults of all: kPeerTimeout when nobody answers, kRefused with the reason.
/// Thread: one at a time.

core::Result<void> FinishSupervisor(const io::Endpoints& endpoints, std::chrono::milliseconds wait);
core::Result<void> PauseSupervisor(const io::Endpoints& endpoints, std::chrono::milliseconds wait);
core::Result<void> ResumeSupervisor(const io::Endpoints& endpoints, std::chrono::milliseconds wait);

/// A person says stop: latched until a person clears it.
core::Result<void> StopRobot(const io::Endpoints& endpoints, std::chrono::milliseconds wait);

/// A person lets the robot move after a restart; refused while anything else holds it.
core::Result<void> ArmRobot(const io::Endpoints& endpoints, std::chrono::milliseconds wait);

/// A person clears the latch that is shown in the safety process's state.
core::Result<void> ClearStop(const io::Endpoints& endpoints, std::chrono::milliseconds wait);

struct Injection {
  std::string fault;
  unsigned index = 0;     // Joint or object.
  double duration_s = 1;  // Robot time.
};
/// Asks the simulated cell to misbehave. Refused, naming those that exist, for a fault it does not know.
core::Result<void> Inject(const io::Endpoints& endpoints, const Injection& injection, std::chrono::milliseconds wait);

}  // namespace nightshift::runtime::cli
