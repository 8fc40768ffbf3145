// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/stall.h"

#include <algorithm>
#include <cmath>

namespace nightshift::safety {

std::optional<AxisExcess> StallBudget::Spend(const core::JointState& seen, const core::AxisArray& commanded_q_rad) {
  const double tick_s = core::ToSeconds(limits_.control_period);
  std::optional<AxisExcess> stalled;
  for (int i = 0; i < limits_.axes; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double push_nm_rad = std::abs(seen.torque_nm[at] * (commanded_q_rad[at] - seen.q_rad[at]));
    double& spent = spent_nm_rad_s_[at];
    spent = std::max(0.0, spent + (push_nm_rad - limits_.stall_free_nm_rad[at]) * tick_s);
    if (!stalled && spent > limits_.stall_nm_rad_s_max[at])
      stalled = AxisExcess{i, spent, limits_.stall_nm_rad_s_max[at]};
  }
  return stalled;
}

double StallBudget::used() const {
  double most = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(limits_.axes); ++i)
    most = std::max(most, spent_nm_rad_s_[i] / limits_.stall_nm_rad_s_max[i]);
  return most;
}

}  // namespace nightshift::safety
