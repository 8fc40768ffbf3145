// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "safety/checks/arm_dynamics.h"
#include "safety/config.h"

/// Hazard: the arm presses against what it should not touch: a person, a cable, whatever stands where nothing should.
/// Told by torque that neither weight nor motion nor friction explains.
namespace nightshift::safety {

/// Torque of each joint that the model of the arm does not explain, as one low-pass filter sees it.
///
/// The acceleration is that of the measured speeds, not the commanded one: servos of this kind lag by 40 ms, which
/// would look like 1 Nm in ordinary motion. Differences of speed are noisy; filtered they are no noisier than the
/// momentum observer (De Luca 2003), of which this is the discrete form for a mass matrix that changes slowly.
/// Thread: control thread only. Real-time: no lock, no allocation; a microsecond.
class TorqueResidual {
 public:
  explicit TorqueResidual(const Limits& limits);

  /// One tick, from the torque that acted since the reading before. Readings that do not follow upon each other are
  /// passed over; so are those whose positions and speeds contradict each other, and torque counts as no more than
  /// twice what the drives are set to: one garbled reading is no contact.
  void Look(const core::JointState& seen);
  void Reset() { residual_nm_ = {}; }

  const core::AxisArray& nm() const { return residual_nm_; }

  static constexpr double kDisagreeRad = 0.03;  // Ten encoder steps either way and a tick at 2.5 rad/s.

 private:
  ArmDynamics dynamics_;
  core::AxisArray torque_nm_max_;
  double tick_s_, time_constant_s_;
  std::optional<core::JointState> last_;
  core::AxisArray residual_nm_{};
};

/// What the arm presses with.
struct ContactFinding {
  int axis = 0;                    // Whose torque says so.
  double wanted = 0, allowed = 0;  // Nm of that axis; in a zone, N.
};

/// A force on the hand, as told by one joint's torque.
struct HandForce {
  int axis = 0;
  double n = 0;
};

/// Watches one arm. Off while no zones are configured: then any contact would be one that nothing explains.
/// Thread: control thread only. Real-time.
class ContactWatch {
 public:
  explicit ContactWatch(const Limits& limits);

  /// One tick; what the arm must stop for, if anything.
  std::optional<ContactFinding> Look(const core::JointState& seen);

  /// Whatever the arm lies on or leans against now is known: until it has come free of it once, only force counts.
  /// So after power was off, when it has sunk onto what is under it, after a person has looked, and when the grasp
  /// point leaves a zone.
  void KnowPresent();

  bool InZone(core::Vec3 grasp_m) const;
  const core::AxisArray& residual_nm() const { return residual_.nm(); }
  /// What is left when the hand holds whatever it may: any payload from none to the largest. The jaw's is none.
  core::AxisArray UnexplainedNm(const Grasp& grasp) const;
  /// The least force on the hand that would take so much torque: of each joint alone, with its whole lever.
  static HandForce ForceN(const core::AxisArray& unexplained_nm, const Grasp& grasp);

  static constexpr double kFreeS = 0.2;      // Below all thresholds for so long: it has come free.
  static constexpr double kLeverMMin = 0.1;  // Of a force on the hand, which is as long: fingers reach past its axes.

 private:
  std::optional<ContactFinding> Touching(const core::AxisArray& unexplained_nm, const core::AxisArray& dq_rad_s) const;
  std::optional<ContactFinding> Pressing(const core::AxisArray& unexplained_nm, const Grasp& grasp) const;

  Limits limits_;
  double tick_s_;
  ArmDynamics dynamics_;
  TorqueResidual residual_;
  double free_s_ = 0;
  bool present_known_ = true;
};

}  // namespace nightshift::safety
