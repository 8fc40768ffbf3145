// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "core/devices.h"
#include "runtime/config.h"
#include "runtime/degraded.h"

namespace nightshift::runtime {

/// What the machine did not permit: the mode it leaves us in, and what was refused, and how to permit it.
struct Denied {
  DegradedMode mode;
  std::string warning;
};

/// For a clock that waits for nobody: keeps this process's memory from being paged out and gives the calling thread a
/// real-time priority. In lock-step neither is asked for: time waits, and others must get their turn. On any clock:
/// puts the calling thread on `config.cpu`. Threads that it starts later inherit priority and processor: start them
/// before.
std::vector<Denied> ClaimRealTime(const RealTimeConfig& config, core::Pacing pacing);

}  // namespace nightshift::runtime
