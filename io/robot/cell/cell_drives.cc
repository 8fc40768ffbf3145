// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_drives.h"

#include <algorithm>
#include <cmath>

namespace nightshift::io::cell {
namespace {

constexpr double kOpeningRad = 0.05;  // Commanded this much wider than it is: the jaw is being opened.
constexpr double kLoadedShare = 0.9;  // Of the torque limit: the jaw is squeezing, not just moving.

std::size_t At(int axis) { return static_cast<std::size_t>(axis); }

}  // namespace

DriveBank::DriveBank(const DriveConfig& config, const MessConfig& mess) : config_(config), mess_(mess) {
  for (Axis& axis : axes_) axis.temperature_c = config_.ambient_c;
}

bool DriveBank::powered() const {
  return std::all_of(axes_.begin(), axes_.end(), [](const Axis& axis) {
    return axis.state == DriveState::kFollowing || axis.state == DriveState::kHolding;
  });
}

core::AxisArray DriveBank::Tick(const std::optional<DriveCommand>& command, const core::AxisArray& q_measured_rad) {
  const bool usable = command && core::IsFinite(command->q_rad, kAxes);
  core::AxisArray torque_nm{};
  for (int i = 0; i < kAxes; ++i) {
    Hear(usable ? command : std::nullopt, i, q_measured_rad[At(i)]);
    Axis& axis = axes_[At(i)];
    double limit_nm = config_.torque_limit_nm[At(i)];
    if (axis.state == DriveState::kHolding) limit_nm *= config_.hold_torque_fraction;
    if (i == kJaw) limit_nm = config_.torque_limit_nm[At(i)] * grip_share_;  // Never lets go by holding alone.
    if (axis.state == DriveState::kFollowing || axis.state == DriveState::kHolding)
      torque_nm[At(i)] =
          std::clamp(config_.stiffness_nm_rad[At(i)] * (axis.target_rad - q_measured_rad[At(i)]), -limit_nm, limit_nm);
    axis.current_a = std::abs(torque_nm[At(i)]) / config_.torque_per_amp_nm[At(i)];
    Warm(axis);
    if (i == kJaw) Fade(torque_nm[At(i)], limit_nm, q_measured_rad[At(i)]);
  }
  return torque_nm;
}

void DriveBank::Hear(const std::optional<DriveCommand>& command, int i, double q_measured_rad) {
  Axis& axis = axes_[At(i)];
  if (axis.state == DriveState::kOverheated) {
    if (axis.temperature_c > config_.overheat_clear_c) return;
    axis.state = DriveState::kUnpowered;
  }
  if (axis.temperature_c > config_.overheat_c) {
    axis.state = DriveState::kOverheated;
    return;
  }
  if (command) {
    axis.silent_s = 0;
    axis.target_rad = command->q_rad[At(i)];
    axis.state = command->power == core::PowerMode::kOff ? DriveState::kUnpowered : DriveState::kFollowing;
    return;
  }
  axis.silent_s += kTickS;
  if (!command_timeout_s_) return;
  if (axis.state == DriveState::kFollowing && axis.silent_s > *command_timeout_s_) {
    axis.state = DriveState::kHolding;
    // The jaw keeps squeezing what it has; the arm stays where it is.
    if (i != kJaw) axis.target_rad = q_measured_rad;
  }
  if (axis.state == DriveState::kHolding && axis.silent_s > *command_timeout_s_ + config_.relax_after_s)
    axis.state = DriveState::kRelaxed;
}

void DriveBank::Warm(Axis& axis) const {
  const double steady_c = config_.ambient_c + config_.heating_c_per_a2 * axis.current_a * axis.current_a;
  axis.temperature_c += (steady_c - axis.temperature_c) * kTickS / config_.heating_tau_s;
}

void DriveBank::Fade(double torque_nm, double limit_nm, double q_measured_rad) {
  if (mess_.grip_fade_after_s <= 0) return;
  const bool opening = axes_[kJaw].target_rad > q_measured_rad + kOpeningRad;
  if (opening) {
    grip_load_s_ = 0;
  } else if (torque_nm <= -kLoadedShare * limit_nm) {
    grip_load_s_ += kTickS;
  }
  const double over_s = grip_load_s_ - mess_.grip_fade_after_s;
  grip_share_ = over_s > 0 ? std::max(mess_.grip_fade_floor, std::exp(-over_s / mess_.grip_fade_tau_s)) : 1.0;
}

}  // namespace nightshift::io::cell
