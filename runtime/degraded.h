// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <atomic>
#include <string>
#include <string_view>
#include <vector>

namespace nightshift::runtime {

/// What the safety process has to do without. It goes on; status, metrics and log say so, docs/runbook.md what to do.
enum class DegradedMode { kMemoryNotLocked, kNoRealTimePriority, kCpuRefused, kAuditLosesRecords, kDriverUnheard };
inline constexpr std::array kDegradedModes{DegradedMode::kMemoryNotLocked, DegradedMode::kNoRealTimePriority,
                                           DegradedMode::kCpuRefused, DegradedMode::kAuditLosesRecords,
                                           DegradedMode::kDriverUnheard};
std::string_view Name(DegradedMode mode);

/// The modes in force. Thread: any.
class DegradedModes {
 public:
  void Begin(DegradedMode mode) { bits_ |= Bit(mode); }
  void End(DegradedMode mode) { bits_ &= ~Bit(mode); }
  bool has(DegradedMode mode) const { return (bits_ & Bit(mode)) != 0; }
  std::vector<std::string> Names() const;

 private:
  static unsigned Bit(DegradedMode mode) { return 1u << static_cast<unsigned>(mode); }
  std::atomic<unsigned> bits_{0};
};

}  // namespace nightshift::runtime
