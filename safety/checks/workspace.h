// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/observation.h"
#include "safety/checks/arm_motion.h"
#include "safety/config.h"

/// Hazard: the tip leaves its box: through the table, into a wall, toward a person. Checked on the commanded joints,
/// from the next tick to the end of the stop that would follow it.
namespace nightshift::safety {

/// How far the tip is outside its box, along the worst axis, in metres; negative: that far inside.
double OutsideWorkspace(const Limits& limits, const core::AxisArray& q_rad);

/// The largest OutsideWorkspace from `next` on, tick by tick, until every axis has braked. Bounded: at most
/// kStopTicksMax ticks; an unfinished stop counts as infinitely far outside.
double OutsideWhileStopping(const Limits& limits, const ArmMotion& next);

inline constexpr int kStopTicksMax = 2000;

}  // namespace nightshift::safety
