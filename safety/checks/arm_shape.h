// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>

#include "core/kinematics.h"
#include "core/observation.h"
#include "safety/checks/shapes.h"

/// The room that a whole arm takes up: a chain of links, each a few capsules, and where they are at given joint angles.
/// Link 0 is the base; joint i turns link i + 1 and all beyond it. Real-time, except where a shape is made.
namespace nightshift::safety {

inline constexpr int kLinksMax = core::kAxesMax + 1;
inline constexpr int kArmCapsulesMax = 16;

/// A revolute joint. With every joint at its `zero_rad` all links' axes are parallel to the base's, so that positions
/// and directions can be read off a drawing of the arm in that pose.
struct ArmJoint {
  core::Vec3 origin_m;       // A point of the axis, from the origin of the link before.
  core::Vec3 axis{0, 0, 1};  // Unit length.
  double zero_rad = 0;
};

struct ArmCapsule {
  int link = 0;
  Capsule shape;  // In the link's own frame, whose origin is that of its joint.
};

struct ArmShape {
  int joints = 0;
  std::array<ArmJoint, core::kAxesMax> joint{};
  int capsules = 0;
  std::array<ArmCapsule, kArmCapsulesMax> capsule{};
};

/// Capsules of the five-joint arm with gripper: their places in ArmShape::capsule.
enum ArmPart { kBasePart, kPanPart, kUpperPart, kForearmPart, kWristPart, kPalmPart, kFixedFingerPart, kJawPart };

/// The arm of core::ForwardKinematics with its gripper. Around every solid part of configs/cell/tabletop.xml; thicker
/// than them by up to 9 mm at the boxes (palm, pan), 4 mm past the fingers' ends, and a round cap on the base.
ArmShape ShapeOf(const core::ArmGeometry& arm);

/// How far, at most, an axis point of capsule `capsule` can be from the axis of joint `joint`, in any pose: metres of
/// travel per radian. Zero if the joint does not move it.
double ReachM(const ArmShape& shape, int capsule, int joint);

struct LinkFrame {
  Axes axes;
  core::Vec3 origin_m;
};

/// A chain in one pose. Keeps what it worked out: links before the first joint that has turned stay as they are.
/// Thread: one. `shape` must outlive it.
class ArmPose {
 public:
  explicit ArmPose(const ArmShape& shape);

  /// Entries of `q_rad` beyond the shape's joints are ignored; what is not a number comes out as not a number.
  void MoveTo(const core::AxisArray& q_rad);

  const LinkFrame& link(int index) const { return links_[static_cast<std::size_t>(index)]; }
  const Capsule& capsule(int index) const { return capsules_[static_cast<std::size_t>(index)]; }

 private:
  void Place(std::size_t capsule);

  const ArmShape& shape_;
  core::AxisArray q_rad_;
  std::array<LinkFrame, kLinksMax> links_;
  std::array<Capsule, kArmCapsulesMax> capsules_;
};

}  // namespace nightshift::safety
