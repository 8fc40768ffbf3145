// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "core/action.h"
#include "core/fault.h"
#include "core/kinematics.h"
#include "core/observation.h"
#include "core/time.h"
#include "core/vector.h"

namespace nightshift::safety {

/// Something that does not move and that no part of the arm may strike: a box, turned about the vertical and tilted.
struct BoxObstacle {
  std::string name;
  core::Vec3 centre_m;
  core::Vec3 half_m{0.01, 0.01, 0.01};
  double turn_rad = 0;             // About the vertical: where its x axis points.
  double tilt_rad = 0;             // Then its x axis rises by this.
  bool fingers_may_touch = false;  // Where the fingers work: their tips are held by the workspace alone.
};

/// The same, round and long: a post, a cable.
struct PostObstacle {
  std::string name;
  core::Vec3 from_m, to_m;
  double radius_m = 0.02;
  bool fingers_may_touch = false;
};

/// Every limit of one arm. Read once at start; nothing at run time can loosen it. Arrays are per axis, in the order
/// pan, lift, elbow, wrist, roll, jaw; entries beyond `axes` are ignored.
struct Limits {
  int axes = core::kArmAxes;
  core::ArmGeometry arm;  // For the tip, whose workspace is checked.

  // Motion of the commanded joints.
  core::AxisArray q_rad_min{-1.92, -1.75, -0.20, -0.80, -2.70, -0.10};  // Mechanical range of SO-101 proportions,
  core::AxisArray q_rad_max{1.92, 1.75, 2.60, 2.20, 2.70, 1.20};        // less what would touch the own base.
  core::AxisArray speed_rad_s_max{4, 4, 4, 4, 4, 6};                    // 0.25 m/s at the tip with an arm half folded.
  core::AxisArray acceleration_rad_s2_max{40, 40, 40, 40, 40, 60};      // Drives hold it with 2.5 Nm, payload included.
  core::AxisArray jerk_rad_s3_max{4000, 4000, 4000, 4000, 4000, 6000};  // Full acceleration within 10 ms.
  double escape_speed_rad_s_max = 0.2;  // Back from outside a limit: slow enough for a person to step in.

  // Where the commanded tip may be, its stopping path included.
  core::Vec3 workspace_m_min{-0.05, -0.33, 0.002};  // 2 mm above the table.
  core::Vec3 workspace_m_max{0.36, 0.33, 0.45};

  // What stands around it. The table lies at height 0; fingers may touch it as far as the workspace lets the tip down.
  std::vector<BoxObstacle> boxes;
  std::vector<PostObstacle> posts;
  double clearance_m =
      0.004;  // Between parts of the commanded arm and all this, and each other: model and servo errors.
  int clearance_looks_max = 100;  // At the whole arm in one checked stop: bounds its time, 40 us.

  // The learned risk critic may ask for less speed and acceleration, down to this share; for less it is refused.
  double risk_scale_min = 0.1;  // 2 cm/s at the tip: slower is not more careful, only longer.

  // What the drives may do. Stall: torque times error, beyond what gravity explains, summed over time.
  core::AxisArray tracking_error_rad_max{0.5, 0.5, 0.5, 0.5, 0.5, 1.5};  // Lag at full speed is 0.25; the jaw grips.
  core::AxisArray stall_free_nm_rad{0.1, 0.1, 0.1, 0.1, 0.1, 0.4};       // Gravity sag: 1 Nm, 0.05 rad, doubled.
  core::AxisArray stall_nm_rad_s_max{1, 1, 1, 1, 1, 2};                  // A blocked axis, 0.5 rad off: 0.9 s.
  double temperature_c_max = 70;    // The servo's own limit; users saw no shutdown above it.
  double temperature_c_clear = 60;  // Cool enough for minutes of work.

  // Time.
  core::Duration control_period{std::chrono::milliseconds(4)};
  core::Duration policy_period{std::chrono::milliseconds(100)};
  core::Duration command_deadline_max{std::chrono::milliseconds(300)};  // Three policy periods: the longest allowed.
  core::Duration peer_wait_max{std::chrono::milliseconds(1000)};  // Wall time a simulated clock waits for a supervisor.
  int blind_ticks_max = 5;                                        // Readings in a row that may be missing: 20 ms.
  int power_up_ticks_max = 250;                                   // Until drives that were told to hold must hold: 1 s.

  // Clearing a stop.
  core::AxisArray reseed_error_rad_max{0.1, 0.1, 0.1, 0.1, 0.1, 1.5};  // Beyond it the setpoint is measured anew.
  double rest_speed_rad_s_max = 0.15;  // Measured; slower counts as at rest (encoder noise and sway).
  int clears_per_hour_max = 240;       // By the supervisor, of more than silence; then a person must look. Robot time.
  bool arm_after_restart = true;       // May the supervisor clear a restart; false: a person must.
};

/// Refuses NaN and sets that no arm can obey. Faults: kInvalidConfig naming key, axis, numbers and what is allowed.
core::Result<void> Validate(const Limits& limits);

}  // namespace nightshift::safety
