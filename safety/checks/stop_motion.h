// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>

#include "core/observation.h"
#include "safety/checks/jerk_motion.h"

/// The motion that a check looks at: the next tick and the stop that would follow it, of each joint and of the arm.
/// Time counts from the start of the tick. Real-time: no lock, no allocation, no exception, no loop but over joints.
namespace nightshift::safety {

/// One joint at one time, and what it can still do until it rests.
struct JointAhead {
  double q_rad = 0;
  double speed_rad_s_max = 0;  // No faster, either way, from now to the end.
  double travel_rad_max = 0;   // No longer a path, back and forth, from now to the end.
};

/// A joint's tick and stop. At any time from duration_s() on it says where the joint rests, with nothing ahead.
template <typename T>
concept ForeseenStop = requires(const T& stop, double t_s) {
  { stop.At(t_s) } -> std::same_as<JointAhead>;
  { stop.duration_s() } -> std::convertible_to<double>;
};

/// A jerk-limited tick and stop, whoever works it out: jerk never above `jerk_rad_s3_max`, and from `tick_s` on the
/// stop of SAFETY.md, Level B: jerk one way, none, then the other way. Its speed rises by no more than a^2/2J on the
/// way, and it turns back at most once, at its beginning.
template <typename Trajectory>
class JerkLimitedStop {
 public:
  struct Bounds {
    double jerk_rad_s3_max = 0;
    double tick_s = 0;
  };

  JerkLimitedStop() = default;
  JerkLimitedStop(const Trajectory& trajectory, const Bounds& bounds)
      : trajectory_(trajectory),
        bounds_(bounds),
        end_q_rad_(trajectory.At(trajectory.duration_s()).q_rad),
        stop_travel_rad_(TravelFrom(trajectory.At(bounds.tick_s))) {}

  double duration_s() const { return trajectory_.duration_s(); }

  JointAhead At(double t_s) const {
    if (t_s >= duration_s()) return {end_q_rad_, 0, 0};
    const JerkMotion now = trajectory_.At(t_s);
    // In the tick the jerk may still be the wrong way; only then the stop begins.
    const double j = bounds_.jerk_rad_s3_max, free_s = std::max(0.0, bounds_.tick_s - t_s);
    const double a = std::abs(now.a_rad_s2) + j * free_s;
    const double v = std::abs(now.v_rad_s) + (std::abs(now.a_rad_s2) + j * free_s / 2) * free_s;
    const double speed_rad_s = v + a * a / (2 * j);
    return {now.q_rad, speed_rad_s, free_s > 0 ? speed_rad_s * free_s + stop_travel_rad_ : TravelFrom(now)};
  }

 private:
  /// Straight to the end; if it moves away from it at first, there and back: no faster than now, for no longer than the
  /// acceleration takes to fall to zero.
  double TravelFrom(const JerkMotion& now) const {
    const double j = bounds_.jerk_rad_s3_max, a = now.a_rad_s2;
    const bool turns_back = now.v_rad_s * (now.v_rad_s + a * std::abs(a) / (2 * j)) <= 0;
    return std::abs(end_q_rad_ - now.q_rad) + (turns_back ? 2 * std::abs(now.v_rad_s * a) / j : 0);
  }

  Trajectory trajectory_;
  Bounds bounds_;
  double end_q_rad_ = 0;
  double stop_travel_rad_ = 0;
};

/// The tick that leads from one motion to the next at constant jerk, and the stop that is stored with it.
struct TickAndStop {
  JerkMotion now, next;
  JointStop stop;  // From `next`.
  double tick_s = 0;

  double duration_s() const { return tick_s + stop.duration_s(); }

  JerkMotion At(double t_s) const {
    if (t_s >= tick_s) return stop.At(t_s - tick_s);
    return Moved(now, (next.a_rad_s2 - now.a_rad_s2) / tick_s, t_s);
  }
};

/// All joints at one time.
struct ArmAhead {
  core::AxisArray q_rad{};
  core::AxisArray speed_rad_s_max{};
  core::AxisArray travel_rad_max{};
};

/// A tick and stop of a whole arm.
class ArmStop {
 public:
  virtual ~ArmStop() = default;
  virtual double tick_s() const = 0;      // The part that will be carried out whatever comes next.
  virtual double duration_s() const = 0;  // Until every joint rests.
  virtual ArmAhead At(double t_s) const = 0;
};

/// From a stop of each joint; as many as the arm has.
template <ForeseenStop Stop>
class ArmStopOf final : public ArmStop {
 public:
  ArmStopOf(double tick_s, int joints, const std::array<Stop, core::kAxesMax>& joint)
      : tick_s_(tick_s), joints_(static_cast<std::size_t>(joints)), joint_(joint) {}

  double tick_s() const override { return tick_s_; }

  double duration_s() const override {
    double longest_s = 0;
    for (std::size_t i = 0; i < joints_; ++i) {
      const double joint_s = joint_[i].duration_s();
      if (std::isnan(joint_s)) return joint_s;  // No comparison would let it through.
      longest_s = std::max(longest_s, joint_s);
    }
    return longest_s;
  }

  ArmAhead At(double t_s) const override {
    ArmAhead ahead;
    for (std::size_t i = 0; i < joints_; ++i) {
      const JointAhead joint = joint_[i].At(t_s);
      ahead.q_rad[i] = joint.q_rad;
      ahead.speed_rad_s_max[i] = joint.speed_rad_s_max;
      ahead.travel_rad_max[i] = joint.travel_rad_max;
    }
    return ahead;
  }

 private:
  double tick_s_;
  std::size_t joints_;
  std::array<Stop, core::kAxesMax> joint_;
};

}  // namespace nightshift::safety
