// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/heat_budget.h"

#include <algorithm>
#include <cmath>

namespace nightshift::safety {
namespace {

/// Of the way to the steady state that is made in `time`.
double ShareIn(core::Duration time, double tau_s) { return -std::expm1(-core::ToSeconds(time) / tau_s); }

}  // namespace

HeatBudget::HeatBudget(const Limits& limits, const core::AxisArray& heat)
    : limits_(limits), tick_share_(ShareIn(limits.control_period, limits.current_tau_s)), heat_(heat) {}

void HeatBudget::Spend(const core::JointState& seen, core::Duration since) {
  const double share = since == limits_.control_period ? tick_share_ : ShareIn(since, limits_.current_tau_s);
  for (int i = 0; i < limits_.axes; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double load = seen.current_a[at] / limits_.current_a_continuous[at];
    heat_[at] += (load * load - heat_[at]) * share;
  }
}

std::optional<AxisExcess> HeatBudget::Excess() const {
  for (int i = 0; i < limits_.axes; ++i)
    if (const double heat = heat_[static_cast<std::size_t>(i)]; heat > 1) return AxisExcess{i, heat, 1};
  return std::nullopt;
}

bool HeatBudget::HasCooled() const {
  return std::all_of(heat_.begin(), heat_.begin() + limits_.axes,
                     [this](double heat) { return heat < limits_.current_clear_share; });
}

core::AxisArray Cooled(const core::AxisArray& heat, const Limits& limits, core::Duration time) {
  core::AxisArray left = heat;
  for (double& one : left) one *= 1 - ShareIn(time, limits.current_tau_s);
  return left;
}

}  // namespace nightshift::safety
