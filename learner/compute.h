// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "learner/config.h"
#include "learner/crew.h"

namespace nightshift::learner {

/// What an update runs on. Agents that learn in turns share it.
struct Compute {
  std::shared_ptr<Crew> crew;              // None: the calling thread alone.
  Precision precision = Precision::kFp32;  // kBf16 only where HasBf16 (learner/product.h).
};

/// As configured; where bf16 is asked for and the processor has none, fp32.
Compute ComputeFor(const Config& config);
/// What the processor denies, by name: "bf16_is_not_available" where it is asked for, and fp32 is used.
std::vector<std::string> DegradedModes(const Config& config);

}  // namespace nightshift::learner
