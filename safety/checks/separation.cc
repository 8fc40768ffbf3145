// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/separation.h"

#include <algorithm>
#include <cmath>

#include "safety/checks/arm_shape.h"

namespace nightshift::safety {
namespace {

/// Of the part that is farthest. What the arm's shape does not know of may be as far as anything.
core::AxisArray ReachesM(const core::ArmGeometry& arm) {
  const ArmShape shape = ShapeOf(arm);
  core::AxisArray reach_m{};
  for (int joint = 0; joint < shape.joints; ++joint)
    for (int capsule = 0; capsule < shape.capsules; ++capsule)
      reach_m[static_cast<std::size_t>(joint)] =
          std::max(reach_m[static_cast<std::size_t>(joint)], ReachM(shape, capsule, joint));
  const double farthest_m = *std::max_element(reach_m.begin(), reach_m.end());
  std::fill(reach_m.begin() + shape.joints, reach_m.end(), farthest_m);
  return reach_m;
}

}  // namespace

Separation::Separation(const Limits& limits)
    : axes_(static_cast<std::size_t>(limits.axes)),
      reach_m_(ReachesM(limits.arm)),
      full_speed_m_s_(ArmSpeedMS(limits.speed_rad_s_max)) {
  const PresenceConfig& presence = limits.presence;
  const double tick_s = core::ToSeconds(limits.control_period), walks_m_s = presence.person_speed_m_s;
  double brake_s = 0, ramp_s = 0;  // tau and j.
  for (std::size_t i = 0; i < axes_; ++i) {
    brake_s = std::max(brake_s, limits.speed_rad_s_max[i] / limits.acceleration_rad_s2_max[i]);
    ramp_s = std::max(ramp_s, limits.acceleration_rad_s2_max[i] / limits.jerk_rad_s3_max[i]);
  }
  rest_m_ = walks_m_s * (tick_s + 2 * ramp_s + presence.arm_lag_s) + presence.intrusion_m + presence.sensor_error_m +
            presence.arm_error_m;
  linear_m_ = walks_m_s * brake_s + full_speed_m_s_ * (tick_s + 1.5 * ramp_s);
  square_m_ = full_speed_m_s_ * brake_s / 2;
  const bool is_switch = presence.source == PresenceSource::kGpio;
  const double unseen_s = presence.sensor_delay_s + (is_switch ? presence.poll_s : presence.report_every_s);
  unseen_by_person_m_ = walks_m_s * unseen_s;
  unseen_by_arm_s_ = unseen_s + presence.arm_lag_s;
}

double Separation::NeededM(double speed_scale) const {
  return rest_m_ + speed_scale * (linear_m_ + speed_scale * square_m_);
}

double Separation::SpeedScaleWithin(double distance_m) const {
  const double spare_m = distance_m - rest_m_;
  if (!(spare_m > 0)) return 0;
  return std::min(1.0, 2 * spare_m / (linear_m_ + std::sqrt(linear_m_ * linear_m_ + 4 * square_m_ * spare_m)));
}

double Separation::UnseenM(double arm_speed_m_s) const {
  return unseen_by_person_m_ + arm_speed_m_s * unseen_by_arm_s_;
}

double Separation::ArmSpeedMS(const core::AxisArray& v_rad_s) const {
  double speed_m_s = 0;
  for (std::size_t i = 0; i < axes_; ++i) speed_m_s += reach_m_[i] * std::abs(v_rad_s[i]);
  return speed_m_s;
}

}  // namespace nightshift::safety
