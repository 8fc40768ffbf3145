// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/workspace.h"

#include <algorithm>
#include <limits>

#include "safety/checks/joint_motion.h"

namespace nightshift::safety {

double OutsideWorkspace(const Limits& limits, const core::AxisArray& q_rad) {
  const core::Vec3 tip = core::ForwardKinematics(limits.arm, q_rad).position_m;
  const core::Vec3 low = limits.workspace_m_min, high = limits.workspace_m_max;
  return std::max({low.x - tip.x, tip.x - high.x, low.y - tip.y, tip.y - high.y, low.z - tip.z, tip.z - high.z});
}

double OutsideWhileStopping(const Limits& limits, const ArmMotion& next) {
  const double tick_s = core::ToSeconds(limits.control_period);
  ArmMotion motion = next;
  double worst = OutsideWorkspace(limits, motion.q_rad);
  for (int tick = 0; tick < kStopTicksMax; ++tick) {
    bool moves = false;
    for (std::size_t i = 0; i < core::kJaw; ++i) {  // The jaw does not move the tip.
      motion.v_rad_s[i] = BrakedSpeed(motion.v_rad_s[i], limits.acceleration_rad_s2_max[i], tick_s);
      motion.q_rad[i] += motion.v_rad_s[i] * tick_s;
      moves = moves || motion.v_rad_s[i] != 0;
    }
    if (!moves) return worst;
    worst = std::max(worst, OutsideWorkspace(limits, motion.q_rad));
  }
  return std::numeric_limits<double>::infinity();
}

}  // namespace nightshift::safety
