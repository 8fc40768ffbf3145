// SPDX-License-Identifier: Apache-2.0
#include "learner/compute.h"

#include "learner/product.h"

namespace nightshift::learner {

namespace {

bool LacksBf16(const Config& config) { return config.precision == Precision::kBf16 && !HasBf16(); }

}  // namespace

Compute ComputeFor(const Config& config) {
  return {std::make_shared<Crew>(config.threads), LacksBf16(config) ? Precision::kFp32 : config.precision};
}

std::vector<std::string> DegradedModes(const Config& config) {
  if (LacksBf16(config)) return {"bf16_is_not_available"};
  return {};
}

}  // namespace nightshift::learner
