// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/strain.h"

#include <algorithm>
#include <cmath>

namespace nightshift::safety {

double Strain(const Limits& limits, const core::JointState& seen, const core::AxisArray& commanded_q_rad,
              const StallBudget& stall, const AstrayBudget& astray) {
  double most = std::max(stall.used(), astray.used());
  for (std::size_t i = 0; i < static_cast<std::size_t>(limits.axes); ++i)
    most = std::max(most, std::abs(commanded_q_rad[i] - seen.q_rad[i]) / limits.tracking_error_rad_max[i]);
  return std::min(most, 1.0);
}

}  // namespace nightshift::safety
