// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "core/observation.h"
#include "safety/config.h"

/// Hazard: the arm is not what the driver says it is: silent, frozen or garbled readings; too hot; not where it was
/// told to be.
namespace nightshift::safety {

/// True if the reading is whole: right number of axes, every number finite, and newer than the one before.
bool IsUsable(const core::JointState& seen, int axes, std::optional<std::uint64_t> last_sequence);

/// Above the limit, or (with hysteresis, once hot) not yet below where it clears.
bool IsHot(const Limits& limits, const core::JointState& seen);
bool HasCooled(const Limits& limits, const core::JointState& seen);

struct AxisExcess {
  int axis = 0;
  double wanted = 0, allowed = 0;
};

/// The first axis farther from its command than its bound, if any.
std::optional<AxisExcess> TrackingExcess(const Limits& limits, const core::JointState& seen,
                                         const core::AxisArray& commanded_q_rad);

/// Slower than the rest speed on every axis.
bool IsAtRest(const Limits& limits, const core::JointState& seen);

}  // namespace nightshift::safety
