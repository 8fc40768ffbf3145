// SPDX-License-Identifier: Apache-2.0
#include "io/journal/blob.h"

#include "io/wire/convert.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

namespace nightshift::io {
namespace {

template <typename Core, typename Message>
core::Result<std::string> BlobOf(const Core& value) {
  Message message;
  Encode(value, &message);
  if (const auto back = Decode(message); !back) return tl::make_unexpected(back.error());
  return message.SerializeAsString();
}

template <typename Core, typename Message>
core::Result<Core> In(std::string_view blob) {
  auto message = Parse<Message>(blob);
  auto value = message ? Decode(*message) : core::Result<Core>(tl::make_unexpected(message.error()));
  if (!value)
    return core::Fail(core::FaultCode::kCorruptState,
                      "journal: a blob cannot be read: " + value.error().detail +
                          "; the file is damaged or was changed by something else than Nightshift");
  return value;
}

}  // namespace

core::Result<std::string> TransitionBlob(const core::Transition& transition) {
  return BlobOf<core::Transition, wire::Transition>(transition);
}

core::Result<std::string> ObservationBlob(const core::Observation& observation) {
  return BlobOf<core::Observation, wire::Observation>(observation);
}

core::Result<core::Transition> TransitionIn(std::string_view blob) {
  return In<core::Transition, wire::Transition>(blob);
}

core::Result<core::Observation> ObservationIn(std::string_view blob) {
  return In<core::Observation, wire::Observation>(blob);
}

}  // namespace nightshift::io
