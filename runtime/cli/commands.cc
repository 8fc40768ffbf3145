// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/commands.h"

#include "io/wire/convert.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

namespace nightshift::runtime::cli {
namespace {

using core::Result;
using std::chrono::milliseconds;

/// Sends one request; "done" or any other answer than a refusal is good.
template <typename Reply, typename Request>
Result<void> Ask(const std::string& endpoint, Request request, milliseconds wait) {
  request.set_protocol(io::kProtocol);
  auto peer = io::Requester::Connect(endpoint);
  if (!peer) return tl::make_unexpected(peer.error());
  const auto bytes = peer->Call(request.SerializeAsString(), wait);
  if (!bytes) return tl::make_unexpected(bytes.error());
  const auto reply = io::Parse<Reply>(*bytes);
  if (!reply) return tl::make_unexpected(reply.error());
  if (reply->has_refused()) return tl::make_unexpected(io::Decode(reply->refused()));
  return {};
}

enum class Purpose { kClear, kArm };

/// A person acknowledges the latch that the safety process shows.
Result<void> Acknowledge(const io::Endpoints& endpoints, Purpose purpose, milliseconds wait) {
  auto state = io::Subscriber::Connect(endpoints.safety_state);
  if (!state) return tl::make_unexpected(state.error());
  const auto bytes = state->Latest(wait);
  if (!bytes)
    return core::Fail(core::FaultCode::kPeerTimeout,
                      endpoints.safety_state + ": the safety process says nothing; is it running?");
  const auto status = io::Parse<wire::SafetyStatus>(*bytes);
  if (!status) return tl::make_unexpected(status.error());
  const wire::LatchReport& latch = status->period().latch();
  wire::SafetyRequest request;
  request.mutable_acknowledge()->set_latch_id(latch.id());
  request.mutable_acknowledge()->set_nonce(latch.nonce());
  request.mutable_acknowledge()->set_by_person(true);
  request.mutable_acknowledge()->set_arms_only(purpose == Purpose::kArm);
  return Ask<wire::SafetyReply>(endpoints.safety_command, request, wait);
}

}  // namespace

Result<void> FinishSupervisor(const io::Endpoints& endpoints, milliseconds wait) {
  wire::SupervisorRequest request;
  request.mutable_finish();
  return Ask<wire::SupervisorReply>(endpoints.supervisor_control, request, wait);
}

Result<void> PauseSupervisor(const io::Endpoints& endpoints, milliseconds wait) {
  wire::SupervisorRequest request;
  request.mutable_pause();
  return Ask<wire::SupervisorReply>(endpoints.supervisor_control, request, wait);
}

Result<void> ResumeSupervisor(const io::Endpoints& endpoints, milliseconds wait) {
  wire::SupervisorRequest request;
  request.mutable_resume();
  return Ask<wire::SupervisorReply>(endpoints.supervisor_control, request, wait);
}

Result<void> StopRobot(const io::Endpoints& endpoints, milliseconds wait) {
  wire::SafetyRequest request;
  request.mutable_stop();
  return Ask<wire::SafetyReply>(endpoints.safety_command, request, wait);
}

Result<void> ArmRobot(const io::Endpoints& endpoints, milliseconds wait) {
  return Acknowledge(endpoints, Purpose::kArm, wait);
}

Result<void> ClearStop(const io::Endpoints& endpoints, milliseconds wait) {
  return Acknowledge(endpoints, Purpose::kClear, wait);
}

Result<void> Inject(const io::Endpoints& endpoints, const Injection& injection, milliseconds wait) {
  wire::CellRequest request;
  request.mutable_inject()->set_fault(injection.fault);
  request.mutable_inject()->set_index(injection.index);
  request.mutable_inject()->set_duration_s(injection.duration_s);
  return Ask<wire::CellReply>(endpoints.cell_control, request, wait);
}

}  // namespace nightshift::runtime::cli
