// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/observation.h"
#include "safety/config.h"

/// Hazard: the arm strikes a person who comes nearer while it moves. How far a person has to be for the arm to go on at
/// a share of its speed: speed and separation monitoring, ISO/TS 15066:2016, 5.5.4.2.3, formula (1), at constant speeds
/// (SAFETY.md, section 2.4):
///
///   S = v_h (T_r + T_s) + v_r T_r + B + C + Z_d + Z_r
///
///   v_h  the person's speed towards the arm: person_speed_m_s
///   v_r  the arm's towards the person. Where the person is, is not known: the sum over joints of their speed times the
///        farthest that any part is from that joint's axis (ReachM). At the share s of all speed_rad_s_max: V s
///   T_r  from what happens until the arm begins to stop: sensor_delay_s and report_every_s (poll_s of a switch) until
///        the next report has come (UnseenM); then one control tick h at V s
///   T_s  until it rests: the slowest joint's stop, tau s + 2 j, and arm_lag_s, by which the arm is behind its command;
///        tau is the largest of speed by acceleration, j of acceleration by jerk
///   B    its way while it stops: V s (tau s / 2 + 3/2 j)
///   C    intrusion_m, Z_d sensor_error_m, Z_r arm_error_m
///
/// T_s and B are those of the worst stop of Level B: a joint at V with all its acceleration still upwards sheds that in
/// j, v' = V s being the speed that it comes to; then it takes v'/A + A/J and half of v' times that at the most, also
/// where the peak is below A: 2 sqrt(v'/J) <= v'/A + A/J. That all joints stop as slowly as the slowest makes S fall
/// no faster than any joint can brake: an arm that follows a falling share never needs more than its limits.
///
/// Threads: values and pure functions, any thread. Real-time, except the constructor.
namespace nightshift::safety {

class Separation {
 public:
  /// @param limits already validated.
  explicit Separation(const Limits& limits);

  /// How far a person must be now for the arm to go on for a tick at a share of its speed in [0, 1] and still come to
  /// rest in time: S without what UnseenM counts. A quadratic in the share, which it rises with.
  double NeededM(double speed_scale) const;

  /// The largest share that needs no more than a distance; 0 where there is none, and for what is not a number.
  double SpeedScaleWithin(double distance_m) const;

  /// How much nearer than told a person may be before the next report counts, while the arm moves so fast: v_h and v_r
  /// times what of T_r lies before the tick. The arm's lag counts as well: it is nearer to where it was told to be.
  double UnseenM(double arm_speed_m_s) const;

  /// No part of the arm is faster, in any pose, while its joints move at these speeds, either way.
  double ArmSpeedMS(const core::AxisArray& v_rad_s) const;
  /// V.
  double full_speed_m_s() const { return full_speed_m_s_; }

  /// How far any part of the arm is from a joint's axis, at most: metres of travel per radian.
  const core::AxisArray& reach_m() const { return reach_m_; }

 private:
  std::size_t axes_;
  core::AxisArray reach_m_{};
  double full_speed_m_s_ = 0;
  double rest_m_ = 0, linear_m_ = 0, square_m_ = 0;      // NeededM: rest + linear s + square s s.
  double unseen_by_person_m_ = 0, unseen_by_arm_s_ = 0;  // UnseenM.
};

}  // namespace nightshift::safety
