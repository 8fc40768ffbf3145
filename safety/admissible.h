// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <optional>

#include "core/fault.h"
#include "safety/config.h"

/// Limits, each fine by itself, that together leave an arm without a stop that can be checked and carried out.
namespace nightshift::safety {

/// Refuses limits with which
/// - a joint at full speed needs more ticks to stop than a check follows, or more room than its range;
/// - a drive cannot hold the arm up with its payload, or brakes so weakly that the arm would go on beyond its commanded
///   stop by more than half the tracking error that is tolerated;
/// - the grasp point's box holds no pose of the joint ranges that keeps clear of all obstacles;
/// - no stop from full speed can be swept with the looks at the arm that are allowed.
/// Expects limits whose numbers are each in range, and six axes or fewer of the default arm. A few milliseconds.
/// Faults: kInvalidConfig naming joint, numbers and what to change.
core::Result<void> CheckStops(const Limits& limits);

/// What braking asks of each drive in the worst pose within the joint ranges: all joints brake together, each the way
/// that is worst for it, with the largest payload.
struct BrakingNeed {
  double weight_nm = 0;   // The most that holding still takes.
  double braking_nm = 0;  // In the pose that leaves the least for braking: what braking as commanded takes,
  double left_nm = 0;     // and what weight and the other joints' full speed leave of the drive's torque for it.
  core::AxisArray q_rad{};

  double share() const { return left_nm / braking_nm; }  // Of the commanded braking that the drive can give.
};
std::array<BrakingNeed, core::kArmAxes> BrakingNeedsOf(const Limits& limits);

/// How far a joint comes to rest beyond its commanded stop from full speed, with braking of that share: 0 or more.
double OvershootRad(const Limits& limits, int axis, double share);

/// A pose in which the grasp point is in its box and every part of the arm keeps clear, if one was found: by inverse
/// kinematics all over the box, hand down, and over the joint ranges.
std::optional<core::AxisArray> ClearPose(const Limits& limits);

/// Is a pose within the joint ranges, and every part of the arm in it clear of all else by clearance_m?
/// Faults: kInvalidConfig naming joint or obstacle, and the numbers.
core::Result<void> RoomAround(const Limits& limits, const core::AxisArray& q_rad);

}  // namespace nightshift::safety
