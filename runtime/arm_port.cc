// SPDX-License-Identifier: Apache-2.0
#include "runtime/arm_port.h"

#include <utility>

#include "io/wire/convert.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

namespace nightshift::runtime {

using core::Fail;
using core::FaultCode;
using core::Result;

RemoteArm::RemoteArm(io::Requester requester, Waits waits) : requester_(std::move(requester)), waits_(waits) {}

Result<RemoteArm> RemoteArm::Connect(const std::string& safety_command, Waits waits) {
  auto requester = io::Requester::Connect(safety_command);
  if (!requester) return tl::make_unexpected(requester.error());
  return RemoteArm(std::move(*requester), waits);
}

Result<wire::SafetyReply> RemoteArm::Ask(const wire::SafetyRequest& request, io::Wait wait) {
  const auto body = requester_.Call(request.SerializeAsString(), wait);
  if (!body) return tl::make_unexpected(body.error());
  auto reply = io::Parse<wire::SafetyReply>(*body);
  if (reply && reply->has_refused()) return tl::make_unexpected(io::Decode(reply->refused()));
  return reply;
}

Result<core::PeriodReport> RemoteArm::Exchange(const std::optional<core::ProposedAction>& proposal) {
  wire::SafetyRequest request;
  request.set_protocol(io::kProtocol);
  request.mutable_exchange();
  if (proposal) io::Encode(*proposal, request.mutable_exchange()->mutable_proposal());
  const auto reply = Ask(request, waits_.exchange);
  if (!reply) return tl::make_unexpected(reply.error());
  if (!reply->has_period())
    return Fail(FaultCode::kMalformedMessage, "safety answered an exchange without a report; is it another version?");
  return io::Decode(reply->period());
}

Result<void> RemoteArm::Clear(const core::LatchReport& report) {
  wire::SafetyRequest request;
  request.set_protocol(io::kProtocol);
  request.mutable_acknowledge()->set_latch_id(report.id);
  request.mutable_acknowledge()->set_nonce(report.nonce);
  const auto reply = Ask(request, waits_.acknowledge);
  if (!reply) return tl::make_unexpected(reply.error());
  return {};
}

}  // namespace nightshift::runtime
