// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "core/fault.h"

/// The process's log: lines on stderr, `<priority>process: text` where journald listens (JOURNAL_STREAM is set), else
/// with time and level for a person. Thread: any; each call locks and writes, so not from the control thread.
namespace nightshift::monitoring {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// Names the process in each line and drops what is below `least`. Until it is called: "nightshift", kInfo.
void StartLog(const std::string& process, LogLevel least = LogLevel::kInfo);

/// "debug", "info", "warning" or "error". Faults: kInvalidConfig naming those.
core::Result<LogLevel> ParseLogLevel(std::string_view name);

void LogDebug(std::string_view text);
void LogInfo(std::string_view text);
void LogWarning(std::string_view text);
void LogError(std::string_view text);
/// "doing what: [code] detail", as an error.
void LogFault(std::string_view doing, const core::Fault& fault);

}  // namespace nightshift::monitoring
