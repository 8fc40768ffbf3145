// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "core/observation.h"
#include "safety/checks/reading.h"
#include "safety/config.h"

namespace nightshift::safety {

/// Hazard: an axis pushes without moving until something breaks or burns. Torque times error, beyond what gravity
/// explains, is summed over time per axis and forgotten as quickly.
/// Thread: control thread only. Real-time.
class StallBudget {
 public:
  explicit StallBudget(const Limits& limits) : limits_(limits) {}

  /// Adds one tick; the first axis whose budget is spent, if any.
  std::optional<AxisExcess> Spend(const core::JointState& seen, const core::AxisArray& commanded_q_rad);
  void Reset() { spent_nm_rad_s_ = {}; }

  /// The largest share of an axis's budget that is spent; above 1 where one is spent.
  double used() const;

 private:
  Limits limits_;
  core::AxisArray spent_nm_rad_s_{};
};

}  // namespace nightshift::safety
