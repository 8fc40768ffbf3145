// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "core/kinematics.h"
#include "core/random.h"
#include "core/vector.h"

namespace nightshift::skills {

/// A rectangle on the table, metres in the base frame.
struct Zone {
  double x_min_m = 0, x_max_m = 0, y_min_m = 0, y_max_m = 0;

  bool Contains(core::Vec3 p, double tolerance_m = 0) const {
    return p.x >= x_min_m - tolerance_m && p.x <= x_max_m + tolerance_m && p.y >= y_min_m - tolerance_m &&
           p.y <= y_max_m + tolerance_m;
  }
  core::Vec3 Centre(double z_m) const { return {(x_min_m + x_max_m) / 2, (y_min_m + y_max_m) / 2, z_m}; }
};

/// What the tabletop looks like to the robot: the same for a real table and for the embedded cell.
struct Scene {
  core::ArmGeometry arm;
  Zone tray{0.115, 0.285, -0.10, 0.10};  // Inner faces of the walls.
  Zone bin{0.09, 0.21, 0.13, 0.25};      // Inner faces at the rim.
  double wall_tolerance_m = 0.005;       // Seen so little beyond a tray wall's inner face an object is inside: the wall
                                         // and half the object keep those outside further away, but cameras err.
  double object_half_m = 0.0135;         // Half the edge of an object.
  double reach_min_m = 0.10;             // From the pan axis, on the table.
  double reach_max_m = 0.33;
  double carry_height_m = 0.09;        // Clears walls and rims with an object in hand.
  double jaw_open_rad = 0.80;          // Command for open.
  double jaw_closed_rad = 0.0;         // Command for closed.
  double jaw_empty_rad = 0.25;         // Closed on nothing: measured below this.
  double jaw_wide_rad = 0.76;          // Not closed on an object: measured above this. Across its diagonal a cube
                                       // keeps the jaw at 0.66 to 0.72.
  double step_m_max = 0.025;           // Largest Cartesian step of a policy in one period, per coordinate.
  double command_lead_m_max = 0.026;   // The commanded tip stays this near to the measured one.
  core::Vec3 home_m{0.13, 0.0, 0.15};  // Where episodes begin; out of the camera's way.
};

/// A spot in the tray, uniformly; with probability `wall_share` against a wall.
core::Vec3 DrawTraySpot(const Scene& scene, double wall_share, core::Random& random);

}  // namespace nightshift::skills
