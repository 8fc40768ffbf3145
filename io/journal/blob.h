// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "core/fault.h"
#include "core/transition.h"

/// What the journal's blobs hold: the protobuf messages of io/wire/nightshift.proto. What could not be read back is not
/// stored.
namespace nightshift::io {

/// Faults: kNotFinite, kMalformedMessage (an axis count or an enum out of range).
core::Result<std::string> TransitionBlob(const core::Transition& transition);
core::Result<std::string> ObservationBlob(const core::Observation& observation);

/// Faults: kCorruptState.
core::Result<core::Transition> TransitionIn(std::string_view blob);
core::Result<core::Observation> ObservationIn(std::string_view blob);

}  // namespace nightshift::io
