// SPDX-License-Identifier: Apache-2.0
#include "safety/filter.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "safety/checks/proposal.h"

namespace nightshift::safety {
namespace {

using core::AxisArray;
using core::LimitId;
using core::StopCause;
using core::Verdict;

constexpr std::array kShares{1.0, 0.5, 0.25, 0.125};  // Of a motion whose stop would leave the workspace; then none.
constexpr double kRoundingM = 1e-9;                   // The stop ends on the wall itself, give or take rounding.
constexpr double kRelaxWaitMaxS = 0.5;                // For an arm that never quite rests, against what it may push.
constexpr double kReachedRad = 0.02;  // A target missed by more than this (4 mm at the tip) was limited.

LimitId LimitOf(StopCause cause) {
  switch (cause) {
    case StopCause::kNone:
    case StopCause::kStall:
    case StopCause::kHot:
    case StopCause::kRestarted:
    case StopCause::kOperator: return LimitId::kLatched;
    case StopCause::kNoCommand: return LimitId::kNoCommand;
    case StopCause::kTrackingError: return LimitId::kTrackingError;
    case StopCause::kDriverLost: return LimitId::kNoState;
  }
  return LimitId::kLatched;
}

/// Does the arm have to stop pushing against what it is stopped by?
bool Relaxes(StopCause cause) {
  return cause == StopCause::kStall || cause == StopCause::kTrackingError || cause == StopCause::kDriverLost;
}

std::size_t At(int axis) { return static_cast<std::size_t>(axis); }

}  // namespace

Filter::Filter(const Limits& limits, Monitor::Seed seed)
    : limits_(limits), tick_s_(core::ToSeconds(limits.control_period)), monitor_(limits, seed), stall_(limits) {}

Judgement Filter::Judge(const core::JointState& seen, const std::optional<core::ProposedAction>& wanted,
                        core::Instant now) {
  const auto last_sequence = seen_ ? std::optional(seen_->sequence) : std::nullopt;
  if (!IsUsable(seen, limits_.axes, last_sequence)) return JudgeBlind(now);
  finding_ = {};
  blind_ticks_ = 0;
  seen_ = seen;
  Watch(seen);
  if (wanted) Consider(*wanted, now);
  WatchDeadline(now);
  Advance(now);
  return Conclude();
}

Judgement Filter::JudgeBlind(core::Instant now) {
  finding_ = {};
  blind_ticks_ = std::min(blind_ticks_ + 1, limits_.blind_ticks_max + 1);
  if (blind_ticks_ > limits_.blind_ticks_max) Raise(StopCause::kDriverLost);
  WatchDeadline(now);
  Note({.verdict = Verdict::kStopped, .limit = LimitId::kNoState});
  motion_ = Braked(motion_, At(limits_.axes));
  return Conclude();
}

void Filter::Withdraw() {
  const bool commanded = sequence_epoch_ == monitor_.epoch() && last_sequence_ > 0;
  if (commanded) monitor_.BumpEpoch();
  in_force_.reset();
}

Clearance Filter::Acknowledge(const Acknowledgement& ack, core::Instant now) {
  Readiness readiness = Readiness::kReady;
  if (!seen_ || blind_ticks_ > 0 || (!seen_->powered && !power_off_)) {
    readiness = Readiness::kNoReading;
  } else if (!Rests() || !IsAtRest(limits_, *seen_)) {
    readiness = Readiness::kNotAtRest;
  }
  const Clearance clearance = monitor_.Acknowledge(ack, readiness, now);
  if (clearance == Clearance::kCleared) relax_pending_ ? Relax(*seen_) : SeedFarOff(*seen_);
  return clearance;
}

void Filter::Raise(StopCause cause) {
  if (monitor_.has(cause)) return;
  monitor_.Raise(cause);
  in_force_.reset();
  relax_pending_ = relax_pending_ || Relaxes(cause);
  Note({.verdict = Verdict::kStopped, .limit = LimitOf(cause)});
}

void Filter::Watch(const core::JointState& seen) {
  WatchPower(seen);
  RelaxOnceAtRest(seen);
  if (IsHot(limits_, seen)) Raise(StopCause::kHot);
  if (monitor_.has(StopCause::kHot) && HasCooled(limits_, seen)) monitor_.Cooled();
  if (const auto excess = TrackingExcess(limits_, seen, motion_.q_rad)) {
    Raise(StopCause::kTrackingError);
    Note({Verdict::kStopped, LimitId::kTrackingError, excess->axis, excess->wanted, excess->allowed});
  }
  if (stall_.Spend(seen, motion_.q_rad)) Raise(StopCause::kStall);
}

/// Drives without torque may be anywhere: the setpoint is where they are, so that power comes back without a jump.
void Filter::WatchPower(const core::JointState& seen) {
  if (!seen.powered || seed_pending_) SeedAll(seen);
  if (seen.powered || power_off_) {
    was_powered_ = seen.powered;
    unpowered_ticks_ = 0;
    return;
  }
  unpowered_ticks_ = std::min(unpowered_ticks_ + 1, limits_.power_up_ticks_max + 1);
  if (was_powered_ || unpowered_ticks_ > limits_.power_up_ticks_max) Raise(StopCause::kDriverLost);
  was_powered_ = false;
}

void Filter::WatchDeadline(core::Instant now) {
  if (in_force_ && now > in_force_->action.deadline) Raise(StopCause::kNoCommand);
}

void Filter::Consider(const core::ProposedAction& wanted, core::Instant now) {
  if (monitor_.latched()) return Refuse({.limit = LimitId::kLatched});
  if (!seen_->powered) return Refuse({.limit = LimitId::kNoState});
  const core::Epoch epoch = monitor_.epoch();
  const std::uint64_t last = sequence_epoch_ == epoch ? last_sequence_ : 0;
  const LimitId fault = FaultOf(wanted, {.axes = limits_.axes, .epoch = epoch, .last_sequence = last, .now = now});
  if (fault == LimitId::kLate)
    return Refuse({.limit = fault, .wanted = core::ToSeconds(now), .allowed = core::ToSeconds(wanted.deadline)});
  if (fault != LimitId::kNone) return Refuse({.limit = fault});
  sequence_epoch_ = epoch;
  last_sequence_ = wanted.sequence;
  in_force_ = InForce{wanted, PeriodEnd(now, limits_.policy_period)};
  in_force_->action.deadline = std::min(wanted.deadline, now + limits_.command_deadline_max);
  in_force_->action.risk_scale = std::min(wanted.risk_scale, 1.0);
}

void Filter::Refuse(Finding finding) {
  ++proposals_refused_;
  finding.verdict = Verdict::kRefused;
  Note(finding);
}

/// The worse verdict stays; of equal ones the first, since what follows is often its consequence.
void Filter::Note(const Finding& finding) {
  if (finding.verdict > finding_.verdict) finding_ = finding;
}

void Filter::Advance(core::Instant now) {
  if (monitor_.latched()) Note({.verdict = Verdict::kStopped, .limit = LimitId::kLatched});
  if (in_force_) return Follow(now);
  motion_ = Braked(motion_, At(limits_.axes));
}

void Filter::Follow(core::Instant now) {
  const double outside_now_m = OutsideWorkspace(limits_, motion_.q_rad);
  const double outside_max_m = std::max(0.0, outside_now_m) + (outside_now_m > 0 ? 0 : kRoundingM);
  const AxisArray wanted = WantedVelocity(now);
  const Candidate whole = Next(wanted, outside_now_m);
  NoteJoints(whole, wanted);
  for (const double share : kShares) {
    AxisArray lowered = wanted;
    for (std::size_t i = 0; i < core::kJaw; ++i) lowered[i] *= share;
    const Candidate candidate = share == 1 ? whole : Next(lowered, outside_now_m);
    const double outside_m = OutsideWhileStopping(limits_, candidate.motion);
    if (outside_m <= outside_max_m) {
      motion_ = candidate.motion;
      return NoteShortfall(now);
    }
    Note({Verdict::kLimited, LimitId::kWorkspace, 0, outside_m, 0});
  }
  Note({Verdict::kRefused, LimitId::kWorkspace, 0, OutsideWhileStopping(limits_, whole.motion), 0});
  const ArmMotion stopping = Braked(motion_, core::kJaw);
  motion_ = whole.motion;  // The jaw moves on; it does not move the tip.
  for (std::size_t i = 0; i < core::kJaw; ++i) {
    motion_.q_rad[i] = stopping.q_rad[i];
    motion_.v_rad_s[i] = stopping.v_rad_s[i];
  }
}

/// Linear from here to the target over what is left of the period; after that, to the target and no farther.
AxisArray Filter::WantedVelocity(core::Instant now) const {
  const double left_s = std::max(0.0, core::ToSeconds(in_force_->period_end - now));
  const double ticks = std::max(1.0, std::round(left_s / tick_s_));
  AxisArray wanted{};
  for (std::size_t i = 0; i < At(limits_.axes); ++i) {
    const double gap = in_force_->action.target_q_rad[i] - motion_.q_rad[i];
    wanted[i] = gap / (ticks * tick_s_);
    const double arrive = BrakeableSpeed(std::abs(gap), limits_.acceleration_rad_s2_max[i], tick_s_);
    if (left_s <= 0) wanted[i] = std::clamp(wanted[i], -arrive, arrive);
  }
  return wanted;
}

Filter::Candidate Filter::Next(const AxisArray& wanted_rad_s, double outside_now_m) const {
  Candidate candidate{motion_, {}};
  for (std::size_t i = 0; i < At(limits_.axes); ++i) {
    const JointVerdict joint = LimitVelocity({motion_.q_rad[i], motion_.v_rad_s[i]}, wanted_rad_s[i],
                                             BoundsOf(i, i < core::kJaw && outside_now_m > kRoundingM));
    candidate.limit[i] = joint.limit;
    candidate.motion.v_rad_s[i] = joint.v_rad_s;
    candidate.motion.q_rad[i] += joint.v_rad_s * tick_s_;
  }
  return candidate;
}

JointBounds Filter::BoundsOf(std::size_t axis, bool escapes) const {
  double speed = limits_.speed_rad_s_max[axis];
  if (escapes) speed = std::min(speed, limits_.escape_speed_rad_s_max);
  return {.q_rad_min = limits_.q_rad_min[axis],
          .q_rad_max = limits_.q_rad_max[axis],
          .speed_rad_s_max = speed * (in_force_ ? in_force_->action.risk_scale : 1.0),
          .acceleration_rad_s2_max = limits_.acceleration_rad_s2_max[axis],
          .escape_speed_rad_s_max = limits_.escape_speed_rad_s_max,
          .tick_s = tick_s_};
}

void Filter::NoteJoints(const Candidate& candidate, const AxisArray& wanted_rad_s) {
  for (std::size_t i = 0; i < At(limits_.axes); ++i) {
    const double target = in_force_->action.target_q_rad[i];
    const auto axis = static_cast<int>(i);
    if (candidate.limit[i] == LimitId::kPosition && target > limits_.q_rad_max[i])
      Note({Verdict::kLimited, LimitId::kPosition, axis, target, limits_.q_rad_max[i]});
    if (candidate.limit[i] == LimitId::kPosition && target < limits_.q_rad_min[i])
      Note({Verdict::kLimited, LimitId::kPosition, axis, -target, -limits_.q_rad_min[i]});
    // The jaw is told to be open or closed, not to be so within one period.
    if (candidate.limit[i] == LimitId::kVelocity && axis != core::kJaw)
      Note({Verdict::kLimited, LimitId::kVelocity, axis, std::abs(wanted_rad_s[i]), limits_.speed_rad_s_max[i]});
  }
}

/// At the end of its period: was the acceleration too little to get there?
void Filter::NoteShortfall(core::Instant now) {
  if (now + limits_.control_period != in_force_->period_end) return;
  for (std::size_t i = 0; i < core::kJaw; ++i) {
    const double missed = std::abs(in_force_->action.target_q_rad[i] - motion_.q_rad[i]);
    if (missed > kReachedRad)
      Note({Verdict::kLimited, LimitId::kAcceleration, static_cast<int>(i), missed, kReachedRad});
  }
}

ArmMotion Filter::Braked(ArmMotion from, std::size_t axes) const {
  for (std::size_t i = 0; i < axes; ++i) {
    from.v_rad_s[i] = BrakedSpeed(from.v_rad_s[i], limits_.acceleration_rad_s2_max[i], tick_s_);
    from.q_rad[i] += from.v_rad_s[i] * tick_s_;
  }
  return from;
}

bool Filter::Rests() const {
  return std::all_of(motion_.v_rad_s.begin(), motion_.v_rad_s.end(), [](double v) { return v == 0; });
}

void Filter::SeedAll(const core::JointState& seen) {
  motion_ = {.q_rad = seen.q_rad, .v_rad_s = {}};
  seed_pending_ = false;
  relax_pending_ = false;
  stall_.Reset();
}

void Filter::SeedFarOff(const core::JointState& seen) {
  for (std::size_t i = 0; i < At(limits_.axes); ++i)
    if (std::abs(motion_.q_rad[i] - seen.q_rad[i]) > limits_.reseed_error_rad_max[i]) motion_.q_rad[i] = seen.q_rad[i];
  relax_pending_ = false;
  stall_.Reset();
}

/// The arm lags behind its command: where it is while it still moves is not where it comes to rest.
void Filter::RelaxOnceAtRest(const core::JointState& seen) {
  const bool waits = relax_pending_ && Rests();
  unrelaxed_ticks_ = waits ? unrelaxed_ticks_ + 1 : 0;
  if (waits && (IsAtRest(limits_, seen) || unrelaxed_ticks_ * tick_s_ > kRelaxWaitMaxS)) Relax(seen);
}

/// An axis that is off by little may push, too, and would go on where another has given way. The jaw holds on.
void Filter::Relax(const core::JointState& seen) {
  std::copy_n(seen.q_rad.begin(), core::kJaw, motion_.q_rad.begin());
  SeedFarOff(seen);
}

Judgement Filter::Conclude() {
  NIGHTSHIFT_CHECK(core::IsFinite(motion_.q_rad, limits_.axes));
  // Of an arm that was never seen nothing is known but that it must not be pulled anywhere.
  power_off_ = seed_pending_ || (monitor_.wants_power_off() && Rests());
  const auto power = power_off_ ? core::PowerMode::kOff : core::PowerMode::kHold;
  return {.action = core::SafeAction(limits_.axes, motion_.q_rad, power),
          .verdict = finding_.verdict,
          .limit = finding_.limit,
          .axis = finding_.axis,
          .wanted = finding_.wanted,
          .allowed = finding_.allowed,
          .sequence = in_force_ ? in_force_->action.sequence : 0};
}

}  // namespace nightshift::safety
