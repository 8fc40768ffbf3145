// SPDX-License-Identifier: Apache-2.0
#include "monitoring/gathering.h"

#include <charconv>
#include <exception>
#include <map>
#include <mutex>
#include <optional>

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/text_serializer.h>

#include "monitoring/exposition.h"

namespace nightshift::monitoring {
namespace {

using core::FaultCode;
using core::Result;
using prometheus::MetricFamily;

MetricFamily Gauge(const std::string& name, const std::string& help) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = prometheus::MetricType::Gauge;
  return family;
}

void AddValue(MetricFamily& family, const std::string& process, double value) {
  auto& metric = family.metric.emplace_back();
  metric.label = {{"process", process}};
  metric.gauge.value = value;
}

}  // namespace

class Gathering::Reports : public prometheus::Collectable {
 public:
  explicit Reports(const std::vector<std::string>& expected) {
    for (const auto& process : expected) of_[process] = {};
  }

  Result<void> Take(const std::string& process, std::string_view exposition, WallInstant now) {
    auto families = ParseExposition(exposition);
    if (!families) return tl::make_unexpected(families.error());
    const std::lock_guard lock(mutex_);
    if (process.empty() || (!of_.contains(process) && of_.size() >= kProcessesMax))
      return core::Fail(FaultCode::kRefused, "metrics: a report of process \"" + process + "\" is one more than the " +
                                                 std::to_string(kProcessesMax) + " that are allowed");
    of_[process] = {std::move(*families), now};
    return {};
  }

  std::vector<MetricFamily> CollectAt(WallInstant now) const {
    MetricFamily up = Gauge("nightshift_up", "1 while the process reports, else 0.");
    MetricFamily age = Gauge("nightshift_report_age_seconds", "Wall time since the process's newest report.");
    std::vector<std::vector<MetricFamily>> parts;
    const std::lock_guard lock(mutex_);
    for (const auto& [process, report] : of_) {
      const auto silent = report.at ? std::optional(now - *report.at) : std::nullopt;
      AddValue(up, process, silent && *silent <= kSilentAfter ? 1 : 0);
      if (!silent) continue;
      AddValue(age, process, std::chrono::duration<double>(*silent).count());
      if (*silent <= kForgetAfter) parts.push_back(report.families);
    }
    parts.push_back({std::move(up)});
    if (!age.metric.empty()) parts.push_back({std::move(age)});
    return Merge(parts);
  }

  std::vector<MetricFamily> Collect() const override { return CollectAt(std::chrono::steady_clock::now()); }

 private:
  struct Report {
    std::vector<MetricFamily> families;
    std::optional<WallInstant> at;  // Nothing: never heard.
  };
  mutable std::mutex mutex_;
  std::map<std::string, Report> of_;  // Guarded by mutex_.
};

Gathering::Gathering(const std::vector<std::string>& expected) : reports_(std::make_shared<Reports>(expected)) {}
Gathering::~Gathering() = default;

Result<void> Gathering::Take(const std::string& process, std::string_view exposition, WallInstant now) {
  return reports_->Take(process, exposition, now);
}

std::string Gathering::Exposition(WallInstant now) const {
  return prometheus::TextSerializer().Serialize(reports_->CollectAt(now));
}

class MetricsServer::Http {
 public:
  Http(const std::string& listen, std::shared_ptr<prometheus::Collectable> collectable)
      : collectable_(std::move(collectable)), exposer_(listen) {
    exposer_.RegisterCollectable(collectable_);
  }
  int port() const { return exposer_.GetListeningPorts().at(0); }

 private:
  const std::shared_ptr<prometheus::Collectable> collectable_;  // The exposer holds it weakly.
  prometheus::Exposer exposer_;
};

MetricsServer::MetricsServer(std::unique_ptr<Http> http) : http_(std::move(http)) {}
MetricsServer::MetricsServer(MetricsServer&&) noexcept = default;
MetricsServer::~MetricsServer() = default;

Result<MetricsServer> MetricsServer::Listen(const std::string& listen, const Gathering& gathering) {
  const auto colon = listen.rfind(':');
  int port = -1;
  const char* end = listen.data() + listen.size();
  const bool number =
      colon != std::string::npos && colon > 0 && std::from_chars(listen.data() + colon + 1, end, port).ptr == end;
  if (!number || port < 0 || port > 65535)
    return core::Fail(FaultCode::kInvalidConfig, "metrics.listen = \"" + listen +
                                                     "\": must be address:port with a port of 0 to 65535, for "
                                                     "example \"127.0.0.1:9465\"");
  try {
    return MetricsServer(std::make_unique<Http>(listen, gathering.reports_));
  } catch (const std::exception& trouble) {
    return core::Fail(FaultCode::kAlreadyRunning, "metrics.listen = \"" + listen + "\": cannot be served (" +
                                                      trouble.what() +
                                                      "); is another program on this port, or the address not of this "
                                                      "machine?");
  }
}

int MetricsServer::port() const { return http_->port(); }

}  // namespace nightshift::monitoring
