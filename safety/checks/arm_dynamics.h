// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>

#include "core/kinematics.h"
#include "core/observation.h"
#include "safety/checks/arm_shape.h"
#include "safety/config.h"

/// What torques the arm needs to move as it does: weight, inertia, friction. Rigid links on stiff joints; what the hand
/// holds is a point mass at the grasp point.
namespace nightshift::safety {

struct JointMotion {
  core::AxisArray q_rad{}, dq_rad_s{}, ddq_rad_s2{};
};

/// The grasp point in the base's frame.
struct Grasp {
  core::Vec3 position_m;
  std::array<core::Vec3, core::kArmAxes> m_rad{};  // How far it goes per radian of each joint.
};

/// Inverse dynamics of the five-joint arm with its gripper, by the recursive Newton-Euler method (Luh, Walker, Paul
/// 1980) over the chain of ShapeOf. Agrees with MuJoCo's of the cell's model to 1e-6 Nm.
/// Threads: const after construction; any thread may ask. Real-time: no lock, no allocation; a microsecond.
class ArmDynamics {
 public:
  /// @param limits already validated. Copies what it needs.
  explicit ArmDynamics(const Limits& limits);

  /// Torque of each joint that brings the motion about, friction apart: M(q) ddq + C(q, dq) dq + g(q), rotors included.
  core::AxisArray TorqueNm(const JointMotion& motion, double payload_kg) const;

  /// What friction takes at a speed: viscous, and Coulomb, which comes in over kSlidingRadS either side of rest.
  core::AxisArray FrictionNm(const core::AxisArray& dq_rad_s) const;

  /// Torque that holds still.
  core::AxisArray GravityNm(const core::AxisArray& q_rad, double payload_kg) const {
    return TorqueNm({.q_rad = q_rad}, payload_kg);
  }

  /// Column `joint` of the mass matrix: torque of each joint per acceleration of that one.
  core::AxisArray InertiaKgM2(const core::AxisArray& q_rad, int joint, double payload_kg) const;

  /// A force on the grasp point asks of joint i for the torque -Dot(force, m_rad[i]).
  Grasp GraspAt(const core::AxisArray& q_rad) const;

  static constexpr double kGravityMS2 = 9.81;
  static constexpr double kSlidingRadS = 0.01;  // Slower than any motion that is meant.

 private:
  /// A link with all that is fixed to it, about its joint: mass, mass times centre, and moments of inertia.
  struct Body {
    double kg = 0;
    core::Vec3 kg_m;
    double xx = 0, yy = 0, zz = 0, xy = 0, xz = 0, yz = 0;

    void Add(double mass_kg, core::Vec3 centre_m, core::Vec3 inertia_kg_m2);
    core::Vec3 Momentum(core::Vec3 turn) const;
  };
  core::AxisArray Torque(const JointMotion& motion, double gravity_m_s2, double payload_kg) const;

  ArmShape shape_;
  core::Vec3 grasp_m_;  // In the hand's frame.
  std::array<Body, core::kArmAxes> body_{};
  core::AxisArray rotor_kg_m2_, viscous_nm_s_rad_, coulomb_nm_;
};

}  // namespace nightshift::safety
