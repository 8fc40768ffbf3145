// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>

#include "core/fault.h"

namespace nightshift::io::cell {

/// Replaces the file as a whole: whoever is killed at any instant leaves the old one or the new one.
/// Faults: kDiskFull, kIoFailed, naming the file.
core::Result<void> ReplaceFile(const std::string& path, const std::string& bytes);

/// Nothing when there is no such file. Faults: kIoFailed.
core::Result<std::optional<std::string>> ReadFile(const std::string& path);

}  // namespace nightshift::io::cell
