// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cmath>

#include "safety/checks/stop_motion.h"

/// Stops that are easy to work out by hand, for tests of what looks at stops.
namespace nightshift::safety {

/// One tick of braking.
inline double BrakedSpeed(double v_rad_s, double acceleration_rad_s2, double tick_s) {
  return std::copysign(std::max(0.0, std::abs(v_rad_s) - acceleration_rad_s2 * tick_s), v_rad_s);
}

/// Acceleration-limited in ticks: the velocity is held for each tick and falls by what one tick of braking takes
/// (BrakedSpeed), the position runs straight in between. Exact.
class TickwiseStop {
 public:
  struct Motion {
    double q_rad = 0;    // Now, at the start of the tick.
    double v_rad_s = 0;  // For the tick that is judged.
    double acceleration_rad_s2_max = 0;
    double tick_s = 0;
  };

  TickwiseStop() = default;
  explicit TickwiseStop(const Motion& m)
      : m_(m), speed_rad_s_(std::abs(m.v_rad_s)), loss_rad_s_(m.acceleration_rad_s2_max * m.tick_s) {
    ticks_ = speed_rad_s_ == 0 ? 0 : std::ceil(speed_rad_s_ / loss_rad_s_);
    whole_path_rad_ = PathRad(ticks_);
  }

  double duration_s() const { return ticks_ * m_.tick_s; }

  JointAhead At(double t_s) const {
    if (t_s >= duration_s()) return {m_.q_rad + std::copysign(whole_path_rad_, m_.v_rad_s), 0, 0};
    const double tick = std::floor(t_s / m_.tick_s);
    const double speed_rad_s = std::max(0.0, speed_rad_s_ - loss_rad_s_ * tick);
    const double path_rad = PathRad(tick) + speed_rad_s * (t_s - tick * m_.tick_s);
    return {m_.q_rad + std::copysign(path_rad, m_.v_rad_s), speed_rad_s, std::max(0.0, whole_path_rad_ - path_rad)};
  }

 private:
  /// After so many whole ticks, none of them after the joint has come to rest.
  double PathRad(double ticks) const { return ticks * m_.tick_s * (speed_rad_s_ - loss_rad_s_ * (ticks - 1) / 2); }

  Motion m_;
  double speed_rad_s_ = 0, loss_rad_s_ = 0;  // Speed in the first tick; what each tick of braking takes.
  double ticks_ = 0;                         // Until rest.
  double whole_path_rad_ = 0;
};

/// An acceleration-limited stop in continuous time: the velocity is held for the tick, then falls linearly to zero.
class LinearStop {
 public:
  using Motion = TickwiseStop::Motion;

  LinearStop() = default;
  explicit LinearStop(const Motion& m)
      : m_(m), braking_s_(m.v_rad_s == 0 ? 0 : std::abs(m.v_rad_s) / m.acceleration_rad_s2_max) {}

  double duration_s() const { return braking_s_ == 0 ? 0 : m_.tick_s + braking_s_; }

  JointAhead At(double t_s) const {
    const double held_s = std::clamp(m_.tick_s - t_s, 0.0, m_.tick_s);                // Still at full speed.
    const double left_s = std::clamp(m_.tick_s + braking_s_ - t_s, 0.0, braking_s_);  // Still braking.
    const double speed_rad_s = m_.acceleration_rad_s2_max * left_s;
    const double ahead_rad = speed_rad_s * held_s + speed_rad_s * left_s / 2;
    const double whole_rad = std::abs(m_.v_rad_s) * (m_.tick_s + braking_s_ / 2);
    return {m_.q_rad + std::copysign(whole_rad - ahead_rad, m_.v_rad_s), speed_rad_s, ahead_rad};
  }

 private:
  Motion m_;
  double braking_s_ = 0;
};

}  // namespace nightshift::safety
