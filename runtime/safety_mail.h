// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

#include "core/action.h"
#include "runtime/channel.h"
#include "safety/checks/presence.h"
#include "safety/monitor.h"

/// What passes between the thread that talks to other processes and the control thread, both ways. Fixed sizes only.
namespace nightshift::runtime {

/// Names one request until it is answered.
using Ticket = std::uint64_t;

struct ExchangeMail {
  Ticket ticket = 0;
  std::optional<core::ProposedAction> proposal;
};
struct AcknowledgeMail {
  Ticket ticket = 0;
  safety::Acknowledgement acknowledgement;
};
struct StopMail {
  Ticket ticket = 0;
};
struct PresenceMail {
  Ticket ticket = 0;
  safety::PresenceReport report;
  std::chrono::steady_clock::time_point came{};  // Not before this.
};
using SafetyMail = std::variant<StopMail, ExchangeMail, AcknowledgeMail, PresenceMail>;

struct PeriodAnswer {
  Ticket ticket = 0;  // 0: nobody asked; for the status only.
  core::PeriodReport report;
};
struct AcknowledgeAnswer {
  Ticket ticket = 0;
  safety::Clearance clearance = safety::Clearance::kStale;
};
struct StopAnswer {
  Ticket ticket = 0;
};
struct PresenceAnswer {
  enum class Heard { kYes, kNoSuchSensor };
  Ticket ticket = 0;
  Heard heard = Heard::kYes;
};
/// To an exchange while the arm has never been seen: there is nothing to report.
struct UnseenAnswer {
  Ticket ticket = 0;
};
using SafetyAnswer = std::variant<StopAnswer, PeriodAnswer, AcknowledgeAnswer, PresenceAnswer, UnseenAnswer>;

inline constexpr std::size_t kMailPlaces = 32;    // More than the exchanges that may be open.
inline constexpr std::size_t kAnswerPlaces = 64;  // Each mail, and one status for each period besides.
using Mailbox = Channel<SafetyMail, kMailPlaces>;
using AnswerBox = Channel<SafetyAnswer, kAnswerPlaces>;

/// What a presence switch says, from the thread that reads it to the control thread. The newest counts: a queue would
/// hand out what is long past after the control thread has waited. Neither end locks or allocates.
class SwitchBox {
 public:
  enum class Reading { kNobody, kSomebody };

  /// One thread. Each reading counts as a new one.
  void Put(Reading reading) {
    const std::uint64_t count = (word_.load(std::memory_order_relaxed) >> 1) + 1;
    word_.store(count << 1 | (reading == Reading::kSomebody ? 1 : 0), std::memory_order_release);
  }

  /// The newest and how many there were with it; nothing before the first.
  struct Newest {
    Reading reading = Reading::kSomebody;
    std::uint64_t count = 0;
  };
  std::optional<Newest> newest() const {
    const std::uint64_t word = word_.load(std::memory_order_acquire);
    if (word == 0) return std::nullopt;
    return Newest{(word & 1) != 0 ? Reading::kSomebody : Reading::kNobody, word >> 1};
  }

 private:
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
  std::atomic<std::uint64_t> word_{0};  // Count, then 1 for somebody.
};

}  // namespace nightshift::runtime
