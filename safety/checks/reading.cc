// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/reading.h"

#include <algorithm>
#include <cmath>

namespace nightshift::safety {
namespace {

constexpr double kTorqueNmMax = 100;  // Beyond any drive of an arm that one person can lift,
constexpr double kCurrentAMax = 30;   // and its supply.

/// Of every axis; false for what is no number.
bool AllWithin(const core::AxisArray& values, int axes, double max) {
  return std::all_of(values.begin(), values.begin() + axes, [max](double value) { return std::abs(value) <= max; });
}

double Coldest(const Limits& limits, const core::JointState& seen) {
  return *std::min_element(seen.temperature_c.begin(), seen.temperature_c.begin() + limits.axes);
}

double Hottest(const Limits& limits, const core::JointState& seen) {
  return *std::max_element(seen.temperature_c.begin(), seen.temperature_c.begin() + limits.axes);
}

}  // namespace

bool IsUsable(const Limits& limits, const core::JointState& seen, std::optional<std::uint64_t> last_sequence) {
  const int axes = limits.axes;
  if (seen.axes != axes) return false;
  if (last_sequence && seen.sequence == *last_sequence) return false;
  return core::IsFinite(seen.q_rad, axes) && core::IsFinite(seen.dq_rad_s, axes) &&
         AllWithin(seen.torque_nm, axes, kTorqueNmMax) && AllWithin(seen.current_a, axes, kCurrentAMax) &&
         core::IsFinite(seen.temperature_c, axes) && Coldest(limits, seen) >= limits.temperature_c_min;
}

bool IsOld(const Limits& limits, core::Duration age) { return age < core::Duration(0) || age > limits.reading_age_max; }

bool FrozenContent::Look(const core::JointState& seen, const core::AxisArray& commanded_v_rad_s, double tick_s) {
  const bool same = last_ && seen.q_rad == last_->q_rad && seen.dq_rad_s == last_->dq_rad_s &&
                    seen.torque_nm == last_->torque_nm && seen.current_a == last_->current_a;
  if (!same) {
    last_ = seen;
    travel_rad_ = {};
    return false;
  }
  for (std::size_t i = 0; i < core::kJaw; ++i) travel_rad_[i] += std::abs(commanded_v_rad_s[i]) * tick_s;
  return *std::max_element(travel_rad_.begin(), travel_rad_.end()) > kFrozenTravelRad;
}

bool Continuity::Believe(const core::JointState& seen, core::Instant now) {
  offered_ = seen;
  jumped_ = false;
  const double reach_rad =
      std::min(limits_.reading_jump_rad_max, limits_.reading_speed_rad_s_max * core::ToSeconds(now - believed_at_));
  for (std::size_t i = 0; believed_ && i < static_cast<std::size_t>(limits_.axes); ++i)
    jumped_ = jumped_ || std::abs(seen.q_rad[i] - believed_->q_rad[i]) > reach_rad;
  if (jumped_) return false;
  believed_ = seen;
  believed_at_ = now;
  return true;
}

const core::JointState& Continuity::Insist(core::Instant now) {
  believed_ = offered_;
  believed_at_ = now;
  jumped_ = false;
  return offered_;
}

bool IsHot(const Limits& limits, const core::JointState& seen) {
  return Hottest(limits, seen) > limits.temperature_c_max;
}

bool HasCooled(const Limits& limits, const core::JointState& seen) {
  return Hottest(limits, seen) < limits.temperature_c_clear;
}

std::optional<AxisExcess> TrackingExcess(const Limits& limits, const core::JointState& seen,
                                         const core::AxisArray& commanded_q_rad) {
  for (int i = 0; i < limits.axes; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double error = std::abs(commanded_q_rad[at] - seen.q_rad[at]);
    if (error > limits.tracking_error_rad_max[at]) return AxisExcess{i, error, limits.tracking_error_rad_max[at]};
  }
  return std::nullopt;
}

bool IsNear(const Limits& limits, const core::JointState& seen, const core::AxisArray& commanded_q_rad) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(limits.axes); ++i)
    if (std::abs(commanded_q_rad[i] - seen.q_rad[i]) > limits.inspection_error_rad_max[i]) return false;
  return true;
}

bool IsAtRest(const Limits& limits, const core::JointState& seen) {
  return std::all_of(seen.dq_rad_s.begin(), seen.dq_rad_s.begin() + limits.axes,
                     [&](double speed) { return std::abs(speed) <= limits.rest_speed_rad_s_max; });
}

}  // namespace nightshift::safety
