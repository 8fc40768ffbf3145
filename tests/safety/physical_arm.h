// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <optional>
#include <vector>

#include "core/check.h"
#include "safety/filter.h"
#include "tests/safety/cell_physics.h"

namespace nightshift::safety {

/// An arm of flesh, as it were: the physics engine's, with the servo loops of the cell's drives, behind a filter. Here
/// the drives' torque is what it is, and what stands in the way pushes back.
class PhysicalArm {
 public:
  explicit PhysicalArm(const Limits& given, const std::vector<tests::CellPhysics::Change>& changes = {})
      : physics(changes), limits(given), filter(given, {.epoch = 100, .nonce_source = 7}) {}

  /// Where it is, at rest, with nothing asked of it yet.
  void Begin(const core::AxisArray& q_rad) {
    physics.Set(q_rad, {});
    Ticks(50);  // Power comes, the arm sags a little, and rests.
    NIGHTSHIFT_CHECK(Clear(ClearedBy::kSupervisor) == Clearance::kCleared);
  }

  Judgement Tick(const std::optional<core::ProposedAction>& wanted = std::nullopt) {
    seen.time = now;
    ++seen.sequence;
    seen.axes = limits.axes;
    seen.q_rad = physics.q_rad();
    seen.dq_rad_s = physics.dq_rad_s();
    seen.temperature_c.fill(30);
    const Judgement judged = filter.Judge(seen, wanted, now);
    now += limits.control_period;
    seen.powered = !power_is_cut && judged.action.power() == core::PowerMode::kHold;
    for (std::size_t i = 0; i < core::kArmAxes; ++i) {
      const double servo_nm = kStiffnessNmRad[i] * (judged.action.q_rad()[i] - seen.q_rad[i]);
      seen.torque_nm[i] = seen.powered ? std::clamp(servo_nm, -torque_nm_max[i], torque_nm_max[i]) : 0;
    }
    physics.Step(seen.torque_nm);
    return judged;
  }
  void Ticks(int count) {
    for (int i = 0; i < count; ++i) Tick();
  }

  /// A proposal at the beginning of a policy period.
  core::ProposedAction Propose(const core::AxisArray& target_q_rad) {
    return {.epoch = filter.latch().epoch,
            .sequence = ++sequence,
            .deadline = now + std::chrono::milliseconds(200),
            .axes = limits.axes,
            .target_q_rad = target_q_rad};
  }

  Clearance Clear(ClearedBy by) {
    const auto latch = filter.latch();
    return filter.Acknowledge({.latch_id = latch.id, .nonce = latch.nonce, .by = by}, now);
  }

  tests::CellPhysics physics;
  Limits limits;
  Filter filter;
  core::JointState seen;  // As it was read in the last tick; the torque is what acts since then.
  core::Instant now{};
  std::uint64_t sequence = 0;
  bool power_is_cut = false;
  core::AxisArray torque_nm_max = kTorqueNmMax;  // What the drives are really set to.

  // As io/robot/cell/cell_config.h has them.
  static constexpr core::AxisArray kStiffnessNmRad{25, 25, 25, 15, 15, 1.5};
  static constexpr core::AxisArray kTorqueNmMax{2.5, 2.5, 2.5, 2.5, 2.5, 0.25};
};

}  // namespace nightshift::safety
