// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "core/fault.h"
#include "io/camera/calibration.h"

namespace nightshift::io {

/// What an object looks like. Hue in degrees of the colour circle; a range whose minimum is above its maximum goes
/// through 360 (red). Saturation and value in 0..1.
struct ObjectLook {
  std::string name;
  double hue_deg_min = 0;
  double hue_deg_max = 0;
  double saturation_min = 0.45;  // The surroundings of the cell stay below 0.3.
  double value_min = 0.12;       // Still a colour in a dimmed picture.
  double half_m = 0.013;         // Half the edge: the height of its centre when it lies on the table.
};

/// Where objects are known from.
enum class PerceptionSource {
  kCamera,       // Frames, colours, calibration.
  kGroundTruth,  // The simulated cell's own knowledge: quick tests only, and named as such wherever it is used.
};

struct PerceptionConfig {
  PerceptionSource source = PerceptionSource::kCamera;
  CameraCalibration camera;
  std::vector<ObjectLook> objects{{.name = "red", .hue_deg_min = 340, .hue_deg_max = 20, .half_m = 0.014},
                                  {.name = "blue", .hue_deg_min = 205, .hue_deg_max = 255, .half_m = 0.013}};
  double area_px_min = 7;                   // Smaller patches are noise: a whole object covers 60 to 150 pixels.
  double jaw_closed_command_rad_max = 0.4;  // Commanded below this: meant to be closed.
  double jaw_empty_rad = 0.25;              // Measured below this: closed on nothing; on an object 0.40 and more.
  double jaw_wide_rad = 0.76;               // Measured above this: still open; across a cube's diagonal up to 0.72.
  double jaw_still_rad_s_max = 0.4;         // Measured faster: still closing, whatever it passes.
  double lifted_tip_m_min = 0.028;  // Grasp point above this height: what is held is off the table. The plane would be
                                    // 25 mm wrong at 45 mm, the prototype's threshold.
  double lifted_ray_m_max = 0.025;     // And the object's ray passes the grasp point this closely.
  double blind_brightness_max = 0.06;  // Mean of a picture that shows nothing (0..1).
  double blind_contrast_max = 0.012;   // Standard deviation of one that shows nothing (0..1).
  int frozen_frames_min = 4;           // The same picture this often,
  double frozen_travel_m_min = 0.03;   // while the grasp point travelled this far: frozen.
  double frame_wait_s = 0.5;           // Wall time to wait for a frame before it counts as absent.
};

/// Faults: kInvalidConfig with key, value and allowed range; NaN is out of range.
core::Result<void> Validate(const PerceptionConfig& config);

}  // namespace nightshift::io
