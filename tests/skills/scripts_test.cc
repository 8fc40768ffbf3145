// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "skills/facts.h"
#include "skills/skill.h"
#include "tests/fakes/sights.h"

namespace nightshift::skills {
namespace {

using testing::HasSubstr;

/// An arm that goes where it is sent and a hand that, when asked to, closes on what is there.
class ScriptTest : public testing::Test {
 protected:
  void Begins(const std::string& name, Persistence persistence = Persistence::kOnce, core::Vec3 goal = {}) {
    goal_ = goal;
    script = std::move(MakeScript(name, scene, {0, goal}, persistence, random).value());
  }

  void Periods(int count) {
    for (int i = 0; i < count && !script->Finished(); ++i) {
      const auto action = script->Act(seen, seen);
      for (int axis = 0; axis < 4; ++axis)
        largest = std::max(largest, std::abs(action[static_cast<std::size_t>(axis)]));
      seen.tip_m = seen.tip_m + core::Vec3{action[0], action[1], action[2]} * scene.step_m_max;
      seen.commanded_tip_m = seen.tip_m;
      const bool closed = action[3] > 0, was_closed = seen.jaw_command_rad < scene.jaw_wide_rad;
      core::Vec3& object = seen.objects[0].position_m;
      if (closed && !was_closed && grips && Norm(object - seen.tip_m) < 0.03) held = true;
      if (!closed) held = false;
      if (closed && !was_closed) ++grasps;
      if (held) object = seen.tip_m;
      seen.jaw_command_rad = closed ? scene.jaw_closed_rad : scene.jaw_open_rad;
      seen.jaw_rad = held ? 0.45 : seen.jaw_command_rad;
      lowest_m = std::min(lowest_m, seen.tip_m.z);
      highest_m = std::max(highest_m, held ? seen.tip_m.z : 0);
    }
  }

  const Scene scene;
  core::Random random{4};
  core::Observation seen = tests::SeenLying(scene, 0.2, 0.0);
  core::Vec3 goal_;
  std::unique_ptr<Skill> script;
  bool grips = true, held = false;
  int grasps = 0;
  float largest = 0;
  double lowest_m = 1, highest_m = 0;
};

TEST_F(ScriptTest, EveryScriptIsMadeByItsNameAndComesToAnEnd) {
  for (const std::string& name : ScriptNames()) {
    seen = tests::SeenLying(scene, 0.2, 0.0);
    Begins(name, Persistence::kOnce, {0.2, 0.05, 0});
    Periods(150);
    EXPECT_TRUE(script->Finished()) << name;
  }
  EXPECT_LE(largest, 1);
}

TEST_F(ScriptTest, AnUnknownNameIsRefusedWithTheNamesThereAre) {
  const auto made = MakeScript("juggle", scene, {}, Persistence::kOnce, random);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, core::FaultCode::kInvalidConfig);
  EXPECT_THAT(made.error().detail, HasSubstr("pick, place"));
}

TEST_F(ScriptTest, PickLiftsTheObjectClearOfTheWalls) {
  Begins("pick");
  Periods(60);
  EXPECT_TRUE(held);
  EXPECT_GT(seen.objects[0].position_m.z, 0.07);
}

TEST_F(ScriptTest, PlaceLetsGoOverItsGoalAndRises) {
  Begins("place", Persistence::kOnce, scene.bin.Centre(0));
  Periods(120);
  EXPECT_FALSE(held);
  EXPECT_TRUE(scene.bin.Contains(seen.objects[0].position_m));
  EXPECT_GT(seen.tip_m.z, 0.06);
}

TEST_F(ScriptTest, UnloadSetsDownLowAtItsGoal) {
  seen = tests::SeenLying(scene, 0.15, 0.19);
  Begins("unload", Persistence::kOnce, {0.2, -0.03, 0});
  Periods(150);
  EXPECT_LT(NormXy(seen.objects[0].position_m - core::Vec3{0.2, -0.03, 0}), 0.01);
  EXPECT_LT(seen.objects[0].position_m.z, 0.045);
}

TEST_F(ScriptTest, WhatIsHeldAlreadyIsNotFetchedAgain) {
  seen = tests::SeenHeld(scene);
  held = true;
  Begins("place", Persistence::kOnce, scene.bin.Centre(0));
  Periods(60);
  EXPECT_EQ(grasps, 0);
  EXPECT_TRUE(scene.bin.Contains(seen.objects[0].position_m));
}

TEST_F(ScriptTest, OnceMeansOneGraspAndRetryMeansMore) {
  grips = false;
  Begins("pick");
  Periods(120);
  EXPECT_EQ(grasps, 1);
  grasps = 0;
  seen = tests::SeenLying(scene, 0.2, 0.0);
  Begins("pick", Persistence::kRetry);
  Periods(120);
  EXPECT_GT(grasps, 1);
  EXPECT_FALSE(script->Finished());
}

/// Where the fingers came down, and where they rose again.
struct Pull {
  double low_m = 1, pressed_x_m = 0, pressed_y_m = 0, released_y_m = 0;
};

class PullTest : public ScriptTest {
 protected:
  Pull FirstPull(int periods) {
    Pull pull;
    for (int i = 0; i < periods && !script->Finished(); ++i) {
      Periods(1);
      if (pull.low_m < 0.05 && seen.tip_m.z > 0.05) break;
      if (seen.tip_m.z < pull.low_m - 1e-6) {
        pull.low_m = seen.tip_m.z;
        pull.pressed_x_m = seen.tip_m.x;
        pull.pressed_y_m = seen.tip_m.y;
      }
      if (seen.tip_m.z < 0.05) pull.released_y_m = seen.tip_m.y;
    }
    return pull;
  }
};

TEST_F(PullTest, UnwedgePressesAndPullsTowardsTheMiddle) {
  seen = tests::SeenLying(scene, 0.2, 0.085);
  grips = false;
  Begins("unwedge");
  const Pull pull = FirstPull(80);
  EXPECT_LT(pull.low_m, 2 * scene.object_half_m + 0.02);
  EXPECT_LT(pull.released_y_m, pull.pressed_y_m - 0.03);
}

TEST_F(PullTest, APickWithTimeForSeveralTriesPullsAwayWhatNoFingerFitsBeside) {
  seen = tests::SeenLying(scene, 0.2, 0.085);
  grips = false;
  Begins("pick", Persistence::kRetry);
  const Pull pull = FirstPull(30);
  EXPECT_GT(pull.low_m, scene.object_half_m) << "it presses from above, and does not grasp yet";
  EXPECT_LT(pull.released_y_m, pull.pressed_y_m - 0.03);
}

TEST_F(PullTest, WhatTheCameraPutsIntoTheWallIsPulledAwayToo) {
  seen = tests::SeenLying(scene, 0.2, scene.tray.y_max_m + 0.004);
  grips = false;
  Begins("pick", Persistence::kRetry);
  EXPECT_GT(FirstPull(30).low_m, scene.object_half_m);
}

TEST_F(PullTest, WhatTheCameraPutsIntoAWallIsPressedWhereItMustLie) {
  seen = tests::SeenLying(scene, scene.tray.x_min_m - 0.004, 0.0);
  grips = false;
  Begins("unwedge");
  EXPECT_NEAR(FirstPull(30).pressed_x_m, scene.tray.x_min_m + scene.object_half_m, 0.008);
}

TEST_F(PullTest, ASingleTryGraspsAlsoAtAWall) {
  seen = tests::SeenLying(scene, 0.2, 0.085);
  Begins("pick");
  EXPECT_LT(FirstPull(40).low_m, scene.object_half_m + 0.002);
}

TEST_F(ScriptTest, RetreatGoesHomeWithoutComingDown) {
  seen.tip_m = seen.commanded_tip_m = {0.25, 0.05, 0.05};
  Begins("retreat");
  Periods(60);
  EXPECT_LT(Norm(seen.tip_m - scene.home_m), 0.01);
  EXPECT_GE(lowest_m, 0.049);
}

TEST_F(ScriptTest, AnObjectInHandIsCarriedOverTheRim) {
  Begins("place", Persistence::kOnce, scene.bin.Centre(0));
  Periods(120);
  EXPECT_GE(highest_m, scene.carry_height_m - 0.009);
}

}  // namespace
}  // namespace nightshift::skills
