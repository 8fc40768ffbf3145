// SPDX-License-Identifier: Apache-2.0
#include "runtime/safety_service.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "io/wire/convert.h"
#include "io/wire/nightshift.pb.h"
#include "runtime/safety_request.h"

namespace nightshift::runtime {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBeat{50};
constexpr int kRequestsPerRoundMax = 64;
constexpr std::size_t kOpenMax = 32;  // Unanswered requests.

}  // namespace

SafetyService::SafetyService(io::Replier replier, io::Publisher publisher, Mailbox& mailbox, AnswerBox& answers,
                             const ControlLoop::Counters& counters, Hooks hooks)
    : replier_(std::move(replier)),
      publisher_(std::move(publisher)),
      mailbox_(mailbox),
      answers_(answers),
      counters_(counters),
      hooks_(std::move(hooks)) {}

void SafetyService::Run() {
  while (!stopping_) Round(kBeat);
}

void SafetyService::Round(milliseconds wait) {
  NoteLateness(wait);
  answers_.Acknowledge();
  SendAnswers();
  if (std::chrono::steady_clock::now() >= next_beat_) Beat();
  // Last before the wait: the socket's descriptor tells of a change once, and sending may have swallowed that.
  TakeRequests();
  std::array<pollfd, 2> ready{pollfd{replier_.descriptor(), POLLIN, 0}, pollfd{answers_.descriptor(), POLLIN, 0}};
  poll(ready.data(), ready.size(), static_cast<int>(wait.count()));
}

/// This process stood still, or this thread. What the sockets' own thread finds then it hands over a little later.
void SafetyService::NoteLateness(milliseconds wait) {
  const auto now = hooks_.now();
  if (round_begun_ && now - *round_begun_ > wait + kLateRound) {
    stood_still_from_ = *round_begun_;
    caught_up_at_ = now + kLateRound;
  }
  round_begun_ = now;
}

WallClock::Instant SafetyService::CameNotBefore() const {
  const auto now = hooks_.now();
  return now < caught_up_at_ ? stood_still_from_ : now;
}

void SafetyService::TakeRequests() {
  for (int i = 0; i < kRequestsPerRoundMax; ++i) {
    const auto request = replier_.Receive(milliseconds(0));
    if (!request) return;
    Take(*request);
  }
}

void SafetyService::Take(const io::Replier::Request& request) {
  auto mail = MailOf(request.body);
  if (!mail) {
    ++malformed_;
    return Refuse(request, mail.error());
  }
  const Ticket ticket = ++last_ticket_;
  std::visit([ticket](auto& letter) { letter.ticket = ticket; }, *mail);
  if (auto* presence = std::get_if<PresenceMail>(&*mail)) presence->came = CameNotBefore();
  if (!mailbox_.Post(*mail))
    return Refuse(request,
                  {core::FaultCode::kRefused, "safety has more requests waiting than it takes; ask again later"});
  open_.emplace(ticket, request);
  if (open_.size() > kOpenMax) open_.erase(open_.begin());
}

void SafetyService::SendAnswers() {
  for (std::size_t i = 0; i < kAnswerPlaces; ++i) {
    const auto answer = answers_.Take();
    if (!answer) return;
    std::visit([this](const auto& letter) { Send(letter); }, *answer);
  }
}

void SafetyService::Send(const StopAnswer& answer) {
  wire::SafetyReply reply;
  reply.mutable_done();
  Send(answer.ticket, reply);
}

void SafetyService::Send(const PeriodAnswer& answer) {
  newest_ = answer.report;
  if (hooks_.on_period) hooks_.on_period(newest_);
  if (answer.ticket == 0) return;
  wire::SafetyReply reply;
  io::Encode(answer.report, reply.mutable_period());
  Send(answer.ticket, reply);
}

void SafetyService::Send(const AcknowledgeAnswer& answer) {
  wire::SafetyReply reply;
  if (answer.clearance == safety::Clearance::kCleared) {
    reply.mutable_done();
  } else {
    const core::StopCause worst = newest_.latch.worst;
    const std::string stopped =
        worst == core::StopCause::kNone ? "" : "stopped because of " + std::string(core::Name(worst)) + ". ";
    const std::string why =
        std::string(safety::Name(answer.clearance)) + ": " + stopped + std::string(safety::Advice(answer.clearance));
    io::Encode(core::Fault{core::FaultCode::kRefused, why}, reply.mutable_refused());
  }
  Send(answer.ticket, reply);
}

void SafetyService::Send(const PresenceAnswer& answer) {
  wire::SafetyReply reply;
  if (answer.heard == PresenceAnswer::Heard::kYes) {
    reply.mutable_done();
  } else {
    io::Encode(core::Fault{core::FaultCode::kRefused,
                           "no program tells this robot where people are; safety.presence.source = \"topic\" and a "
                           "restart of nightshift-safety would change that"},
               reply.mutable_refused());
  }
  Send(answer.ticket, reply);
}

void SafetyService::Send(const UnseenAnswer& answer) {
  wire::SafetyReply reply;
  io::Encode(core::Fault{core::FaultCode::kDriverTimeout,
                         "the drives have not been heard since nightshift-safety began; check the robot's power and "
                         "cable, and its driver's log; the simulated cell's is log/cell.log"},
             reply.mutable_refused());
  Send(answer.ticket, reply);
}

void SafetyService::Send(Ticket ticket, const wire::SafetyReply& reply) {
  const auto request = open_.find(ticket);
  if (request == open_.end()) return;
  replier_.Reply(request->second, reply.SerializeAsString());
  open_.erase(request);
}

void SafetyService::Refuse(const io::Replier::Request& request, const core::Fault& fault) {
  wire::SafetyReply reply;
  io::Encode(fault, reply.mutable_refused());
  replier_.Reply(request, reply.SerializeAsString());
}

std::string SafetyService::State() const {
  if (newest_.latch.latched()) return "stopped";
  return newest_.sequence != 0 ? "moving" : "holding";
}

void SafetyService::Beat() {
  next_beat_ = std::chrono::steady_clock::now() + kBeat;
  wire::SafetyStatus status;
  io::Encode(newest_, status.mutable_period());
  status.set_ticks(counters_.ticks);
  status.set_proposals_refused(counters_.proposals_refused);
  status.set_malformed(malformed());
  status.set_state(State());
  if (hooks_.degraded)
    for (const std::string& mode : hooks_.degraded()) status.add_degraded(mode);
  for (const core::BudgetUse& use : uses_) {
    auto* budget = status.add_budgets();
    budget->set_budget(std::string(core::Name(use.budget)));
    budget->set_axis(static_cast<std::uint32_t>(use.axis));
    budget->set_share(use.share);
  }
  publisher_.Publish(status.SerializeAsString());
  const std::uint64_t progress = counters_.progress;
  if (progress != std::exchange(progress_seen_, progress) && hooks_.on_progress) hooks_.on_progress();
  if (hooks_.on_beat) hooks_.on_beat();
}

}  // namespace nightshift::runtime
