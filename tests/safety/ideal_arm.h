// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <optional>

#include "core/check.h"
#include "core/kinematics.h"
#include "safety/filter.h"

namespace nightshift::safety {

/// An arm that is always exactly where it was told to be, behind a filter, on a hand-driven clock.
class IdealArm {
 public:
  static constexpr core::Epoch kFirstEpoch = 100;
  static constexpr core::Vec3 kNear{0.21, 0.01, 0.095};  // One ordinary step from where it begins.

  /// After a clear at full speed at once: an inspection is a test's own subject, or in its way.
  enum class Inspects { kNo, kYes };

  explicit IdealArm(const Limits& given = {}, Inspects inspects = Inspects::kNo, const SafetyState& left = {})
      : limits(Prepared(given, inspects)),
        filter(limits, {.epoch = kFirstEpoch, .nonce_source = 7, .clears = left.clears}, left.spent) {
    // Over the tray, hand down.
    seen.axes = limits.axes;
    seen.q_rad = *core::InverseKinematics(limits.arm, {0.2, 0, 0.1}, 0);
    seen.temperature_c.fill(30);
    seen.powered = true;
  }

  /// One tick; the arm follows unless it is stuck.
  Judgement Tick(const std::optional<core::ProposedAction>& wanted = std::nullopt) {
    ++seen.sequence;
    seen.time = now;
    if (noisy) seen.current_a[core::kPan] = 0.1 + 1e-3 * static_cast<double>(seen.sequence % 2);
    if (before_tick) before_tick(filter);
    const Judgement judged = filter.Judge(seen, wanted, now);
    now += limits.control_period;
    if (judged.action.power() == core::PowerMode::kOff) {
      seen.powered = false;
      seen.dq_rad_s = {};
    } else {
      seen.powered = true;
      if (!stuck) seen.q_rad = judged.action.q_rad();
      seen.dq_rad_s = stuck ? drift_rad_s : filter.commanded_v_rad_s();
      for (std::size_t i = 0; stuck && i < seen.q_rad.size(); ++i)
        seen.q_rad[i] += drift_rad_s[i] * core::ToSeconds(limits.control_period);
    }
    return judged;
  }

  /// One tick in which the drives hold no torque, whatever they are told.
  Judgement TickUnpowered(const std::optional<core::ProposedAction>& wanted = std::nullopt) {
    ++seen.sequence;
    seen.powered = false;
    const Judgement judged = filter.Judge(seen, wanted, now);
    now += limits.control_period;
    return judged;
  }

  Judgement TickBlind() {
    const Judgement judged = filter.JudgeBlind(now);
    now += limits.control_period;
    return judged;
  }

  /// One policy period with a proposal at its beginning; the worst judgement.
  Judgement Period(const std::optional<core::ProposedAction>& wanted = std::nullopt) {
    Judgement worst = Tick(wanted);
    for (int tick = 1; tick < 25; ++tick) {
      const Judgement judged = Tick();
      if (judged.verdict > worst.verdict) worst = judged;
    }
    return worst;
  }

  void Ticks(int count) {
    for (int i = 0; i < count; ++i) Tick();
  }

  /// Acknowledges the latch that there is.
  Clearance Clear(ClearedBy by = ClearedBy::kPerson) {
    const auto latch = filter.latch();
    return filter.Acknowledge({.latch_id = latch.id, .nonce = latch.nonce, .by = by}, now);
  }

  /// From the start's latch to ready.
  void Arm() {
    Tick();
    NIGHTSHIFT_CHECK(Clear(ClearedBy::kSupervisor) == Clearance::kCleared);
    while (now.time_since_epoch() % limits.policy_period != core::Duration(0)) Tick();
  }

  core::ProposedAction Propose(const core::AxisArray& target) {
    return {.epoch = filter.latch().epoch,
            .sequence = ++sequence,
            .deadline = now + std::chrono::milliseconds(200),
            .axes = limits.axes,
            .target_q_rad = target};
  }
  core::ProposedAction ProposeTip(core::Vec3 tip) { return Propose(*core::InverseKinematics(limits.arm, tip, 0)); }

  core::Vec3 tip() const { return core::ForwardKinematics(limits.arm, filter.commanded_q_rad()).position_m; }

  static Limits Prepared(Limits limits, Inspects inspects) {
    if (inspects == Inspects::kNo) limits.inspection_speed_share = 1;
    return limits;
  }

  Limits limits;
  Filter filter;
  core::JointState seen;
  core::Instant now{};
  std::uint64_t sequence = 0;
  bool stuck = false;
  bool noisy = true;                         // As sensors are.
  core::AxisArray drift_rad_s{};             // How it moves all the same while it is stuck.
  std::function<void(Filter&)> before_tick;  // What else the filter hears.
};

}  // namespace nightshift::safety
