// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>

#include "safety/audit.h"
#include "safety/filter.h"

namespace nightshift::safety {

/// What one tick was judged by.
struct TickInput {
  core::Instant now;
  std::optional<core::JointState> seen;        // None: there was no reading, or the tick was missed.
  std::optional<core::ProposedAction> wanted;  // New in this tick.
  core::PersonReport person;                   // What was known of people.
};

/// 64 bits of SipHash-2-4 with the key "nightshift-audit" over `before` and the input, so that one who has the inputs
/// can show which judgement belongs to them. In this order, 8 bytes each, least significant first, as they lie in
/// memory: before · now_ns · axes of the reading (0: none), sequence, powered (0, 1), then for each axis (at most
/// kAxesMax) q_rad, dq_rad_s, torque_nm, current_a, temperature_c · axes of the proposal (0: none), epoch, sequence,
/// deadline_ns, risk_scale, then target_q_rad of each axis · presence (0 unwatched, 1 silent, 2 seen), distance_m and
/// speed_scale beside a person. Real-time: no lock, no allocation.
std::uint64_t HashOf(const TickInput& input, std::uint64_t before);

/// Joins the judgements of consecutive ticks that say the same of the same to one record, so that every tick which did
/// not simply pass is in the audit and hours of one stop are a few lines. The same: verdict, limit, axis, proposal in
/// force, latch. A record counts its ticks, has the numbers of the one that wanted most beyond its limit, and the hash
/// over the inputs of all, one after the other.
///
/// What is the same for long is told when the policy period ends in which it began, and then each minute, so that a
/// kill takes little with it. The first tick after a stop is recorded although it passed: it says when that ended.
///
/// Thread: control thread only. Real-time: no lock, no allocation, no log, no clock.
class AuditRuns {
 public:
  static constexpr std::uint64_t kTicksMax = 15'000;  // A minute at 250 Hz.

  /// One tick; the record that it completes, if any.
  std::optional<AuditRecord> Add(const Judgement& judged, const TickInput& input, const core::LatchReport& latch);

  /// A policy period has ended; what is to be told of a run that goes on.
  std::optional<AuditRecord> EndPeriod();

  /// Nothing follows; what has not been told.
  std::optional<AuditRecord> Finish();

 private:
  bool GoesOn(const AuditRecord& tick) const;

  std::optional<AuditRecord> run_;  // Its ticks that have not been told; none may be left of one that goes on.
  bool told_ = false;               // Its beginning has been.
  bool was_latched_ = false;
};

}  // namespace nightshift::safety
