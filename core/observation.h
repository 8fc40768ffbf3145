// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "core/time.h"
#include "core/vector.h"

namespace nightshift::core {

/// An axis is a driven joint; the gripper's jaw is the last one. Unused entries are zero.
inline constexpr int kAxesMax = 8;
inline constexpr int kObjectsMax = 4;

using AxisArray = std::array<double, kAxesMax>;

bool IsFinite(const AxisArray& values, int axes);

/// What the driver read in one control tick.
struct JointState {
  Instant time;                // Robot time of the reading; as a driver gives it: see core/devices.h.
  std::uint64_t sequence = 0;  // Counts readings; a repeated one is a stale reading.
  int axes = 0;
  AxisArray q_rad{};
  AxisArray dq_rad_s{};
  AxisArray torque_nm{};
  AxisArray current_a{};
  AxisArray temperature_c{};
  bool powered = false;  // False while the drives hold no torque (start-up, own command timeout).
};

/// One object as perception knows it.
struct TrackedObject {
  Vec3 position_m;        // Centre of the object.
  double confidence = 0;  // 0..1; 0 = never seen.
  Duration age{0};        // Since it was last seen.
};

/// Is the picture one that can be believed?
enum class FrameHealth { kGood, kAbsent, kBlind, kFrozen };

/// What is known at one instant: all that a policy, a predicate or a failure detector may look at.
struct Observation {
  Instant time;
  JointState joints;
  Vec3 tip_m;            // Grasp point, by forward kinematics of the measured joints.
  Vec3 commanded_tip_m;  // The same, of the commanded joints.
  double jaw_rad = 0;
  double jaw_command_rad = 0;
  double jaw_torque_nm = 0;
  FrameHealth frame = FrameHealth::kAbsent;
  Duration frame_age{0};
  int object_count = 0;
  std::array<TrackedObject, kObjectsMax> objects{};

  std::span<const TrackedObject> tracked() const { return {objects.data(), static_cast<std::size_t>(object_count)}; }
};

}  // namespace nightshift::core
