// SPDX-License-Identifier: Apache-2.0
#include "safety/filter.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "safety/checks/proposal.h"
#include "safety/checks/strain.h"

namespace nightshift::safety {
namespace {

using core::AxisArray;
using core::LimitId;
using core::StopCause;
using core::Verdict;

constexpr std::array kShares{1.0, 0.5, 0.25, 0.125};  // Of a motion whose stop would leave the workspace; then none.
constexpr double kRelaxWaitMaxS = 0.5;                // For an arm that never quite rests, against what it may push.
constexpr double kBeginS = 0.05;      // Of a period, in which what is too far is too fast; later it is a shortfall.
constexpr double kReachedRad = 0.02;  // A target missed by more than this (4 mm at the tip) was limited.

LimitId LimitOf(StopCause cause) {
  switch (cause) {
    case StopCause::kNone:
    case StopCause::kOverrun:
    case StopCause::kStall:
    case StopCause::kRestarted:
    case StopCause::kOperator: return LimitId::kLatched;
    case StopCause::kNoCommand: return LimitId::kNoCommand;
    case StopCause::kPersonNear: return LimitId::kPersonNear;
    case StopCause::kHot: return LimitId::kTemperature;
    case StopCause::kWorn: return LimitId::kWear;
    case StopCause::kContact: return LimitId::kContact;
    case StopCause::kTrackingError: return LimitId::kTrackingError;
    case StopCause::kDriverLost: return LimitId::kNoState;
  }
  return LimitId::kLatched;
}

/// Does the arm have to stop pushing against what it is stopped by?
bool Relaxes(StopCause cause) {
  return cause == StopCause::kStall || cause == StopCause::kTrackingError || cause == StopCause::kDriverLost ||
         cause == StopCause::kContact || cause == StopCause::kOverrun;
}

std::size_t At(int axis) { return static_cast<std::size_t>(axis); }

}  // namespace

Filter::Filter(const Limits& limits, Monitor::Seed seed, const SpentBudgets& spent)
    : limits_(limits),
      tick_s_(core::ToSeconds(limits.control_period)),
      path_(limits),
      monitor_(limits, seed),
      stall_(limits),
      astray_(limits),
      contact_(limits),
      grip_limit_(limits),
      heat_(limits, spent.heat),
      wear_(limits, spent.wear),
      continuity_(limits),
      person_(limits) {}

Judgement Filter::Judge(const core::JointState& seen, const std::optional<core::ProposedAction>& wanted,
                        core::Instant now) {
  const auto last_sequence = seen_ ? std::optional(seen_->sequence) : std::nullopt;
  silent_ticks_ = 0;
  const bool usable = IsUsable(limits_, seen, last_sequence) && !frozen_.Look(seen, motion_.v_rad_s, tick_s_);
  if (!usable || !continuity_.Believe(seen, now)) return Blind(now);
  finding_ = {};
  blind_ticks_ = 0;
  seen_ = seen;
  WatchTouch(seen);
  WatchBudgets(seen, now);
  Watch(seen);
  WatchPerson(now);
  if (wanted) Consider(*wanted, now);
  WatchDeadline(now);
  Advance(now);
  return Conclude();
}

Judgement Filter::JudgeBlind(core::Instant now) {
  silent_ticks_ = std::min(silent_ticks_ + 1, limits_.blind_ticks_max + 1);
  if (silent_ticks_ > limits_.blind_ticks_max) continuity_.Forget();
  return Blind(now);
}

Judgement Filter::Blind(core::Instant now) {
  finding_ = {};
  blind_ticks_ = std::min(blind_ticks_ + 1, limits_.blind_ticks_max + 1);
  if (blind_ticks_ > limits_.blind_ticks_max) Raise(StopCause::kDriverLost);
  WatchPerson(now);
  WatchDeadline(now);
  Note({.verdict = Verdict::kStopped, .limit = LimitId::kNoState});
  Brake(At(limits_.axes));
  return Conclude();
}

Judgement Filter::JudgeMissed(core::Instant now) {
  finding_ = {};
  const bool blind = !seen_ || blind_ticks_ > 0;
  if (!blind) Watch(*seen_);
  WatchPerson(now);
  WatchDeadline(now);
  blind ? Brake(At(limits_.axes)) : Advance(now);
  return Conclude();
}

void Filter::Overran() {
  for (std::size_t i = 0; i < At(limits_.axes); ++i) RestAt(i, motion_.q_rad[i]);
  // Drives may have let go meanwhile, and the arm may have sunk or been pushed anywhere. A jump that was there before
  // stays a person's to judge.
  if (!continuity_.jumped()) continuity_.Forget();
  Raise(StopCause::kOverrun);
}

void Filter::Sent(bool reached) {
  unsent_ticks_ = reached ? 0 : std::min(unsent_ticks_ + 1, limits_.blind_ticks_max + 1);
  if (unsent_ticks_ > limits_.blind_ticks_max) Raise(StopCause::kDriverLost);
}

void Filter::Withdraw() {
  const bool commanded = sequence_epoch_ == monitor_.epoch() && last_sequence_ > 0;
  if (commanded) monitor_.BumpEpoch();
  in_force_.reset();
}

Clearance Filter::Acknowledge(const Acknowledgement& ack, core::Instant now) {
  Readiness readiness = Readiness::kReady;
  if (continuity_.jumped() && ack.by == ClearedBy::kPerson && monitor_.Accepts(ack, now)) {
    seen_ = continuity_.Insist(now);
    blind_ticks_ = 0;
  }
  if (continuity_.jumped()) {
    readiness = Readiness::kJumped;
  } else if (!seen_ || blind_ticks_ > 0 || unsent_ticks_ > 0 || (!seen_->powered && !power_off_)) {
    readiness = Readiness::kNoReading;
  } else if (!Rests() || !IsAtRest(limits_, *seen_)) {
    readiness = Readiness::kNotAtRest;
  }
  const bool touches = monitor_.has(StopCause::kContact);
  const Clearance clearance = monitor_.Acknowledge(ack, readiness, now);
  if (clearance == Clearance::kCleared && touches) contact_.KnowPresent();
  if (clearance == Clearance::kCleared) SeedForGoingOn();
  return clearance;
}

/// Readings that have jumped are a person's to believe, whatever the cause.
core::LatchReport Filter::latch() const {
  core::LatchReport report = monitor_.report();
  report.needs_person = report.needs_person || (report.latched() && continuity_.jumped());
  return report;
}

/// What the arm was pushed by while it stood must not make it spring back.
void Filter::SeedForGoingOn() { relax_pending_ ? Relax(*seen_) : SeedFarOff(*seen_); }

void Filter::Raise(StopCause cause) {
  if (monitor_.has(cause) && cause != StopCause::kOperator) return;
  monitor_.Raise(cause);
  in_force_.reset();
  relax_pending_ = relax_pending_ || Relaxes(cause);
  Note({.verdict = Verdict::kStopped, .limit = LimitOf(cause)});
}

void Filter::Watch(const core::JointState& seen) {
  WatchPower(seen);
  RelaxOnceAtRest(seen);
  if (IsHot(limits_, seen)) Raise(StopCause::kHot);
  const bool still = !seen.powered || (Rests() && IsAtRest(limits_, seen));
  if (still && HasCooled(limits_, seen) && heat_.HasCooled()) GoOnWithout(StopCause::kHot);
  WatchFollowing(seen);
}

void Filter::WatchFollowing(const core::JointState& seen) {
  if (const auto excess = TrackingExcess(limits_, seen, motion_.q_rad)) {
    Note({Verdict::kStopped, LimitId::kTrackingError, excess->axis, excess->wanted, excess->allowed});
    Raise(StopCause::kTrackingError);  // Its own note says less, and of equals the first stays.
  }
  if (stall_.Spend(seen, motion_.q_rad)) Raise(StopCause::kStall);
  if (const auto astray = astray_.Spend(seen, motion_.q_rad, motion_.v_rad_s)) {
    Note({Verdict::kStopped, LimitId::kTrackingError, astray->axis, astray->wanted, astray->allowed});
    Raise(StopCause::kTrackingError);
  }
  strain_ = Strain(limits_, seen, motion_.q_rad, stall_, astray_);
  double travel_rad = 0;
  for (std::size_t i = 0; i < core::kJaw; ++i) travel_rad += std::abs(motion_.v_rad_s[i]) * tick_s_;
  monitor_.Follow(travel_rad, IsNear(limits_, seen, motion_.q_rad));
}

/// What the arm and the jaw press on.
void Filter::WatchTouch(const core::JointState& seen) {
  if (const auto contact = contact_.Look(seen); contact && !monitor_.has(StopCause::kContact)) {
    Note({Verdict::kStopped, LimitId::kContact, contact->axis, contact->wanted, contact->allowed});
    Raise(StopCause::kContact);
  }
  grip_ = grip_limit_.Look(contact_.residual_nm()[core::kJaw]);
  grip_noted_ = grip_noted_ && grip_ != Grip::kFree;
}

void Filter::WatchBudgets(const core::JointState& seen, core::Instant now) {
  if (!spent_until_) monitor_.Begin(now);
  const core::Duration since = spent_until_ ? std::max(core::Duration(0), now - *spent_until_) : limits_.control_period;
  spent_until_ = now;
  heat_.Spend(seen, since);
  wear_.Spend(seen, motion_.v_rad_s, since);
  if (const auto excess = heat_.Excess()) {
    Note({Verdict::kStopped, LimitId::kCurrent, excess->axis, excess->wanted, excess->allowed});
    Raise(StopCause::kHot);
  }
  if (const auto excess = wear_.Exceeded()) {
    Note({Verdict::kStopped, LimitId::kWear, excess->axis, excess->wanted, excess->allowed});
    Raise(StopCause::kWorn);
  }
  if (wear_.HasRecovered() && Rests() && IsAtRest(limits_, seen)) GoOnWithout(StopCause::kWorn);
}

SafetyState Filter::state(core::Instant now) const {
  return {.clears = monitor_.clears(now), .spent = {.heat = heat_.heat(), .wear = wear_.day()}};
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

/// A person who has gone lets the arm go on, once it has come to rest, as after an acknowledgement.
void Filter::WatchPerson(core::Instant now) {
  person_.Look(motion_, now);
  if (person_.too_near()) {
    Note({Verdict::kStopped, LimitId::kPersonNear, 0, person_.needed_m(), person_.room_m()});
    return Raise(StopCause::kPersonNear);
  }
  if (blind_ticks_ == 0 && seen_ && Rests() && IsAtRest(limits_, *seen_)) GoOnWithout(StopCause::kPersonNear);
}

/// A cause that clears by itself has gone; as after an acknowledgement.
void Filter::GoOnWithout(StopCause cause) {
  if (!monitor_.has(cause)) return;
  monitor_.Gone(cause);
  if (!monitor_.latched()) SeedForGoingOn();
}

void Filter::Consider(const core::ProposedAction& wanted, core::Instant now) {
  if (monitor_.latched()) return Refuse({.limit = LimitId::kLatched});
  if (!seen_->powered) return Refuse({.limit = LimitId::kNoState});
  const core::Epoch epoch = monitor_.epoch();
  const std::uint64_t last = sequence_epoch_ == epoch ? last_sequence_ : 0;
  const LimitId fault = FaultOf(wanted, {.axes = limits_.axes,
                                         .epoch = epoch,
                                         .last_sequence = last,
                                         .now = now,
                                         .risk_scale_min = limits_.risk_scale_min});
  if (fault == LimitId::kLate)
    return Refuse({.limit = fault, .wanted = core::ToSeconds(now), .allowed = core::ToSeconds(wanted.deadline)});
  if (fault != LimitId::kNone && fault != LimitId::kRisk) return Refuse({.limit = fault});
  sequence_epoch_ = epoch;
  last_sequence_ = wanted.sequence;
  if (fault == LimitId::kRisk) {  // A command like any other: to hold still, by the stored stop.
    in_force_.reset();
    return Refuse({.limit = fault, .wanted = limits_.risk_scale_min, .allowed = wanted.risk_scale});
  }
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
  Brake(At(limits_.axes));
}

void Filter::Follow(core::Instant now) {
  path_.Begin(motion_);
  Wishes wishes = WishesAt(now);
  Ease(wishes);
  const Candidate whole = Next(wishes);
  NoteJoints(whole, now);
  std::optional<PathCheck::Bar> bar;  // What is in the way of the whole motion.
  for (const double share : kShares) {
    Wishes lowered = wishes;
    for (std::size_t i = 0; i < core::kJaw; ++i) lowered[i].v_rad_s *= share;
    const Candidate candidate = share == 1 ? whole : Next(lowered);
    const auto found = path_.BarOn(candidate.motion);
    if (!bar) bar = found;
    if (found) continue;
    if (bar) Note({Verdict::kLimited, bar->limit, 0, bar->wanted, bar->allowed});
    motion_ = candidate.motion;
    return NoteShortfall(now);
  }
  Note({Verdict::kRefused, bar->limit, 0, bar->wanted, bar->allowed});
  // An arm that may not move need not keep the jaw from moving, nor the jaw the arm.
  for (const Candidate& part : {Braking(whole, core::kJaw, At(limits_.axes)), Braking(whole, 0, core::kJaw)}) {
    if (path_.BarOn(part.motion)) continue;
    motion_ = part.motion;
    return;
  }
  Brake(At(limits_.axes));
}

/// The candidate, but axes from `first` up to `end` follow the stored stop.
Filter::Candidate Filter::Braking(Candidate candidate, std::size_t first, std::size_t end) const {
  for (std::size_t i = first; i < end; ++i) {
    candidate.motion.Set(i, motion_.axis(i), motion_.stop[i]);
    candidate.motion.Brake(i, tick_s_);
  }
  return candidate;
}

double Filter::LeftS(core::Instant now) const { return core::ToSeconds(in_force_->period_end - now); }

Filter::Wishes Filter::WishesAt(core::Instant now) const {
  Wishes wishes{};
  for (std::size_t i = 0; i < At(limits_.axes); ++i) {
    wishes[i] = VelocityTowards({.q_rad = in_force_->action.target_q_rad[i],
                                 .left_s = LeftS(now),
                                 .passing_speed_rad_s = i < core::kJaw ? limits_.passing_speed_rad_s : 0},
                                motion_.axis(i), BoundsOf(i, false));
    wishes[i].speeding_up_rad_s2_max = RiskScale() * limits_.acceleration_rad_s2_max[i];
  }
  return wishes;
}

/// The jaw presses no harder than it may. Recorded once for each grip: it is told to be closed in every period.
void Filter::Ease(Wishes& wishes) {
  JerkWish& jaw = wishes[core::kJaw];
  if (grip_ == Grip::kFree || !(jaw.v_rad_s < 0)) return;
  jaw = {.v_rad_s = grip_ == Grip::kOpens ? GripLimit::kOpeningRadS : 0};
  if (!grip_noted_)
    Note({Verdict::kLimited, LimitId::kGripForce, core::kJaw, std::abs(contact_.residual_nm()[core::kJaw]),
          limits_.grip_torque_nm_max});
  grip_noted_ = true;
}

Filter::Candidate Filter::Next(const Wishes& wishes) const {
  Candidate candidate{motion_, {}};
  for (std::size_t i = 0; i < At(limits_.axes); ++i) {
    const JerkVerdict joint =
        LimitJerk(motion_.axis(i), motion_.stop[i], wishes[i], BoundsOf(i, i < core::kJaw && path_.escapes()));
    candidate.limit[i] = joint.limit;
    candidate.motion.Set(i, joint.next, joint.stop);
  }
  return candidate;
}

JerkBounds Filter::BoundsOf(std::size_t axis, bool escapes) const {
  double speed = limits_.speed_rad_s_max[axis] * monitor_.speed_share();
  if (escapes) speed = std::min(speed, limits_.escape_speed_rad_s_max);
  return {.q_rad_min = limits_.q_rad_min[axis],
          .q_rad_max = limits_.q_rad_max[axis],
          .speed_rad_s_max = speed * std::min(RiskScale(), person_.speed_scale()),
          .acceleration_rad_s2_max = limits_.acceleration_rad_s2_max[axis],
          .jerk_rad_s3_max = limits_.jerk_rad_s3_max[axis],
          .escape_speed_rad_s_max = limits_.escape_speed_rad_s_max,
          .tick_s = tick_s_};
}

void Filter::NoteJoints(const Candidate& candidate, core::Instant now) {
  const double left_s = std::max(tick_s_, LeftS(now));
  for (std::size_t i = 0; i < At(limits_.axes); ++i) {
    const double target = in_force_->action.target_q_rad[i];
    const double needed_rad_s = std::abs(target - motion_.q_rad[i]) / left_s;
    const auto axis = static_cast<int>(i);
    if (candidate.limit[i] == LimitId::kPosition && target > limits_.q_rad_max[i])
      Note({Verdict::kLimited, LimitId::kPosition, axis, target, limits_.q_rad_max[i]});
    if (candidate.limit[i] == LimitId::kPosition && target < limits_.q_rad_min[i])
      Note({Verdict::kLimited, LimitId::kPosition, axis, -target, -limits_.q_rad_min[i]});
    // The jaw is told to be open or closed, not to be so within one period. What was late at the end of one is not yet.
    if (axis == core::kJaw || LeftS(now) < kBeginS) continue;
    const struct {
      LimitId limit;
      double share;
    } slower[]{{LimitId::kVelocity, monitor_.speed_share()},
               {LimitId::kPersonNear, person_.speed_scale()},
               {LimitId::kRisk, RiskScale()}};
    for (const auto& [limit, share] : slower) {
      const double allowed_rad_s = limits_.speed_rad_s_max[i] * share;
      if (needed_rad_s > allowed_rad_s) Note({Verdict::kLimited, limit, axis, needed_rad_s, allowed_rad_s});
    }
  }
}

/// At the end of its period: was the acceleration too little to get there, by itself or because of the risk?
void Filter::NoteShortfall(core::Instant now) {
  if (now + limits_.control_period != in_force_->period_end) return;
  for (std::size_t i = 0; i < core::kJaw; ++i) {
    const double missed = std::abs(in_force_->action.target_q_rad[i] - motion_.q_rad[i]);
    const LimitId limit = RiskScale() < 1 ? LimitId::kRisk : LimitId::kAcceleration;
    if (missed > kReachedRad) Note({Verdict::kLimited, limit, static_cast<int>(i), missed, kReachedRad});
  }
}

void Filter::Brake(std::size_t axes) {
  for (std::size_t i = 0; i < axes; ++i) motion_.Brake(i, tick_s_);
}

bool Filter::Rests() const {
  return std::all_of(motion_.stop.begin(), motion_.stop.end(), [](const auto& stop) { return stop.duration_s() == 0; });
}

void Filter::RestAt(std::size_t axis, double q_rad) {
  const JerkMotion rest{.q_rad = q_rad};
  motion_.Set(axis, rest, JointStop(rest, BoundsOf(axis, false)));
}

void Filter::SeedAll(const core::JointState& seen) {
  for (std::size_t i = 0; i < At(limits_.axes); ++i) RestAt(i, seen.q_rad[i]);
  seed_pending_ = false;
  relax_pending_ = false;
  stall_.Reset();
  astray_.Reset();
}

void Filter::SeedFarOff(const core::JointState& seen) {
  for (std::size_t i = 0; i < At(limits_.axes); ++i)
    if (std::abs(motion_.q_rad[i] - seen.q_rad[i]) > limits_.reseed_error_rad_max[i]) RestAt(i, seen.q_rad[i]);
  relax_pending_ = false;
  stall_.Reset();
  astray_.Reset();
}

/// The arm lags behind its command: where it is while it still moves is not where it comes to rest.
void Filter::RelaxOnceAtRest(const core::JointState& seen) {
  const bool waits = relax_pending_ && Rests();
  unrelaxed_ticks_ = waits ? unrelaxed_ticks_ + 1 : 0;
  if (waits && (IsAtRest(limits_, seen) || unrelaxed_ticks_ * tick_s_ > kRelaxWaitMaxS)) Relax(seen);
}

/// An axis that is off by little may push, too, and would go on where another has given way. The jaw holds on.
void Filter::Relax(const core::JointState& seen) {
  for (std::size_t i = 0; i < core::kJaw; ++i) RestAt(i, seen.q_rad[i]);
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
          .sequence = in_force_ ? in_force_->action.sequence : 0,
          .strain = strain_};
}

}  // namespace nightshift::safety
