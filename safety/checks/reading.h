// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "core/observation.h"
#include "safety/config.h"

/// Hazard: the arm is not what the driver says it is: silent, old, frozen or garbled readings; too hot; not where it
/// was told to be.
namespace nightshift::safety {

/// True if the reading is whole: right number of axes, every number finite, torques and currents that a drive of this
/// size could have, no motor colder than the room can be, and newer than the one before.
bool IsUsable(const Limits& limits, const core::JointState& seen, std::optional<std::uint64_t> last_sequence);

/// Was the reading taken too long ago to say where the arm is? One from the future has a clock that says nothing: true.
bool IsOld(const Limits& limits, core::Duration age);

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

/// Readings that jump: an encoder that has lost its count, a frame from elsewhere. Where the arm is cannot be known
/// from them, so nothing is believed until a reading is back where motion could have led, or a person says that it is
/// true.
class Continuity {
 public:
  explicit Continuity(const Limits& limits) : limits_(limits) {}

  /// Could the arm have come to what is seen now from what was believed last? Then it is believed.
  bool Believe(const core::JointState& seen, core::Instant now);

  /// Nothing is known any more: whatever comes next is believed. After a silence.
  void Forget() {
    believed_.reset();
    jumped_ = false;
  }

  /// Was the last reading offered one that jumped? A person may have it believed all the same.
  bool jumped() const { return jumped_; }
  const core::JointState& Insist(core::Instant now);

 private:
  Limits limits_;
  std::optional<core::JointState> believed_;
  core::Instant believed_at_{};
  core::JointState offered_;
  bool jumped_ = false;
};

/// Is any motor above the limit? Are all of them below where it clears, which is lower, so that it does not flutter?
bool IsHot(const Limits& limits, const core::JointState& seen);
bool HasCooled(const Limits& limits, const core::JointState& seen);

struct AxisExcess {
  int axis = 0;
  double wanted = 0, allowed = 0;
};

/// The first axis farther from its command than its bound, if any.
std::optional<AxisExcess> TrackingExcess(const Limits& limits, const core::JointState& seen,
                                         const core::AxisArray& commanded_q_rad);

/// Is every axis so near to its command that it can be said to follow?
bool IsNear(const Limits& limits, const core::JointState& seen, const core::AxisArray& commanded_q_rad);

/// Slower than the rest speed on every axis.
bool IsAtRest(const Limits& limits, const core::JointState& seen);

}  // namespace nightshift::safety
