// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>

#include "core/random.h"
#include "core/vector.h"
#include "io/robot/cell/cell_config.h"

namespace nightshift::io::cell {

/// Where an object is put down, flat on the tray.
struct Spot {
  core::Vec3 position_m;  // Of its centre.
  double yaw_rad = 0;
};

struct Surface {
  double friction = 0.8;
  double mass_kg = 0.04;
};

Surface DrawSurface(const MessConfig& mess, core::Random& random);

/// At random in the tray, clear of walls and of what is already there (as far as a bounded search finds room).
Spot DrawOpen(double edge_m, std::span<const core::Vec3> taken, core::Random& random);

/// The same, or, in the share of cases that the mess says, touching a wall or (some of those) in a corner.
Spot DrawStart(const MessConfig& mess, double edge_m, std::span<const core::Vec3> taken, core::Random& random);

}  // namespace nightshift::io::cell
