// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>

#include "core/fault.h"
#include "safety/safety_state.h"

namespace nightshift::safety {

/// What the file holds; nothing where there is none yet. Faults: kCorruptState (torn, changed, of another version) and
/// kIoFailed, naming the file and what is done without it.
core::Result<std::optional<StoredState>> ReadStateFile(const std::string& path);

/// Replaces the file as a whole and syncs it: whoever is killed at any instant, and a power cut, leave the old one or
/// the new one. Takes as long as the disk does. Faults: kDiskFull, kIoFailed, naming the file.
core::Result<void> WriteStateFile(const std::string& path, const StoredState& stored);

}  // namespace nightshift::safety
