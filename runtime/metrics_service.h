// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/fault.h"
#include "io/link/link.h"

namespace nightshift::runtime {

struct MetricsServiceOptions {
  io::Endpoints endpoints;
  std::string listen;                 // "127.0.0.1:9465"; port 0 takes a free one.
  std::vector<std::string> expected;  // Processes that are listed as not up until they report.
  std::string version;
};

/// What nightshift-metrics does: takes the processes' reports in at endpoints.metrics, serves their union over HTTP
/// and tells the service manager how it is; returns once `must_end` says so (asked at least twice a second).
/// Faults: kAlreadyRunning (endpoint or port in use), kInvalidConfig, kIoFailed.
/// Thread: that of the caller.
core::Result<void> ServeMetrics(const MetricsServiceOptions& options, const std::function<bool()>& must_end);

}  // namespace nightshift::runtime
