// SPDX-License-Identifier: Apache-2.0
#include "runtime/metrics_service.h"

#include <chrono>

#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"
#include "monitoring/gathering.h"
#include "monitoring/log.h"
#include "monitoring/metrics.h"
#include "runtime/notify.h"

namespace nightshift::runtime {
namespace {

using Clock = std::chrono::steady_clock;

constexpr io::Wait kReportWaitMax{400};
constexpr std::chrono::seconds kOwnPeriod{1};

core::Result<void> TakeReport(const std::string& body, monitoring::Gathering& gathering) {
  const auto report = io::Parse<wire::MetricsReport>(body);
  if (!report) return tl::make_unexpected(report.error());
  return gathering.Take(report->process(), report->exposition(), Clock::now());
}

}  // namespace

core::Result<void> ServeMetrics(const MetricsServiceOptions& options, const std::function<bool()>& must_end) {
  monitoring::Metrics own("metrics", options.version);
  monitoring::Gathering gathering(options.expected);
  auto replier = io::Replier::Bind(options.endpoints.metrics);
  if (!replier) return tl::make_unexpected(replier.error());
  const auto server = monitoring::MetricsServer::Listen(options.listen, gathering);
  if (!server) return tl::make_unexpected(server.error());
  const auto address = options.listen.substr(0, options.listen.rfind(':')) + ":" + std::to_string(server->port());
  monitoring::LogInfo("serving http://" + address + "/metrics");
  NotifyReady();
  NotifyStatus("serving http://" + address + "/metrics");
  double refused = 0;
  Clock::time_point own_due = Clock::now();
  while (!must_end()) {
    if (const auto request = replier->Receive(kReportWaitMax)) {
      if (const auto taken = TakeReport(request->body, gathering); !taken) {
        ++refused;
        own.CountFault(taken.error().code);
      }
      replier->Reply(*request, "");
    }
    if (Clock::now() < own_due) continue;
    own_due = Clock::now() + kOwnPeriod;
    own.SetMalformed(refused + static_cast<double>(replier->malformed()));
    if (auto taken = gathering.Take("metrics", own.Exposition(), Clock::now()); !taken)
      monitoring::LogFault("taking in this process's own figures", taken.error());
    NotifyProgress();
  }
  NotifyStopping();
  return {};
}

}  // namespace nightshift::runtime
