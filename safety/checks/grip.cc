// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/grip.h"

namespace nightshift::safety {

Grip GripLimit::Look(double jaw_residual_nm) {
  const double share = -jaw_residual_nm / torque_nm_max_;
  const bool opens = share > kOpensAtShare || (grip_ == Grip::kOpens && share >= kAtShare);
  const bool holds = share >= kAtShare || (grip_ != Grip::kFree && share >= kFreeBelowShare);
  grip_ = opens ? Grip::kOpens : holds ? Grip::kHolds : Grip::kFree;
  return grip_;
}

}  // namespace nightshift::safety
