// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "core/fault.h"

namespace prometheus {
class Registry;
}

namespace nightshift::monitoring {

/// The figures of one process. Make one, then the groups that the process owns (practice_metrics.h, safety_metrics.h,
/// learner_metrics.h, journal_metrics.h); each value of a figure is owned by one process only. docs/metrics.md lists
/// them all.
///
/// Figures that every process has: build_info, process_* (CPU, memory, descriptors, threads, start), faults_total,
/// malformed_messages_total, all with the label `process`.
/// Thread: any. The constructor and Exposition lock and allocate; see each group for its own promise.
class Metrics {
 public:
  /// @param process "safety", "supervisor", "learner", "metrics" or "cell".
  Metrics(const std::string& process, const std::string& version);
  ~Metrics();

  /// Counts expected trouble that this process met.
  void CountFault(core::FaultCode code);
  /// Sets the count of messages dropped as malformed, oversized or replayed, as the sockets tell it.
  void SetMalformed(double total);

  /// Everything, in the text format 0.0.4 of Prometheus, with process_* read from /proc now.
  std::string Exposition() const;

  const std::string& process() const;
  /// For the groups in this folder.
  prometheus::Registry& registry();

 private:
  class Figures;
  std::unique_ptr<Figures> figures_;
};

}  // namespace nightshift::monitoring
