// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/action.h"
#include "core/budget.h"
#include "core/fault.h"
#include "monitoring/metrics.h"

namespace nightshift::monitoring {

/// The safety process's figures: judgements, latches, ticks, axes, the robot's bus.
/// Thread: CountTick for the control thread, real-time: no lock, no allocation. The others for any one other thread.
class SafetyMetrics {
 public:
  explicit SafetyMetrics(Metrics& metrics);
  ~SafetyMetrics();

  struct Tick {
    core::Verdict verdict = core::Verdict::kPass;
    core::LimitId limit = core::LimitId::kNone;
    std::chrono::nanoseconds took{0};  // Wall time of the work of the tick, without waiting.
    std::chrono::nanoseconds late{0};  // Wall time by which it began after it was due; 0 in lock-step.
    bool missed = false;  // Judged afterwards, since the loop came round too late: counts as judgement only.
  };
  void CountTick(const Tick& tick);

  /// Joints, margin, latch and the nearest person at the end of a policy period; counts a latch once by its id.
  void SetPeriod(const core::PeriodReport& report);
  void SetBudgets(std::span<const core::BudgetUse> uses);
  void CountBusError(core::FaultCode code);

  /// Since the process began; none ever falls.
  struct Totals {
    std::uint64_t ticks_missed = 0;
    std::uint64_t readings_old = 0;
    std::uint64_t audit_written = 0;
    std::uint64_t audit_lost = 0;
  };
  void SetTotals(const Totals& totals);

  struct Mode {
    std::string name;
    bool in_force = false;
  };
  void SetDegraded(const std::vector<Mode>& modes);

 private:
  class Figures;
  std::unique_ptr<Figures> figures_;
};

}  // namespace nightshift::monitoring
