// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_staging.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace nightshift::io::cell {
namespace {

constexpr double kEdgeM = 0.028;

bool TouchesAWall(core::Vec3 p) {
  const double reach = kEdgeM / 2 + 0.001;
  return p.x - kTray.x_min_m < reach || kTray.x_max_m - p.x < reach || p.y - kTray.y_min_m < reach ||
         kTray.y_max_m - p.y < reach;
}

TEST(CellStaging, PutsEverythingInTheTray) {
  core::Random random(3);
  const MessConfig mess = *MessNamed("full");
  for (int i = 0; i < 1000; ++i) {
    const core::Vec3 p = DrawStart(mess, kEdgeM, {}, random).position_m;
    ASSERT_TRUE(kTray.Contains(p)) << i << ": " << p.x << ", " << p.y;
    ASSERT_GT(p.z, kEdgeM / 2);
  }
}

TEST(CellStaging, BeginsAtAWallAsOftenAsTheMessSays) {
  core::Random random(4);
  const MessConfig mess = *MessNamed("full");
  int at_wall = 0;
  for (int i = 0; i < 2000; ++i) at_wall += TouchesAWall(DrawStart(mess, kEdgeM, {}, random).position_m);
  EXPECT_NEAR(at_wall / 2000.0, mess.wall_start_share, 0.03);
}

TEST(CellStaging, NeverBeginsAtAWallInACleanWorld) {
  core::Random random(5);
  for (int i = 0; i < 1000; ++i)
    ASSERT_FALSE(TouchesAWall(DrawStart(MessConfig{}, kEdgeM, {}, random).position_m)) << i;
}

TEST(CellStaging, KeepsClearOfWhatIsThere) {
  core::Random random(6);
  const std::vector<core::Vec3> taken{{0.2, 0.0, 0.014}};
  for (int i = 0; i < 1000; ++i)
    ASSERT_GT(core::NormXy(DrawStart(*MessNamed("full"), kEdgeM, taken, random).position_m - taken[0]), 0.05) << i;
}

TEST(CellStaging, DrawsSurfacesWithinTheMess) {
  core::Random random(7);
  const MessConfig mess = *MessNamed("full");
  for (int i = 0; i < 1000; ++i) {
    const Surface surface = DrawSurface(mess, random);
    ASSERT_GE(surface.friction, mess.friction_min);
    ASSERT_LE(surface.friction, mess.friction_max);
    ASSERT_GE(surface.mass_kg, mess.mass_kg_min);
    ASSERT_LE(surface.mass_kg, mess.mass_kg_max);
  }
}

}  // namespace
}  // namespace nightshift::io::cell
