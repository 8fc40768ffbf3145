// SPDX-License-Identifier: Apache-2.0
#include "monitoring/safety_metrics.h"

#include <array>
#include <atomic>
#include <string>

#include "core/check.h"
#include "monitoring/families.h"

namespace nightshift::monitoring {
namespace {

using core::LimitId;
using core::StopCause;
using core::Verdict;

using core::kLimitIds;
constexpr std::array kVerdicts = {Verdict::kPass, Verdict::kLimited, Verdict::kRefused, Verdict::kStopped};

// The enums are used as indices: their lists here must be whole and in order.
constexpr bool InOrder() {
  for (std::size_t i = 0; i < kLimitIds.size(); ++i)
    if (static_cast<std::size_t>(kLimitIds[i]) != i) return false;
  for (std::size_t i = 0; i < kVerdicts.size(); ++i)
    if (static_cast<std::size_t>(kVerdicts[i]) != i) return false;
  return true;
}
static_assert(InOrder());

// 50 us to 0.5 s: a control tick is 1 to 5 ms, and a machine that is too busy takes a loop away for longer.
const std::vector<double> kTickBounds = {50e-6, 100e-6, 200e-6, 500e-6, 1e-3,   2e-3,  5e-3,
                                         10e-3, 20e-3,  50e-3,  100e-3, 200e-3, 500e-3};
constexpr std::size_t kTickBuckets = 14;  // One above the number of bounds: the last is +Inf.

/// A prometheus::Histogram locks. This one is filled without and poured into one by whoever is not in a hurry.
class TickHistogram {
 public:
  explicit TickHistogram(prometheus::Histogram& target) : target_(target) {}

  void Count(std::chrono::nanoseconds value) {
    const double seconds = std::chrono::duration<double>(value).count();
    std::size_t bucket = 0;
    while (bucket < kTickBounds.size() && seconds > kTickBounds[bucket]) ++bucket;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(value.count(), std::memory_order_relaxed);
  }

  void Pour() {
    std::vector<double> increments;
    for (auto& count : counts_) increments.push_back(static_cast<double>(count.exchange(0, std::memory_order_relaxed)));
    target_.ObserveMultiple(increments, 1e-9 * static_cast<double>(sum_ns_.exchange(0, std::memory_order_relaxed)));
  }

 private:
  prometheus::Histogram& target_;
  std::array<std::atomic<std::uint64_t>, kTickBuckets> counts_{};
  std::atomic<std::int64_t> sum_ns_{0};
};

}  // namespace

class SafetyMetrics::Figures {
 public:
  explicit Figures(prometheus::Registry& registry)
      : ticks(Counters(registry, "safety_ticks_total", "Control ticks.").Add({})),
        took(OneHistogram(registry, "safety_tick_duration_seconds", "Wall time of the work of a control tick.",
                          kTickBounds)),
        late(OneHistogram(registry, "safety_tick_lateness_seconds",
                          "Wall time by which a control tick began after it was due; 0 in lock-step.", kTickBounds)),
        latches(Counters(registry, "safety_latches_total", "Stops that latched, by their first cause.")),
        latched(Gauges(registry, "safety_latched", "1 for the worst cause that holds the robot now, else 0.")),
        margin(Gauges(registry, "safety_margin",
                      "Distance left to the limit that acted hardest in the last policy period, in the limit's unit.")),
        temperature(Gauges(registry, "axis_temperature_celsius", "Motor temperature.")),
        current(Gauges(registry, "axis_current_amperes", "Motor current.")),
        error(Gauges(registry, "axis_position_error_radians", "Commanded less measured position.")),
        budget(Gauges(registry, "axis_budget_ratio", "Share of a budget that an axis has used; 1: all of it.")),
        powered(Gauges(registry, "drives_powered", "1 while the drives hold torque, else 0.").Add({})),
        person_distance(Gauges(registry, "safety_person_distance_metres",
                               "From the nearest person to the arm, as the sensor says; 0 while it is silent.")),
        speed_scale(Gauges(registry, "safety_speed_scale",
                           "Share of its speed that the arm may have beside the nearest person; 0 to 1.")
                        .Add({})),
        bus_errors(Counters(registry, "bus_errors_total", "Readings or commands that the robot's bus lost.")),
        ticks_missed(Counters(registry, "safety_ticks_missed_total",
                              "Control periods in which the loop did not come round; counted from robot time.")
                         .Add({})),
        readings_old(
            Counters(registry, "safety_readings_old_total", "Readings that were too old to be believed.").Add({})),
        audit_written(Counters(registry, "audit_records_total", "Records in the audit's files.").Add({})),
        audit_lost(
            Counters(registry, "audit_records_lost_total", "Records that found the audit's queue full.").Add({})),
        degraded(Gauges(registry, "degraded", "1 while the named degraded mode is in force, else 0.")) {
    NIGHTSHIFT_CHECK(kTickBounds.size() + 1 == kTickBuckets);
    auto& family = Counters(registry, "safety_judgements_total", "Judgements of control ticks.");
    for (const Verdict verdict : kVerdicts)
      for (const LimitId limit : kLimitIds)
        if ((verdict == Verdict::kPass) == (limit == LimitId::kNone))
          judgements[static_cast<std::size_t>(verdict)][static_cast<std::size_t>(limit)] =
              &family.Add({{"verdict", std::string(core::Name(verdict))}, {"limit", std::string(core::Name(limit))}});
    for (const StopCause cause : core::kStopCauses) latches.Add({{"cause", std::string(core::Name(cause))}});
    for (const auto code : {core::FaultCode::kDriverTimeout, core::FaultCode::kDriverLost})
      bus_errors.Add({{"code", std::string(core::Name(code))}});
  }

  prometheus::Counter& ticks;
  TickHistogram took;
  TickHistogram late;
  std::array<std::array<prometheus::Counter*, kLimitIds.size()>, kVerdicts.size()> judgements{};
  prometheus::Family<prometheus::Counter>& latches;
  prometheus::Family<prometheus::Gauge>& latched;
  prometheus::Family<prometheus::Gauge>& margin;
  prometheus::Family<prometheus::Gauge>& temperature;
  prometheus::Family<prometheus::Gauge>& current;
  prometheus::Family<prometheus::Gauge>& error;
  prometheus::Family<prometheus::Gauge>& budget;
  prometheus::Gauge& powered;
  prometheus::Family<prometheus::Gauge>& person_distance;  // Without a sensor there is none.
  prometheus::Gauge& speed_scale;
  prometheus::Family<prometheus::Counter>& bus_errors;
  prometheus::Counter& ticks_missed;
  prometheus::Counter& readings_old;
  prometheus::Counter& audit_written;
  prometheus::Counter& audit_lost;
  prometheus::Family<prometheus::Gauge>& degraded;
  std::uint64_t last_latch_id = 0;
};

SafetyMetrics::SafetyMetrics(Metrics& metrics) : figures_(std::make_unique<Figures>(metrics.registry())) {}
SafetyMetrics::~SafetyMetrics() = default;

void SafetyMetrics::CountTick(const Tick& tick) {
  // A pass that names a limit, or a limit that is none, counts as what its verdict says.
  const auto verdict = static_cast<std::size_t>(tick.verdict);
  const auto limit = tick.verdict == Verdict::kPass ? LimitId::kNone : tick.limit;
  if (auto* judgement = figures_->judgements.at(verdict).at(static_cast<std::size_t>(limit))) judgement->Increment();
  if (tick.missed) return;
  figures_->ticks.Increment();
  figures_->took.Count(tick.took);
  figures_->late.Count(tick.late);
}

void SafetyMetrics::SetPeriod(const core::PeriodReport& report) {
  figures_->took.Pour();
  figures_->late.Pour();
  const auto& joints = report.joints;
  for (int axis = 0; axis < joints.axes; ++axis) {
    const auto i = static_cast<std::size_t>(axis);
    const prometheus::Labels label = {{"axis", std::to_string(axis)}};
    figures_->temperature.Add(label).Set(joints.temperature_c[i]);
    figures_->current.Add(label).Set(joints.current_a[i]);
    figures_->error.Add(label).Set(report.commanded_q_rad[i] - joints.q_rad[i]);
  }
  figures_->powered.Set(joints.powered ? 1 : 0);
  figures_->speed_scale.Set(report.person.speed_scale);
  if (report.person.presence != core::Presence::kUnwatched)
    figures_->person_distance.Add({}).Set(report.person.distance_m);
  if (report.limit != LimitId::kNone)
    figures_->margin.Add({{"limit", std::string(core::Name(report.limit))}}).Set(report.margin);
  for (const StopCause cause : core::kStopCauses)
    figures_->latched.Add({{"cause", std::string(core::Name(cause))}}).Set(report.latch.worst == cause ? 1 : 0);
  if (report.latch.latched() && report.latch.id != figures_->last_latch_id) {
    figures_->latches.Add({{"cause", std::string(core::Name(report.latch.first))}}).Increment();
    figures_->last_latch_id = report.latch.id;
  }
}

void SafetyMetrics::SetBudgets(std::span<const core::BudgetUse> uses) {
  for (const core::BudgetUse& use : uses)
    figures_->budget.Add({{"axis", std::to_string(use.axis)}, {"budget", std::string(core::Name(use.budget))}})
        .Set(use.share);
}

void SafetyMetrics::CountBusError(core::FaultCode code) {
  figures_->bus_errors.Add({{"code", std::string(core::Name(code))}}).Increment();
}

void SafetyMetrics::SetTotals(const Totals& totals) {
  const auto raise = [](prometheus::Counter& counter, std::uint64_t total) {
    counter.Increment(static_cast<double>(total) - counter.Value());
  };
  raise(figures_->ticks_missed, totals.ticks_missed);
  raise(figures_->readings_old, totals.readings_old);
  raise(figures_->audit_written, totals.audit_written);
  raise(figures_->audit_lost, totals.audit_lost);
}

void SafetyMetrics::SetDegraded(const std::vector<Mode>& modes) {
  for (const Mode& mode : modes) figures_->degraded.Add({{"mode", mode.name}}).Set(mode.in_force ? 1 : 0);
}

}  // namespace nightshift::monitoring
