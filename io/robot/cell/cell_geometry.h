// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "core/observation.h"
#include "core/vector.h"

/// What configs/cell/tabletop.xml says, in numbers that code and tests can use. World = robot base frame, metres.
namespace nightshift::io::cell {

inline constexpr int kAxes = 6;  // pan, lift, elbow, wrist, roll, jaw: the order of core::ArmAxis.
inline constexpr int kJaw = kAxes - 1;
inline constexpr int kObjects = 2;  // red, blue.
inline constexpr std::array<std::string_view, kAxes> kAxisNames{"pan", "lift", "elbow", "wrist", "roll", "jaw"};
inline constexpr std::array<std::string_view, kObjects> kObjectNames{"red", "blue"};
inline constexpr std::array<double, kObjects> kObjectEdgesM{0.028, 0.026};

inline constexpr double kTickS = 0.004;  // Physics and control tick: 250 Hz.
inline constexpr std::int64_t kTickNs = 4'000'000;

/// An upright box region on the table.
struct Region {
  double x_min_m, x_max_m, y_min_m, y_max_m;

  constexpr bool Contains(core::Vec3 p) const {
    return p.x >= x_min_m && p.x <= x_max_m && p.y >= y_min_m && p.y <= y_max_m;
  }
};

inline constexpr Region kTray{0.115, 0.285, -0.100, 0.100};  // Between the walls, which are 25 mm high.
inline constexpr Region kBin{0.090, 0.210, 0.130, 0.250};    // Rim to rim, 20 mm high.
inline constexpr core::Vec3 kBinCentre{0.150, 0.190, 0.0};

/// Jaw angles. 0 is closed on nothing; on a cube it stays near kJawOnCubeRad with command 0.
inline constexpr double kJawClosedRad = 0.0;
inline constexpr double kJawOnCubeRad = 0.43;  // 0.40 (26 mm) .. 0.45 (28 mm), more for a yawed cube.
inline constexpr double kJawParallelRad = 0.48;
inline constexpr double kJawOpenRad =
    0.80;  // About 48 mm between the faces; wider, the jaw sits down on the tray's left wall.

/// Arm at rest: hand straight down, grasp point at (0.14, 0.01, 0.12), out of the camera's view of tray and bin.
inline constexpr core::AxisArray kHomeRad{0.0, -0.209, 1.919, 1.4316, 0.0, kJawOpenRad};

}  // namespace nightshift::io::cell
