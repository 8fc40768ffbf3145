// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/jerk_motion.h"

#include <algorithm>
#include <cmath>

namespace nightshift::safety {
namespace {

using core::LimitId;

constexpr double kSlackRad = 1e-7;    // New stops end this far inside the range: rounding never adds up to a breach.
constexpr double kRounding = 1e-12;   // Relative, for speed and acceleration, which are reached exactly.
constexpr int kLimitHalvings = 24;    // Of the change of acceleration between what is wanted and braking.
constexpr int kArrivalHalvings = 24;  // Of the top speed: to a millionth of it.

/// The fastest velocity for the next tick after which braking by `acceleration` each tick still ends within `gap`.
/// Largest v with v h + D(v) <= gap, D being the braking sum (SAFETY.md, section 2.1). The gap is 0 or more.
double BrakeableSpeed(double gap_rad, double acceleration_rad_s2, double tick_s) {
  const double a = acceleration_rad_s2, h = tick_s;
  const double ticks = std::floor((std::sqrt(1 + 8 * gap_rad / (a * h * h)) - 1) / 2);
  return gap_rad / ((ticks + 1) * h) + a * h * ticks / 2;
}

/// The velocity once the acceleration has been taken to zero at full jerk.
double VelocityLeft(const JerkMotion& motion, double jerk_rad_s3) {
  return motion.v_rad_s + motion.a_rad_s2 * std::abs(motion.a_rad_s2) / (2 * jerk_rad_s3);
}

/// The highest speed from here to the end of the stop.
double PeakSpeed(const JerkMotion& motion, double jerk_rad_s3) {
  return std::max(std::abs(motion.v_rad_s), std::abs(VelocityLeft(motion, jerk_rad_s3)));
}

}  // namespace

JerkMotion Moved(const JerkMotion& from, double jerk_rad_s3, double t_s) {
  const double a = from.a_rad_s2 + jerk_rad_s3 * t_s;
  return {from.q_rad + t_s * (from.v_rad_s + t_s * (from.a_rad_s2 / 2 + t_s * jerk_rad_s3 / 6)),
          from.v_rad_s + t_s * (from.a_rad_s2 + a) / 2, a};
}

JointStop::JointStop(const JerkMotion& from, const JerkBounds& bounds) : start_(from) {
  const double jerk_max = bounds.jerk_rad_s3_max;
  const double d = VelocityLeft(from, jerk_max) < 0 ? -1 : 1;
  const double v = d * from.v_rad_s, a = d * from.a_rad_s2;
  // Zero at the least: where the acceleration takes the velocity to zero by itself, rounding may leave less.
  const double peak = std::min(bounds.acceleration_rad_s2_max, std::sqrt(std::max(0.0, jerk_max * v + a * a / 2)));
  const double change_s = (a + peak) / jerk_max;  // Below 0 where it brakes harder than allowed, and has to ease off.
  start_jerk_rad_s3_ = change_s < 0 ? d * jerk_max : -d * jerk_max;
  end_jerk_rad_s3_ = d * jerk_max;
  held_s_ = std::abs(change_s);
  held_ = Moved(from, start_jerk_rad_s3_, held_s_);
  held_.a_rad_s2 = -d * peak;
  const double surplus = d * held_.v_rad_s - peak * peak / (2 * jerk_max);
  leave_s_ = held_s_ + (surplus > 0 && peak > 0 ? surplus / peak : 0);
  ramp_s_ = leave_s_ + peak / jerk_max;
  rest_q_rad_ = Moved(Moved(held_, 0, leave_s_ - held_s_), end_jerk_rad_s3_, ramp_s_ - leave_s_).q_rad;
  if (v < 0) {
    turn_s_ = -2 * v / (a + std::sqrt(std::max(0.0, a * a + 2 * jerk_max * v)));
    turn_q_rad_ = Moved(from, start_jerk_rad_s3_, turn_s_).q_rad;
  }
  FindExtrema();
}

/// In this order what is not a number stays, and no check accepts it.
void JointStop::FindExtrema() {
  const double now_q_rad = At(0).q_rad;
  q_rad_lowest_ = std::min(rest_q_rad_, now_q_rad);
  q_rad_highest_ = std::max(rest_q_rad_, now_q_rad);
  if (gone_s_ >= turn_s_) return;
  if (turn_q_rad_ < q_rad_lowest_) q_rad_lowest_ = turn_q_rad_;
  if (turn_q_rad_ > q_rad_highest_) q_rad_highest_ = turn_q_rad_;
}

JerkMotion JointStop::At(double t_s) const {
  const double t = gone_s_ + t_s;
  if (t < held_s_) return Moved(start_, start_jerk_rad_s3_, t);
  if (t < leave_s_) return Moved(held_, 0, t - held_s_);
  if (t < ramp_s_) return Moved({rest_q_rad_, 0, 0}, end_jerk_rad_s3_, t - ramp_s_);  // Back from rest: ends in it.
  return {rest_q_rad_, 0, 0};
}

JointStop JointStop::After(double t_s) const {
  JointStop later = *this;
  later.gone_s_ += t_s;
  later.FindExtrema();
  return later;
}

namespace {

/// What a motion may come to.
struct Room {
  double q_rad_min, q_rad_max, speed_rad_s_max, acceleration_rad_s2_max;
};

Room RoomOf(const JerkBounds& bounds) {
  return {bounds.q_rad_min, bounds.q_rad_max, bounds.speed_rad_s_max * (1 + kRounding),
          bounds.acceleration_rad_s2_max * (1 + kRounding)};
}

/// The bounds and the walls of the wish, and beyond them what is unavoidable: that is what the stored stop comes to.
/// A wall that is not a number is none: min and max keep their first argument.
Room RoomFor(const JerkMotion& now, const JointStop& stored, const JerkWish& wish, const JerkBounds& bounds) {
  const Room room = RoomOf(bounds);
  return {std::min(std::max(room.q_rad_min + kSlackRad, wish.q_rad_min), stored.q_rad_lowest()),
          std::max(std::min(room.q_rad_max - kSlackRad, wish.q_rad_max), stored.q_rad_highest()),
          std::max(room.speed_rad_s_max, PeakSpeed(now, bounds.jerk_rad_s3_max)),
          std::max(room.acceleration_rad_s2_max, std::abs(now.a_rad_s2))};
}

/// One tick of constant jerk, and the stop after it.
struct Step {
  JerkMotion end;
  JointStop stop;
  double q_rad_lowest, q_rad_highest, speed_rad_s_max;
};

void IncludePosition(Step& step, const JerkMotion& now, double jerk_rad_s3, double t_s, double tick_s) {
  if (!(t_s > 0 && t_s < tick_s)) return;
  const double q_rad = Moved(now, jerk_rad_s3, t_s).q_rad;
  step.q_rad_lowest = std::min(step.q_rad_lowest, q_rad);
  step.q_rad_highest = std::max(step.q_rad_highest, q_rad);
}

/// The joint may turn round, or be fastest, inside the tick.
void IncludeInside(Step& step, const JerkMotion& now, double tick_s) {
  const double v = now.v_rad_s, a = now.a_rad_s2;
  const bool peaks = a * step.end.a_rad_s2 < 0;
  if (!peaks && v * step.end.v_rad_s > 0) return;
  const double jerk = (step.end.a_rad_s2 - a) / tick_s;
  if (peaks) step.speed_rad_s_max = std::max(step.speed_rad_s_max, std::abs(v - a * a / (2 * jerk)));
  // Both zeros of the velocity without cancellation; where it has none, no number, which is at no time.
  const double root = -(a + std::copysign(std::sqrt(a * a - 2 * jerk * v), a));
  IncludePosition(step, now, jerk, root / jerk, tick_s);
  IncludePosition(step, now, jerk, 2 * v / root, tick_s);
}

Step StepTo(double a_end_rad_s2, const JerkMotion& now, const JerkBounds& bounds) {
  const double h = bounds.tick_s, a_sum = now.a_rad_s2 + a_end_rad_s2;
  const JerkMotion end{now.q_rad + h * (now.v_rad_s + h * (now.a_rad_s2 + a_sum) / 6), now.v_rad_s + h * a_sum / 2,
                       a_end_rad_s2};
  const JointStop stop(end, bounds);
  Step step{end, stop, stop.q_rad_lowest(), stop.q_rad_highest(), PeakSpeed(end, bounds.jerk_rad_s3_max)};
  IncludeInside(step, now, h);
  return step;
}

/// The first bound that is not kept. Negated, so that what is not a number keeps none.
LimitId Breach(const Step& step, const Room& room) {
  if (!(step.q_rad_lowest >= room.q_rad_min && step.q_rad_highest <= room.q_rad_max)) return LimitId::kPosition;
  if (!(step.speed_rad_s_max <= room.speed_rad_s_max)) return LimitId::kVelocity;
  if (!(std::abs(step.end.a_rad_s2) <= room.acceleration_rad_s2_max)) return LimitId::kAcceleration;
  return LimitId::kNone;
}

/// The acceleration at the end of the tick that leads to a velocity and leaves off in time. What the acceleration adds
/// to v + a h / 2 in a tick is a h, as a velocity adds v h to a position: BrakeableSpeed, one derivative up, and exact.
double AccelerationTowards(double v_rad_s, const JerkMotion& now, const JerkBounds& bounds) {
  const double jerk_max = bounds.jerk_rad_s3_max, h = bounds.tick_s, a_max = bounds.acceleration_rad_s2_max;
  const double gap = v_rad_s - now.v_rad_s - now.a_rad_s2 * h / 2;
  const double wanted = std::copysign(BrakeableSpeed(std::abs(gap), jerk_max, h), gap);
  return std::clamp(std::clamp(wanted, -a_max, a_max), now.a_rad_s2 - jerk_max * h, now.a_rad_s2 + jerk_max * h);
}

/// The acceleration lowered, where it adds speed, to what the wish allows, or at least by all that one tick can shed.
/// It still brakes where the velocity that is left after it has the other sign.
double Eased(double a_wanted_rad_s2, const JerkMotion& now, const JerkWish& wish, const JerkBounds& bounds) {
  const double most = wish.speeding_up_rad_s2_max >= 0 ? wish.speeding_up_rad_s2_max : 0;
  const double d = a_wanted_rad_s2 < 0 ? -1 : 1, a = d * a_wanted_rad_s2;
  const double v_end = d * now.v_rad_s + (d * now.a_rad_s2 + a) * bounds.tick_s / 2;
  const bool brakes = VelocityLeft({0, v_end, a}, bounds.jerk_rad_s3_max) <= 0;
  if (a <= most || brakes) return a_wanted_rad_s2;
  return d * std::max(most, d * now.a_rad_s2 - bounds.jerk_rad_s3_max * bounds.tick_s);
}

/// Outside the range only back, and slowly.
double AllowedVelocity(double wanted_rad_s, double q_rad, const JerkBounds& bounds) {
  const double escape = std::min(bounds.speed_rad_s_max, bounds.escape_speed_rad_s_max);
  if (q_rad > bounds.q_rad_max) return std::clamp(wanted_rad_s, -escape, 0.0);
  if (q_rad < bounds.q_rad_min) return std::clamp(wanted_rad_s, 0.0, escape);
  return std::clamp(wanted_rad_s, -bounds.speed_rad_s_max, bounds.speed_rad_s_max);
}

JerkVerdict Followed(const JointStop& stored, double tick_s, LimitId limit) {
  return {stored.At(tick_s), limit, stored.After(tick_s)};
}

/// As far from braking towards what is wanted as there is room; the stored stop where even braking for a whole tick at
/// one jerk leaves it, since the stop changes its jerk inside the tick.
JerkVerdict Lowered(double a_wanted_rad_s2, const JerkMotion& now, const JointStop& stored, const Room& room,
                    const JerkBounds& bounds, LimitId limit) {
  double good = stored.At(bounds.tick_s).a_rad_s2, bad = a_wanted_rad_s2;
  Step best = StepTo(good, now, bounds);
  if (Breach(best, room) != LimitId::kNone) return Followed(stored, bounds.tick_s, limit);
  for (int i = 0; i < kLimitHalvings; ++i) {
    const double middle = (good + bad) / 2;
    const Step step = StepTo(middle, now, bounds);
    const bool fits = Breach(step, room) == LimitId::kNone;
    (fits ? good : bad) = middle;
    if (fits) best = step;
  }
  return {best.end, limit, best.stop};
}

}  // namespace

bool IsSafe(const JerkMotion& motion, const JerkBounds& bounds) {
  const JointStop stop(motion, bounds);
  const Step step{motion, stop, stop.q_rad_lowest(), stop.q_rad_highest(), PeakSpeed(motion, bounds.jerk_rad_s3_max)};
  return Breach(step, RoomOf(bounds)) == LimitId::kNone;
}

JerkVerdict LimitJerk(const JerkMotion& now, const JointStop& stored, const JerkWish& wish, const JerkBounds& bounds) {
  if (!std::isfinite(wish.v_rad_s)) return Followed(stored, bounds.tick_s, LimitId::kNotFinite);
  const double v_rad_s = AllowedVelocity(wish.v_rad_s, now.q_rad, bounds);
  const double a_wanted = Eased(AccelerationTowards(v_rad_s, now, bounds), now, wish, bounds);
  const Room room = RoomFor(now, stored, wish, bounds);
  const Step step = StepTo(a_wanted, now, bounds);
  LimitId limit = v_rad_s == wish.v_rad_s ? LimitId::kNone : LimitId::kVelocity;
  if (Breach(step, room) == LimitId::kNone) return {step.end, limit, step.stop};
  const LimitId breach = Breach(step, RoomFor(now, stored, {}, bounds));  // A target's wall is no limit.
  if (breach != LimitId::kNone) limit = breach;
  return Lowered(a_wanted, now, stored, room, bounds, limit);
}

namespace {

/// The way to a target, in the frame in which it lies ahead.
struct Approach {
  double gap_rad, left_s, passing_rad_s;
  JerkMotion now;  // From 0.
  const JerkBounds& bounds;

  /// What becomes of changing to a velocity, keeping it, and slowing down to the passing speed just in time.
  struct Outcome {
    double travel_rad, spare_s;
    bool in_time() const { return spare_s >= 0; }
  };
  Outcome At(double cruise_rad_s) const {
    const double end_rad_s = std::min(cruise_rad_s, passing_rad_s);
    // A change of velocity is a stop in the frame that moves with the new one.
    const JointStop up({0, now.v_rad_s - cruise_rad_s, now.a_rad_s2}, bounds);
    const JointStop down({0, cruise_rad_s - end_rad_s, 0}, bounds);
    const double up_s = up.duration_s(), down_s = down.duration_s();
    return {up.At(up_s).q_rad + cruise_rad_s * (left_s - down_s) + down.At(down_s).q_rad + end_rad_s * down_s,
            left_s - up_s - down_s};
  }

  /// Below the velocity that is left by itself both changes brake, and all that counts is the way; above it they take
  /// the longer the faster it gets.
  double Speed() const {
    const double top = bounds.speed_rad_s_max;
    const double kept = std::clamp(VelocityLeft(now, bounds.jerk_rad_s3_max), 0.0, top);
    const Outcome keeps = At(kept);
    const bool slows = keeps.in_time() && keeps.travel_rad >= gap_rad;
    double low = slows ? 0 : kept, high = slows ? kept : top;
    for (int i = 0; i < kArrivalHalvings; ++i) {
      const double middle = (low + high) / 2;
      const Outcome outcome = At(middle);
      const bool enough = outcome.travel_rad >= gap_rad || (!slows && !outcome.in_time());
      (enough ? high : low) = middle;
    }
    const Outcome chosen = At(high);
    return chosen.in_time() || chosen.travel_rad >= gap_rad ? high : top;
  }
};

}  // namespace

JerkWish VelocityTowards(const JerkGoal& goal, const JerkMotion& now, const JerkBounds& bounds) {
  const double gap_rad = goal.q_rad - now.q_rad;
  if (!std::isfinite(gap_rad)) return {.v_rad_s = gap_rad};
  const double d = gap_rad < 0 ? -1 : 1;
  const double left_s = std::max(0.0, goal.left_s);
  const double passing = left_s > 0 ? std::clamp(goal.passing_speed_rad_s, 0.0, bounds.speed_rad_s_max) : 0;
  const Approach approach{d * gap_rad, left_s, passing, {0, d * now.v_rad_s, d * now.a_rad_s2}, bounds};
  const double speed = gap_rad == 0 ? 0 : approach.Speed();
  const double wall_q_rad = goal.q_rad + d * JointStop({0, passing, 0}, bounds).q_rad_highest();
  // Behind, too, there is a wall: turning round must not take farther than the stop does.
  return {d * speed, std::min(wall_q_rad, now.q_rad), std::max(wall_q_rad, now.q_rad)};
}

}  // namespace nightshift::safety
