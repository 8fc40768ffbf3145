// SPDX-License-Identifier: Apache-2.0
#include "learner/compute.h"

#include "learner/product.h"

namespace nightshift::learner {

Compute ComputeFor(const Config& config) {
  const bool can = config.precision == Precision::kFp32 || HasBf16();
  return {std::make_shared<Crew>(config.threads), can ? config.precision : Precision::kFp32};
}

}  // namespace nightshift::learner
