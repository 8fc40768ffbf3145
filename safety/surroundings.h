// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "safety/checks/clearance.h"
#include "safety/config.h"

namespace nightshift::safety {

/// The arm and what stands around it, as the limits say: table, boxes, posts, and the arm's own links.
/// Faults: kInvalidConfig naming the obstacle, or saying that there are too many. Not real-time.
core::Result<ClearanceModel> SurroundingsOf(const Limits& limits);

}  // namespace nightshift::safety
