// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "runtime/config.h"

namespace nightshift::runtime {

/// What to say of a key that does not exist: the nearest one that does, and, where only the unit differs, that.
std::string UnknownKey(const std::string& path, const std::string& value, const std::vector<std::string>& known);

/// Makes the files that the configuration names absolute, from `folder`. Faults: kMissingFile, naming key and path.
core::Result<void> ResolveFiles(Config& config, const std::string& folder);

/// Name, conditions, motion of one task. Faults: kInvalidConfig beginning with `where`.
core::Result<void> CheckTask(const std::vector<core::TaskSpec>& tasks, std::size_t index, const std::string& where);

/// Each part by its own rules, and the parts against each other. Faults: kInvalidConfig.
core::Result<void> CheckWhole(const Config& config);

}  // namespace nightshift::runtime
