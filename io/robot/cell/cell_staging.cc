// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_staging.h"

#include <numbers>

namespace nightshift::io::cell {
namespace {

constexpr double kClearOfWallsM = 0.030;   // A finger fits between a cube and the wall.
constexpr double kClearOfLeftM = 0.042;    // The same for the moving jaw, which swings out to the left (+y).
constexpr double kClearOfOthersM = 0.055;  // An open jaw fits beside a neighbour.
constexpr double kDropHeightM = 0.0005;    // Put down, not pushed in.
constexpr double kCornerShare = 0.10;
constexpr int kTriesMax = 100;

bool Free(core::Vec3 p, std::span<const core::Vec3> taken) {
  for (const core::Vec3 other : taken)
    if (core::NormXy(p - other) < kClearOfOthersM) return false;
  return true;
}

/// Inside the tray, at least `margin_m` from each wall, `left_m` from the left one.
core::Vec3 DrawInTray(double margin_m, double left_m, double edge_m, core::Random& random) {
  return {random.Uniform(kTray.x_min_m + margin_m, kTray.x_max_m - margin_m),
          random.Uniform(kTray.y_min_m + margin_m, kTray.y_max_m - left_m), edge_m / 2 + kDropHeightM};
}

Spot DrawAtWall(double edge_m, core::Random& random) {
  const double half = edge_m / 2 + 0.0002;  // Just not inside the wall.
  Spot spot{DrawInTray(half, half, edge_m, random), 0};
  const bool corner = random.Chance(kCornerShare);
  const int wall = random.Index(4);
  const double side = random.Chance(0.5) ? 1.0 : -1.0;
  if (corner || wall < 2) spot.position_m.y = side * (kTray.y_max_m - half);
  if (corner || wall == 2) spot.position_m.x = kTray.x_min_m + half;
  if (wall == 3) spot.position_m.x = kTray.x_max_m - half;
  return spot;
}

}  // namespace

Surface DrawSurface(const MessConfig& mess, core::Random& random) {
  const double friction = random.Uniform(mess.friction_min, mess.friction_max);
  return {.friction = friction, .mass_kg = random.Uniform(mess.mass_kg_min, mess.mass_kg_max)};
}

Spot DrawOpen(double edge_m, std::span<const core::Vec3> taken, core::Random& random) {
  Spot spot;
  for (int i = 0; i < kTriesMax; ++i) {
    spot = {DrawInTray(kClearOfWallsM, kClearOfLeftM, edge_m, random),
            random.Uniform(-std::numbers::pi / 4, std::numbers::pi / 4)};
    if (Free(spot.position_m, taken)) break;
  }
  return spot;
}

Spot DrawStart(const MessConfig& mess, double edge_m, std::span<const core::Vec3> taken, core::Random& random) {
  const bool at_wall = random.Chance(mess.wall_start_share);
  for (int i = 0; at_wall && i < kTriesMax; ++i) {
    const Spot spot = DrawAtWall(edge_m, random);
    if (Free(spot.position_m, taken)) return spot;
  }
  return DrawOpen(edge_m, taken, random);
}

}  // namespace nightshift::io::cell
