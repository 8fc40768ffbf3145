// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "core/observation.h"
#include "safety/checks/reading.h"
#include "safety/config.h"

namespace nightshift::safety {

/// Hazard: current warms a winding long before the sensor in the case feels it, or the sensor lies. Per axis
///     heat += ((I / current_a_continuous)^2 - heat) * (1 - exp(-dt / current_tau_s)),
/// so that 1 is what the continuous current leads to in the long run. Needs no temperature.
/// Thread: control thread only. Real-time.
class HeatBudget {
 public:
  /// @param heat what an earlier life of the process has left.
  explicit HeatBudget(const Limits& limits, const core::AxisArray& heat = {});

  /// The current that was just read has flowed for `since`.
  void Spend(const core::JointState& seen, core::Duration since);

  /// The first axis beyond its budget, if any.
  std::optional<AxisExcess> Excess() const;
  /// Is every axis below the share at which it may work again?
  bool HasCooled() const;
  const core::AxisArray& heat() const { return heat_; }

 private:
  Limits limits_;
  double tick_share_;  // Of the way to the steady state, in one control period.
  core::AxisArray heat_;
};

/// What is left of heat after a time without current.
core::AxisArray Cooled(const core::AxisArray& heat, const Limits& limits, core::Duration time);

}  // namespace nightshift::safety
