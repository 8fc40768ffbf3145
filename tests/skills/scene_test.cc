// SPDX-License-Identifier: Apache-2.0
#include "skills/scene.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace nightshift::skills {
namespace {

constexpr int kDraws = 2000;
const Scene kScene;

double GapAt(core::Vec3 spot) {
  const Zone& tray = kScene.tray;
  return std::min({spot.x - tray.x_min_m, tray.x_max_m - spot.x, spot.y - tray.y_min_m, tray.y_max_m - spot.y}) -
         kScene.object_half_m;
}

TEST(DrawTraySpot, AnObjectFitsThereWithinTheWalls) {
  core::Random random(5);
  for (int i = 0; i < kDraws; ++i) EXPECT_GT(GapAt(DrawTraySpot(kScene, 0.5, random)), 0.002);
}

TEST(DrawTraySpot, LeavesRoomForAFingerUnlessAWallIsWanted) {
  core::Random random(5);
  for (int i = 0; i < kDraws; ++i) {
    EXPECT_GT(GapAt(DrawTraySpot(kScene, 0, random)), 0.019);
    EXPECT_LT(GapAt(DrawTraySpot(kScene, 1, random)), 0.004);
  }
}

TEST(DrawTraySpot, DrawsTheWantedShareAtWalls) {
  core::Random random(5);
  int at_wall = 0;
  for (int i = 0; i < kDraws; ++i) at_wall += GapAt(DrawTraySpot(kScene, 0.25, random)) < 0.004;
  EXPECT_NEAR(static_cast<double>(at_wall) / kDraws, 0.25, 0.04);
}

}  // namespace
}  // namespace nightshift::skills
