// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "runtime/practice.h"

namespace nightshift::runtime {

/// What the supervisor's status says beyond what practice knows of itself.
struct Surroundings {
  core::Instant now;
  core::Duration practised{0};
  core::LatchReport latch;
  std::vector<std::string> degraded;
  std::string risk;  // The risk critic, in words.
  std::string fault;
};

/// The serialised wire::SupervisorStatus. Pure.
std::string EncodeStatus(const Practice& practice, const Surroundings& around);

}  // namespace nightshift::runtime
