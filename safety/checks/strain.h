// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/observation.h"
#include "safety/checks/astray.h"
#include "safety/checks/stall.h"
#include "safety/config.h"

/// No hazard of its own: how near the arm is to a stop of its own doing. It limits nothing; the learner is told what a
/// near miss was.
namespace nightshift::safety {

/// The largest share that is used of a budget whose end stops the arm: pushing without moving, distance from the
/// command, and such distance for long. In [0, 1]. What the drives' heat and wear have used is no matter of one motion.
/// Thread: any. Real-time.
double Strain(const Limits& limits, const core::JointState& seen, const core::AxisArray& commanded_q_rad,
              const StallBudget& stall, const AstrayBudget& astray);

}  // namespace nightshift::safety
