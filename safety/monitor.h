// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <string_view>
#include <variant>

#include "core/action.h"
#include "core/time.h"
#include "safety/config.h"

namespace nightshift::safety {

inline constexpr int kClearsPerHourMax = 256;  // Size of the record of clears.

/// IEC 60204-1.
enum class StopCategory {
  kStopAndHold,  // 2: controlled stop, power held.
  kStopThenOff,  // 1: controlled stop, then power off.
};

enum class ClearedBy { kItself, kSupervisor, kPerson };

StopCategory CategoryOf(core::StopCause cause);
/// Of a restart that is not the first start after a boot: that one needs a person, unless arm_after_reboot.
ClearedBy ClearedByOf(core::StopCause cause);

/// Does a stop of this cause in an inspection mean that it has failed? It was the arm that failed, not its company.
bool IsArmsOwn(core::StopCause cause);

/// Who acknowledges which latch.
struct Acknowledgement {
  std::uint64_t latch_id = 0;
  std::uint64_t nonce = 0;
  ClearedBy by = ClearedBy::kSupervisor;
  bool arms_only = false;  // Of the restart and nothing else: `nightshift arm`.
};

/// What came of an acknowledgement.
enum class Clearance {
  kCleared,
  kNotLatched,   // There is nothing to clear.
  kStale,        // Id or nonce of another latch.
  kNeedsPerson,  // The cause is not the supervisor's to clear.
  kStillThere,   // Clears by itself when its cause has gone.
  kNoReading,    // The driver is silent, or the drives hold no torque.
  kNotAtRest,    // Something still moves.
  kTooMany,      // The supervisor's clears of this hour are used up.
  kComesBack,    // Too many inspections in a row have failed.
  kJumped,       // The readings have jumped to where no motion leads.
  kOtherCause,   // To arm is not to clear: something else holds the robot, too.
};
std::string_view Name(Clearance clearance);

/// What a person can do about it; a sentence.
std::string_view Advice(Clearance clearance);

/// How long ago the supervisor cleared a stop, of the clears within the last hour; the oldest first. It outlives the
/// process, or dying often would renew the hour's bound.
struct RecentClears {
  std::array<core::Duration, kClearsPerHourMax> ago{};
  std::size_t count = 0;

  /// Full: the oldest is forgotten.
  void Add(core::Duration one_ago);
};

/// The arm's condition when an acknowledgement arrives.
enum class Readiness { kReady, kNoReading, kJumped, kNotAtRest };

/// The latch: why the robot is stopped, and who may let it go on. Any stop bumps the epoch. A further cause makes a new
/// latch id and nonce, so that an acknowledgement never clears a fault that its sender had not seen. What was cleared
/// is inspected: at lowered speed, until the arm has followed its commands for a while (docs/safety.md has the table).
/// Pure: reads no clock. Thread: control thread only. Real-time: no lock, no allocation.
class Monitor {
 public:
  struct Seed {
    core::Epoch epoch = 1;           // Of the first stop; random, so that commands to an earlier process are dead.
    std::uint64_t nonce_source = 1;  // Random, so that nonces cannot be guessed from ids.
    bool after_reboot = false;       // The machine was off in between, or nothing is known of an earlier life.
    RecentClears clears{};           // By earlier lives of the process.
  };

  /// Begins latched: restarted.
  Monitor(const Limits& limits, Seed seed);

  /// Robot time is known from here on: earlier lives' clears get their dates. Once, before any acknowledgement.
  void Begin(core::Instant now);
  /// What a later life has to know. As long as the restart is not cleared, its clear is counted as made now: a process
  /// that dies soon after it has paid for it.
  RecentClears clears(core::Instant now) const;

  /// Latches a cause. One that is already latched changes nothing, but for a person's: what was acknowledged before a
  /// second stop is not meant for it.
  void Raise(core::StopCause cause);
  /// What made a cause that clears by itself has gone; others that came with it stay.
  void Gone(core::StopCause cause);
  /// Ends the life of all commands given so far, without a latch: the supervisor wants nothing any more.
  void BumpEpoch() { ++epoch_; }

  /// The commands went on by so much, all arm joints together, and each joint was near to its own, or not.
  void Follow(double travel_rad, bool near);

  /// Would it clear the stop of an arm that is ready?
  bool Accepts(const Acknowledgement& ack, core::Instant now) const;
  Clearance Acknowledge(const Acknowledgement& ack, Readiness readiness, core::Instant now);

  bool latched() const { return std::holds_alternative<Latched>(state_); }
  bool inspecting() const { return std::holds_alternative<Inspecting>(state_); }
  /// Of every speed limit.
  double speed_share() const { return inspecting() ? limits_.inspection_speed_share : 1; }
  bool has(core::StopCause cause) const;
  core::LatchReport report() const;
  core::Epoch epoch() const { return epoch_; }
  /// Must power go once the arm is at rest?
  bool wants_power_off() const;

 private:
  using CauseSet = std::uint32_t;  // One bit per StopCause.

  struct Running {};
  struct Inspecting {
    double left_rad = 0;
    int failed_in_a_row = 0;
  };
  struct Latched {
    core::StopCause first = core::StopCause::kNone;
    CauseSet causes = 0;
    bool from_inspection = false;
    int failed_before = 0;
  };
  using State = std::variant<Running, Inspecting, Latched>;

  struct RaisedEvent {
    core::StopCause cause;
  };
  struct GoneEvent {
    core::StopCause cause;
  };
  struct AcceptedEvent {
    ClearedBy by;
  };
  struct FollowedEvent {
    double travel_rad;
    bool near;
  };

  // Every event in every state: one that is missing does not compile.
  State On(const Running&, const RaisedEvent&) const;
  State On(const Inspecting&, const RaisedEvent&) const;
  State On(const Latched&, const RaisedEvent&) const;
  State On(const Running& state, const GoneEvent&) const { return state; }
  State On(const Inspecting& state, const GoneEvent&) const { return state; }
  State On(const Latched&, const GoneEvent&) const;
  State On(const Running& state, const AcceptedEvent&) const { return state; }
  State On(const Inspecting& state, const AcceptedEvent&) const { return state; }
  State On(const Latched&, const AcceptedEvent&) const;
  State On(const Running& state, const FollowedEvent&) const { return state; }
  State On(const Inspecting&, const FollowedEvent&) const;
  State On(const Latched& state, const FollowedEvent&) const { return state; }
  template <typename Event>
  void Take(const Event& event) {
    state_ = std::visit([&](const auto& state) { return On(state, event); }, state_);
  }

  static CauseSet Bit(core::StopCause cause) { return CauseSet{1} << static_cast<unsigned>(cause); }
  static core::StopCause Worst(CauseSet causes);
  static bool AnyOf(CauseSet causes, bool (*holds)(core::StopCause));
  static int FailedInARow(const Latched& latch);
  bool NeedsPerson(const Latched& latch) const;

  Clearance Judge(const Latched& latch, const Acknowledgement& ack, Readiness readiness, core::Instant now) const;
  static bool UsesBudget(const Latched& latch, const Acknowledgement& ack);
  bool BudgetLeft(core::Instant now) const;
  std::uint64_t Nonce() const;
  ClearedBy Needed(core::StopCause cause) const;
  void NoteClear(core::Instant at);

  Limits limits_;
  bool after_reboot_;
  RecentClears earlier_clears_;
  std::uint64_t nonce_source_;
  State state_;
  core::Epoch epoch_;
  std::uint64_t latch_id_ = 0;
  std::array<core::Instant, kClearsPerHourMax> clears_{};  // Ring of the supervisor's.
  std::uint64_t clears_count_ = 0;
};

}  // namespace nightshift::safety
