// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/arm_dynamics.h"

#include <algorithm>
#include <cmath>

namespace nightshift::safety {
namespace {

using core::AxisArray;
using core::Vec3;

constexpr std::size_t kHand = core::kRoll;  // The joint that carries what the hand holds.

/// The child's axes, seen from its parent, once the joint has turned.
Axes TurnedAxes(const ArmJoint& joint, double q_rad) {
  const double angle = q_rad - joint.zero_rad, c = std::cos(angle), s = std::sin(angle);
  const Vec3 u = joint.axis;
  const auto turn = [&](Vec3 v) { return v * c + Cross(u, v) * s + u * (Dot(u, v) * (1 - c)); };
  return {turn({1, 0, 0}), turn({0, 1, 0}), turn({0, 0, 1})};
}

/// The components along `axes` of a vector: the inverse of Turn.
Vec3 Seen(const Axes& axes, Vec3 v) { return {Dot(axes.x, v), Dot(axes.y, v), Dot(axes.z, v)}; }

struct LinkMotion {
  Axes axes;  // In the parent's.
  Vec3 turn_rad_s, turn_rad_s2, origin_m_s2;
};

}  // namespace

void ArmDynamics::Body::Add(double mass_kg, Vec3 c, Vec3 inertia_kg_m2) {
  kg += mass_kg;
  kg_m = kg_m + c * mass_kg;
  xx += inertia_kg_m2.x + mass_kg * (c.y * c.y + c.z * c.z);
  yy += inertia_kg_m2.y + mass_kg * (c.x * c.x + c.z * c.z);
  zz += inertia_kg_m2.z + mass_kg * (c.x * c.x + c.y * c.y);
  xy -= mass_kg * c.x * c.y;
  xz -= mass_kg * c.x * c.z;
  yz -= mass_kg * c.y * c.z;
}

Vec3 ArmDynamics::Body::Momentum(Vec3 w) const {
  return {xx * w.x + xy * w.y + xz * w.z, xy * w.x + yy * w.y + yz * w.z, xz * w.x + yz * w.y + zz * w.z};
}

ArmDynamics::ArmDynamics(const Limits& limits)
    : shape_(ShapeOf(limits.arm)),
      grasp_m_{0, limits.arm.grasp_offset_m, limits.arm.hand_m},
      rotor_kg_m2_(limits.rotor_kg_m2),
      viscous_nm_s_rad_(limits.viscous_nm_s_rad),
      coulomb_nm_(limits.coulomb_nm) {
  for (const MassPart& part : limits.masses)
    body_[static_cast<std::size_t>(part.moved_by)].Add(part.mass_kg, part.centre_m, part.inertia_kg_m2);
}

AxisArray ArmDynamics::TorqueNm(const JointMotion& motion, double payload_kg) const {
  return Torque(motion, kGravityMS2, payload_kg);
}

AxisArray ArmDynamics::InertiaKgM2(const AxisArray& q_rad, int joint, double payload_kg) const {
  JointMotion motion{.q_rad = q_rad};
  motion.ddq_rad_s2[static_cast<std::size_t>(joint)] = 1;
  return Torque(motion, 0, payload_kg);
}

AxisArray ArmDynamics::FrictionNm(const AxisArray& dq_rad_s) const {
  AxisArray friction_nm{};
  for (std::size_t i = 0; i < core::kArmAxes; ++i)
    friction_nm[i] =
        viscous_nm_s_rad_[i] * dq_rad_s[i] + coulomb_nm_[i] * std::clamp(dq_rad_s[i] / kSlidingRadS, -1.0, 1.0);
  return friction_nm;
}

Grasp ArmDynamics::GraspAt(const AxisArray& q_rad) const {
  std::array<Vec3, core::kArmAxes> origin_m{}, axis{};
  Axes axes;
  Vec3 at_m;
  Grasp grasp;
  for (std::size_t i = 0; i < core::kArmAxes; ++i) {
    const ArmJoint& joint = shape_.joint[i];
    const Axes turned = TurnedAxes(joint, q_rad[i]);
    origin_m[i] = at_m = at_m + Turn(axes, joint.origin_m);
    axis[i] = Turn(axes, joint.axis);
    axes = {Turn(axes, turned.x), Turn(axes, turned.y), Turn(axes, turned.z)};
    if (i == kHand) grasp.position_m = at_m + Turn(axes, grasp_m_);
  }
  for (std::size_t i = 0; i <= kHand; ++i) grasp.m_rad[i] = Cross(axis[i], grasp.position_m - origin_m[i]);
  return grasp;
}

/// Outward: how each link turns and its origin is accelerated, weight being an acceleration upward. Inward: force and
/// moment that it and all beyond it need.
AxisArray ArmDynamics::Torque(const JointMotion& motion, double gravity_m_s2, double payload_kg) const {
  std::array<LinkMotion, core::kArmAxes> links;
  LinkMotion base;
  base.origin_m_s2 = {0, 0, gravity_m_s2};
  for (std::size_t i = 0; i < core::kArmAxes; ++i) {
    const LinkMotion& before = i == 0 ? base : links[i - 1];
    const ArmJoint& joint = shape_.joint[i];
    LinkMotion& link = links[i];
    link.axes = TurnedAxes(joint, motion.q_rad[i]);
    const Vec3 carried = Seen(link.axes, before.turn_rad_s), own = joint.axis * motion.dq_rad_s[i];
    link.turn_rad_s = carried + own;
    link.turn_rad_s2 = Seen(link.axes, before.turn_rad_s2) + joint.axis * motion.ddq_rad_s2[i] + Cross(carried, own);
    const Vec3 swing = Cross(before.turn_rad_s, Cross(before.turn_rad_s, joint.origin_m));
    link.origin_m_s2 = Seen(link.axes, before.origin_m_s2 + Cross(before.turn_rad_s2, joint.origin_m) + swing);
  }
  AxisArray torque_nm{};
  Vec3 force_n, moment_nm;  // Of what is beyond, in the frame of the link it hangs on.
  for (std::size_t i = core::kArmAxes; i-- > 0;) {
    const LinkMotion& link = links[i];
    Body body = body_[i];
    if (i == kHand) body.Add(payload_kg, grasp_m_, {});
    const Vec3 w = link.turn_rad_s, dw = link.turn_rad_s2;
    force_n = force_n + link.origin_m_s2 * body.kg + Cross(dw, body.kg_m) + Cross(w, Cross(w, body.kg_m));
    moment_nm = moment_nm + body.Momentum(dw) + Cross(w, body.Momentum(w)) + Cross(body.kg_m, link.origin_m_s2);
    const ArmJoint& joint = shape_.joint[i];
    torque_nm[i] = Dot(moment_nm, joint.axis) + rotor_kg_m2_[i] * motion.ddq_rad_s2[i];
    force_n = Turn(link.axes, force_n);
    moment_nm = Turn(link.axes, moment_nm) + Cross(joint.origin_m, force_n);
  }
  return torque_nm;
}

}  // namespace nightshift::safety
