// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "safety/checks/arm_motion.h"
#include "safety/checks/sweep.h"
#include "safety/config.h"

namespace nightshift::safety {

/// Hazard: the arm as a whole leaves its box, or strikes something, in the next tick or in the stop that would follow
/// it. Joins the checks of the tip's box (safety/checks/workspace.h) and of all parts (safety/checks/sweep.h), and
/// knows what an arm may do that is outside already: nothing that takes it farther out.
///
/// Thread: control thread only. Real-time: no lock, no allocation.
class PathCheck {
 public:
  /// @param limits already validated.
  explicit PathCheck(const Limits& limits);

  /// What bars a way, in metres: farther outside than allowed, or nearer to something (both then below 0).
  struct Bar {
    core::LimitId limit = core::LimitId::kNone;
    double wanted = 0, allowed = 0;
  };

  /// Where all motions begin that are asked about next.
  void Begin(const ArmMotion& now);

  /// Is the arm outside its box, or too near to something? Then only slow motion back is allowed.
  bool escapes() const { return escapes_; }

  /// What bars the way to the end of the next tick and on through its stop; nothing where it is free.
  std::optional<Bar> BarOn(const ArmMotion& next) const;

 private:
  Limits limits_;
  double tick_s_;
  ClearanceModel surroundings_;
  ArmPose pose_;
  ArmMotion now_;
  double outside_max_m_ = 0;
  bool escapes_ = false;
};

/// How a checked stop is looked at.
SweepLimits SweepLimitsOf(const Limits& limits);

}  // namespace nightshift::safety
