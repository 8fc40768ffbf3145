// SPDX-License-Identifier: Apache-2.0
#include "safety/admissible.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>

#include "safety/checks/arm_dynamics.h"
#include "safety/checks/jerk_motion.h"
#include "safety/checks/stop_motion.h"
#include "safety/checks/workspace.h"
#include "safety/path_check.h"
#include "safety/surroundings.h"

namespace nightshift::safety {
namespace {

using core::AxisArray;
using core::Result;

constexpr int kPosesPerAxis = 7;   // Of lift, elbow and wrist: weight and inertia change by 2 % from one to the next.
constexpr int kPlacesPerEdge = 5;  // Of the grasp point's box.
constexpr int kFastPoses = 12;     // From which sweeps at full speed are tried; the first clear one ends the search.
constexpr double kOvershootShare = 0.5;  // Of the tracking error; the rest is the servos' own lag.

std::size_t At(int axis) { return static_cast<std::size_t>(axis); }
int Joints(const Limits& limits) { return std::min<int>(limits.axes, core::kArmAxes); }

std::string Text(double value) {
  std::ostringstream text;
  text.precision(3);
  text << value;
  return text.str();
}

/// "safety.KEY[JOINT] = VALUE: WHY"
tl::unexpected<core::Fault> Refused(const std::string& key, const std::string& value, const std::string& why) {
  return core::Fail(core::FaultCode::kInvalidConfig, "safety." + key + " = " + value + ": " + why);
}

std::string Key(const std::string& name, int axis) { return name + "[" + std::string(AxisName(axis)) + "]"; }

JerkBounds BoundsOf(const Limits& limits, int axis) {
  return {.q_rad_min = limits.q_rad_min[At(axis)],
          .q_rad_max = limits.q_rad_max[At(axis)],
          .speed_rad_s_max = limits.speed_rad_s_max[At(axis)],
          .acceleration_rad_s2_max = limits.acceleration_rad_s2_max[At(axis)],
          .jerk_rad_s3_max = limits.jerk_rad_s3_max[At(axis)],
          .escape_speed_rad_s_max = limits.escape_speed_rad_s_max,
          .tick_s = core::ToSeconds(limits.control_period)};
}

/// The motion that is hardest to stop: still speeding up, and at full speed once that has been taken back.
JerkMotion Fastest(const JerkBounds& bounds, double q_rad) {
  const double v = bounds.speed_rad_s_max, j = bounds.jerk_rad_s3_max;
  const double a = std::min(bounds.acceleration_rad_s2_max, std::sqrt(2 * j * v));
  return {q_rad, std::max(0.0, v - a * a / (2 * j)), a};
}

Result<void> CheckRoomToStop(const Limits& limits) {
  for (int axis = 0; axis < limits.axes; ++axis) {
    const JerkBounds bounds = BoundsOf(limits, axis);
    const JointStop stop(Fastest(bounds, 0), bounds);
    const double ticks = stop.duration_s() / bounds.tick_s, range_rad = bounds.q_rad_max - bounds.q_rad_min;
    const std::string with = "with acceleration_rad_s2_max = " + Text(bounds.acceleration_rad_s2_max) +
                             " and jerk_rad_s3_max = " + Text(bounds.jerk_rad_s3_max) + " its stop takes ";
    const std::string remedy = "; lower the speed, or brake harder";
    if (!(ticks <= kStopTicksMax))
      return Refused(Key("speed_rad_s_max", axis), Text(bounds.speed_rad_s_max),
                     with + std::to_string(std::llround(std::ceil(ticks))) + " ticks, and a check follows " +
                         std::to_string(kStopTicksMax) + remedy);
    if (!(stop.q_rad_highest() <= range_rad))
      return Refused(Key("speed_rad_s_max", axis), Text(bounds.speed_rad_s_max),
                     with + Text(stop.q_rad_highest()) + " rad, and the joint's whole range is " + Text(range_rad) +
                         " rad" + remedy);
  }
  return {};
}

std::string PoseText(const AxisArray& q_rad) {
  std::string text;
  for (const int axis : {core::kLift, core::kElbow, core::kWrist})
    text += (text.empty() ? "" : ", ") + std::string(AxisName(axis)) + " " + Text(q_rad[At(axis)]);
  return text;
}

std::string Far(double rad) { return std::isfinite(rad) ? Text(rad) + " rad" : "anywhere"; }

Result<void> CheckTorque(const Limits& limits) {
  const auto needs = BrakingNeedsOf(limits);
  for (int axis = 0; axis < Joints(limits); ++axis) {
    const BrakingNeed& need = needs[At(axis)];
    const double torque_nm = limits.torque_nm_max[At(axis)];
    const double allowed_rad = kOvershootShare * limits.tracking_error_rad_max[At(axis)];
    const std::string load = "with payload_kg_max = " + Text(limits.payload_kg_max) + " ";
    if (!(need.weight_nm < torque_nm))
      return Refused(Key("torque_nm_max", axis), Text(torque_nm),
                     load + "holding still takes " + Text(need.weight_nm) +
                         " Nm: the arm would sink; lower the payload, or use a stronger drive");
    const double overshoot_rad = OvershootRad(limits, axis, need.share());
    if (!(overshoot_rad <= allowed_rad))
      return Refused(Key("torque_nm_max", axis), Text(torque_nm),
                     load + "braking with acceleration_rad_s2_max takes " + Text(need.braking_nm) +
                         " Nm, and weight and the other joints' speed leave " + Text(need.left_nm) + " (" +
                         PoseText(need.q_rad) + " rad): the arm would come to rest " + Far(overshoot_rad) +
                         " beyond its stop from speed_rad_s_max = " + Text(limits.speed_rad_s_max[At(axis)]) +
                         ", and half of tracking_error_rad_max is " + Text(allowed_rad) +
                         "; lower speed, acceleration or payload");
  }
  return {};
}

Result<void> CheckRoom(const Limits& limits) {
  if (ClearPose(limits)) return {};
  const core::Vec3 low = limits.workspace_m_min, high = limits.workspace_m_max;
  return Refused("workspace_m_min",
                 "(" + Text(low.x) + ", " + Text(low.y) + ", " + Text(low.z) + "), workspace_m_max = (" + Text(high.x) +
                     ", " + Text(high.y) + ", " + Text(high.z) + ")",
                 "no pose within q_rad_min and q_rad_max was found that has the grasp point in this box and every part "
                 "clearance_m = " +
                     Text(limits.clearance_m) + " away from table, boxes, posts and each other; correct what is wrong");
}

/// All joints at full speed from a pose, each the way that `signs` says.
SweepVerdict FastSweep(const Limits& limits, const ClearanceModel& surroundings, const AxisArray& q_rad,
                       unsigned signs) {
  using Foreseen = JerkLimitedStop<TickAndStop>;
  const double tick_s = core::ToSeconds(limits.control_period);
  std::array<Foreseen, core::kAxesMax> joints;
  for (int axis = 0; axis < core::kArmAxes; ++axis) {
    const JerkBounds bounds = BoundsOf(limits, axis);
    const double v = bounds.speed_rad_s_max * ((signs >> axis & 1u) != 0 ? 1 : -1);
    const JerkMotion now{q_rad[At(axis)], v, 0}, next = Moved(now, 0, tick_s);
    joints[At(axis)] = Foreseen({now, next, JointStop(next, bounds), tick_s}, {bounds.jerk_rad_s3_max, tick_s});
  }
  return Sweep(surroundings, ArmStopOf(tick_s, core::kArmAxes, joints), SweepLimitsOf(limits));
}

/// The n-th of kPosesPerAxis^3 poses: lift, elbow and wrist all over their ranges. The others hardly change what
/// weighs.
AxisArray GridPose(const Limits& limits, int n) {
  AxisArray q_rad{};
  for (int axis = core::kLift; axis <= core::kWrist; ++axis, n /= kPosesPerAxis) {
    const double low = limits.q_rad_min[At(axis)], high = limits.q_rad_max[At(axis)];
    q_rad[At(axis)] = low + (high - low) * (n % kPosesPerAxis) / (kPosesPerAxis - 1);
  }
  return q_rad;
}

/// Of each joint, with or without the payload.
AxisArray WeightNm(const Limits& limits, const ArmDynamics& dynamics, const AxisArray& q_rad) {
  AxisArray weight_nm = dynamics.GravityNm(q_rad, 0);
  const AxisArray laden_nm = dynamics.GravityNm(q_rad, limits.payload_kg_max);
  for (std::size_t i = 0; i < core::kArmAxes; ++i)
    weight_nm[i] = std::max(std::abs(weight_nm[i]), std::abs(laden_nm[i]));
  return weight_nm;
}

/// What the other joints' full speed does to each (centrifugal and Coriolis), the worst of all ways to turn.
AxisArray SwingNm(const Limits& limits, const ArmDynamics& dynamics, const AxisArray& q_rad) {
  constexpr unsigned kWays = 1u << core::kWrist;  // Of lift, elbow, wrist against the pan.
  const AxisArray still_nm = dynamics.GravityNm(q_rad, limits.payload_kg_max);
  AxisArray swing_nm{};
  for (unsigned way = 0; way < kWays; ++way) {
    JointMotion motion{.q_rad = q_rad};
    for (int axis = 0; axis < core::kArmAxes; ++axis)
      motion.dq_rad_s[At(axis)] = limits.speed_rad_s_max[At(axis)] * ((way << 1 >> axis & 1u) != 0 ? -1 : 1);
    const AxisArray torque_nm = dynamics.TorqueNm(motion, limits.payload_kg_max);
    for (std::size_t i = 0; i < core::kArmAxes; ++i)
      swing_nm[i] = std::max(swing_nm[i], std::abs(torque_nm[i] - still_nm[i]));
  }
  return swing_nm;
}

/// All joints brake as hard as they may, each the way that is worst for this one.
AxisArray BrakingNm(const Limits& limits, const ArmDynamics& dynamics, const AxisArray& q_rad) {
  AxisArray braking_nm{};
  for (int joint = 0; joint < core::kArmAxes; ++joint) {
    const AxisArray column = dynamics.InertiaKgM2(q_rad, joint, limits.payload_kg_max);
    for (std::size_t i = 0; i < core::kArmAxes; ++i)
      braking_nm[i] += std::abs(column[i]) * limits.acceleration_rad_s2_max[At(joint)];
  }
  return braking_nm;
}

/// Visits poses with the grasp point in its box until `visit` has seen enough: by inverse kinematics from the middle of
/// the box outward, hand down, then all over the joint ranges.
template <typename Visit>
void VisitPoses(const Limits& limits, const Visit& visit) {
  const auto at = [](double low, double high, int i, int count) { return low + (high - low) * (i + 0.5) / count; };
  const core::Vec3 low = limits.workspace_m_min, high = limits.workspace_m_max;
  constexpr int kMiddle = kPlacesPerEdge / 2;
  for (int n = 0; n < kPlacesPerEdge * kPlacesPerEdge * kPlacesPerEdge; ++n) {
    const auto place = [&](int i) { return (i + kMiddle) % kPlacesPerEdge; };
    const core::Vec3 tip{at(low.x, high.x, place(n), kPlacesPerEdge),
                         at(low.y, high.y, place(n / kPlacesPerEdge), kPlacesPerEdge),
                         at(low.z, high.z, place(n / kPlacesPerEdge / kPlacesPerEdge), kPlacesPerEdge)};
    const auto q_rad = core::InverseKinematics(limits.arm, tip, 0);
    if (q_rad && visit(*q_rad)) return;
  }
  AxisArray q_rad{};
  const auto set = [&](int axis, int i) {
    q_rad[At(axis)] = at(limits.q_rad_min[At(axis)], limits.q_rad_max[At(axis)], i, kPosesPerAxis);
  };
  for (int n = 0; n < kPosesPerAxis * kPosesPerAxis * kPosesPerAxis * kPosesPerAxis; ++n) {
    for (int axis = core::kPan, left = n; axis <= core::kWrist; ++axis, left /= kPosesPerAxis)
      set(axis, left % kPosesPerAxis);
    if (OutsideWorkspace(limits, q_rad) <= 0 && visit(q_rad)) return;
  }
}

bool InRange(const Limits& limits, const AxisArray& q_rad) {
  for (int axis = 0; axis < core::kJaw; ++axis)
    if (!(q_rad[At(axis)] >= limits.q_rad_min[At(axis)] && q_rad[At(axis)] <= limits.q_rad_max[At(axis)])) return false;
  return true;
}

/// Like VisitPoses, but only those that keep clear of everything.
template <typename Visit>
void VisitClearPoses(const Limits& limits, const ClearanceModel& surroundings, const Visit& visit) {
  ArmPose pose(surroundings.arm());
  VisitPoses(limits, [&](AxisArray q_rad) {
    q_rad[core::kJaw] = (limits.q_rad_min[core::kJaw] + limits.q_rad_max[core::kJaw]) / 2;
    if (!InRange(limits, q_rad)) return false;
    pose.MoveTo(q_rad);
    return surroundings.LeastDistanceM(pose) >= limits.clearance_m && visit(q_rad);
  });
}

/// What a part of the arm is near to, in the order of SurroundingsOf.
std::string NameOf(const Limits& limits, const ClearancePair& pair) {
  if (pair.kind == PairKind::kSelf) return "another part of it";
  if (pair.other == 0) return "the table";
  const std::size_t at = At(pair.other - 1), boxes = limits.boxes.size();
  return at < boxes ? "the box \"" + limits.boxes[at].name + "\""
                    : "the post \"" + limits.posts[at - boxes].name + "\"";
}

/// The joint whose stop from full speed takes longest.
int SlowestToStop(const Limits& limits) {
  const auto stop_s = [&](int axis) {
    const JerkBounds bounds = BoundsOf(limits, axis);
    return JointStop({0, bounds.speed_rad_s_max, 0}, bounds).duration_s();
  };
  int slowest = 0;
  for (int axis = 1; axis < Joints(limits); ++axis)
    if (stop_s(axis) > stop_s(slowest)) slowest = axis;
  return slowest;
}

Result<void> CheckLooks(const Limits& limits) {
  constexpr std::array kWays{0x00u, 0x3fu, 0x15u, 0x2au};  // All joints back, all forward, and each other one.
  const ClearanceModel surroundings = *SurroundingsOf(limits);
  int poses = 0, exhausted = 0;
  bool clear = false;
  VisitClearPoses(limits, surroundings, [&](const AxisArray& q_rad) {
    for (const unsigned signs : kWays) {
      const SweepVerdict swept = FastSweep(limits, surroundings, q_rad, signs);
      clear = clear || swept.clear();
      exhausted += swept.outcome == SweepOutcome::kExhausted;
    }
    return clear || ++poses >= kFastPoses;
  });
  if (clear || exhausted == 0) return {};
  const int slowest = SlowestToStop(limits);
  return Refused("clearance_looks_max", std::to_string(limits.clearance_looks_max),
                 "of " + std::to_string(poses) +
                     " poses tried, none has a stop from full speed that so few looks at "
                     "the arm can follow to its end; the slowest joint to stop is the " +
                     std::string(AxisName(slowest)) +
                     ", from speed_rad_s_max = " + Text(limits.speed_rad_s_max[At(slowest)]) +
                     " with acceleration_rad_s2_max = " + Text(limits.acceleration_rad_s2_max[At(slowest)]) +
                     "; allow more looks, lower the speed, or brake harder");
}

}  // namespace

std::array<BrakingNeed, core::kArmAxes> BrakingNeedsOf(const Limits& limits) {
  const ArmDynamics dynamics(limits);
  std::array<BrakingNeed, core::kArmAxes> needs{};
  for (int n = 0; n < kPosesPerAxis * kPosesPerAxis * kPosesPerAxis; ++n) {
    const AxisArray q_rad = GridPose(limits, n);
    const AxisArray weight_nm = WeightNm(limits, dynamics, q_rad), swing_nm = SwingNm(limits, dynamics, q_rad);
    const AxisArray braking_nm = BrakingNm(limits, dynamics, q_rad);
    for (std::size_t i = 0; i < core::kArmAxes; ++i) {
      const double left_nm = limits.torque_nm_max[i] - weight_nm[i] - swing_nm[i];
      const BrakingNeed here{std::max(weight_nm[i], needs[i].weight_nm), braking_nm[i], left_nm, q_rad};
      if (n == 0 || here.share() < needs[i].share()) needs[i] = here;
      needs[i].weight_nm = here.weight_nm;
    }
  }
  return needs;
}

double OvershootRad(const Limits& limits, int axis, double share) {
  if (share >= 1) return 0;
  const double v = limits.speed_rad_s_max[At(axis)], a = limits.acceleration_rad_s2_max[At(axis)];
  return share > 0 ? v * v / (2 * a) * (1 / share - 1) : std::numeric_limits<double>::infinity();
}

Result<void> RoomAround(const Limits& limits, const AxisArray& q_rad) {
  for (int axis = 0; axis < Joints(limits); ++axis) {
    const double q = q_rad[At(axis)], low = limits.q_rad_min[At(axis)], high = limits.q_rad_max[At(axis)];
    if (!(q >= low && q <= high))
      return core::Fail(core::FaultCode::kInvalidConfig, "takes the " + std::string(AxisName(axis)) + " to " + Text(q) +
                                                             " rad, and its range is [" + Text(low) + ", " +
                                                             Text(high) + "] (safety.q_rad_min, _max)");
  }
  const auto surroundings = SurroundingsOf(limits);
  if (!surroundings) return tl::make_unexpected(surroundings.error());
  ArmPose pose(surroundings->arm());
  pose.MoveTo(q_rad);
  for (int pair = 0; pair < surroundings->pairs(); ++pair)
    if (const double distance_m = surroundings->DistanceM(pair, pose); !(distance_m >= limits.clearance_m))
      return core::Fail(core::FaultCode::kInvalidConfig, "brings a part of the arm within " + Text(distance_m) +
                                                             " m of " + NameOf(limits, surroundings->pair(pair)) +
                                                             ", and safety.clearance_m is " + Text(limits.clearance_m));
  return {};
}

std::optional<AxisArray> ClearPose(const Limits& limits) {
  std::optional<AxisArray> found;
  VisitClearPoses(limits, *SurroundingsOf(limits), [&](const AxisArray& q_rad) {
    found = q_rad;
    return true;
  });
  return found;
}

Result<void> CheckStops(const Limits& limits) {
  for (const auto check : {CheckRoomToStop, CheckTorque, CheckRoom, CheckLooks})
    if (auto fine = check(limits); !fine) return fine;
  return {};
}

}  // namespace nightshift::safety
