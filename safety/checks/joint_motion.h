// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/action.h"

/// Hazard: a joint runs out of its range, too fast or too hard. Acceleration-limited, exact in discrete time: velocity
/// is held for one tick, and whatever is allowed leaves room to brake, tick by tick, inside the range.
namespace nightshift::safety {

struct JointBounds {
  double q_rad_min = 0, q_rad_max = 0;
  double speed_rad_s_max = 0;
  double acceleration_rad_s2_max = 0;
  double escape_speed_rad_s_max = 0;
  double tick_s = 0;
};

struct JointMotion {
  double q_rad = 0;
  double v_rad_s = 0;  // Over the last tick.
};

/// What was made of a wanted velocity.
struct JointVerdict {
  double v_rad_s = 0;                          // Allowed for the next tick.
  core::LimitId limit = core::LimitId::kNone;  // What lowered it, if not only the acceleration.
};

/// The fastest velocity for the next tick after which braking by `acceleration` each tick still ends within `gap`.
/// Zero where there is no gap. Largest v with v h + D(v) <= gap, D being the braking sum.
double BrakeableSpeed(double gap_rad, double acceleration_rad_s2, double tick_s);

/// One tick of braking.
double BrakedSpeed(double v_rad_s, double acceleration_rad_s2, double tick_s);

/// The velocity nearest to `wanted` that keeps every bound now and leaves a stop that keeps them. Outside the range
/// only motion back is allowed, at the escape speed. A wanted velocity that is not a number brakes.
JointVerdict LimitVelocity(const JointMotion& now, double wanted_rad_s, const JointBounds& bounds);

}  // namespace nightshift::safety
