// SPDX-License-Identifier: Apache-2.0
#include "io/camera/config.h"

#include <cmath>
#include <string>

#include "core/observation.h"

namespace nightshift::io {
namespace {

using core::FaultCode;

struct Bounded {
  const char* key;
  double value, min, max;
};

core::Result<void> CheckBounds(const std::string& where, std::initializer_list<Bounded> values) {
  for (const Bounded& v : values)
    if (!(v.value >= v.min && v.value <= v.max))
      return core::Fail(FaultCode::kInvalidConfig, where + v.key + " = " + std::to_string(v.value) + ": must be in [" +
                                                       std::to_string(v.min) + ", " + std::to_string(v.max) + "]");
  return {};
}

core::Result<void> Validate(const CameraCalibration& camera) {
  constexpr double kUnitTolerance = 0.01;
  const double square = camera.right.x * camera.up.x + camera.right.y * camera.up.y + camera.right.z * camera.up.z;
  const bool axes = std::abs(core::Norm(camera.right) - 1) < kUnitTolerance &&
                    std::abs(core::Norm(camera.up) - 1) < kUnitTolerance && std::abs(square) < kUnitTolerance;
  if (!axes)
    return core::Fail(FaultCode::kInvalidConfig,
                      "camera.right, up: must be two directions of length 1 at a right angle; take them "
                      "from the camera's calibration");
  return CheckBounds("camera.", {{"width_px", double(camera.width_px), 16, 4096},
                                 {"height_px", double(camera.height_px), 16, 4096},
                                 {"field_of_view_rad", camera.field_of_view_rad, 0.1, 2.8},
                                 {"position_m.z", camera.position_m.z, 0.05, 5}});
}

core::Result<void> Validate(const ObjectLook& look) {
  return CheckBounds("objects." + look.name + ".", {{"hue_deg_min", look.hue_deg_min, 0, 360},
                                                    {"hue_deg_max", look.hue_deg_max, 0, 360},
                                                    {"saturation_min", look.saturation_min, 0, 1},
                                                    {"value_min", look.value_min, 0, 1},
                                                    {"half_m", look.half_m, 0.002, 0.1}});
}

}  // namespace

core::Result<void> Validate(const PerceptionConfig& config) {
  if (config.objects.empty() || config.objects.size() > core::kObjectsMax)
    return core::Fail(FaultCode::kInvalidConfig, "objects: " + std::to_string(config.objects.size()) +
                                                     " objects; must be 1 to " + std::to_string(core::kObjectsMax));
  for (const ObjectLook& look : config.objects)
    if (auto ok = Validate(look); !ok) return ok;
  if (auto ok = Validate(config.camera); !ok) return ok;
  return CheckBounds("camera.", {{"area_px_min", config.area_px_min, 1, 10000},
                                 {"jaw_closed_command_rad_max", config.jaw_closed_command_rad_max, -3, 3},
                                 {"jaw_empty_rad", config.jaw_empty_rad, -3, 3},
                                 {"jaw_wide_rad", config.jaw_wide_rad, -3, 3},
                                 {"jaw_still_rad_s_max", config.jaw_still_rad_s_max, 0.01, 20},
                                 {"lifted_tip_m_min", config.lifted_tip_m_min, 0, 1},
                                 {"lifted_ray_m_max", config.lifted_ray_m_max, 0, 0.2},
                                 {"blind_brightness_max", config.blind_brightness_max, 0, 1},
                                 {"blind_contrast_max", config.blind_contrast_max, 0, 1},
                                 {"frozen_frames_min", double(config.frozen_frames_min), 2, 1000},
                                 {"frozen_travel_m_min", config.frozen_travel_m_min, 0.001, 1},
                                 {"frame_wait_s", config.frame_wait_s, 0.01, 10}});
}

}  // namespace nightshift::io
