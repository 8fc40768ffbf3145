// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "core/observation.h"
#include "safety/checks/reading.h"
#include "safety/config.h"

namespace nightshift::safety {

/// Hazard: for a while the arm is not where it was told to be, by less than stops it at once, whether it pushes or not:
/// a slipped horn, a command that is never carried out, a torque sensor that is dead while something blocks the arm.
/// Error beyond what sag and a servo's lag explain is summed over time per axis and forgotten as quickly. The jaw is
/// left out: what it holds keeps it from where it is told to go.
///
/// Slower than the stall budget wherever torque is measured, so that a jam is called one.
/// Thread: control thread only. Real-time.
class AstrayBudget {
 public:
  explicit AstrayBudget(const Limits& limits) : limits_(limits) {}

  /// Adds one tick; the first axis whose budget is spent, if any, in rad s.
  std::optional<AxisExcess> Spend(const core::JointState& seen, const core::AxisArray& commanded_q_rad,
                                  const core::AxisArray& commanded_v_rad_s);
  void Reset() { spent_rad_s_ = {}; }

  /// The largest share of an axis's budget that is spent; above 1 where one is spent.
  double used() const;

 private:
  Limits limits_;
  core::AxisArray spent_rad_s_{};
};

}  // namespace nightshift::safety
