// SPDX-License-Identifier: Apache-2.0
#include "safety/config.h"

#include <array>
#include <cmath>
#include <sstream>
#include <string>

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
constexpr double kTemperatureCMax = 90;  // Magnets and gears of small servos suffer beyond.

std::string Text(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

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
    return Bad("workspace_m_min",
               "(" + Text(low.x) + ", " + Text(low.y) + ", " + Text(low.z) + "), workspace_m_max = (" + Text(high.x) +
                   ", " + Text(high.y) + ", " + Text(high.z) + ")",
               "a box inside +-2 m whose lower corner lies below the upper one on every axis");
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
  return {};
}

Result<void> CheckCounts(const Limits& limits) {
  if (!(limits.blind_ticks_max >= 1 && limits.blind_ticks_max <= 100))
    return Bad("blind_ticks_max", std::to_string(limits.blind_ticks_max), "in [1, 100]");
  if (!(limits.power_up_ticks_max >= 1 && limits.power_up_ticks_max <= 10000))
    return Bad("power_up_ticks_max", std::to_string(limits.power_up_ticks_max), "in [1, 10000]");
  if (!(limits.clears_per_hour_max >= 1 && limits.clears_per_hour_max <= kClearsPerHourMax))
    return Bad("clears_per_hour_max", std::to_string(limits.clears_per_hour_max),
               "in [1, " + std::to_string(kClearsPerHourMax) + "]");
  return {};
}

Result<void> CheckDrives(const Limits& limits) {
  if (auto fine = In("temperature_c_max", limits.temperature_c_max, {20, kTemperatureCMax}); !fine) return fine;
  if (!(limits.temperature_c_clear > 0 && limits.temperature_c_clear < limits.temperature_c_max))
    return Bad("temperature_c_clear", Text(limits.temperature_c_clear),
               "above 0 and below temperature_c_max = " + Text(limits.temperature_c_max));
  if (auto fine = AllIn(limits, "tracking_error_rad_max", limits.tracking_error_rad_max, {0, kAngleRadMax}); !fine)
    return fine;
  if (auto fine = AllIn(limits, "stall_free_nm_rad", limits.stall_free_nm_rad, {0, kStallNmRadSMax}); !fine)
    return fine;
  if (auto fine = AllIn(limits, "stall_nm_rad_s_max", limits.stall_nm_rad_s_max, {0, kStallNmRadSMax}); !fine)
    return fine;
  return AllIn(limits, "reseed_error_rad_max", limits.reseed_error_rad_max, {0, kAngleRadMax});
}

Result<void> CheckMotion(const Limits& limits) {
  if (auto fine = CheckRanges(limits); !fine) return fine;
  if (auto fine = AllIn(limits, "speed_rad_s_max", limits.speed_rad_s_max, {0, kSpeedRadSMax}); !fine) return fine;
  if (auto fine = AllIn(limits, "acceleration_rad_s2_max", limits.acceleration_rad_s2_max, {0, kAccelerationRadS2Max});
      !fine)
    return fine;
  if (auto fine = AllIn(limits, "jerk_rad_s3_max", limits.jerk_rad_s3_max, {0, kJerkRadS3Max}); !fine) return fine;
  if (auto fine = In("risk_scale_min", limits.risk_scale_min, {0, 1}); !fine) return fine;
  if (auto fine = In("escape_speed_rad_s_max", limits.escape_speed_rad_s_max, {0, 1}); !fine) return fine;
  return In("rest_speed_rad_s_max", limits.rest_speed_rad_s_max, {0, 1});
}

Result<void> CheckSurroundings(const Limits& limits) {
  if (auto fine = In("clearance_m", limits.clearance_m, {0, 0.05}); !fine) return fine;
  if (!(limits.clearance_looks_max >= 10 && limits.clearance_looks_max <= 1000))
    return Bad("clearance_looks_max", std::to_string(limits.clearance_looks_max), "in [10, 1000]");
  if (const auto made = SurroundingsOf(limits); !made) return tl::make_unexpected(made.error());
  return {};
}

}  // namespace

Result<void> Validate(const Limits& limits) {
  if (!(limits.axes >= 1 && limits.axes <= core::kAxesMax))
    return Bad("axes", std::to_string(limits.axes), "in [1, " + std::to_string(core::kAxesMax) + "]");
  for (const auto check : {CheckMotion, CheckWorkspace, CheckSurroundings, CheckDrives, CheckTime, CheckCounts})
    if (auto fine = check(limits); !fine) return fine;
  return {};
}

}  // namespace nightshift::safety
