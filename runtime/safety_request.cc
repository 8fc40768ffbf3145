// SPDX-License-Identifier: Apache-2.0
#include "runtime/safety_request.h"

#include <string>

#include "io/wire/convert.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

namespace nightshift::runtime {
namespace {

using core::Fail;
using core::FaultCode;

AcknowledgeMail MailOf(const wire::SafetyRequest::Acknowledge& ack) {
  const auto by = ack.by_person() ? safety::ClearedBy::kPerson : safety::ClearedBy::kSupervisor;
  return {0, {.latch_id = ack.latch_id(), .nonce = ack.nonce(), .by = by, .arms_only = ack.arms_only()}};
}

core::Result<SafetyMail> MailOf(const wire::SafetyRequest::Exchange& exchange) {
  if (!exchange.has_proposal()) return ExchangeMail{};
  const auto proposal = io::Decode(exchange.proposal());
  if (!proposal) return tl::make_unexpected(proposal.error());
  return ExchangeMail{0, *proposal};
}

}  // namespace

core::Result<SafetyMail> MailOf(std::string_view bytes) {
  const auto message = io::Parse<wire::SafetyRequest>(bytes);
  if (!message) return tl::make_unexpected(message.error());
  if (message->protocol() != io::kProtocol)
    return Fail(FaultCode::kMalformedMessage, "protocol = " + std::to_string(message->protocol()) + ": must be " +
                                                  std::to_string(io::kProtocol) + "; is the sender another version?");
  switch (message->what_case()) {
    case wire::SafetyRequest::kStop: return StopMail{};
    case wire::SafetyRequest::kAcknowledge: return MailOf(message->acknowledge());
    case wire::SafetyRequest::kExchange: return MailOf(message->exchange());
    case wire::SafetyRequest::kPresence:  // What is no distance is for the filter to take for a person at the arm.
      return PresenceMail{0, {message->presence().distance_m(), message->presence().sequence()}};
    case wire::SafetyRequest::WHAT_NOT_SET: break;
  }
  return Fail(FaultCode::kMalformedMessage,
              "safety request says nothing: must hold exchange, acknowledge, stop or presence");
}

}  // namespace nightshift::runtime
