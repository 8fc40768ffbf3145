// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/observation.h"
#include "safety/config.h"

/// Hazard: the gripper crushes what it holds, or burns its motor on it.
namespace nightshift::safety {

/// What the jaw's command may do in a tick.
enum class Grip {
  kFree,   // Open and close.
  kHolds,  // Not close any further.
  kOpens,  // Give way, gently.
};

/// Told by the torque that closes the jaw, beyond what its own motion takes: at `grip_torque_nm_max` the command
/// closes no further, above it by a fifth it opens until the torque is below it again. At a lever of 55 mm from the
/// jaw's joint to the fingertips' middle, 0.25 Nm press with 4.5 N.
/// Thread: control thread only. Real-time.
class GripLimit {
 public:
  explicit GripLimit(const Limits& limits) : torque_nm_max_(limits.grip_torque_nm_max) {}

  /// One tick. @param jaw_residual_nm as TorqueResidual has it; negative while the jaw presses.
  Grip Look(double jaw_residual_nm);

  // Of the limit.
  static constexpr double kAtShare = 0.95;  // As near as filtered readings come to a drive's own limit.
  static constexpr double kOpensAtShare = 1.2;
  static constexpr double kFreeBelowShare =
      0.5;  // What is held has given way. Nearer to the limit the jaw would flutter.

  static constexpr double kOpeningRadS = 0.5;  // From fully closed to a cube's width within a second.

 private:
  double torque_nm_max_;
  Grip grip_ = Grip::kFree;
};

}  // namespace nightshift::safety
