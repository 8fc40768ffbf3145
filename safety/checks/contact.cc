// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/contact.h"

#include <algorithm>
#include <cmath>

namespace nightshift::safety {
namespace {

using core::AxisArray;
using core::Vec3;

constexpr double kBelievedShare = 2;  // Of a drive's torque, what a reading may say.

/// Do position and speed tell of the same motion?
bool Agree(const core::JointState& before, const core::JointState& seen, double tick_s) {
  for (std::size_t i = 0; i < core::kArmAxes; ++i) {
    const double moved_rad = (before.dq_rad_s[i] + seen.dq_rad_s[i]) / 2 * tick_s;
    if (!(std::abs(seen.q_rad[i] - before.q_rad[i] - moved_rad) <= TorqueResidual::kDisagreeRad)) return false;
  }
  return true;
}

bool Follows(const core::JointState& before, const core::JointState& seen, double tick_s) {
  return std::abs(core::ToSeconds(seen.time - before.time) - tick_s) < tick_s / 2;
}

}  // namespace

TorqueResidual::TorqueResidual(const Limits& limits)
    : dynamics_(limits),
      torque_nm_max_(limits.torque_nm_max),
      tick_s_(core::ToSeconds(limits.control_period)),
      time_constant_s_(core::ToSeconds(limits.contact_time_constant)) {}

void TorqueResidual::Look(const core::JointState& seen) {
  const bool usable = last_ && Follows(*last_, seen, tick_s_) && Agree(*last_, seen, tick_s_);
  if (usable) {
    JointMotion motion{.q_rad = seen.q_rad, .dq_rad_s = seen.dq_rad_s};
    for (std::size_t i = 0; i < core::kArmAxes; ++i)
      motion.ddq_rad_s2[i] = (seen.dq_rad_s[i] - last_->dq_rad_s[i]) / tick_s_;
    const AxisArray model_nm = dynamics_.TorqueNm(motion, 0), friction_nm = dynamics_.FrictionNm(seen.dq_rad_s);
    for (std::size_t i = 0; i < core::kArmAxes; ++i) {
      const double believed_nm = kBelievedShare * torque_nm_max_[i];
      const double now_nm = std::clamp(seen.torque_nm[i] - model_nm[i] - friction_nm[i], -believed_nm, believed_nm);
      residual_nm_[i] += (now_nm - residual_nm_[i]) * tick_s_ / (time_constant_s_ + tick_s_);
    }
  }
  last_ = seen;
}

ContactWatch::ContactWatch(const Limits& limits)
    : limits_(limits), tick_s_(core::ToSeconds(limits.control_period)), dynamics_(limits), residual_(limits) {}

void ContactWatch::KnowPresent() {
  present_known_ = true;
  free_s_ = 0;
}

std::optional<ContactFinding> ContactWatch::Look(const core::JointState& seen) {
  if (!seen.powered) {
    residual_.Reset();
    KnowPresent();
    return std::nullopt;
  }
  residual_.Look(seen);
  const Grasp grasp = dynamics_.GraspAt(seen.q_rad);
  const AxisArray unexplained_nm = UnexplainedNm(grasp);
  const auto touching = Touching(unexplained_nm, seen.dq_rad_s);
  if (touching && InZone(grasp.position_m)) KnowPresent();
  free_s_ = touching ? 0 : free_s_ + tick_s_;
  present_known_ = present_known_ && free_s_ < kFreeS;
  if (limits_.contact_zones.empty()) return std::nullopt;
  return present_known_ ? Pressing(unexplained_nm, grasp) : touching;
}

AxisArray ContactWatch::UnexplainedNm(const Grasp& grasp) const {
  AxisArray unexplained_nm{};
  for (std::size_t i = 0; i < core::kJaw; ++i) {
    const double held_nm = limits_.payload_kg_max * ArmDynamics::kGravityMS2 * grasp.m_rad[i].z;
    const double seen_nm = residual_.nm()[i];
    unexplained_nm[i] = seen_nm - std::clamp(seen_nm, std::min(0.0, held_nm), std::max(0.0, held_nm));
  }
  return unexplained_nm;
}

bool ContactWatch::InZone(Vec3 at) const {
  return std::any_of(limits_.contact_zones.begin(), limits_.contact_zones.end(), [&](const ContactZone& zone) {
    const Vec3 low = zone.min_m, high = zone.max_m;
    return at.x >= low.x && at.x <= high.x && at.y >= low.y && at.y <= high.y && at.z >= low.z && at.z <= high.z;
  });
}

/// The first joint whose torque is more than model and readings can be wrong by at its speed.
std::optional<ContactFinding> ContactWatch::Touching(const AxisArray& unexplained_nm, const AxisArray& dq_rad_s) const {
  for (std::size_t i = 0; i < core::kJaw; ++i) {
    const double nm = std::abs(unexplained_nm[i]);
    const double allowed_nm = limits_.contact_nm_max[i] + limits_.contact_nm_s_rad[i] * std::abs(dq_rad_s[i]);
    if (!(nm <= allowed_nm)) return ContactFinding{static_cast<int>(i), nm, allowed_nm};
  }
  return std::nullopt;
}

HandForce ContactWatch::ForceN(const AxisArray& unexplained_nm, const Grasp& grasp) {
  HandForce most;
  for (std::size_t i = 0; i < core::kJaw; ++i) {
    const double n = std::abs(unexplained_nm[i]) / std::max(kLeverMMin, core::Norm(grasp.m_rad[i]));
    if (n > most.n) most = {static_cast<int>(i), n};
  }
  return most;
}

std::optional<ContactFinding> ContactWatch::Pressing(const AxisArray& unexplained_nm, const Grasp& grasp) const {
  const HandForce force = ForceN(unexplained_nm, grasp);
  if (force.n <= limits_.contact_force_n_max) return std::nullopt;
  return ContactFinding{force.axis, force.n, limits_.contact_force_n_max};
}

}  // namespace nightshift::safety
