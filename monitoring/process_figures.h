// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>

namespace nightshift::monitoring {

/// What the kernel says of this process.
struct ProcessFigures {
  double cpu_seconds = 0;
  double start_time_unix_seconds = 0;
  std::int64_t resident_bytes = 0;
  std::int64_t threads = 0;
  std::int64_t open_descriptors = 0;
};

/// Reads /proc/self; nothing where it cannot be read. Thread: any.
std::optional<ProcessFigures> ReadProcessFigures();

}  // namespace nightshift::monitoring
