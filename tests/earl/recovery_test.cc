// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/earl/world.h"
#include "runtime/earl/earl_tasks.h"
#include "runtime/earl/regain.h"
#include "runtime/earl/shield.h"
#include "runtime/earl/straighten.h"
#include "skills/task.h"
#include "tests/earl/small_files.h"

namespace nightshift::runtime::earl {
namespace {

using io::earl::Scene;

/// Hand xyz, fingers, the peg's head xyz.
io::earl::State Low(float hand_y, float head_y) { return {0.1f, hand_y, 0.05f, 1, -0.05f, head_y, 0.015f}; }

class ShieldTest : public testing::Test {
 protected:
  ShieldConfig config{.enabled = 1};
  std::vector<float> Shielded(const io::earl::State& state, std::vector<float> action,
                              Scene scene = Scene::kSawyerPeg) {
    Shield(config, scene, state, action);
    return action;
  }
};

TEST_F(ShieldTest, APegNearTheRobotIsPushedNoNearer) {
  EXPECT_EQ(Shielded(Low(0.49f, 0.46f), {0, -0.2f, 0, 1})[1], 0);
  EXPECT_GT(Shielded(Low(0.46f, 0.44f), {0, -0.2f, 0, 1})[1], 0);
}
TEST_F(ShieldTest, APegFarAwayIsPushedNoFurther) { EXPECT_EQ(Shielded(Low(0.76f, 0.77f), {0, 1, 0, 1})[1], 0); }
TEST_F(ShieldTest, AwayFromThePegOrFromTheEdgeTheHandIsFree) {
  EXPECT_EQ(Shielded(Low(0.6f, 0.44f), {0, -1, 0, 1})[1], -1);
  EXPECT_EQ(Shielded(Low(0.46f, 0.45f), {0, 1, 0, 1})[1], 1);
  io::earl::State above = Low(0.45f, 0.44f);
  above[2] = 0.2f;
  EXPECT_EQ(Shielded(above, {0, -1, 0, 1})[1], -1);
}
TEST_F(ShieldTest, APushFromTheSideIsSlowedDown) {
  EXPECT_FLOAT_EQ(Shielded(Low(0.66f, 0.6f), {0, -1, 0, 1})[1], -0.3f);
  EXPECT_FLOAT_EQ(Shielded(Low(0.61f, 0.6f), {0, -1, 0, 1})[1], -1);  // It is between the fingers.
}
TEST_F(ShieldTest, ClosedFingersPushNoDeeperThanTheGoalAndOpenOnesMayCome) {
  io::earl::State inside{-0.1f, 0.6f, 0.16f, 0.3f, -0.28f, 0.6f, 0.13f};
  EXPECT_EQ(Shielded(inside, {-1, 0, 0, 1})[0], 0);
  inside[3] = 1;
  EXPECT_EQ(Shielded(inside, {-1, 0, 0, -1})[0], -1);
}
TEST_F(ShieldTest, IsOffWhereItIsNotAskedForAndInTheOtherScenes) {
  EXPECT_EQ(Shielded(Low(0.49f, 0.46f), {0, -0.2f, 0, 1}, Scene::kSawyerDoor)[1], -0.2f);
  config.enabled = 0;
  EXPECT_EQ(Shielded(Low(0.49f, 0.46f), {0, -0.2f, 0, 1})[1], -0.2f);
}

TEST(EarlTasks, ForwardAndReverseMayStartWhereTheirGoalDoesNotHoldAndRecoveryOutsideThePractised) {
  const auto specs = TaskSpecsOf(Scene::kSawyerPeg);
  ASSERT_EQ(specs.size(), 3u);
  const auto& goal = io::earl::ForwardGoals(Scene::kSawyerPeg).front();
  std::vector<skills::Task> tasks;
  for (const auto& spec : specs) {
    auto task = skills::Task::Make(spec);
    ASSERT_TRUE(task) << task.error().detail;
    tasks.push_back(*task);
  }
  const auto lying = FactsOf(Scene::kSawyerPeg, Low(0.6f, 0.6f), goal);
  EXPECT_TRUE(tasks[0].MayStart(lying));
  EXPECT_FALSE(tasks[2].MayStart(lying));
  const auto done = FactsOf(Scene::kSawyerPeg, goal, goal);
  EXPECT_FALSE(tasks[0].MayStart(done));
  EXPECT_EQ(tasks[0].Judge(done), core::Outcome::kSuccess);
  const auto astray = FactsOf(Scene::kSawyerPeg, Low(0.6f, 0.45f), goal);
  EXPECT_FALSE(tasks[0].MayStart(astray));
  EXPECT_TRUE(tasks[2].MayStart(astray));
  EXPECT_TRUE(specs[2].recovery());
}

TEST(EarlTasks, ADoorThatSwungPastItsStartsIsRecoveredByBringingItBack) {
  const auto specs = TaskSpecsOf(Scene::kSawyerDoor);
  ASSERT_EQ(specs.size(), 3u);
  const auto recover = skills::Task::Make(specs[2]);
  ASSERT_TRUE(recover) << recover.error().detail;
  const auto with_handle_at = [](float x) {
    return FactsOf(Scene::kSawyerDoor, io::earl::State{0, 0.4f, 0.2f, 1, x, 0.48f, 0.1f},
                   io::earl::State{0, 0.4f, 0.2f, 1, 0.01f, 0.471f, 0.1f});
  };
  EXPECT_TRUE(recover->MayStart(with_handle_at(-0.1f)));
  EXPECT_FALSE(recover->MayStart(with_handle_at(0.02f)));
  EXPECT_EQ(recover->Judge(with_handle_at(0.02f)), core::Outcome::kSuccess);
}

TEST(EarlTasks, NothingOnTheTabletopCanBeLost) { EXPECT_EQ(TaskSpecsOf(Scene::kTabletop).size(), 2u); }

TEST(PegTurn, PitchIsSeenByHowHighTheHeadRestsAndYawByWhereTheFingersHoldIt) {
  EXPECT_NEAR(PitchOf(io::earl::State{0, 0.6f, 0.2f, 1, 0, 0.6f, 0.0365f}), 0.1, 1e-6);
  EXPECT_EQ(PitchOf(io::earl::State{0, 0.6f, 0.2f, 1, 0, 0.6f, 0.016f}), 0);
  EXPECT_NEAR(YawOf(io::earl::State{0, 0.6f, 0.2f, 0.3f, -0.2f, 0.604f, 0.13f}), 0, 1e-6);
  EXPECT_NEAR(YawOf(io::earl::State{0, 0.6f, 0.2f, 0.3f, -0.2f, 0.624f, 0.13f}), 0.1, 1e-6);
}
TEST(PegTurn, TheRateIsThatBetweenTheLastTwoTimes) {
  const Turn first = Seen({}, 0.1, 1000);
  EXPECT_NEAR(Seen(first, 0.2, 2000).rate_rad, 1e-4, 1e-12);
}
TEST(PegTurn, APegThatTurnsUpIsPressedOnItsHeadAndOneThatComesBackTooFastOnItsRear) {
  EXPECT_GT(PressSteps({.angle_rad = 0.1, .rate_rad = 0}), 0);
  EXPECT_LT(PressSteps({.angle_rad = 0.02, .rate_rad = -2e-5}), 0);
}
TEST(PegTurn, APegThatTurnsToPlusYIsHeldToPlusYAndTheOtherWayRound) {
  EXPECT_GT(LeverSteps({.angle_rad = 0.1, .rate_rad = 0}), 0);
  EXPECT_LT(LeverSteps({.angle_rad = -0.1, .rate_rad = 0}), 0);
  EXPECT_EQ(LeverSteps({.angle_rad = 0.1, .rate_rad = -2e-5}), 0);  // On its way back.
}
TEST(PegTurn, AFlatPegIsLeftAloneAndEffortHasALimit) {
  EXPECT_EQ(PressSteps({.angle_rad = 0, .rate_rad = -1e-3}), 0);
  EXPECT_EQ(PressSteps({.angle_rad = 1, .rate_rad = 1}), 400);
  EXPECT_EQ(LeverSteps({.angle_rad = -1, .rate_rad = -1}), -400);
}

/// The fingers close on nothing here: what is tested is that the scripts end, whatever they see.
TEST(RegainScript, EndsAlsoWhereNothingThatItDoesHasAnEffect) {
  for (const Scene scene : {Scene::kSawyerPeg, Scene::kSawyerDoor}) {
    const auto script = MakeRegain(scene, io::earl::ForwardGoals(scene).front());
    int steps = 0;
    while (script->Next(Low(0.6f, 0.45f)) && steps < 1000) ++steps;
    EXPECT_LT(steps, 1000);
  }
}

TEST(RegainScript, PushesADoorThatSwungToItsStopBackToWhereAttemptsBegin) {
  const tests::Folder folder("regain-door");
  tests::WriteText(folder / "sawyer_door/model.xml", tests::SmallModel(tests::kSwingingDoor, true));
  const auto made = io::earl::MakeWorld(Scene::kSawyerDoor, folder.path());
  ASSERT_TRUE(made) << made.error().detail;
  io::earl::World& world = **made;
  auto saved = world.Save();
  saved[tests::kHingeAt] = -1.4;
  ASSERT_TRUE(world.Restore(saved));
  ASSERT_TRUE(world.Step(std::vector<float>{0, 0, 0, -1}));
  ASSERT_LT(world.state()[4], -0.1f);
  const auto script = MakeRegain(Scene::kSawyerDoor, world.DrawInitial(1));
  while (const auto action = script->Next(world.state())) ASSERT_TRUE(world.Step(*action));
  EXPECT_GE(world.state()[4], 0);
  EXPECT_LE(world.state()[4], 0.09f);
}

}  // namespace
}  // namespace nightshift::runtime::earl
