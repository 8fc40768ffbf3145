// SPDX-License-Identifier: Apache-2.0
#include "monitoring/log.h"

#include <cstdlib>
#include <memory>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace nightshift::monitoring {
namespace {

/// sd-daemon(3): a line that begins with <N> has syslog priority N in the journal.
class SyslogPriority final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& line) override {
    const std::string_view priority = message.level >= spdlog::level::err    ? "<3>"
                                      : message.level == spdlog::level::warn ? "<4>"
                                      : message.level == spdlog::level::info ? "<6>"
                                                                             : "<7>";
    line.append(priority.data(), priority.data() + priority.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<SyslogPriority>(); }
};

std::shared_ptr<spdlog::logger> Make(const std::string& process, spdlog::level::level_enum least) {
  auto logger = std::make_shared<spdlog::logger>(process, std::make_shared<spdlog::sinks::stderr_sink_mt>());
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<SyslogPriority>('P');
  formatter->set_pattern(std::getenv("JOURNAL_STREAM") ? "%P%n: %v" : "%Y-%m-%dT%H:%M:%S.%e %-7l %n: %v");
  logger->set_formatter(std::move(formatter));
  logger->set_level(least);
  return logger;
}

std::shared_ptr<spdlog::logger>& TheLogger() {
  static std::shared_ptr<spdlog::logger> logger = Make("nightshift", spdlog::level::info);
  return logger;
}

spdlog::level::level_enum LevelOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

void Log(LogLevel level, std::string_view text) {
  std::atomic_load(&TheLogger())->log(LevelOf(level), spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace

void StartLog(const std::string& process, LogLevel least) {
  std::atomic_store(&TheLogger(), Make(process, LevelOf(least)));
}

core::Result<LogLevel> ParseLogLevel(std::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  if (name == "warning") return LogLevel::kWarning;
  if (name == "error") return LogLevel::kError;
  return core::Fail(core::FaultCode::kInvalidConfig,
                    "log level \"" + std::string(name) + "\": must be debug, info, warning or error");
}

void LogDebug(std::string_view text) { Log(LogLevel::kDebug, text); }
void LogInfo(std::string_view text) { Log(LogLevel::kInfo, text); }
void LogWarning(std::string_view text) { Log(LogLevel::kWarning, text); }
void LogError(std::string_view text) { Log(LogLevel::kError, text); }

void LogFault(std::string_view doing, const core::Fault& fault) {
  LogError(std::string(doing) + ": [" + std::string(core::Name(fault.code)) + "] " + fault.detail);
}

}  // namespace nightshift::monitoring
