// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "core/random.h"
#include "tests/safety/hostile_joint.h"

/// What others test their own limiters with, driven through ours: SAFETY.md, section 3, T1 to T3. Numbers of theirs are
/// quoted with the file that they stand in; the code is ours.
namespace nightshift::safety {

/// The largest that was reached, each as a share of its bound; 1 is the bound itself.
struct Ratios {
  double position = 0, speed = 0, acceleration = 0, jerk = 0;

  void Note(const JerkMotion& motion, const JerkBounds& bounds) {
    const double centre = (bounds.q_rad_min + bounds.q_rad_max) / 2, half = (bounds.q_rad_max - bounds.q_rad_min) / 2;
    position = std::max(position, std::abs(motion.q_rad - centre) / half);
    speed = std::max(speed, std::abs(motion.v_rad_s) / bounds.speed_rad_s_max);
    acceleration = std::max(acceleration, std::abs(motion.a_rad_s2) / bounds.acceleration_rad_s2_max);
  }
  void Add(const Ratios& other) {
    position = std::max(position, other.position);
    speed = std::max(speed, other.speed);
    acceleration = std::max(acceleration, other.acceleration);
    jerk = std::max(jerk, other.jerk);
  }
  double worst() const { return std::max({position, speed, acceleration, jerk}); }
};

/// A joint, its tally and its ratios, at the ends of the ticks and inside them.
struct SuiteDrive {
  explicit SuiteDrive(const JerkBounds& bounds, const JerkMotion& start = {}) : drive(bounds, start) {}

  void Tick(double wish_rad_s) {
    const JerkMotion before = drive.now;
    const JointStop stored = drive.stop;
    const JerkVerdict verdict = drive.Tick({.v_rad_s = wish_rad_s});
    const double tick_s = drive.bounds.tick_s;
    const bool follows = verdict.next.q_rad == stored.At(tick_s).q_rad;
    for (const double share : kInsideShares)
      ratios.Note(follows ? stored.At(share * tick_s) : AtConstantJerk(before, verdict.next, tick_s, share),
                  drive.bounds);
    ratios.Note(verdict.next, drive.bounds);
    ratios.jerk = std::max(ratios.jerk,
                           std::abs(verdict.next.a_rad_s2 - before.a_rad_s2) / (tick_s * drive.bounds.jerk_rad_s3_max));
  }

  Drive drive;
  Ratios ratios;
};

/// T1: include/franka/rate_limiting.h at 1 kHz, and the joint ranges that are published for this arm; then the single
/// joint of test/rate_limiting_tests.cpp (10 rad/s2, 100 rad/s3), with the first joint's range and speed.
inline std::array<JerkBounds, 8> FrankaJoints() {
  constexpr std::array kLow{-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973, -2.8973};
  constexpr std::array kHigh{2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973, 2.8973};
  constexpr std::array kSpeed{2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61, 2.175};
  constexpr std::array kAcceleration{15.0, 7.5, 10.0, 12.5, 15.0, 20.0, 20.0, 10.0};
  constexpr std::array kJerk{7500.0, 3750.0, 5000.0, 6250.0, 7500.0, 10000.0, 10000.0, 100.0};
  std::array<JerkBounds, 8> joints;
  for (std::size_t i = 0; i < joints.size(); ++i)
    joints[i] = {.q_rad_min = kLow[i],
                 .q_rad_max = kHigh[i],
                 .speed_rad_s_max = kSpeed[i],
                 .acceleration_rad_s2_max = kAcceleration[i],
                 .jerk_rad_s3_max = kJerk[i],
                 .escape_speed_rad_s_max = 0.2,
                 .tick_s = 1e-3};
  return joints;
}

/// How many ticks one way, then the other: from shaking to runs into the ends of the range.
inline constexpr std::array kBangBangTicks{1, 10, 97, 500, 1700, 4000};

inline SuiteDrive DriveBangBang(const JerkBounds& bounds, int each_way, int ticks) {
  SuiteDrive suite(bounds, {.q_rad = (bounds.q_rad_min + bounds.q_rad_max) / 2});
  for (int tick = 0; tick < ticks; ++tick) suite.Tick((tick / each_way) % 2 == 0 ? kHuge : -kHuge);
  return suite;
}

/// T2: klimits/tests/test_random_trajectory_generation.py, its 162 sets: one joint of one. And the sets of
/// test_constant_action_trajectory_generation.py, which has one jerk more.
struct KlimitsSet {
  double time_step_s, position_factor, speed_factor, acceleration_factor, jerk_factor;
};

template <typename Use>
void ForEachKlimitsSet(std::span<const double> jerk_factors, const Use& use) {
  for (const double time_step_s : {0.05, 0.1})
    for (const double position : {0.2, 0.5, 1.0})
      for (const double speed : {0.2, 0.5, 1.0})
        for (const double acceleration : {0.2, 0.5, 1.0})
          for (const double jerk : jerk_factors) use(KlimitsSet{time_step_s, position, speed, acceleration, jerk});
}
inline constexpr std::array kKlimitsRandomJerks{0.2, 0.5, 1.0};
inline constexpr std::array kKlimitsConstantJerks{0.1, 0.2, 0.5, 1.0};
inline constexpr int kKlimitsJoints = 7;

inline JerkBounds KlimitsJoint(const KlimitsSet& set, std::size_t joint) {
  constexpr std::array kPosition{2.96705972839, 2.09439510239, 2.96705972839, 2.09439510239,
                                 2.96705972839, 2.09439510239, 3.05432619099};
  constexpr std::array kSpeed{1.71042266695, 1.71042266695, 1.74532925199, 2.26892802759,
                              2.44346095279, 3.14159265359, 3.14159265359};
  constexpr std::array kAcceleration{15.0, 7.5, 10.0, 12.5, 15.0, 20.0, 20.0};
  const double q = set.position_factor * kPosition[joint], a = set.acceleration_factor * kAcceleration[joint];
  return {.q_rad_min = -q,
          .q_rad_max = q,
          .speed_rad_s_max = set.speed_factor * kSpeed[joint],
          .acceleration_rad_s2_max = a,
          .jerk_rad_s3_max = set.jerk_factor * 2 * a / set.time_step_s,
          .escape_speed_rad_s_max = 0.2,
          .tick_s = set.time_step_s};
}

/// An action in [-1, 1] is a share of the acceleration, there and here.
inline SuiteDrive DriveRandomActions(const JerkBounds& bounds, double duration_s, core::Random& random) {
  SuiteDrive suite(bounds);
  for (int tick = 0; tick * bounds.tick_s < duration_s; ++tick) {
    const double gain_rad_s = random.Uniform(-1, 1) * bounds.acceleration_rad_s2_max * bounds.tick_s;
    suite.Tick(suite.drive.now.v_rad_s + gain_rad_s);
  }
  return suite;
}

inline SuiteDrive DriveConstantAction(const JerkBounds& bounds, double duration_s, double way) {
  SuiteDrive suite(bounds);
  for (int tick = 0; tick * bounds.tick_s < duration_s; ++tick) suite.Tick(way * kHuge);
  return suite;
}

/// The stop of SAFETY.md, section 2.2, in long double and without a shortcut: to measure rounding with.
class LongStop {
 public:
  struct Motion {
    long double q = 0, v = 0, a = 0;
  };

  LongStop(const JerkMotion& from, const JerkBounds& bounds) : start_{from.q_rad, from.v_rad_s, from.a_rad_s2} {
    const long double j = bounds.jerk_rad_s3_max, a_max = bounds.acceleration_rad_s2_max;
    const long double left = start_.v + start_.a * std::abs(start_.a) / (2 * j);
    const long double d = left < 0 ? -1 : 1, v = d * start_.v, a = d * start_.a;
    const long double peak = std::min(a_max, std::sqrt(std::max(0.0L, j * v + a * a / 2)));
    const long double change = a + peak;
    first_ = {(change < 0 ? d : -d) * j, std::abs(change) / j};
    const long double v_held = d * Moved(start_, first_.jerk, first_.length).v;
    held_ = {0, peak > 0 ? std::max(0.0L, (v_held - peak * peak / (2 * j)) / peak) : 0};
    last_ = {d * j, peak / j};
  }

  long double duration() const { return first_.length + held_.length + last_.length; }

  Motion At(long double t) const {
    Motion motion = start_;
    for (const Piece& piece : {first_, held_, last_}) {
      if (t <= piece.length) return Moved(motion, piece.jerk, std::max(0.0L, t));
      motion = Moved(motion, piece.jerk, piece.length);
      t -= piece.length;
    }
    return motion;
  }

 private:
  struct Piece {
    long double jerk = 0, length = 0;
  };
  static Motion Moved(const Motion& m, long double jerk, long double t) {
    return {m.q + t * (m.v + t * (m.a / 2 + t * jerk / 6)), m.v + t * (m.a + t * jerk / 2), m.a + t * jerk};
  }

  Motion start_;
  Piece first_, held_, last_;
};

/// T3: the states of Ruckig's random volume (test/test_target.cpp): positions of 4, velocities and accelerations of 0.8
/// about zero, limits of 0.08 to 16; every tenth one with high limits, up to a million. What becomes of a stop from
/// there.
struct VolumeErrors {
  double rest_rad = 0;      // Where it ends,
  double way_rad = 0;       // and where it is half-way or so, against LongStop.
  double way_rad_s = 0;     // How fast.
  double extremum_rad = 0;  // By how much it was beyond the extrema that it says it has.

  double worst() const { return std::max({rest_rad, way_rad, way_rad_s, extremum_rad}); }
  void Add(const VolumeErrors& other) {
    rest_rad = std::max(rest_rad, other.rest_rad);
    way_rad = std::max(way_rad, other.way_rad);
    way_rad_s = std::max(way_rad_s, other.way_rad_s);
    extremum_rad = std::max(extremum_rad, other.extremum_rad);
  }
};

inline VolumeErrors StopFromAnywhere(core::Random& random) {
  const bool high = random.Chance(0.1);
  const auto limit = [&] { return high ? random.Uniform(10, 1e6) : random.Uniform(0.08, 16); };
  const JerkMotion start{random.Normal(0, 4), random.Normal(0, 0.8), random.Normal(0, 0.8)};
  const JerkBounds bounds{.acceleration_rad_s2_max = limit(), .jerk_rad_s3_max = limit()};
  const JointStop stop(start, bounds);
  const LongStop truth(start, bounds);
  const double t_s = random.Uniform(0, 1) * stop.duration_s();
  const JerkMotion rest = stop.At(stop.duration_s()), way = stop.At(t_s);
  const auto true_rest = truth.At(truth.duration()), true_way = truth.At(t_s);
  const auto off = [](double is, long double should) { return static_cast<double>(std::abs(is - should)); };
  return {off(rest.q_rad, true_rest.q), off(way.q_rad, true_way.q), off(way.v_rad_s, true_way.v),
          static_cast<double>(std::max({stop.q_rad_lowest() - true_way.q, true_way.q - stop.q_rad_highest(),
                                        stop.q_rad_lowest() - true_rest.q, true_rest.q - stop.q_rad_highest()}))};
}

}  // namespace nightshift::safety
