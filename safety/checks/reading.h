// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "core/observation.h"
#include "safety/config.h"

/// Hazard: the arm is not what the driver says it is: silent, frozen or garbled readings; too hot; not where it was
/// told to be.
namespace nightshift::safety {

/// True if the reading is whole: right number of axes, every number finite, torques and currents that a drive of this
/// size could have, no motor colder than the room can be, and newer than the one before.
bool IsUsable(const Limits& limits, const core::JointState& seen, std::optional<std::uint64_t> last_sequence);

/// Readings whose numbers stand still while the command moves on, though they are counted on: a driver that repeats
/// itself. Drives that are pushed or held still show noise in position, speed, torque or current.
class FrozenContent {
 public:
  /// True from when the command of an arm axis has moved by kFrozenTravelRad since anything measured last changed.
  /// A command that was only measured anew has not moved.
  bool Look(const core::JointState& seen, const core::AxisArray& commanded_v_rad_s, double tick_s);

  static constexpr double kFrozenTravelRad = 0.05;  // Some ten steps of an encoder.

 private:
  std::optional<core::JointState> last_;
  core::AxisArray travel_rad_{};  // Commanded, since then.
};

/// Above the limit, or (with hysteresis, once hot) not yet below where it clears.
bool IsHot(const Limits& limits, const core::JointState& seen);
bool HasCooled(const Limits& limits, const core::JointState& seen);

struct AxisExcess {
  int axis = 0;
  double wanted = 0, allowed = 0;
};

/// The first axis farther from its command than its bound, if any.
std::optional<AxisExcess> TrackingExcess(const Limits& limits, const core::JointState& seen,
                                         const core::AxisArray& commanded_q_rad);

/// Slower than the rest speed on every axis.
bool IsAtRest(const Limits& limits, const core::JointState& seen);

}  // namespace nightshift::safety
