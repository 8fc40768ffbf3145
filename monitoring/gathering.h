// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/fault.h"

namespace nightshift::monitoring {

/// Wall time that only goes forward (CLOCK_MONOTONIC), passed in.
using WallInstant = std::chrono::steady_clock::time_point;

inline constexpr std::chrono::seconds kSilentAfter{5};   // A process that did not report for so long is not up.
inline constexpr std::chrono::seconds kForgetAfter{30};  // Its figures are dropped then: old news misleads.
inline constexpr std::size_t kProcessesMax = 16;         // Reports of further names are refused.

/// The newest figures of every process, and who has fallen silent. Thread: any.
class Gathering {
 public:
  /// @param expected processes that are listed as not up until they report.
  explicit Gathering(const std::vector<std::string>& expected);
  ~Gathering();

  /// Takes a process's newest exposition in. Faults: kMalformedMessage (the one before stays), kRefused above
  /// kProcessesMax.
  core::Result<void> Take(const std::string& process, std::string_view exposition, WallInstant now);

  /// The union as text, with nightshift_up and nightshift_report_age_seconds for each process.
  std::string Exposition(WallInstant now) const;

 private:
  friend class MetricsServer;
  class Reports;
  std::shared_ptr<Reports> reports_;
};

/// Serves a gathering over HTTP at /metrics, on threads of its own, until it is destroyed.
class MetricsServer {
 public:
  /// @param listen "address:port"; port 0 takes a free one. Faults: kInvalidConfig, kAlreadyRunning (port in use).
  static core::Result<MetricsServer> Listen(const std::string& listen, const Gathering& gathering);
  MetricsServer(MetricsServer&&) noexcept;
  ~MetricsServer();

  int port() const;

 private:
  class Http;
  explicit MetricsServer(std::unique_ptr<Http> http);
  std::unique_ptr<Http> http_;
};

}  // namespace nightshift::monitoring
