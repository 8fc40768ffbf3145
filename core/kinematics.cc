// SPDX-License-Identifier: Apache-2.0
#include "core/kinematics.h"

#include <algorithm>
#include <numbers>
#include <optional>
#include <string>

namespace nightshift::core {
namespace {

constexpr int kCorrectionsMax = 12;  // The offset of the grasp point couples pan and roll weakly.
constexpr int kBisectionsMax = 30;   // 1.2 rad / 2^30.
constexpr double kTiltMaxRad = 1.2;  // Beyond this a top grasp is no longer one.
constexpr double kPositionToleranceM = 5e-4;
constexpr double kReachSlackM = 1e-6;  // Keeps acos inside its domain.

struct Planar {
  double lift, elbow, wrist;
};

/// Two-link solution, elbow up, for a wrist at (r, z) seen from the lift axis, hand tilted by `tilt`.
std::optional<Planar> SolvePlanar(const ArmGeometry& arm, double r_m, double z_m, double tilt_rad) {
  const double wrist_r = r_m - arm.hand_m * std::sin(tilt_rad);
  const double wrist_z = z_m + arm.hand_m * std::cos(tilt_rad);
  const double distance = std::hypot(wrist_r, wrist_z);
  const double a = arm.upper_arm_m, b = arm.forearm_m;
  if (distance > a + b - kReachSlackM || distance < std::abs(a - b) + kReachSlackM) return std::nullopt;
  const double elbow = std::acos(std::clamp((distance * distance - a * a - b * b) / (2 * a * b), -1.0, 1.0));
  const double toward = std::atan2(wrist_r, wrist_z);
  const double lift = toward - std::atan2(b * std::sin(elbow), a + b * std::cos(elbow));
  return Planar{lift, elbow, std::numbers::pi - tilt_rad - lift - elbow};
}

/// The solution with the least tilt: none if it reaches, else outward (far) or inward (near the base).
std::optional<Planar> SolveLeastTilt(const ArmGeometry& arm, double r_m, double z_m) {
  if (auto upright = SolvePlanar(arm, r_m, z_m, 0)) return upright;
  for (const double sign : {1.0, -1.0}) {
    if (!SolvePlanar(arm, r_m, z_m, sign * kTiltMaxRad)) continue;
    double fails = 0, works = kTiltMaxRad;
    for (int i = 0; i < kBisectionsMax; ++i) {
      const double middle = (fails + works) / 2;
      (SolvePlanar(arm, r_m, z_m, sign * middle) ? works : fails) = middle;
    }
    return SolvePlanar(arm, r_m, z_m, sign * works);
  }
  return std::nullopt;
}

Vec3 Rotate(Vec3 v, double pan_rad) {
  const double c = std::cos(pan_rad), s = std::sin(pan_rad);
  return {c * v.x - s * v.y, s * v.x + c * v.y, v.z};
}

}  // namespace

TipPose ForwardKinematics(const ArmGeometry& arm, const AxisArray& q) {
  const double upper = q[kLift], fore = upper + q[kElbow], hand = fore + q[kWrist];
  // Grasp offset in the hand frame, after the roll about the hand's own axis: (-sin, cos, 0) * offset.
  const double off_x = -std::sin(q[kRoll]) * arm.grasp_offset_m, off_y = std::cos(q[kRoll]) * arm.grasp_offset_m;
  const double r = arm.shoulder_offset_m + arm.upper_arm_m * std::sin(upper) + arm.forearm_m * std::sin(fore) +
                   arm.hand_m * std::sin(hand) + off_x * std::cos(hand);
  const double z = arm.base_height_m + arm.upper_arm_m * std::cos(upper) + arm.forearm_m * std::cos(fore) +
                   arm.hand_m * std::cos(hand) - off_x * std::sin(hand);
  return {
      .position_m = Rotate({r, off_y, z}, q[kPan]), .tilt_rad = std::numbers::pi - hand, .yaw_rad = q[kPan] - q[kRoll]};
}

Result<AxisArray> InverseKinematics(const ArmGeometry& arm, Vec3 position, double yaw_rad) {
  if (!IsFinite(position) || !std::isfinite(yaw_rad))
    return Fail(FaultCode::kNotFinite, "inverse kinematics: position or yaw is not finite; refuse the command");
  // First guess: the roll axis is the grasp offset away from the wanted point; then the exact forward kinematics
  // says what is still missing.
  Vec3 axis = position - Rotate({0, arm.grasp_offset_m, 0}, yaw_rad);
  for (int i = 0; i < kCorrectionsMax; ++i) {
    const double pan = std::atan2(axis.y, axis.x);
    const auto planar = SolveLeastTilt(arm, NormXy(axis) - arm.shoulder_offset_m, axis.z - arm.base_height_m);
    if (!planar) break;
    const AxisArray q{pan, planar->lift, planar->elbow, planar->wrist, pan - yaw_rad};
    const Vec3 missing = position - ForwardKinematics(arm, q).position_m;
    if (Norm(missing) < kPositionToleranceM) return q;
    axis = axis + missing;
  }
  return Fail(FaultCode::kOutOfReach,
              "inverse kinematics: (" + std::to_string(position.x) + ", " + std::to_string(position.y) + ", " +
                  std::to_string(position.z) + ") m is out of reach; stay within " +
                  std::to_string(arm.upper_arm_m + arm.forearm_m + arm.shoulder_offset_m) + " m of the base axis");
}

}  // namespace nightshift::core
