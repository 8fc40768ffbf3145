// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/budget.h"
#include "io/link/link.h"
#include "runtime/control_loop.h"
#include "runtime/safety_mail.h"
#include "runtime/wall_clock.h"

namespace nightshift::wire {
class SafetyReply;
}  // namespace nightshift::wire

namespace nightshift::runtime {

/// The safety process's mouth and ears, on a thread of its own, so that the control thread never sees a socket: decodes
/// requests into the mailbox, sends answers out, tells everyone the state some 20 times a second, strokes the watchdog
/// when the control thread has made progress. A malformed request is counted and refused, never fatal.
class SafetyService {
 public:
  struct Hooks {
    std::function<void(const core::PeriodReport&)> on_period;  // For metrics.
    std::function<void()> on_beat;                             // About 20 times a second: copy counters.
    std::function<void()> on_progress;                   // The control thread has made progress since the last beat.
    std::function<std::vector<std::string>()> degraded;  // Names of the modes in force.
    std::function<WallClock::Instant()> now = std::chrono::steady_clock::now;  // Of what comes; a test's own.
  };

  SafetyService(io::Replier replier, io::Publisher publisher, Mailbox& mailbox, AnswerBox& answers,
                const ControlLoop::Counters& counters, Hooks hooks);

  /// Until Stop.
  void Run();
  void Stop() { stopping_ = true; }

  /// One round: takes in what has come, sends out what is ready, waits at most `wait` for more.
  void Round(std::chrono::milliseconds wait);

  /// What the status says of budgets from now on. From on_beat.
  void Tell(std::vector<core::BudgetUse> uses) { uses_ = std::move(uses); }

  std::uint64_t malformed() const { return malformed_ + replier_.malformed(); }

  /// Longer than it was to wait, and what a round finds may have waited since the one before.
  static constexpr std::chrono::milliseconds kLateRound{100};

 private:
  void NoteLateness(std::chrono::milliseconds wait);
  WallClock::Instant CameNotBefore() const;
  void TakeRequests();
  void Take(const io::Replier::Request& request);
  void SendAnswers();
  void Send(Ticket ticket, const wire::SafetyReply& reply);
  void Send(const StopAnswer& answer);
  void Send(const PeriodAnswer& answer);
  void Send(const AcknowledgeAnswer& answer);
  void Send(const PresenceAnswer& answer);
  void Send(const UnseenAnswer& answer);
  void Refuse(const io::Replier::Request& request, const core::Fault& fault);
  void Beat();
  std::string State() const;

  io::Replier replier_;
  io::Publisher publisher_;
  Mailbox& mailbox_;
  AnswerBox& answers_;
  const ControlLoop::Counters& counters_;
  Hooks hooks_;
  std::atomic<bool> stopping_{false};

  std::optional<WallClock::Instant> round_begun_;
  WallClock::Instant stood_still_from_{}, caught_up_at_{};
  std::map<Ticket, io::Replier::Request> open_;  // At most kOpenMax; the oldest is forgotten.
  Ticket last_ticket_ = 0;
  core::PeriodReport newest_;
  std::vector<core::BudgetUse> uses_;
  std::uint64_t malformed_ = 0;
  std::uint64_t progress_seen_ = 0;
  std::chrono::steady_clock::time_point next_beat_{};
};

}  // namespace nightshift::runtime
