// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <optional>

#include "core/action.h"
#include "io/robot/cell/cell_config.h"

namespace nightshift::io::cell {

/// What one tick's message asks of the drives.
struct DriveCommand {
  core::AxisArray q_rad{};  // In measured angles, as the host knows them.
  core::PowerMode power = core::PowerMode::kHold;
};

enum class DriveState {
  kUnpowered,   // No torque: since start-up, or switched off.
  kFollowing,   // Servo to the commanded angle.
  kHolding,     // Commands ceased: servo to where the drive was, with less torque.
  kRelaxed,     // Held for long without a command, then let go. The next command powers it again.
  kOverheated,  // Let go by itself; follows again when it has cooled.
};

/// The electronics of six servos: position loop, torque limit, own command time-out, warmth, overload protection.
/// A power cut (a new DriveBank) leaves them unpowered until they are commanded, and no time-out armed. Pure: time is
/// the tick count. Thread: one at a time.
class DriveBank {
 public:
  DriveBank(const DriveConfig& config, const MessConfig& mess);

  /// As a host writes it into the drives: without a command for longer than this, they hold where they are. Until then
  /// they follow their last command for ever.
  void Arm(double command_timeout_s) { command_timeout_s_ = command_timeout_s; }
  std::optional<double> command_timeout_s() const { return command_timeout_s_; }

  /// Torque of each axis for the next tick, from the angles that the encoders show.
  /// No command: nothing arrived in this tick. A command with a number that is not finite is ignored as if lost.
  core::AxisArray Tick(const std::optional<DriveCommand>& command, const core::AxisArray& q_measured_rad);

  DriveState state(int axis) const { return axes_[static_cast<std::size_t>(axis)].state; }
  double current_a(int axis) const { return axes_[static_cast<std::size_t>(axis)].current_a; }
  double temperature_c(int axis) const { return axes_[static_cast<std::size_t>(axis)].temperature_c; }
  /// Share of the jaw's torque limit that overload protection leaves now.
  double grip_share() const { return grip_share_; }
  bool powered() const;

  /// For injected faults and restored state.
  void SetTemperature(int axis, double celsius) { axes_[static_cast<std::size_t>(axis)].temperature_c = celsius; }

 private:
  struct Axis {
    DriveState state = DriveState::kUnpowered;
    double target_rad = 0;
    double current_a = 0;
    double temperature_c = 0;
    double silent_s = 0;
  };
  void Hear(const std::optional<DriveCommand>& command, int axis, double q_measured_rad);
  void Warm(Axis& axis) const;
  void Fade(double torque_nm, double limit_nm, double q_measured_rad);

  DriveConfig config_;
  MessConfig mess_;
  std::optional<double> command_timeout_s_;
  std::array<Axis, kAxes> axes_{};
  double grip_load_s_ = 0;
  double grip_share_ = 1;
};

}  // namespace nightshift::io::cell
