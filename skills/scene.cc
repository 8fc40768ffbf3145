// SPDX-License-Identifier: Apache-2.0
#include "skills/scene.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nightshift::skills {
namespace {

constexpr double kQuarterTurnRad = -std::numbers::pi / 2;  // The jaw away from the robot: it needs room to open there.
constexpr double kNoRoomM = 0.008;  // Between object and wall: no finger, which is 6 mm thick, comes down there,
constexpr double kRoomM = 0.016;    // and here it does whatever the camera's error.

/// 0 up to `low`, 1 from `high` on, linear between.
double Ramp(double value, double low, double high) { return std::clamp((value - low) / (high - low), 0.0, 1.0); }

}  // namespace

double JawYawOver(const Scene& scene, core::Vec3 object) {
  const Zone& tray = scene.tray;
  if (!tray.Contains(object, scene.wall_tolerance_m)) return 0;
  const double side_m = std::min(object.y - tray.y_min_m, tray.y_max_m - object.y) - scene.object_half_m;
  const double end_m = std::min(object.x - tray.x_min_m, tray.x_max_m - object.x) - scene.object_half_m;
  return kQuarterTurnRad * (1 - Ramp(side_m, kNoRoomM, kRoomM)) * (1 + Ramp(end_m, kNoRoomM, kRoomM)) / 2;
}

core::Vec3 DrawTraySpot(const Scene& scene, double wall_share, core::Random& random) {
  const double wall_m = scene.object_half_m + 0.003;  // As near as a released object can come to a wall.
  const double open_m = scene.object_half_m + 0.020;  // Room for a finger all around.
  const Zone& tray = scene.tray;
  const bool at_wall = random.Chance(wall_share);
  core::Vec3 spot{random.Uniform(tray.x_min_m + open_m, tray.x_max_m - open_m),
                  random.Uniform(tray.y_min_m + open_m, tray.y_max_m - open_m), scene.object_half_m};
  if (!at_wall) return spot;
  switch (random.Index(4)) {
    case 0: spot.x = tray.x_min_m + wall_m; break;
    case 1: spot.x = tray.x_max_m - wall_m; break;
    case 2: spot.y = tray.y_min_m + wall_m; break;
    default: spot.y = tray.y_max_m - wall_m; break;
  }
  return spot;
}

}  // namespace nightshift::skills
