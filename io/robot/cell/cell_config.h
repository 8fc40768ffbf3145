// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "core/fault.h"
#include "core/vector.h"
#include "io/robot/cell/cell_geometry.h"

namespace nightshift::io::cell {

/// Servo drives with SO-101-like limits. Arrays are per axis: pan, lift, elbow, wrist, roll, jaw.
struct DriveConfig {
  std::array<double, kAxes> stiffness_nm_rad{25, 25, 25, 15, 15, 1.5};       // 12 and 50 did worse (CELL.md).
  std::array<double, kAxes> torque_limit_nm{2.5, 2.5, 2.5, 2.5, 2.5, 0.25};  // Jaw: .08 drops, .12 cannot turn a cube.
  std::array<double, kAxes> torque_per_amp_nm{1.0, 1.0, 1.0, 1.0, 1.0, 0.30};  // STS3215: about 2.5 A at stall.
  double hold_torque_fraction = 0.6;  // Of the torque limit, while holding without commands: enough against gravity.
  double relax_after_s = 30.0;        // Holding this long without commands, the drive lets go.
  double ambient_c = 25.0;            // Of the room; drives start at it.
  double heating_c_per_a2 = 12.0;     // Steady state above ambient per ampere squared: 100 C at stall.
  double heating_tau_s = 400.0;       // A servo of 55 g in still air warms in minutes.
  double overheat_c = 80.0;           // The drive lets go by itself; a backstop behind the safety process's limit.
  double overheat_clear_c = 65.0;     // And takes commands again below this.
};

/// What makes the world messy. All zero: a clean world.
struct MessConfig {
  double friction_min = 0.8, friction_max = 0.8;  // Sliding friction of an object.
  double mass_kg_min = 0.04, mass_kg_max = 0.04;
  double redraw_every_s = 0;        // Friction and mass of an object not gripped; 0: never.
  double wall_start_share = 0;      // Of staged objects that begin touching a wall or in a corner.
  double glare_share = 0;           // Of frames with a bright patch over an object: the tracker loses it.
  double pixel_noise = 0;           // Standard deviation of each channel, of 255.
  double brightness_variation = 0;  // Relative standard deviation of a whole frame's brightness.
  double grip_fade_after_s = 0;     // Overload protection of the jaw: load longer than this fades; 0: never.
  double grip_fade_tau_s = 1;       // Exponential fade of the torque limit.
  double grip_fade_floor = 1;       // Share of the torque limit that stays.
  /// Assembly tolerance, the same robot in every run: measured angle = true angle + offset.
  std::array<double, kAxes> joint_zero_rad{};
  core::Vec3 camera_shift_m{};              // Of the camera from its nominal place.
  std::array<double, 3> camera_turn_rad{};  // Small rotation about the camera's own x, y, z axes.
};

struct CellConfig {
  std::string model_file = "configs/cell/tabletop.xml";
  std::string mess_name = "full";  // For status and reports.
  DriveConfig drives;
  MessConfig mess;
  std::uint64_t seed = 1;  // Of friction, mass, glare, noise and staging.
  double silence_ms =
      2500;  // Wall time without a step request before the cell goes on alone, in real time:
             // longer than safety waits for a slow supervisor (1000), or that wait would cut the arm off.
  double save_every_s = 0.5;  // Robot time between copies of the world's state on disk.
};

/// "clean" or "full". Faults: kInvalidConfig, naming the known ones.
core::Result<MessConfig> MessNamed(std::string_view name);

/// Faults: kInvalidConfig with key, value and allowed range; NaN is out of range.
core::Result<void> Validate(const CellConfig& config);

}  // namespace nightshift::io::cell
