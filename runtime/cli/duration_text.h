// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "core/fault.h"
#include "core/time.h"

namespace nightshift::runtime::cli {

/// "2h", "90m", "1h30m", "45s", "500ms". Faults: kInvalidConfig naming what was given and what is allowed.
core::Result<core::Duration> ParseDuration(const std::string& text);

/// For people: "2 h 05 min", "3 min 20 s", "12 s".
std::string Text(core::Duration duration);

}  // namespace nightshift::runtime::cli
