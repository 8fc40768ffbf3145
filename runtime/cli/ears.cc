// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/ears.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <google/protobuf/util/json_util.h>

#include "io/wire/parse.h"

namespace nightshift::runtime::cli {
namespace {

constexpr std::chrono::milliseconds kLookEvery{50};

template <typename Status>
std::string JsonOf(const std::optional<Status>& status) {
  if (!status) return "null";
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(*status, &text, options).ok()) return "null";
  return text;
}

}  // namespace

Ears::Ears(io::Subscriber supervisor, io::Subscriber safety, io::Subscriber learner)
    : supervisor_(std::move(supervisor)), safety_(std::move(safety)), learner_(std::move(learner)) {}

core::Result<Ears> Ears::Connect(const io::Endpoints& endpoints) {
  auto supervisor = io::Subscriber::Connect(endpoints.supervisor_state);
  if (!supervisor) return tl::make_unexpected(supervisor.error());
  auto safety = io::Subscriber::Connect(endpoints.safety_state);
  if (!safety) return tl::make_unexpected(safety.error());
  auto learner = io::Subscriber::Connect(endpoints.learner_state);
  if (!learner) return tl::make_unexpected(learner.error());
  return Ears(std::move(*supervisor), std::move(*safety), std::move(*learner));
}

template <typename Status>
void Ears::Take(io::Subscriber& from, std::optional<Status>& into, Wall::time_point& at) {
  if (const auto bytes = from.Latest(io::Wait(0))) {
    if (auto status = io::Parse<Status>(*bytes)) {
      into = std::move(*status);
      at = Wall::now();
    }
  }
  if (into && Wall::now() - at > kSilentAfter) into.reset();
}

void Ears::Listen(std::chrono::milliseconds wait) {
  const auto end = Wall::now() + wait;
  do {
    std::this_thread::sleep_for(std::min(wait, kLookEvery));
    Take(supervisor_, heard_.supervisor, supervisor_at_);
    Take(safety_, heard_.safety, safety_at_);
    Take(learner_, heard_.learner, learner_at_);
  } while (Wall::now() < end);
}

std::string ToJson(const Heard& heard) {
  return "{\"supervisor\":" + JsonOf(heard.supervisor) + ",\"safety\":" + JsonOf(heard.safety) +
         ",\"learner\":" + JsonOf(heard.learner) + "}";
}

}  // namespace nightshift::runtime::cli
