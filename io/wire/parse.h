// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "core/fault.h"

namespace nightshift::io {

/// Version of the request messages; a request with another one is refused.
inline constexpr unsigned kProtocol = 1;

/// Bytes to a message of nightshift.proto. Faults: kMalformedMessage, naming the type and the size.
template <typename Message>
core::Result<Message> Parse(std::string_view bytes) {
  Message message;
  if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return message;
  return core::Fail(core::FaultCode::kMalformedMessage, std::to_string(bytes.size()) +
                                                            " bytes are not a message of type " +
                                                            message.GetTypeName() + "; is the sender another version?");
}

}  // namespace nightshift::io
