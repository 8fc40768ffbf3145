// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
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

/// Who tells where people are: nobody, a program over the command socket, or a switch on a line of the machine.
enum class PresenceSource { kNone, kTopic, kGpio };

/// Speed and separation: what safety/checks/separation.h makes of it. With a source, silence is a person at the arm.
struct PresenceConfig {
  PresenceSource source = PresenceSource::kNone;  // Nobody is seen, and nothing slows for anybody.
  std::string value_file;                         // Of a switch: reads 0 or 1, as /sys/class/gpio/gpio17/value does.
  bool active_low = true;                         // 0: somebody is there. So wired, a cable that breaks says so, too.
  double poll_s = 0.02;                           // Between two looks at the switch.
  double switch_distance_m = 2.5;  // While the switch sees nobody, nobody is nearer to any part of the arm.
  double report_every_s = 0.1;     // A program's. It may be slower: then the arm stops sooner.
  double age_s_max = 0.3;          // Of the newest report; then the sensor is silent. Three reports.
  double sensor_delay_s = 0.1;     // From what happens to the report's arrival: two scans at 20 Hz.
  double person_speed_m_s = 1.6;   // Towards the arm: walking, where it is not known (ISO 13855).
  double arm_lag_s = 0.07;         // The drives behind their command: 0.25 rad at 4 rad/s.
  double intrusion_m = 0.85;       // An arm's length: what sees bodies sees no hand before them (ISO 13855).
  double sensor_error_m = 0.1;     // Of the distance told.
  double arm_error_m = 0.03;       // Of the arm's place: model, servo at rest, and what sticks out of the hand.
  double speed_scale_min = 0.1;    // Slower than this is no work: the arm stops instead.
  double rise_s = 1;               // From rest to full speed, so that flickering readings do not show in the motion.
  double clear_margin_m = 0.2;     // Farther than where it stopped,
  double clear_s = 1;              // for this long: then the stop clears by itself.
};

/// A part of the arm with a mass of its own, in the frame of the link that it is fixed to (safety/checks/arm_shape.h).
struct MassPart {
  std::string name;
  core::ArmAxis moved_by = core::kPan;  // The joint that turns it and nothing nearer to the base.
  double mass_kg = 0;
  core::Vec3 centre_m;
  core::Vec3 inertia_kg_m2;  // Moments about its own centre, along the link's axes.
};

/// A box in which the fingers meet things: contact there is expected as long as it is gentle.
struct ContactZone {
  std::string name;
  core::Vec3 min_m, max_m;  // Of the grasp point.
};

/// Of an arm of SO-101 proportions, drives in the joints included: 0.39 kg beyond the base.
std::vector<MassPart> DefaultMasses();

/// As configuration and faults call an axis.
std::string_view AxisName(int axis);

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
  // What a joint may still have at a target that more are to follow: 0.05 rad beyond it, should none follow. Coming to
  // rest at each would cost a tenth of the way (docs/results.md). The jaw always does.
  double passing_speed_rad_s = 2;
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
  double astray_free_rad = 0.15;    // Less is sag (0.05 at 1 Nm) and what the fingers press.
  double servo_lag_s = 0.07;        // A moving servo is behind by so much: 0.25 rad at 4 rad/s.
  double astray_rad_s_max = 0.4;    // 0.35 rad off, as far as a target leads: 2 s. A jam is a stall after 1.3 s.
  double temperature_c_min = 5;     // A motor in a laboratory is not colder: a sensor that says so is broken.
  double temperature_c_max = 70;    // The servo's own limit; users saw no shutdown above it.
  double temperature_c_clear = 60;  // Cool enough for minutes of work.

  PresenceConfig presence;  // Of people.
  // What the arm weighs, how its drives run, and what they can do. Used to foresee torques: see contact and Validate.
  std::vector<MassPart> masses = DefaultMasses();
  core::AxisArray rotor_kg_m2{0.03, 0.03, 0.03, 0.03, 0.01, 0.002};  // Behind gears of 1:345: as much as the links.
  core::AxisArray viscous_nm_s_rad{1, 1, 1, 1, 1, 0.08};             // Back electromotive force and grease.
  core::AxisArray coulomb_nm{0.05, 0.05, 0.05, 0.05, 0.05, 0.004};   // Before anything moves.
  core::AxisArray torque_nm_max{2.5, 2.5, 2.5, 2.5, 2.5, 0.25};      // What the drives are set to.
  double grip_torque_nm_max = 0.25;  // Of the jaw, on what it holds: 4.5 N at the fingertips (safety/checks/grip.h).
  double payload_kg_max = 0.1;       // Held: any from none to this explains itself. A cube has 20 to 80 g.

  // Contact: torque that the model does not explain. Outside all zones it stops the arm until a person has looked; in
  // them only above a force. No zones: not watched. Thresholds: docs/results.md.
  std::vector<ContactZone> contact_zones;
  core::AxisArray contact_nm_max{0.6, 0.6, 0.6, 0.6, 0.3, 0};           // At rest: 3 N at 20 cm. Encoders of 4096 steps
  core::AxisArray contact_nm_s_rad{0.1, 0.1, 0.1, 0.1, 0.1, 0};         // show 0.4. Moving: a tenth of the drives'
  core::Duration contact_time_constant{std::chrono::milliseconds(40)};  // friction, which changes as they warm.
  double contact_force_n_max = 45;  // In zones. Drives of 2.5 Nm press with 34 N at most: beyond it is a blow.

  // Budgets: spent over minutes (current) and over any 24 hours of robot time (wear), and back by themselves.
  // 1.9 A for good warm a servo in still air to its 70 C (12 C/A^2); holding a free pose takes 0.6, practice 1.2 on
  // average.
  core::AxisArray current_a_continuous{1.9, 1.9, 1.9, 1.9, 1.9, 1.9};
  double current_tau_s = 60;         // A winding is warm within a minute, its case and sensor within ten.
  double current_clear_share = 0.6;  // Practice takes 0.4 on average: below this it goes on for long.
  // Wear: three times what practice in the simulated cell needs in its hardest hour, for 24 hours (docs/results.md).
  core::AxisArray wear_starts_per_day_max{400e3, 600e3, 650e3, 550e3, 300e3, 350e3};
  core::AxisArray wear_travel_rad_per_day_max{70e3, 150e3, 150e3, 125e3, 70e3, 100e3};
  core::AxisArray wear_impacts_per_day_max{1500, 12e3, 1500, 2500, 1500, 30e3};  // The jaw strikes what it grasps.
  core::AxisArray impact_rad_s{1, 1, 1, 1, 1, 1.5};  // Of speed from one reading to the next: thrice what a drive can.
  double wear_clear_share = 0.95;  // Of a budget: more than an hour's work is left, so that it does not flutter.

  // Time.
  core::Duration control_period{std::chrono::milliseconds(4)};
  core::Duration policy_period{std::chrono::milliseconds(100)};
  core::Duration command_deadline_max{std::chrono::milliseconds(300)};  // Three policy periods: the longest allowed.
  core::Duration peer_wait_max{std::chrono::milliseconds(1000)};  // Wall time a simulated clock waits for a supervisor.
  core::Duration drive_timeout{std::chrono::milliseconds(200)};  // Armed in the drives, which hold where they are after
                                                                 // so long without a command: outlasts a busy machine
                                                                 // (20 ms), and ends before a silent supervisor's 300.
  core::Duration overrun_max{std::chrono::milliseconds(40)};  // The loop may stand still: the setpoint then leaps by at
                                                              // most 0.16 rad, less than tracking leaves at full lag.
  core::Duration reading_age_max{
      std::chrono::milliseconds(60)};  // Older counts as none: at full speed 0.24 rad behind.
  int blind_ticks_max = 5;             // Readings in a row that may be missing: 20 ms.
  double reading_speed_rad_s_max =
      30;  // Between two readings; nothing turns or falls so fast. Beyond it they are wrong.
  double reading_jump_rad_max = 0.25;  // However long ago the last was believed: a fall is seen on its way.
  int power_up_ticks_max = 250;        // Until drives that were told to hold must hold: 1 s.

  // Clearing a stop.
  core::AxisArray reseed_error_rad_max{0.1, 0.1, 0.1, 0.1, 0.1, 1.5};  // Beyond it the setpoint is measured anew.
  double rest_speed_rad_s_max = 0.15;  // Measured; slower counts as at rest (encoder noise and sway).
  int clears_per_hour_max = 240;       // By the supervisor, of more than silence; then a person must look. Robot time.
  double inspection_speed_share = 0.25;  // Of every speed limit, after a stop was cleared:
  double inspection_travel_rad = 0.3;    // for so much of all joints together, in which
  core::AxisArray inspection_error_rad_max{0.2, 0.2, 0.2,
                                           0.2, 0.2, 1.5};  // each follows: lag 0.06 and sag 0.05, doubled.
  int inspections_failed_max = 5;  // In a row, then a person must look: whatever is jammed does not free itself.
  bool arm_after_reboot = false;   // May the supervisor clear the first start after a boot; false: a person must.
};

/// Refuses NaN and sets that no arm can obey. Faults: kInvalidConfig naming key, axis, numbers and what is allowed.
core::Result<void> Validate(const Limits& limits);

}  // namespace nightshift::safety
