// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/observation.h"
#include "skills/scene.h"

namespace nightshift::tests {

/// What is seen with a good picture, the arm at home, and one object lying at (x, y).
inline core::Observation SeenLying(const skills::Scene& scene, double x_m, double y_m) {
  core::Observation seen;
  seen.time = core::Instant(core::Seconds(100));
  seen.tip_m = seen.commanded_tip_m = scene.home_m;
  seen.jaw_rad = seen.jaw_command_rad = scene.jaw_open_rad;
  seen.frame = core::FrameHealth::kGood;
  seen.object_count = 1;
  seen.objects[0] = {.position_m = {x_m, y_m, scene.object_half_m}, .confidence = 1};
  return seen;
}

/// What is seen with the object in hand at home.
inline core::Observation SeenHeld(const skills::Scene& scene) {
  core::Observation seen = SeenLying(scene, 0, 0);
  seen.jaw_rad = (scene.jaw_empty_rad + scene.jaw_wide_rad) / 2;
  seen.jaw_command_rad = scene.jaw_closed_rad;
  seen.objects[0].position_m = seen.tip_m;
  return seen;
}

/// A second object, lying at (x, y).
inline core::Observation With(core::Observation seen, const skills::Scene& scene, double x_m, double y_m) {
  seen.object_count = 2;
  seen.objects[1] = {.position_m = {x_m, y_m, scene.object_half_m}, .confidence = 1};
  return seen;
}

}  // namespace nightshift::tests
