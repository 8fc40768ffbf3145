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
  if (cause == StopCause::kNone || has(cause)) return;
  state_ = std::visit([cause](const auto& state) { return On(state, cause); }, state_);
  ++epoch_;
  ++latch_id_;
}

void Monitor::Gone(StopCause cause) {
  auto* latch = std::get_if<Latched>(&state_);
  if (latch == nullptr || ClearedByOf(cause) != ClearedBy::kItself) return;
  latch->causes &= ~Bit(cause);
  if (latch->causes == 0) state_ = Running{};
}

bool Monitor::has(StopCause cause) const {
  const auto* latch = std::get_if<Latched>(&state_);
  return latch != nullptr && (latch->causes & Bit(cause)) != 0;
}

StopCause Monitor::Worst(CauseSet causes) {
  return causes == 0 ? StopCause::kNone : static_cast<StopCause>(std::bit_width(causes) - 1);
}

core::LatchReport Monitor::report() const {
  core::LatchReport report{.epoch = epoch_};
  if (const auto* latch = std::get_if<Latched>(&state_)) {
    report.first = latch->first;
    report.worst = Worst(latch->causes);
    report.id = latch_id_;
    report.nonce = Nonce();
  }
  return report;
}

bool Monitor::wants_power_off() const {
  const auto* latch = std::get_if<Latched>(&state_);
  if (latch == nullptr) return false;
  for (CauseSet left = latch->causes; left != 0; left &= left - 1)
    if (CategoryOf(static_cast<StopCause>(std::countr_zero(left))) == StopCategory::kStopThenOff) return true;
  return false;
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
  for (CauseSet left = latch.causes; left != 0; left &= left - 1) {
    const ClearedBy needed = Needed(static_cast<StopCause>(std::countr_zero(left)));
    if (needed == ClearedBy::kItself) return Clearance::kStillThere;
    if (needed == ClearedBy::kPerson && ack.by != ClearedBy::kPerson) return Clearance::kNeedsPerson;
  }
  if (readiness == Readiness::kNoReading) return Clearance::kNoReading;
  if (readiness == Readiness::kNotAtRest) return Clearance::kNotAtRest;
  if (UsesBudget(latch, ack) && !BudgetLeft(now)) return Clearance::kTooMany;
  return Clearance::kCleared;
}

Clearance Monitor::Acknowledge(const Acknowledgement& ack, Readiness readiness, core::Instant now) {
  const auto* latch = std::get_if<Latched>(&state_);
  if (latch == nullptr) return Clearance::kNotLatched;
  const Clearance clearance = Judge(*latch, ack, readiness, now);
  if (clearance != Clearance::kCleared) return clearance;
  const bool uses_budget = UsesBudget(*latch, ack);
  state_ = Running{};
  if (uses_budget) NoteClear(now);
  return clearance;
}

}  // namespace nightshift::safety
