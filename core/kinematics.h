// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/fault.h"
#include "core/observation.h"
#include "core/vector.h"

namespace nightshift::core {

/// Axes of a five-joint arm with a gripper, in the order of AxisArray.
enum ArmAxis { kPan, kLift, kElbow, kWrist, kRoll, kJaw, kArmAxes };

/// Lengths of a five-joint arm of SO-101 proportions. Zero pose: everything straight up; positive lift, elbow and
/// wrist tilt forward; the hand points down where lift + elbow + wrist = pi.
struct ArmGeometry {
  double base_height_m = 0.12;
  double shoulder_offset_m = 0.03;  // From the pan axis to the lift axis.
  double upper_arm_m = 0.116;
  double forearm_m = 0.135;
  double hand_m = 0.095;          // Wrist axis to grasp point, along the hand.
  double grasp_offset_m = 0.010;  // Grasp point off the roll axis, toward the moving jaw.
};

struct TipPose {
  Vec3 position_m;      // Grasp point.
  double tilt_rad = 0;  // Of the hand, away from pointing straight down; positive: fingers outward.
  double yaw_rad = 0;   // Of the jaw's closing direction, from the base's y axis.
};

/// Where the grasp point is. Exact; no limits are checked.
TipPose ForwardKinematics(const ArmGeometry& arm, const AxisArray& q_rad);

/// Joint angles (without the jaw, which is left at zero) that put the grasp point at `position_m` with the jaw
/// closing along `yaw_rad`; the hand points down as far as the reach allows and tilts as little as it must.
/// Closed form with a bisection over the tilt; at most 0.5 mm off. Faults: kOutOfReach, kNotFinite.
Result<AxisArray> InverseKinematics(const ArmGeometry& arm, Vec3 position_m, double yaw_rad);

}  // namespace nightshift::core
