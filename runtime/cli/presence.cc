// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/presence.h"

#include <thread>

#include "io/wire/convert.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

namespace nightshift::runtime::cli {
namespace {

using Wall = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTellEvery{50};

/// The count is the machine's clock: it rises from one call of the command to the next as well.
std::string RequestOf(double distance_m, Wall::time_point now) {
  wire::SafetyRequest request;
  request.set_protocol(io::kProtocol);
  request.mutable_presence()->set_distance_m(distance_m);
  request.mutable_presence()->set_sequence(static_cast<std::uint64_t>(now.time_since_epoch().count()));
  return request.SerializeAsString();
}

}  // namespace

core::Result<void> TellPresence(const io::Endpoints& endpoints, const PresenceTelling& telling,
                                std::chrono::milliseconds wait) {
  auto peer = io::Requester::Connect(endpoints.safety_command);
  if (!peer) return tl::make_unexpected(peer.error());
  const auto begin = Wall::now();
  for (auto next = begin;; next += kTellEvery) {
    std::this_thread::sleep_until(next);
    const auto now = Wall::now();
    const auto bytes = peer->Call(RequestOf(telling.distance_m, now), wait);
    if (!bytes) return tl::make_unexpected(bytes.error());
    const auto reply = io::Parse<wire::SafetyReply>(*bytes);
    if (!reply) return tl::make_unexpected(reply.error());
    if (reply->has_refused()) return tl::make_unexpected(io::Decode(reply->refused()));
    if (telling.lasts_s && now - begin >= std::chrono::duration<double>(*telling.lasts_s)) return {};
  }
}

}  // namespace nightshift::runtime::cli
