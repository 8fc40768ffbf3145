// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <memory>
#include <span>

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
  };
  void CountTick(const Tick& tick);

  /// Joints, margin and latch at the end of a policy period; counts a latch once by its id.
  void SetPeriod(const core::PeriodReport& report);
  void SetBudgets(std::span<const core::BudgetUse> uses);
  void CountBusError(core::FaultCode code);

 private:
  class Figures;
  std::unique_ptr<Figures> figures_;
};

}  // namespace nightshift::monitoring
