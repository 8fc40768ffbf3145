// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <variant>

#include "core/action.h"
#include "runtime/channel.h"
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
using SafetyMail = std::variant<StopMail, ExchangeMail, AcknowledgeMail>;

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
using SafetyAnswer = std::variant<StopAnswer, PeriodAnswer, AcknowledgeAnswer>;

inline constexpr std::size_t kMailPlaces = 32;    // More than the exchanges that may be open.
inline constexpr std::size_t kAnswerPlaces = 64;  // Each mail, and one status for each period besides.
using Mailbox = Channel<SafetyMail, kMailPlaces>;
using AnswerBox = Channel<SafetyAnswer, kAnswerPlaces>;

}  // namespace nightshift::runtime
