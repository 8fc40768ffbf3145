// SPDX-License-Identifier: Apache-2.0
#include "skills/scene.h"

namespace nightshift::skills {

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
