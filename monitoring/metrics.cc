// SPDX-License-Identifier: Apache-2.0
#include "monitoring/metrics.h"

#include <prometheus/text_serializer.h>

#include "monitoring/families.h"
#include "monitoring/labels.h"
#include "monitoring/process_figures.h"

namespace nightshift::monitoring {

std::string BoundedLabel::Value(const std::string& wanted) {
  const std::lock_guard lock(mutex_);
  if (known_.size() < max_ && !wanted.empty()) known_.insert(wanted);
  return known_.contains(wanted) ? wanted : "other";
}

class Metrics::Figures {
 public:
  Figures(const std::string& process, const std::string& version)
      : process_(process),
        faults_(Counters(registry_, "faults_total", "Expected trouble that was met, by code (docs/runbook.md).")),
        malformed_(
            Counters(registry_, "malformed_messages_total", "Messages dropped as malformed, oversized or replayed.")
                .Add({{"process", process}})),
        cpu_(Counters(registry_, "process_cpu_seconds_total", "User and system CPU time.").Add({{"process", process}})),
        resident_(Gauge("process_resident_memory_bytes", "Resident memory.")),
        descriptors_(Gauge("process_open_fds", "Open file descriptors.")),
        threads_(Gauge("process_threads", "Threads.")),
        start_(Gauge("process_start_time_seconds", "When the process began, in Unix time; a change is a restart.")) {
    Gauges(registry_, "build_info", "Which build runs; the value is 1.")
        .Add({{"process", process}, {"version", version}, {"compiler", "g++ " __VERSION__}})
        .Set(1);
  }

  void CountFault(core::FaultCode code) {
    faults_.Add({{"process", process_}, {"code", std::string(core::Name(code))}}).Increment();
  }
  void SetMalformed(double total) { SetTotal(malformed_, total); }

  std::string Exposition() {
    if (const auto figures = ReadProcessFigures()) {
      SetTotal(cpu_, figures->cpu_seconds);
      resident_.Set(static_cast<double>(figures->resident_bytes));
      descriptors_.Set(static_cast<double>(figures->open_descriptors));
      threads_.Set(static_cast<double>(figures->threads));
      start_.Set(figures->start_time_unix_seconds);
    }
    return prometheus::TextSerializer().Serialize(registry_.Collect());
  }

  const std::string& process() const { return process_; }
  prometheus::Registry& registry() { return registry_; }

 private:
  prometheus::Gauge& Gauge(const std::string& name, const std::string& help) {
    return Gauges(registry_, name, help).Add({{"process", process_}});
  }

  const std::string process_;
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& faults_;
  prometheus::Counter& malformed_;
  prometheus::Counter& cpu_;
  prometheus::Gauge& resident_;
  prometheus::Gauge& descriptors_;
  prometheus::Gauge& threads_;
  prometheus::Gauge& start_;
};

Metrics::Metrics(const std::string& process, const std::string& version)
    : figures_(std::make_unique<Figures>(process, version)) {}
Metrics::~Metrics() = default;

void Metrics::CountFault(core::FaultCode code) { figures_->CountFault(code); }
void Metrics::SetMalformed(double total) { figures_->SetMalformed(total); }
std::string Metrics::Exposition() const { return figures_->Exposition(); }
const std::string& Metrics::process() const { return figures_->process(); }
prometheus::Registry& Metrics::registry() { return figures_->registry(); }

}  // namespace nightshift::monitoring
