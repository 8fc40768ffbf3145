// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "core/devices.h"
#include "runtime/latest.h"
#include "runtime/safety_mail.h"
#include "runtime/wall_clock.h"
#include "safety/audit.h"
#include "safety/audit_runs.h"
#include "safety/checks/proposal.h"
#include "safety/config.h"
#include "safety/filter.h"
#include "safety/period.h"
#include "safety/safety_state.h"

namespace nightshift::runtime {

/// How fast a simulated clock may go. Real hardware has no choice.
enum class LoopSpeed { kMax, kRealTime };

/// One tick, as metrics want it.
struct TickFacts {
  core::Verdict verdict = core::Verdict::kPass;
  core::LimitId limit = core::LimitId::kNone;
  std::chrono::nanoseconds took{0};  // Judging.
  std::chrono::nanoseconds late{0};  // Behind schedule; zero in lock-step.
  bool missed = false;  // Judged afterwards, since the loop came round too late: took and late say nothing.
};

/// What a later life of the process has to know, at the end of each policy period.
using StateBox = Latest<safety::SafetyState>;

/// Read, judge, apply: one action reaches the drives in every tick, whoever else lives or not.
///
/// Time lies on the grid of the control period. With a monotonic clock a tick is due each period. In lock-step the
/// device's clock goes on by one period per Apply, and at each boundary of a policy period the loop waits for the next
/// exchange; after `peer_wait_max` without one it goes on in real time, so that deadlines fire, until an exchange
/// comes.
///
/// A tick that comes late lives through the periods that have passed: the filter judges each, and the drives are told
/// what is for now. After more than `overrun_max` the command rests where it was last, and is latched: overrun.
///
/// Threads: Run (and Tick) on the control thread; Stop and the counters from any. Tick does not lock, allocate or log.
class ControlLoop {
 public:
  struct Parts {
    core::RobotDriver& robot;
    safety::Filter& filter;
    Mailbox& mailbox;
    AnswerBox& answers;
    WallClock& wall;
    safety::Audit* audit = nullptr;                 // None in tests that do not look at it.
    std::function<void(const TickFacts&)> on_tick;  // Real-time safe. May be empty.
    StateBox* state = nullptr;                      // None in tests that do not look at it.
    const SwitchBox* presence_switch = nullptr;     // Where a switch says whether somebody is there.
  };
  struct Counters {
    std::atomic<std::uint64_t> ticks{0};
    std::atomic<std::uint64_t> ticks_missed{0};  // Periods in which the loop did not come round.
    std::atomic<std::uint64_t> readings_old{0};
    std::atomic<std::uint64_t> progress{0};  // Grows also while the loop waits for its peer: it lives.
    std::atomic<std::uint64_t> proposals_refused{0};
    std::atomic<std::uint64_t> answers_dropped{0};
    std::atomic<std::uint64_t> driver_timeouts{0};
    std::atomic<std::uint64_t> driver_losses{0};
    std::atomic<std::uint64_t> driver_garbled{0};
    std::atomic<bool> driver_unheard{false};  // No reading yet, for longer than a driver takes to begin.
  };

  /// Of a device's clock. No session comes to a century; beyond it a reading is garbled as a whole.
  static constexpr core::Instant kClockMax{std::chrono::hours(24 * 365 * 100)};

  /// Of a simulated clock from one reading to the next. What leaps farther must say so twice.
  static constexpr core::Duration kLeapMax{std::chrono::seconds(1)};
  /// A report of where people are that waited longer, while somebody stood still, says nothing of now.
  static constexpr std::chrono::milliseconds kPresenceWaitMax{100};

  /// @param limits the filter's own.
  ControlLoop(const Parts& parts, const safety::Limits& limits, LoopSpeed speed);

  /// Until Stop: waits for the first reading, then ticks; at the end brakes to rest. While it waits nothing is sent to
  /// the arm; the stop is told ten times a second, and who wants more than that is refused once a second is over.
  void Run();
  void Stop() { stopping_ = true; }

  /// One tick: public for tests, which own the thread.
  void Tick();

  const Counters& counters() const { return counters_; }

  /// Robot time of the newest tick. On the control thread.
  core::Instant now() const { return now_; }

 private:
  struct Open {
    Ticket ticket = 0;
    core::Instant due;
  };
  static constexpr std::size_t kOpenMax = 8;  // Exchanges; one supervisor has one.

  std::optional<core::JointState> Read();
  core::Result<core::JointState> Believed(core::Result<core::JointState> seen);
  std::optional<core::JointState> Fresh(const core::Result<core::JointState>& seen);
  std::int64_t PeriodsOnTheWall();
  std::int64_t PeriodsOfTheDevice(const std::optional<core::JointState>& seen) const;
  void Advance(std::int64_t periods);
  void LiveThroughOne();
  safety::Judgement Judge(const std::optional<core::JointState>& seen);
  void Apply(const safety::Judgement& judged);

  void Begin();
  void AwaitFirstReading();
  void TellUnseen();
  void BrakeToRest();
  void Pace();
  void PaceInLockStep();
  void CountDriverFault(core::FaultCode code);
  void TakeMail();
  void Handle(const StopMail& mail);
  void Handle(const ExchangeMail& mail);
  void Handle(const AcknowledgeMail& mail);
  void Handle(const PresenceMail& mail);
  void HearSwitch();
  void Answer(const SafetyAnswer& answer);
  void Count(const safety::Judgement& judged, const safety::TickInput& input, const TickFacts& facts);
  bool EndPeriod();
  void ClosePeriod(const core::JointState& joints);
  void PutState();
  void Record(const std::optional<safety::AuditRecord>& record);
  void AwaitExchange();

  Parts parts_;
  safety::Limits limits_;
  LoopSpeed speed_;
  std::atomic<bool> stopping_{false};
  Counters counters_;

  core::Instant now_{};
  std::optional<core::Instant> leapt_to_;        // What the newest reading says, if that is far from the one before.
  core::Instant last_look_{core::Duration(-1)};  // For ends of policy periods.
  bool clock_known_ = false;
  WallClock::Instant due_{};  // When the next tick may begin, where wall time matters.
  std::chrono::nanoseconds late_{0};
  std::optional<WallClock::Instant> switch_looked_;
  std::uint64_t switch_waited_ = 0;  // The reading of the presence switch that counts for nothing.
  bool peer_here_ = false;           // In lock-step: wait for it at the next boundary.
  bool exchange_came_ = false;       // Since the boundary.
  bool driver_failed_ = false;       // In this tick: then it takes its time in wall time too.
  safety::PeriodTally tally_;
  safety::AuditRuns runs_;
  core::JointState last_seen_;
  std::optional<core::ProposedAction> wanted_;
  std::array<Open, kOpenMax> open_{};
  std::size_t open_count_ = 0;
};

}  // namespace nightshift::runtime
