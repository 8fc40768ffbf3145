// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/arm_shape.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nightshift::safety {
namespace {

using core::Vec3;

std::size_t At(int index) { return static_cast<std::size_t>(index); }

/// What is known of a point, from an axis' origin, whatever the joints between them do.
struct Span {
  double low_m, high_m;  // Along the axis.
  double across_m;       // From the axis, at most.
  double whole_m;        // From the origin, at most.

  double along_m_max() const { return std::max(std::abs(low_m), std::abs(high_m)); }
};

Span SpanOf(Vec3 p, Vec3 axis) { return {Dot(p, axis), Dot(p, axis), core::Norm(Cross(p, axis)), core::Norm(p)}; }

/// From the axis of the joint before, what is known from that of `joint`, which turns the point all the way round.
Span SeenFrom(Vec3 axis_before, const Span& span, const ArmJoint& joint) {
  const double cosine = Dot(joint.axis, axis_before), sine = std::sqrt(std::max(0.0, 1 - cosine * cosine));
  const Span origin = SpanOf(joint.origin_m, joint.axis), before = SpanOf(joint.origin_m, axis_before);
  // No farther from the origin before than its distances along and across this axis allow, each with its own bound.
  const double along_m = std::max(std::abs(origin.low_m + span.low_m), std::abs(origin.low_m + span.high_m));
  const double whole_m = std::min(std::hypot(along_m, origin.across_m + span.across_m), origin.whole_m + span.whole_m);
  const auto [low, high] = std::minmax({cosine * span.low_m, cosine * span.high_m});
  return {std::max(-whole_m, before.low_m + low - sine * span.across_m),
          std::min(whole_m, before.high_m + high + sine * span.across_m),
          std::min(whole_m, before.across_m + std::min(span.whole_m, sine * span.along_m_max() + span.across_m)),
          whole_m};
}

/// The frame turned about its own `axis` (Rodrigues); an axis keeps its components while it turns.
Axes Turned(const Axes& axes, Vec3 axis, double angle_rad) {
  const double c = std::cos(angle_rad), s = std::sin(angle_rad);
  const Vec3 about = Turn(axes, axis);
  const auto turn = [&](Vec3 v, double along) { return v * c + Cross(about, v) * s + about * (along * (1 - c)); };
  return {turn(axes.x, axis.x), turn(axes.y, axis.y), turn(axes.z, axis.z)};
}

}  // namespace

ArmShape ShapeOf(const core::ArmGeometry& arm) {
  constexpr Vec3 kTilt{0, 1, 0}, kTurn{0, 0, 1}, kJawAxis{-1, 0, 0};
  constexpr double kJawParallelRad = 0.48;
  constexpr double kFingerRadiusM = 0.0091;  // Around 14 x 6 mm; the ends stand back so that their caps stay short.
  constexpr double kFingerEndBackM = 0.0048;
  const double finger_end_m = arm.hand_m + 0.010 - kFingerEndBackM;  // The fingers reach 10 mm past the grasp point.
  const Vec3 jaw_m{0, 0.028, 0.040};
  ArmShape shape;
  shape.joints = core::kArmAxes;
  shape.joint = {ArmJoint{{0, 0, 0}, kTurn},
                 {{arm.shoulder_offset_m, 0, arm.base_height_m}, kTilt},
                 {{0, 0, arm.upper_arm_m}, kTilt},
                 {{0, 0, arm.forearm_m}, kTilt},
                 {{0, 0, 0}, kTurn},
                 {jaw_m, kJawAxis, kJawParallelRad}};
  shape.capsules = kJawPart + 1;
  shape.capsule[kBasePart] = {0, {{0, 0, 0}, {0, 0, arm.base_height_m - 0.02}, 0.035}};
  shape.capsule[kPanPart] = {1,
                             {{-0.016, 0, arm.base_height_m - 0.005}, {0.040, 0, arm.base_height_m - 0.005}, 0.0251}};
  shape.capsule[kUpperPart] = {2, {{0, 0, 0}, {0, 0, arm.upper_arm_m}, 0.014}};
  shape.capsule[kForearmPart] = {3, {{0, 0, 0}, {0, 0, arm.forearm_m}, 0.013}};
  shape.capsule[kWristPart] = {4, {{0, 0, 0}, {0, 0, 0}, 0.015}};
  shape.capsule[kPalmPart] = {5, {{0, -0.011, 0.027}, {0, 0.029, 0.027}, 0.0193}};
  shape.capsule[kFixedFingerPart] = {5, {{0, -0.008, 0.0498}, {0, -0.008, finger_end_m}, kFingerRadiusM}};
  shape.capsule[kJawPart] = {6, {{0, 0, 0.0098}, {0, 0, finger_end_m - jaw_m.z}, kFingerRadiusM}};
  return shape;
}

double ReachM(const ArmShape& shape, int capsule, int joint) {
  const auto& [link, part] = shape.capsule[At(capsule)];
  if (link <= joint) return 0;
  const auto reach_m = [&, last = link](Vec3 point) {
    Span span = SpanOf(point, shape.joint[At(last - 1)].axis);
    for (int i = last - 1; i > joint; --i) span = SeenFrom(shape.joint[At(i - 1)].axis, span, shape.joint[At(i)]);
    return span.across_m;
  };
  return std::max(reach_m(part.a_m), reach_m(part.b_m));
}

ArmPose::ArmPose(const ArmShape& shape) : shape_(shape) {
  q_rad_.fill(std::numeric_limits<double>::quiet_NaN());  // Equal to no angle: all is worked out the first time.
  for (std::size_t i = 0; i < At(shape_.capsules); ++i) capsules_[i] = shape_.capsule[i].shape;
}

void ArmPose::MoveTo(const core::AxisArray& q_rad) {
  std::size_t joint = 0;
  while (joint < At(shape_.joints) && q_rad[joint] == q_rad_[joint]) ++joint;
  const int unmoved_link = static_cast<int>(joint);
  for (; joint < At(shape_.joints); ++joint) {
    const ArmJoint& turning = shape_.joint[joint];
    const LinkFrame& before = links_[joint];
    links_[joint + 1] = {Turned(before.axes, turning.axis, q_rad[joint] - turning.zero_rad),
                         before.origin_m + Turn(before.axes, turning.origin_m)};
  }
  q_rad_ = q_rad;
  for (std::size_t i = 0; i < At(shape_.capsules); ++i)
    if (shape_.capsule[i].link > unmoved_link) Place(i);
}

void ArmPose::Place(std::size_t capsule) {
  const auto& [link, part] = shape_.capsule[capsule];
  const LinkFrame& frame = links_[At(link)];
  capsules_[capsule].a_m = frame.origin_m + Turn(frame.axes, part.a_m);
  capsules_[capsule].b_m = frame.origin_m + Turn(frame.axes, part.b_m);
}

}  // namespace nightshift::safety
