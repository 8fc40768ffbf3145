// SPDX-License-Identifier: Apache-2.0
#include "io/camera/calibration.h"

#include <algorithm>
#include <cmath>

namespace nightshift::io {
namespace {

double Dot(core::Vec3 a, core::Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }

core::Vec3 Cross(core::Vec3 a, core::Vec3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

core::Vec3 Forward(const CameraCalibration& camera) { return Cross(camera.up, camera.right); }

constexpr double kDepthMinM = 1e-3;  // Nearer to the lens than this, nothing is projected.
constexpr double kSlopeMin = 1e-6;   // A flatter ray never reaches a plane.

}  // namespace

double FocalLengthPx(const CameraCalibration& camera) {
  return camera.height_px / 2.0 / std::tan(camera.field_of_view_rad / 2);
}

std::optional<Pixel> Project(const CameraCalibration& camera, core::Vec3 point_m) {
  const core::Vec3 offset = point_m - camera.position_m;
  const double depth = Dot(offset, Forward(camera));
  if (!(depth > kDepthMinM)) return std::nullopt;
  const double scale = FocalLengthPx(camera) / depth;
  return Pixel{camera.width_px / 2.0 + Dot(offset, camera.right) * scale,
               camera.height_px / 2.0 - Dot(offset, camera.up) * scale};
}

Ray Unproject(const CameraCalibration& camera, Pixel pixel) {
  const double focal = FocalLengthPx(camera);
  const core::Vec3 direction = Forward(camera) + camera.right * ((pixel.x_px - camera.width_px / 2.0) / focal) -
                               camera.up * ((pixel.y_px - camera.height_px / 2.0) / focal);
  return {camera.position_m, direction * (1 / core::Norm(direction))};
}

std::optional<core::Vec3> CrossHeight(const Ray& ray, double z_m) {
  if (std::abs(ray.direction.z) < kSlopeMin) return std::nullopt;
  const double distance = (z_m - ray.origin_m.z) / ray.direction.z;
  if (!(distance > 0)) return std::nullopt;
  return ray.origin_m + ray.direction * distance;
}

core::Vec3 NearestOn(const Ray& ray, core::Vec3 point_m) {
  const double along = std::max(0.0, Dot(point_m - ray.origin_m, ray.direction));
  return ray.origin_m + ray.direction * along;
}

}  // namespace nightshift::io
