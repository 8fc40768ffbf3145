// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/joint_motion.h"

#include <algorithm>
#include <cmath>

namespace nightshift::safety {
namespace {

constexpr double kRoundingRad = 1e-9;  // Braking ends on the limit itself, give or take rounding.

}  // namespace

double BrakeableSpeed(double gap_rad, double acceleration_rad_s2, double tick_s) {
  if (!(gap_rad > 0)) return 0;
  const double a = acceleration_rad_s2, h = tick_s;
  const double ticks = std::floor((std::sqrt(1 + 8 * gap_rad / (a * h * h)) - 1) / 2);
  return gap_rad / ((ticks + 1) * h) + a * h * ticks / 2;
}

double BrakedSpeed(double v_rad_s, double acceleration_rad_s2, double tick_s) {
  return std::copysign(std::max(0.0, std::abs(v_rad_s) - acceleration_rad_s2 * tick_s), v_rad_s);
}

JointVerdict LimitVelocity(const JointMotion& now, double wanted_rad_s, const JointBounds& bounds) {
  const double a = bounds.acceleration_rad_s2_max, h = bounds.tick_s;
  if (std::isnan(wanted_rad_s)) return {BrakedSpeed(now.v_rad_s, a, h), core::LimitId::kNotFinite};
  double up_max = bounds.speed_rad_s_max, down_max = bounds.speed_rad_s_max;
  if (now.q_rad > bounds.q_rad_max + kRoundingRad) down_max = std::min(down_max, bounds.escape_speed_rad_s_max);
  if (now.q_rad < bounds.q_rad_min - kRoundingRad) up_max = std::min(up_max, bounds.escape_speed_rad_s_max);
  const double up_room = BrakeableSpeed(bounds.q_rad_max - now.q_rad, a, h);
  const double down_room = BrakeableSpeed(now.q_rad - bounds.q_rad_min, a, h);
  const double low = std::max({-down_max, now.v_rad_s - a * h, -down_room});
  const double high = std::min({up_max, now.v_rad_s + a * h, up_room});
  JointVerdict verdict{std::clamp(wanted_rad_s, std::min(low, high), high), core::LimitId::kNone};
  if (low > high) verdict.v_rad_s = BrakedSpeed(now.v_rad_s, a, h);
  if (wanted_rad_s > up_max || wanted_rad_s < -down_max) verdict.limit = core::LimitId::kVelocity;
  if ((wanted_rad_s > up_room && up_room < up_max) || (wanted_rad_s < -down_room && down_room < down_max))
    verdict.limit = core::LimitId::kPosition;
  return verdict;
}

}  // namespace nightshift::safety
