// SPDX-License-Identifier: Apache-2.0
#include "runtime/degraded.h"

namespace nightshift::runtime {

std::string_view Name(DegradedMode mode) {
  switch (mode) {
    case DegradedMode::kMemoryNotLocked: return "memory_is_not_locked";
    case DegradedMode::kNoRealTimePriority: return "no_real_time_priority";
    case DegradedMode::kCpuRefused: return "cpu_is_refused";
    case DegradedMode::kAuditLosesRecords: return "audit_loses_records";
    case DegradedMode::kDriverUnheard: return "driver_is_not_heard";
  }
  return "?";
}

std::vector<std::string> DegradedModes::Names() const {
  std::vector<std::string> names;
  for (const DegradedMode mode : kDegradedModes)
    if (has(mode)) names.emplace_back(Name(mode));
  return names;
}

}  // namespace nightshift::runtime
