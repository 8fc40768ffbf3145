// SPDX-License-Identifier: Apache-2.0
#include "safety/monitor.h"

#include <algorithm>
#include <bit>

namespace nightshift::safety {

using core::StopCause;

namespace {
constexpr std::chrono::hours kHour{1};
}

StopCategory CategoryOf(StopCause cause) {
  switch (cause) {
    case StopCause::kNone:
    case StopCause::kNoCommand:
    case StopCause::kPersonNear:
    case StopCause::kOverrun:
    case StopCause::kWorn:
    case StopCause::kContact:
    case StopCause::kStall:  // The setpoint goes to where the arm is: it rests on what it pushed, without pushing.
    case StopCause::kDriverLost:
    case StopCause::kRestarted:
    case StopCause::kOperator: return StopCategory::kStopAndHold;
    case StopCause::kTrackingError:
    case StopCause::kHot: return StopCategory::kStopThenOff;
  }
  return StopCategory::kStopThenOff;
}

ClearedBy ClearedByOf(StopCause cause) {
  switch (cause) {
    case StopCause::kNone:
    case StopCause::kPersonNear:
    case StopCause::kHot:
    case StopCause::kWorn: return ClearedBy::kItself;
    case StopCause::kNoCommand:
    case StopCause::kOverrun:
    case StopCause::kStall:
    case StopCause::kTrackingError:
    case StopCause::kDriverLost:
    case StopCause::kRestarted: return ClearedBy::kSupervisor;
    case StopCause::kContact:
    case StopCause::kOperator: return ClearedBy::kPerson;
  }
  return ClearedBy::kPerson;
}

bool IsArmsOwn(StopCause cause) {
  switch (cause) {
    case StopCause::kNone:
    case StopCause::kNoCommand:
    case StopCause::kPersonNear:
    case StopCause::kOverrun:
    case StopCause::kHot:
    case StopCause::kWorn:
    case StopCause::kRestarted:
    case StopCause::kOperator: return false;
    case StopCause::kStall:
    case StopCause::kTrackingError:
    case StopCause::kDriverLost:
    case StopCause::kContact: return true;
  }
  return true;
}

namespace {

/// The arm only waited: nothing happened to it, and it was held.
bool NeedsInspection(StopCause cause) {
  return cause != StopCause::kNoCommand && cause != StopCause::kPersonNear && cause != StopCause::kWorn;
}

}  // namespace

std::string_view Name(Clearance clearance) {
  switch (clearance) {
    case Clearance::kCleared: return "cleared";
    case Clearance::kNotLatched: return "not_latched";
    case Clearance::kStale: return "stale";
    case Clearance::kNeedsPerson: return "needs_person";
    case Clearance::kStillThere: return "still_there";
    case Clearance::kNoReading: return "no_reading";
    case Clearance::kNotAtRest: return "not_at_rest";
    case Clearance::kTooMany: return "too_many";
    case Clearance::kComesBack: return "comes_back";
    case Clearance::kJumped: return "jumped";
    case Clearance::kOtherCause: return "other_cause";
  }
  return "?";
}

std::string_view Advice(Clearance clearance) {
  switch (clearance) {
    case Clearance::kCleared: return "The stop is cleared.";
    case Clearance::kNotLatched: return "Nothing is stopped; there is nothing to clear.";
    case Clearance::kStale:
      return "The acknowledgement names another stop; read the latest report and acknowledge that.";
    case Clearance::kNeedsPerson: return "This stop is cleared by a person only: nightshift clear.";
    case Clearance::kStillThere: return "The cause is still there; the stop clears by itself when it has gone.";
    case Clearance::kNoReading:
      return "The drives do not answer or hold no torque; wait for fresh readings, check the bus.";
    case Clearance::kNotAtRest: return "The arm still moves; acknowledge again when it is at rest.";
    case Clearance::kTooMany:
      return "The supervisor has cleared too often within an hour; a person must look: nightshift clear.";
    case Clearance::kComesBack:
      return "The arm was stopped again in each of its last inspection motions; a person must look what blocks or "
             "breaks "
             "it: nightshift clear.";
    case Clearance::kJumped:
      return "The readings have jumped to where no motion leads; a person must check encoders and horns: "
             "nightshift clear takes the arm to be where they say.";
    case Clearance::kOtherCause:
      return "To arm is to clear the restart alone, and something else holds the robot, too: nightshift status names "
             "it, "
             "nightshift clear clears it.";
  }
  return "?";
}

void RecentClears::Add(core::Duration one_ago) {
  if (count == ago.size()) {
    std::shift_left(ago.begin(), ago.end(), 1);
    --count;
  }
  ago[count++] = one_ago;
}

Monitor::Monitor(const Limits& limits, Seed seed)
    : limits_(limits),
      after_reboot_(seed.after_reboot),
      earlier_clears_(seed.clears),
      nonce_source_(seed.nonce_source),
      state_(Running{}),
      epoch_(seed.epoch) {
  Raise(StopCause::kRestarted);
}

Monitor::State Monitor::On(const Running&, const RaisedEvent& raised) const {
  return Latched{.first = raised.cause, .causes = Bit(raised.cause)};
}

Monitor::State Monitor::On(const Inspecting& inspecting, const RaisedEvent& raised) const {
  return Latched{.first = raised.cause,
                 .causes = Bit(raised.cause),
                 .from_inspection = true,
                 .failed_before = inspecting.failed_in_a_row};
}

Monitor::State Monitor::On(const Latched& latch, const RaisedEvent& raised) const {
  Latched more = latch;
  more.causes |= Bit(raised.cause);
  return more;
}

Monitor::State Monitor::On(const Latched& latch, const GoneEvent& gone) const {
  Latched less = latch;
  less.causes &= ~Bit(gone.cause);
  if (less.causes != 0) return less;
  return On(latch, AcceptedEvent{ClearedBy::kItself});
}

Monitor::State Monitor::On(const Latched& latch, const AcceptedEvent& accepted) const {
  if (!latch.from_inspection && !AnyOf(latch.causes, NeedsInspection)) return Running{};
  return Inspecting{.left_rad = limits_.inspection_travel_rad,
                    .failed_in_a_row = accepted.by == ClearedBy::kPerson ? 0 : FailedInARow(latch)};
}

/// An arm that lags begins anew.
Monitor::State Monitor::On(const Inspecting& inspecting, const FollowedEvent& followed) const {
  Inspecting on = inspecting;
  on.left_rad = followed.near ? on.left_rad - followed.travel_rad : limits_.inspection_travel_rad;
  if (on.left_rad <= 0) return Running{};
  return on;
}

int Monitor::FailedInARow(const Latched& latch) {
  return latch.failed_before + (latch.from_inspection && AnyOf(latch.causes, IsArmsOwn) ? 1 : 0);
}

bool Monitor::AnyOf(CauseSet causes, bool (*holds)(StopCause)) {
  for (CauseSet left = causes; left != 0; left &= left - 1)
    if (holds(static_cast<StopCause>(std::countr_zero(left)))) return true;
  return false;
}

bool Monitor::NeedsPerson(const Latched& latch) const {
  if (FailedInARow(latch) >= limits_.inspections_failed_max) return true;
  for (CauseSet left = latch.causes; left != 0; left &= left - 1)
    if (Needed(static_cast<StopCause>(std::countr_zero(left))) == ClearedBy::kPerson) return true;
  return false;
}

void Monitor::Begin(core::Instant now) {
  for (std::size_t i = 0; i < earlier_clears_.count; ++i) NoteClear(now - earlier_clears_.ago[i]);
  earlier_clears_.count = 0;
}

RecentClears Monitor::clears(core::Instant now) const {
  RecentClears recent = earlier_clears_;
  const std::uint64_t kept = std::min<std::uint64_t>(clears_count_, clears_.size());
  for (std::uint64_t i = clears_count_ - kept; i < clears_count_; ++i)
    if (const auto ago = now - clears_[i % clears_.size()]; ago <= kHour) recent.Add(ago);
  if (has(StopCause::kRestarted)) recent.Add(core::Duration(0));
  return recent;
}

void Monitor::NoteClear(core::Instant at) {
  clears_[clears_count_ % clears_.size()] = at;
  ++clears_count_;
}

void Monitor::Raise(StopCause cause) {
  if (cause == StopCause::kNone || (has(cause) && cause != StopCause::kOperator)) return;
  Take(RaisedEvent{cause});
  ++epoch_;
  ++latch_id_;
}

void Monitor::Gone(StopCause cause) {
  if (has(cause) && ClearedByOf(cause) == ClearedBy::kItself) Take(GoneEvent{cause});
}

void Monitor::Follow(double travel_rad, bool near) { Take(FollowedEvent{travel_rad, near}); }

bool Monitor::has(StopCause cause) const {
  const auto* latch = std::get_if<Latched>(&state_);
  return latch != nullptr && (latch->causes & Bit(cause)) != 0;
}

StopCause Monitor::Worst(CauseSet causes) {
  return causes == 0 ? StopCause::kNone : static_cast<StopCause>(std::bit_width(causes) - 1);
}

core::LatchReport Monitor::report() const {
  core::LatchReport report{.epoch = epoch_, .inspecting = inspecting()};
  if (const auto* latch = std::get_if<Latched>(&state_)) {
    report.first = latch->first;
    report.worst = Worst(latch->causes);
    report.id = latch_id_;
    report.nonce = Nonce();
    report.needs_person = NeedsPerson(*latch);
  }
  return report;
}

bool Monitor::wants_power_off() const {
  const auto* latch = std::get_if<Latched>(&state_);
  return latch != nullptr &&
         AnyOf(latch->causes, [](StopCause cause) { return CategoryOf(cause) == StopCategory::kStopThenOff; });
}

/// SplitMix64 of source and id: cheap, without state, different for every latch.
std::uint64_t Monitor::Nonce() const {
  std::uint64_t z = nonce_source_ + latch_id_ * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// Silence alone is free: the arm held still and nothing happened to it, however often a supervisor paused.
bool Monitor::UsesBudget(const Latched& latch, const Acknowledgement& ack) {
  return ack.by != ClearedBy::kPerson && latch.causes != Bit(StopCause::kNoCommand);
}

bool Monitor::BudgetLeft(core::Instant now) const {
  const auto allowed = static_cast<std::uint64_t>(limits_.clears_per_hour_max);
  if (clears_count_ < allowed) return true;
  return now - clears_[(clears_count_ - allowed) % clears_.size()] > kHour;
}

/// Of this monitor's latch: that of the first start after a boot is a person's to clear.
ClearedBy Monitor::Needed(StopCause cause) const {
  const bool unseen = cause == StopCause::kRestarted && after_reboot_ && !limits_.arm_after_reboot;
  return unseen ? ClearedBy::kPerson : ClearedByOf(cause);
}

Clearance Monitor::Judge(const Latched& latch, const Acknowledgement& ack, Readiness readiness,
                         core::Instant now) const {
  if (ack.latch_id != latch_id_ || ack.nonce != Nonce()) return Clearance::kStale;
  if (ack.arms_only && latch.causes != Bit(StopCause::kRestarted)) return Clearance::kOtherCause;
  for (CauseSet left = latch.causes; left != 0; left &= left - 1) {
    const ClearedBy needed = Needed(static_cast<StopCause>(std::countr_zero(left)));
    if (needed == ClearedBy::kItself) return Clearance::kStillThere;
    if (needed == ClearedBy::kPerson && ack.by != ClearedBy::kPerson) return Clearance::kNeedsPerson;
  }
  const bool comes_back = FailedInARow(latch) >= limits_.inspections_failed_max;
  if (comes_back && ack.by != ClearedBy::kPerson) return Clearance::kComesBack;
  if (readiness == Readiness::kNoReading) return Clearance::kNoReading;
  if (readiness == Readiness::kJumped) return Clearance::kJumped;
  if (readiness == Readiness::kNotAtRest) return Clearance::kNotAtRest;
  if (UsesBudget(latch, ack) && !BudgetLeft(now)) return Clearance::kTooMany;
  return Clearance::kCleared;
}

bool Monitor::Accepts(const Acknowledgement& ack, core::Instant now) const {
  const auto* latch = std::get_if<Latched>(&state_);
  return latch != nullptr && Judge(*latch, ack, Readiness::kReady, now) == Clearance::kCleared;
}

Clearance Monitor::Acknowledge(const Acknowledgement& ack, Readiness readiness, core::Instant now) {
  const auto* latch = std::get_if<Latched>(&state_);
  if (latch == nullptr) return Clearance::kNotLatched;
  const Clearance clearance = Judge(*latch, ack, readiness, now);
  if (clearance != Clearance::kCleared) return clearance;
  const bool uses_budget = UsesBudget(*latch, ack);
  Take(AcceptedEvent{ack.by});
  if (uses_budget) NoteClear(now);
  return clearance;
}

}  // namespace nightshift::safety
