// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>

namespace nightshift::core {

/// Robot time: what the safety process's clock says. It starts at zero with the driver's session, never jumps and
/// never goes back; against real hardware it runs like CLOCK_MONOTONIC, in lock-step with a cell it is simulated.
struct RobotClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<RobotClock>;
  static constexpr bool is_steady = true;
};

using Duration = RobotClock::duration;
using Instant = RobotClock::time_point;

constexpr Instant FromNanoseconds(std::int64_t ns) { return Instant(Duration(ns)); }
constexpr std::int64_t ToNanoseconds(Instant at) { return at.time_since_epoch().count(); }
constexpr double ToSeconds(Duration d) { return std::chrono::duration<double>(d).count(); }
constexpr double ToSeconds(Instant at) { return ToSeconds(at.time_since_epoch()); }
constexpr Duration Seconds(double s) { return Duration(static_cast<std::int64_t>(s * 1e9)); }

}  // namespace nightshift::core
