// SPDX-License-Identifier: Apache-2.0
#include "skills/features.h"

#include <gtest/gtest.h>

#include "tests/fakes/sights.h"

namespace nightshift::skills {
namespace {

using tests::SeenHeld;
using tests::SeenLying;
using tests::With;

const Scene kScene;

TEST(Features, AreWhereTheHeaderSaysTheyAre) {
  core::Observation seen = SeenLying(kScene, 0.2, 0.05), previous = seen;
  previous.tip_m.x -= 0.03;
  seen.commanded_tip_m.z += 0.015;
  seen.objects[0].age = core::Seconds(0.5);
  const Features f = FeaturesOf(seen, previous, {0, {0.2, 0.15, kScene.object_half_m}}, kScene);
  EXPECT_NEAR(f[3], (0.2 - kScene.home_m.x) / 0.10, 1e-5);
  EXPECT_NEAR(f[7], 0.5, 1e-5);
  EXPECT_NEAR(f[8], 1, 1e-5);
  EXPECT_NEAR(f[13], 0.5, 1e-5);
  EXPECT_NEAR(f[14], 1, 1e-5);
  EXPECT_NEAR(f[15], 1, 1e-5);
  EXPECT_NEAR(f[17], 0.5, 1e-5);
  EXPECT_NEAR(f[19], 1, 1e-5);
  EXPECT_EQ(f[23], 0);
}

TEST(Features, SayWhetherTheObjectIsHeld) {
  const auto seen = SeenHeld(kScene);
  EXPECT_EQ(FeaturesOf(seen, seen, {}, kScene)[23], 1);
}

TEST(Features, PointToTheNearestOtherObjectOrFarAway) {
  const auto alone = SeenLying(kScene, 0.2, 0.0), crowded = With(alone, kScene, 0.2, -0.05);
  EXPECT_NEAR(FeaturesOf(crowded, crowded, {}, kScene)[22], -0.5, 1e-5);
  EXPECT_EQ(FeaturesOf(alone, alone, {}, kScene)[21], 3);
}

TEST(Features, SeeAroundAGraspMoreFinely) {
  core::Observation seen = SeenLying(kScene, 0.2, 0.0);
  seen.tip_m = seen.objects[0].position_m + core::Vec3{0.006, -0.009, 0.003};
  Features f = FeaturesOf(seen, seen, {}, kScene);
  EXPECT_NEAR(f[24], -0.2, 1e-5);
  EXPECT_NEAR(f[25], 0.3, 1e-5);
  EXPECT_NEAR(f[26], -0.1, 1e-5);
  EXPECT_NEAR(f[27], seen.tip_m.z / 0.03, 1e-5);
  seen.tip_m.x += 0.1;
  f = FeaturesOf(seen, seen, {}, kScene);
  EXPECT_EQ(f[24], -1.5) << "far away the coarse ones say enough";
}

TEST(Features, AreBounded) {
  core::Observation seen = SeenLying(kScene, 50, -50);
  seen.jaw_torque_nm = 1e6;
  seen.objects[0].age = core::Seconds(3600);
  for (const float value : FeaturesOf(seen, {}, {0, {9, 9, 9}}, kScene)) {
    EXPECT_GE(value, -3);
    EXPECT_LE(value, 3);
  }
}

}  // namespace
}  // namespace nightshift::skills
