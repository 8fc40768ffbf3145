// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/astray.h"

#include <algorithm>
#include <cmath>

namespace nightshift::safety {

std::optional<AxisExcess> AstrayBudget::Spend(const core::JointState& seen, const core::AxisArray& commanded_q_rad,
                                              const core::AxisArray& commanded_v_rad_s) {
  const double tick_s = core::ToSeconds(limits_.control_period);
  const int arm_axes = std::min(limits_.axes, static_cast<int>(core::kJaw));
  std::optional<AxisExcess> astray;
  for (int i = 0; i < arm_axes; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double error_rad = std::abs(commanded_q_rad[at] - seen.q_rad[at]);
    const double explained_rad = limits_.astray_free_rad + limits_.servo_lag_s * std::abs(commanded_v_rad_s[at]);
    double& spent = spent_rad_s_[at];
    spent = std::max(0.0, spent + (error_rad - explained_rad) * tick_s);
    if (!astray && spent > limits_.astray_rad_s_max) astray = AxisExcess{i, spent, limits_.astray_rad_s_max};
  }
  return astray;
}

double AstrayBudget::used() const {
  return *std::max_element(spent_rad_s_.begin(), spent_rad_s_.end()) / limits_.astray_rad_s_max;
}

}  // namespace nightshift::safety
