// SPDX-License-Identifier: Apache-2.0
#include "skills/scene.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

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

double QuarterTurns(double x_m, double y_m) {
  return JawYawOver(kScene, {x_m, y_m, kScene.object_half_m}) / (-std::numbers::pi / 2);
}

TEST(JawYawOver, TheJawClosesAcrossTheTrayWhereverThereIsRoom) {
  const Zone& tray = kScene.tray;
  EXPECT_EQ(QuarterTurns(0.2, 0.0), 0);
  EXPECT_EQ(QuarterTurns(tray.x_min_m + kScene.object_half_m, 0.0), 0) << "at the robot's wall";
  EXPECT_EQ(QuarterTurns(tray.x_max_m - kScene.object_half_m, 0.0), 0) << "at the far wall";
  EXPECT_EQ(QuarterTurns(0.15, 0.19), 0) << "in the bin";
  EXPECT_EQ(QuarterTurns(0.32, 0.0), 0) << "outside";
}

TEST(JawYawOver, AtAWallThatLeavesNoRoomTheJawClosesAlongIt) {
  for (const double side : {-1.0, 1.0})
    EXPECT_NEAR(QuarterTurns(0.2, side * (kScene.tray.y_max_m - kScene.object_half_m)), 1, 1e-9);
}

TEST(JawYawOver, InACornerTheHandIsHalfTurned) {
  const Zone& tray = kScene.tray;
  const double half_m = kScene.object_half_m;
  EXPECT_NEAR(QuarterTurns(tray.x_min_m + half_m, tray.y_min_m + half_m), 0.5, 1e-9);
}

TEST(JawYawOver, AnErrorOfAMillimetreTurnsTheHandByTwelveDegreesAtMost) {
  for (const double x_m : {0.13, 0.14, 0.2, 0.27})
    for (double y_m = -0.099; y_m < 0.099; y_m += 0.001)
      EXPECT_LT(std::abs(QuarterTurns(x_m, y_m) - QuarterTurns(x_m, y_m + 0.001)), 0.13) << x_m << ", " << y_m;
}

}  // namespace
}  // namespace nightshift::skills
