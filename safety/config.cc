// SPDX-License-Identifier: Apache-2.0
#include "safety/config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>
#include <string>

#include "safety/admissible.h"
#include "safety/checks/separation.h"
#include "safety/monitor.h"
#include "safety/surroundings.h"

namespace nightshift::safety {
namespace {

using core::AxisArray;
using core::Fail;
using core::FaultCode;
using core::Result;

constexpr std::array<const char*, core::kAxesMax> kAxisNames{"pan", "lift", "elbow", "wrist", "roll", "jaw", "7", "8"};
constexpr double kAngleRadMax = 6.3;  // One turn each way.
constexpr double kSpeedRadSMax = 20;  // Faster than any servo of this size.
constexpr double kAccelerationRadS2Max = 500;
constexpr double kJerkRadS3Max = 100'000;
constexpr double kReachMMax = 2;
constexpr double kStallNmRadSMax = 20;
constexpr double kDistanceMMax = 100;  // Of people: a hall.
constexpr std::size_t kMassesMax = 32;
constexpr double kMassKgMax = 20;  // Of an arm that one person can lift; so are the next three.
constexpr double kInertiaKgM2Max = 10;
constexpr double kTorqueNmMax = 100;
constexpr double kForceNMax = 1000;
constexpr double kContactSMax = 0.5;     // Slower, and a contact is a push.
constexpr double kTemperatureCMax = 90;  // Magnets and gears of small servos suffer beyond.
constexpr double kRoomCMin = -20, kRoomCMax = 40;
constexpr double kCurrentAMax = 30;  // More is taken for a broken sensor (safety/checks/reading.cc).
constexpr double kCurrentTauSMax = 3600;
constexpr double kWearMax = 1e9;

std::string Text(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

std::string Text(core::Vec3 v) { return "(" + Text(v.x) + ", " + Text(v.y) + ", " + Text(v.z) + ")"; }

tl::unexpected<core::Fault> Bad(const std::string& key, const std::string& seen, const std::string& allowed) {
  return Fail(FaultCode::kInvalidConfig, "safety." + key + " = " + seen + ": must be " + allowed);
}

struct Range {
  double above = 0, max = 0;
};

/// In (above, max]; the negated test refuses NaN.
Result<void> In(const std::string& key, double value, Range range) {
  if (!(value > range.above && value <= range.max))
    return Bad(key, Text(value), "in (" + Text(range.above) + ", " + Text(range.max) + "]");
  return {};
}

Result<void> AllIn(const Limits& limits, const std::string& key, const AxisArray& values, Range range) {
  for (int i = 0; i < limits.axes; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (auto fine = In(key + "[" + kAxisNames[at] + "]", values[at], range); !fine) return fine;
  }
  return {};
}

Result<void> CheckRanges(const Limits& limits) {
  for (int i = 0; i < limits.axes; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double low = limits.q_rad_min[at], high = limits.q_rad_max[at];
    if (!(low >= -kAngleRadMax && low < high && high <= kAngleRadMax))
      return Bad(std::string("q_rad_min[") + kAxisNames[at] + "]", Text(low) + ", q_rad_max = " + Text(high),
                 "a range inside [-6.3, 6.3] with the lower end below the upper one");
  }
  return {};
}

Result<void> CheckWorkspace(const Limits& limits) {
  const core::Vec3 low = limits.workspace_m_min, high = limits.workspace_m_max;
  const auto fine = [](double a, double b) { return a >= -kReachMMax && a < b && b <= kReachMMax; };
  if (!(fine(low.x, high.x) && fine(low.y, high.y) && fine(low.z, high.z)))
    return Bad("workspace_m_min", Text(low) + ", workspace_m_max = " + Text(high),
               "a box inside +-2 m whose lower corner lies below the upper one on every axis");
  return {};
}

/// The motion goes on through a loop that stood still for just not too long, and the drives must not have stopped
/// meanwhile. To the command's deadline they have no such tie: one watches this process, the other its supervisor.
Result<void> CheckDriveTimeout(const Limits& limits) {
  const auto ms = [](core::Duration d) { return Text(core::ToSeconds(d) * 1e3) + " ms"; };
  if (limits.drive_timeout > limits.overrun_max + limits.control_period) return {};
  return Bad("drive_timeout", ms(limits.drive_timeout),
             "more than a tick longer than overrun_s_max = " + ms(limits.overrun_max) +
                 ", after which the motion goes on as if the drives had not stopped it");
}

/// A loop that stood still for just not too long lets the setpoint leap: by less than what stops the arm.
Result<void> CheckLeap(const Limits& limits) {
  for (int i = 0; i < limits.axes; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double leap_rad = limits.speed_rad_s_max[at] * core::ToSeconds(limits.overrun_max);
    if (!(leap_rad < limits.tracking_error_rad_max[at]))
      return Bad("overrun_s_max", Text(core::ToSeconds(limits.overrun_max)),
                 std::string("so short that at ") + Text(limits.speed_rad_s_max[at]) + " rad/s the setpoint of " +
                     kAxisNames[at] + " leaps by less than its tracking_error_rad_max = " +
                     Text(limits.tracking_error_rad_max[at]) + " (now " + Text(leap_rad) + " rad)");
  }
  return {};
}

Result<void> CheckTime(const Limits& limits) {
  using std::chrono::milliseconds;
  const auto ms = [](core::Duration d) { return Text(core::ToSeconds(d) * 1e3) + " ms"; };
  if (!(limits.control_period >= milliseconds(1) && limits.control_period <= milliseconds(10)))
    return Bad("control_period", ms(limits.control_period), "in [1, 10] ms");
  if (!(limits.policy_period >= 2 * limits.control_period && limits.policy_period <= milliseconds(1000) &&
        limits.policy_period % limits.control_period == core::Duration(0)))
    return Bad("policy_period", ms(limits.policy_period),
               "a multiple of control_period = " + ms(limits.control_period) + ", up to 1000 ms");
  if (!(limits.command_deadline_max > core::Duration(0) && limits.command_deadline_max <= 3 * limits.policy_period))
    return Bad("command_deadline_max", ms(limits.command_deadline_max),
               "above 0 and at most three policy periods (" + ms(3 * limits.policy_period) + ")");
  if (!(limits.peer_wait_max >= milliseconds(1) && limits.peer_wait_max <= milliseconds(10000)))
    return Bad("peer_wait_max", ms(limits.peer_wait_max), "in [1, 10000] ms");
  if (!(limits.drive_timeout >= milliseconds(20) && limits.drive_timeout <= milliseconds(1000)))
    return Bad("drive_timeout", ms(limits.drive_timeout), "in [20, 1000] ms");
  return {};
}

Result<void> CheckWatchdogs(const Limits& limits) {
  const auto text = [](core::Duration d) { return Text(core::ToSeconds(d)); };
  const auto fine = [&](core::Duration value, double s_max) {
    return value >= limits.control_period && value <= core::Seconds(s_max);
  };
  const std::string from = "from control_period_s = " + text(limits.control_period) + " to ";
  if (!fine(limits.overrun_max, 0.2)) return Bad("overrun_s_max", text(limits.overrun_max), from + "0.2");
  if (!fine(limits.reading_age_max, 1)) return Bad("reading_age_s_max", text(limits.reading_age_max), from + "1");
  if (auto outlasts = CheckDriveTimeout(limits); !outlasts) return outlasts;
  return CheckLeap(limits);
}

Result<void> CheckCounts(const Limits& limits) {
  if (!(limits.blind_ticks_max >= 1 && limits.blind_ticks_max <= 100))
    return Bad("blind_ticks_max", std::to_string(limits.blind_ticks_max), "in [1, 100]");
  if (!(limits.power_up_ticks_max >= 1 && limits.power_up_ticks_max <= 10000))
    return Bad("power_up_ticks_max", std::to_string(limits.power_up_ticks_max), "in [1, 10000]");
  if (!(limits.clears_per_hour_max >= 1 && limits.clears_per_hour_max <= kClearsPerHourMax))
    return Bad("clears_per_hour_max", std::to_string(limits.clears_per_hour_max),
               "in [1, " + std::to_string(kClearsPerHourMax) + "]");
  if (!(limits.inspections_failed_max >= 1 && limits.inspections_failed_max <= 100))
    return Bad("inspections_failed_max", std::to_string(limits.inspections_failed_max), "in [1, 100]");
  return {};
}

/// A share of a budget at which what was stopped may go on: below all of it, or it would flutter.
Result<void> CheckShare(const std::string& key, double value) {
  if (!(value > 0 && value < 1)) return Bad(key, Text(value), "above 0 and below 1");
  return {};
}

Result<void> CheckBudgets(const Limits& limits) {
  if (auto fine = AllIn(limits, "current_a_continuous", limits.current_a_continuous, {0, kCurrentAMax}); !fine)
    return fine;
  if (!(limits.current_tau_s >= 1 && limits.current_tau_s <= kCurrentTauSMax))
    return Bad("current_tau_s", Text(limits.current_tau_s), "in [1, " + Text(kCurrentTauSMax) + "]");
  if (auto fine = CheckShare("current_clear_share", limits.current_clear_share); !fine) return fine;
  if (auto fine = AllIn(limits, "wear_starts_per_day_max", limits.wear_starts_per_day_max, {0, kWearMax}); !fine)
    return fine;
  if (auto fine = AllIn(limits, "wear_travel_rad_per_day_max", limits.wear_travel_rad_per_day_max, {0, kWearMax});
      !fine)
    return fine;
  if (auto fine = AllIn(limits, "wear_impacts_per_day_max", limits.wear_impacts_per_day_max, {0, kWearMax}); !fine)
    return fine;
  if (auto fine = AllIn(limits, "impact_rad_s", limits.impact_rad_s, {0, kSpeedRadSMax}); !fine) return fine;
  return CheckShare("wear_clear_share", limits.wear_clear_share);
}

Result<void> CheckDrives(const Limits& limits) {
  if (!(limits.temperature_c_min >= kRoomCMin && limits.temperature_c_min <= kRoomCMax))
    return Bad("temperature_c_min", Text(limits.temperature_c_min),
               "in [" + Text(kRoomCMin) + ", " + Text(kRoomCMax) + "]");
  if (auto fine = In("temperature_c_max", limits.temperature_c_max, {20, kTemperatureCMax}); !fine) return fine;
  if (!(limits.temperature_c_clear > limits.temperature_c_min && limits.temperature_c_clear < limits.temperature_c_max))
    return Bad("temperature_c_clear", Text(limits.temperature_c_clear),
               "above temperature_c_min = " + Text(limits.temperature_c_min) +
                   " and below temperature_c_max = " + Text(limits.temperature_c_max));
  if (auto fine = AllIn(limits, "tracking_error_rad_max", limits.tracking_error_rad_max, {0, kAngleRadMax}); !fine)
    return fine;
  if (auto fine = AllIn(limits, "stall_free_nm_rad", limits.stall_free_nm_rad, {0, kStallNmRadSMax}); !fine)
    return fine;
  if (auto fine = AllIn(limits, "stall_nm_rad_s_max", limits.stall_nm_rad_s_max, {0, kStallNmRadSMax}); !fine)
    return fine;
  if (auto fine = In("astray_free_rad", limits.astray_free_rad, {0, kAngleRadMax}); !fine) return fine;
  if (auto fine = In("servo_lag_s", limits.servo_lag_s, {0, 1}); !fine) return fine;
  if (auto fine = In("astray_rad_s_max", limits.astray_rad_s_max, {0, kAngleRadMax}); !fine) return fine;
  if (auto fine = In("reading_speed_rad_s_max", limits.reading_speed_rad_s_max, {0, 1000}); !fine) return fine;
  if (auto fine = In("reading_jump_rad_max", limits.reading_jump_rad_max, {0, kAngleRadMax}); !fine) return fine;
  return AllIn(limits, "reseed_error_rad_max", limits.reseed_error_rad_max, {0, kAngleRadMax});
}

Result<void> CheckMasses(const Limits& limits) {
  if (limits.masses.empty() || limits.masses.size() > kMassesMax)
    return Bad("masses", std::to_string(limits.masses.size()) + " of them", "1 to " + std::to_string(kMassesMax));
  const auto fine = [](double value, double low, double high) { return value >= low && value <= high; };
  const auto near = [&](core::Vec3 v, double low, double high) {
    return fine(v.x, low, high) && fine(v.y, low, high) && fine(v.z, low, high);
  };
  for (const MassPart& part : limits.masses) {
    const std::string name = "masses \"" + part.name + "\"";
    if (!(part.moved_by >= core::kPan && part.moved_by < core::kArmAxes))
      return Bad(name + ".moved_by", std::to_string(part.moved_by), "a joint of the arm");
    if (!(part.mass_kg > 0 && part.mass_kg <= kMassKgMax))
      return Bad(name + ".mass_kg", Text(part.mass_kg), "in (0, " + Text(kMassKgMax) + "]");
    if (!near(part.centre_m, -kReachMMax, kReachMMax)) return Bad(name + ".centre_m", "that", "within +-2 m");
    if (!near(part.inertia_kg_m2, 0, kInertiaKgM2Max))
      return Bad(name + ".inertia_kg_m2", "that", "in [0, " + Text(kInertiaKgM2Max) + "]");
  }
  return {};
}

/// In [0, max].
Result<void> AllUpTo(const Limits& limits, const std::string& key, const AxisArray& values, double max) {
  for (int i = 0; i < limits.axes; ++i) {
    const double value = values[static_cast<std::size_t>(i)];
    if (!(value >= 0 && value <= max))
      return Bad(key + "[" + std::string(AxisName(i)) + "]", Text(value), "in [0, " + Text(max) + "]");
  }
  return {};
}

/// A threshold that the drive's torque cannot exceed would never act.
Result<void> Reached(const Limits& limits, const std::string& key, int axis, double value_nm) {
  const double torque_nm = limits.torque_nm_max[static_cast<std::size_t>(axis)];
  if (value_nm <= torque_nm) return {};
  return Fail(FaultCode::kInvalidConfig, "safety." + key + " = " + Text(value_nm) + ": torque_nm_max[" +
                                             std::string(AxisName(axis)) + "] = " + Text(torque_nm) +
                                             ", so that it would never act; lower it");
}

Result<void> CheckTorques(const Limits& limits) {
  if (auto fine = CheckMasses(limits); !fine) return fine;
  if (auto fine = AllUpTo(limits, "rotor_kg_m2", limits.rotor_kg_m2, kInertiaKgM2Max); !fine) return fine;
  if (auto fine = AllUpTo(limits, "viscous_nm_s_rad", limits.viscous_nm_s_rad, kTorqueNmMax); !fine) return fine;
  if (auto fine = AllUpTo(limits, "coulomb_nm", limits.coulomb_nm, kTorqueNmMax); !fine) return fine;
  if (auto fine = AllIn(limits, "torque_nm_max", limits.torque_nm_max, {0, kTorqueNmMax}); !fine) return fine;
  if (!(limits.payload_kg_max >= 0 && limits.payload_kg_max <= kMassKgMax))
    return Bad("payload_kg_max", Text(limits.payload_kg_max), "in [0, " + Text(kMassKgMax) + "]");
  if (auto fine = In("grip_torque_nm_max", limits.grip_torque_nm_max, {0, kTorqueNmMax}); !fine) return fine;
  return Reached(limits, "grip_torque_nm_max", core::kJaw, limits.grip_torque_nm_max);
}

Result<void> CheckContact(const Limits& limits) {
  for (const ContactZone& zone : limits.contact_zones) {
    const core::Vec3 low = zone.min_m, high = zone.max_m;
    const auto fine = [](double a, double b) { return a >= -kReachMMax && a < b && b <= kReachMMax; };
    if (!(fine(low.x, high.x) && fine(low.y, high.y) && fine(low.z, high.z)))
      return Bad("contact_zones \"" + zone.name + "\"", Text(low) + " to " + Text(high),
                 "a box inside +-2 m whose min_m lies below its max_m on every axis");
  }
  for (int i = 0; i < std::min<int>(limits.axes, core::kJaw); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::string key = "contact_nm_max[" + std::string(AxisName(i)) + "]";
    if (auto fine = In(key, limits.contact_nm_max[at], {0, kTorqueNmMax}); !fine) return fine;
    if (auto fine = Reached(limits, key, i, limits.contact_nm_max[at]); !fine) return fine;
  }
  if (auto fine = AllUpTo(limits, "contact_nm_s_rad", limits.contact_nm_s_rad, kTorqueNmMax); !fine) return fine;
  if (auto fine = In("contact_force_n_max", limits.contact_force_n_max, {0, kForceNMax}); !fine) return fine;
  const double constant_s = core::ToSeconds(limits.contact_time_constant);
  if (!(constant_s >= 0 && constant_s <= kContactSMax))
    return Bad("contact_time_constant", Text(constant_s) + " s", "in [0, " + Text(kContactSMax) + "] s");
  return {};
}

Result<void> CheckMotion(const Limits& limits) {
  if (auto fine = CheckRanges(limits); !fine) return fine;
  if (auto fine = AllIn(limits, "speed_rad_s_max", limits.speed_rad_s_max, {0, kSpeedRadSMax}); !fine) return fine;
  if (auto fine = AllIn(limits, "acceleration_rad_s2_max", limits.acceleration_rad_s2_max, {0, kAccelerationRadS2Max});
      !fine)
    return fine;
  if (auto fine = AllIn(limits, "jerk_rad_s3_max", limits.jerk_rad_s3_max, {0, kJerkRadS3Max}); !fine) return fine;
  if (auto fine = In("risk_scale_min", limits.risk_scale_min, {0, 1}); !fine) return fine;
  if (!(limits.passing_speed_rad_s >= 0 && limits.passing_speed_rad_s <= kSpeedRadSMax))
    return Bad("passing_speed_rad_s", Text(limits.passing_speed_rad_s), "in [0, " + Text(kSpeedRadSMax) + "]");
  if (auto fine = In("escape_speed_rad_s_max", limits.escape_speed_rad_s_max, {0, 1}); !fine) return fine;
  return In("rest_speed_rad_s_max", limits.rest_speed_rad_s_max, {0, 1});
}

Result<void> CheckInspection(const Limits& limits) {
  if (auto fine = In("inspection_speed_share", limits.inspection_speed_share, {0, 1}); !fine) return fine;
  if (auto fine = In("inspection_travel_rad", limits.inspection_travel_rad, {0, kAngleRadMax}); !fine) return fine;
  return AllIn(limits, "inspection_error_rad_max", limits.inspection_error_rad_max, {0, kAngleRadMax});
}

Result<void> CheckSurroundings(const Limits& limits) {
  if (auto fine = In("clearance_m", limits.clearance_m, {0, 0.05}); !fine) return fine;
  if (!(limits.clearance_looks_max >= 10 && limits.clearance_looks_max <= 1000))
    return Bad("clearance_looks_max", std::to_string(limits.clearance_looks_max), "in [10, 1000]");
  if (const auto made = SurroundingsOf(limits); !made) return tl::make_unexpected(made.error());
  return {};
}

/// In [0, max]; the negated test refuses NaN.
Result<void> AtMost(const std::string& key, double value, double max) {
  if (!(value >= 0 && value <= max)) return Bad(key, Text(value), "in [0, " + Text(max) + "]");
  return {};
}

/// A switch that sees people only where the arm has to stand already would never let it move.
Result<void> CheckSwitch(const Limits& limits) {
  const PresenceConfig& presence = limits.presence;
  if (presence.value_file.empty())
    return Bad("presence.value_file", "\"\"",
               "the file that says what the switch sees, as /sys/class/gpio/gpio17/value");
  const Separation separation(limits);
  const double share = presence.speed_scale_min;
  const double least_m =
      separation.NeededM(share) + separation.UnseenM(share * separation.full_speed_m_s()) + presence.clear_margin_m;
  if (presence.switch_distance_m >= least_m) return {};
  return Bad("presence.switch_distance_m", Text(presence.switch_distance_m),
             "at least " + Text(least_m) + ", where the arm may begin to move; see people from farther away");
}

/// A sensor that keeps its time must not look silent.
Result<void> CheckReportAge(const PresenceConfig& presence) {
  const bool reports = presence.source == PresenceSource::kTopic;
  const double every_s = reports ? presence.report_every_s : presence.poll_s;
  if (presence.age_s_max > every_s) return {};
  return Bad("presence.age_s_max", Text(presence.age_s_max),
             std::string("above ") + (reports ? "report_every_s = " : "poll_s = ") + Text(every_s) + ", or each " +
                 (reports ? "report" : "look at the switch") + " is too old before the next comes");
}

Result<void> CheckPresence(const Limits& limits) {
  const PresenceConfig& presence = limits.presence;
  const std::array<Result<void>, 14> judged{
      In("presence.poll_s", presence.poll_s, {0, 1}),
      In("presence.switch_distance_m", presence.switch_distance_m, {0, kDistanceMMax}),
      In("presence.report_every_s", presence.report_every_s, {0, 2}),
      In("presence.age_s_max", presence.age_s_max, {0, 2}),
      AtMost("presence.sensor_delay_s", presence.sensor_delay_s, 2),
      In("presence.person_speed_m_s", presence.person_speed_m_s, {0, 10}),
      AtMost("presence.arm_lag_s", presence.arm_lag_s, 1),
      AtMost("presence.intrusion_m", presence.intrusion_m, 2),
      AtMost("presence.sensor_error_m", presence.sensor_error_m, kDistanceMMax),
      AtMost("presence.arm_error_m", presence.arm_error_m, 1),
      In("presence.speed_scale_min", presence.speed_scale_min, {0, 1}),
      In("presence.rise_s", presence.rise_s, {0, 60}),
      AtMost("presence.clear_margin_m", presence.clear_margin_m, kDistanceMMax),
      AtMost("presence.clear_s", presence.clear_s, 3600)};
  for (const Result<void>& part : judged)
    if (!part) return part;
  if (presence.source == PresenceSource::kNone) return {};
  if (auto fine = CheckReportAge(presence); !fine) return fine;
  return presence.source == PresenceSource::kGpio ? CheckSwitch(limits) : Result<void>();
}

}  // namespace

std::string_view AxisName(int axis) { return kAxisNames[static_cast<std::size_t>(axis)]; }

std::vector<MassPart> DefaultMasses() {
  using enum core::ArmAxis;
  return {{"pan", kPan, 0.100, {0.012, 0, 0.115}, {2.09333e-5, 3.09333e-5, 4.22667e-5}},
          {"upper", kLift, 0.100, {0, 0, 0.058}, {1.56969e-4, 1.56969e-4, 9.52832e-6}},
          {"fore", kElbow, 0.090, {0, 0, 0.0675}, {1.78595e-4, 1.78595e-4, 7.43193e-6}},
          {"wrist", kWrist, 0.030, {0, 0, 0}, {2.7e-6, 2.7e-6, 2.7e-6}},
          {"palm", kRoll, 0.050, {0, 0.009, 0.027}, {1.04167e-5, 6.15e-6, 9.06667e-6}},
          {"finger", kRoll, 0.012, {0, -0.008, 0.075}, {3.636e-6, 3.796e-6, 2.32e-7}},
          {"jaw", kJaw, 0.012, {0, 0, 0.035}, {3.636e-6, 3.796e-6, 2.32e-7}}};
}

Result<void> Validate(const Limits& limits) {
  if (!(limits.axes >= 1 && limits.axes <= core::kAxesMax))
    return Bad("axes", std::to_string(limits.axes), "in [1, " + std::to_string(core::kAxesMax) + "]");
  for (const auto check : {CheckMotion, CheckWorkspace, CheckSurroundings, CheckDrives, CheckTorques, CheckContact,
                           CheckBudgets, CheckInspection, CheckTime, CheckWatchdogs, CheckCounts, CheckPresence})
    if (auto fine = check(limits); !fine) return fine;
  return CheckStops(limits);
}

}  // namespace nightshift::safety
