// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "core/vector.h"

namespace nightshift::io {

/// A place in an image. The centre of the top left pixel is (0.5, 0.5); x to the right, y down.
struct Pixel {
  double x_px = 0, y_px = 0;
};

/// A half-line in the robot's base frame; `direction` has length 1.
struct Ray {
  core::Vec3 origin_m;
  core::Vec3 direction;
};

/// A pinhole camera without distortion: what it is believed to be, not what assembly made of it. The default is the
/// camera "bench" of configs/cell/tabletop.xml.
struct CameraCalibration {
  int width_px = 160;
  int height_px = 120;
  double field_of_view_rad = 0.80285;  // Vertical: 46 degrees.
  core::Vec3 position_m{0.470, 0.070, 0.400};
  core::Vec3 right{0, 1, 0};    // Of the image, in the base frame; length 1.
  core::Vec3 up{-0.8, 0, 0.6};  // Of the image; length 1, square to `right`.
};

/// Pixels per unit of tangent.
double FocalLengthPx(const CameraCalibration& camera);

/// Where a point appears; nothing when it lies behind the camera. May lie outside the image.
std::optional<Pixel> Project(const CameraCalibration& camera, core::Vec3 point_m);

/// All that may appear at a pixel.
Ray Unproject(const CameraCalibration& camera, Pixel pixel);

/// Where the ray crosses the horizontal plane at `z_m`; nothing when it does not, ahead of its origin.
std::optional<core::Vec3> CrossHeight(const Ray& ray, double z_m);

/// The point of the ray that is nearest to `point_m`.
core::Vec3 NearestOn(const Ray& ray, core::Vec3 point_m);

}  // namespace nightshift::io
