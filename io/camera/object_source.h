// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <optional>
#include <span>

#include "core/fault.h"
#include "core/observation.h"

namespace nightshift::io {

/// What perception needs to know of the arm at the moment it looks.
struct ArmView {
  core::Instant now;
  core::Vec3 tip_m;
  double jaw_rad = 0;
  double jaw_command_rad = 0;
  double jaw_rad_s = 0;
};

/// What was seen.
struct Sighting {
  core::FrameHealth frame = core::FrameHealth::kAbsent;
  core::Duration frame_age{0};  // Since the newest frame was captured.
  int object_count = 0;
  std::array<core::TrackedObject, core::kObjectsMax> objects{};
  std::optional<core::Fault> why_absent;  // Set with kAbsent.

  std::span<const core::TrackedObject> tracked() const {
    return {objects.data(), static_cast<std::size_t>(object_count)};
  }
};

/// Where the objects are. Thread: that of its owner.
class ObjectSource {
 public:
  virtual ~ObjectSource() = default;

  /// One look, at a policy boundary; bounded wait. Never fails: without a picture it says so, and every object keeps
  /// its last place and grows older.
  virtual Sighting Look(const ArmView& arm) = 0;
};

}  // namespace nightshift::io
