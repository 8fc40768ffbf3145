// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "core/fault.h"

namespace nightshift::runtime::cli {

/// Of attempts with an outcome.
struct Ratio {
  std::int64_t solved = 0;
  std::int64_t attempts = 0;
};

/// Wilson's 95 % interval of a ratio, both ends in [0, 1]. Pure.
struct Interval {
  double low = 0, high = 1;
};
Interval WilsonInterval(const Ratio& ratio);

/// "58/120, 48 % [40, 57]"; "-" where there is no attempt.
std::string Text(const Ratio& ratio);

/// What the journal in a data directory says was learned: each task scripted and learned, in the first and the last
/// part of all practice, recovery tasks, failures, interventions. Practice, not evaluation: attempts explore.
/// Faults: those of JournalReader.
core::Result<std::string> SummaryOf(const std::filesystem::path& data_directory);

}  // namespace nightshift::runtime::cli
