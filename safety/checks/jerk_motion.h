// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <limits>

#include "core/action.h"

/// Hazard: a joint runs out of its range, too fast, too hard or with a jolt. Jerk-limited, in closed form: each tick
/// ends in a state from which one known stop keeps every bound, and that stop is stored. What is wanted is carried out
/// only with a new such stop; otherwise the stored one is followed. By induction nothing that is wanted leads outside.
///
/// Bounds hold within a tick, too: its jerk is constant, or that of the stored stop, which may change inside it.
///
/// Threads: values and pure functions, any thread. Real-time: no lock, no allocation, no exception, bounded loops.
/// Source: SAFETY.md, section 2.2.
namespace nightshift::safety {

/// Commanded, at one instant.
struct JerkMotion {
  double q_rad = 0, v_rad_s = 0, a_rad_s2 = 0;
};

/// Where constant jerk takes a motion in a time.
JerkMotion Moved(const JerkMotion& from, double jerk_rad_s3, double t_s);

/// All finite; the maxima and the tick above 0, q_rad_min below q_rad_max.
struct JerkBounds {
  double q_rad_min = 0, q_rad_max = 0;
  double speed_rad_s_max = 0;
  double acceleration_rad_s2_max = 0;
  double jerk_rad_s3_max = 0;
  double escape_speed_rad_s_max = 0;  // Back from outside the range.
  double tick_s = 0;
};

/// The fastest way from a motion to rest that the bounds on acceleration and jerk allow: jerk to the hardest braking
/// that is of use, hold it, jerk back to zero. It turns round at most once, where the motion brakes harder than it can
/// leave off (the back-swing). Where the motion begins with more acceleration than is allowed, that is shed first.
///
/// With v the velocity that is left once the acceleration has been taken to zero, d = sign(v), in the frame of d:
/// peak = min(A, sqrt(J v + a a / 2)), and phases of (a + peak) / J, (v1 - peak peak / 2 J) / peak, peak / J.
class JointStop {
 public:
  /// At rest at 0.
  JointStop() = default;
  /// A motion that is not finite gives a stop that is not, and that no check accepts.
  JointStop(const JerkMotion& from, const JerkBounds& bounds);

  /// The motion `t_s` from now, 0 or later; at rest from duration_s() on.
  JerkMotion At(double t_s) const;

  /// The same stop, seen from `t_s` later: After(t).At(u) is At(t + u).
  JointStop After(double t_s) const;

  double duration_s() const { return ramp_s_ < gone_s_ ? 0 : ramp_s_ - gone_s_; }

  /// Extrema of the position from now on.
  double q_rad_lowest() const { return q_rad_lowest_; }
  double q_rad_highest() const { return q_rad_highest_; }

 private:
  void FindExtrema();

  JerkMotion start_, held_;  // At the beginning, and where the braking acceleration is reached and held.
  double start_jerk_rad_s3_ = 0, end_jerk_rad_s3_ = 0;
  double held_s_ = 0, leave_s_ = 0, ramp_s_ = 0;  // Since the beginning: held from, held until, at rest.
  double rest_q_rad_ = 0;
  double turn_s_ = 0, turn_q_rad_ = 0;  // Where it turns round; at 0 where it does not.
  double gone_s_ = 0;                   // How much of it is over.
  double q_rad_lowest_ = 0, q_rad_highest_ = 0;
};

/// Is the motion within every bound, and the stop from it, too? No for what is not finite.
bool IsSafe(const JerkMotion& motion, const JerkBounds& bounds);

/// What a policy wants of a joint in the next tick.
struct JerkWish {
  double v_rad_s = 0;  // Not finite: brake.
  // Beyond these no stop may end, unless the present one does: a target that is not to be overshot.
  double q_rad_min = -std::numeric_limits<double>::infinity();
  double q_rad_max = std::numeric_limits<double>::infinity();
  // What adds speed stays below this; what is above it already is shed as fast as the jerk allows. Braking is as hard
  // as ever, and no stop depends on it. Not a number: as if it were 0.
  double speeding_up_rad_s2_max = std::numeric_limits<double>::infinity();
};

/// What was made of a wish.
struct JerkVerdict {
  JerkMotion next;                             // At the end of the tick.
  core::LimitId limit = core::LimitId::kNone;  // What lowered it, if not only acceleration and jerk, or the target.
  JointStop stop;                              // From `next`, checked: to be stored.
};

/// The motion at the end of the tick that comes nearest to the wish, keeps every bound on the way, and leaves a stop
/// that does. Wishes that are not finite follow the stored stop.
///
/// Outside a bound nothing gets worse than the stored stop makes it. Outside the range only motion back is allowed, at
/// the escape speed; above a bound on speed or acceleration only what lowers it.
/// @param stored the stop of the last verdict, or JointStop(now, bounds) for a joint that is seen for the first time;
///               stored.At(0) is `now`.
JerkVerdict LimitJerk(const JerkMotion& now, const JointStop& stored, const JerkWish& wish, const JerkBounds& bounds);

/// A position to be reached.
struct JerkGoal {
  double q_rad = 0;
  double left_s = 0;  // Until it is to be reached; at 0 or less it is late.
  // How fast the joint may still be at the target while it is not late: a stop from this speed is how far a target may
  // be overshot when none follows it. 0: comes to rest at the target.
  double passing_speed_rad_s = 0;
};

/// The wish that brings a joint to its goal in time: speeds up to the lowest velocity that suffices, keeps it, and
/// slows down. Where there is not enough time, as fast as the bounds allow. To be asked in each tick. A goal that is
/// not finite gives a wish that is not: brake.
JerkWish VelocityTowards(const JerkGoal& goal, const JerkMotion& now, const JerkBounds& bounds);

}  // namespace nightshift::safety
