// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>

#include "core/observation.h"
#include "safety/checks/jerk_motion.h"

namespace nightshift::safety {

/// Commanded motion of all axes, and the checked stop that follows if nothing better is found.
struct ArmMotion {
  core::AxisArray q_rad{}, v_rad_s{}, a_rad_s2{};
  std::array<JointStop, core::kAxesMax> stop{};

  JerkMotion axis(std::size_t i) const { return {q_rad[i], v_rad_s[i], a_rad_s2[i]}; }

  void Set(std::size_t i, const JerkMotion& motion, const JointStop& its_stop) {
    q_rad[i] = motion.q_rad;
    v_rad_s[i] = motion.v_rad_s;
    a_rad_s2[i] = motion.a_rad_s2;
    stop[i] = its_stop;
  }
  /// One tick along the stored stop.
  void Brake(std::size_t i, double tick_s) { Set(i, stop[i].At(tick_s), stop[i].After(tick_s)); }
};

}  // namespace nightshift::safety
