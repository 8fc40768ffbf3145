// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/workspace.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nightshift::safety {

double OutsideWorkspace(const Limits& limits, const core::AxisArray& q_rad) {
  const core::Vec3 tip = core::ForwardKinematics(limits.arm, q_rad).position_m;
  const core::Vec3 low = limits.workspace_m_min, high = limits.workspace_m_max;
  return std::max({low.x - tip.x, tip.x - high.x, low.y - tip.y, tip.y - high.y, low.z - tip.z, tip.z - high.z});
}

double OutsideWhileStopping(const Limits& limits, const ArmMotion& next) {
  const double tick_s = core::ToSeconds(limits.control_period);
  double longest_s = 0;
  for (std::size_t i = 0; i < core::kJaw; ++i) {
    const double stop_s = next.stop[i].duration_s();
    const bool finite = std::isfinite(next.stop[i].q_rad_lowest()) && std::isfinite(next.stop[i].q_rad_highest());
    if (!finite || !(stop_s <= kStopTicksMax * tick_s)) return std::numeric_limits<double>::infinity();
    longest_s = std::max(longest_s, stop_s);
  }
  double worst = OutsideWorkspace(limits, next.q_rad);
  core::AxisArray q_rad = next.q_rad;
  for (double t_s = tick_s; t_s < longest_s + tick_s; t_s += tick_s) {
    for (std::size_t i = 0; i < core::kJaw; ++i)
      q_rad[i] = next.stop[i].At(t_s).q_rad;  // The jaw does not move the tip.
    worst = std::max(worst, OutsideWorkspace(limits, q_rad));
  }
  return worst;
}

}  // namespace nightshift::safety
