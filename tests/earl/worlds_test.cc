// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "io/earl/world.h"
#include "tests/earl/small_files.h"

namespace nightshift {
namespace {

using io::earl::Scene;
using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

class Tabletop : public testing::Test {
 protected:
  std::unique_ptr<io::earl::World> world = io::earl::MakeTabletop();
  void Put(std::vector<double> state) { ASSERT_TRUE(world->Restore(state)); }
  void Do(std::vector<float> action) { ASSERT_TRUE(world->Step(action)); }
};

TEST_F(Tabletop, TheGripperCarriesAMugThatItClosesOn) {
  Put({0, 0, 0.3, 0, -1, -1});
  Do({0.5f, -1, 1});
  EXPECT_THAT(world->state(), ElementsAre(FloatNear(0.1f, 1e-6f), FloatNear(-0.2f, 1e-6f), FloatNear(0.4f, 1e-6f),
                                          FloatNear(-0.2f, 1e-6f), 0, 0));
}
TEST_F(Tabletop, OpeningLeavesTheMugWhereItIs) {
  Put({0, 0, 0.3, 0, 0, 0});
  Do({1, 0, 0});
  EXPECT_THAT(world->state(), ElementsAre(FloatNear(0.2f, 1e-6f), 0, FloatNear(0.3f, 1e-6f), 0, -1, -1));
}
TEST_F(Tabletop, AMugFurtherThanTheReachStays) {
  Put({0, 0, 0.41, 0, -1, -1});
  Do({1, 0, 1});
  EXPECT_FLOAT_EQ(world->state()[2], 0.41f);
  EXPECT_EQ(world->state()[4], -1);
}
TEST_F(Tabletop, ACarriedMugMovesByWhatTheEdgeLetsTheGripperMove) {
  Put({2.75, 0, 2.5, 0, 0, 0});
  Do({1, 0, 1});
  EXPECT_FLOAT_EQ(world->state()[0], 2.8f);
  EXPECT_NEAR(world->state()[2], 2.55f, 1e-6);
}
TEST_F(Tabletop, AnActionThatIsNotFiniteIsRefusedAndNothingMoves) {
  world->Reset(1);
  const auto before = world->state();
  const auto moved = world->Step(std::vector<float>{kNaN, 0, 0});
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code, core::FaultCode::kNotFinite);
  EXPECT_EQ(world->state(), before);
}

TEST(EarlRules, SuccessIsUpToTheToleranceAndNeverOfWhatIsNotFinite) {
  const auto& goal = io::earl::ForwardGoals(Scene::kSawyerPeg).front();
  io::earl::State state = goal;
  EXPECT_TRUE(io::earl::Succeeded(Scene::kSawyerPeg, state, goal));
  state[0] = 0.5f;  // The hand's place does not count,
  EXPECT_TRUE(io::earl::Succeeded(Scene::kSawyerPeg, state, goal));
  state[4] += 0.051f;  // the head's does.
  EXPECT_FALSE(io::earl::Succeeded(Scene::kSawyerPeg, state, goal));
  state[4] = kNaN;
  EXPECT_FALSE(io::earl::Succeeded(Scene::kSawyerPeg, state, goal));
}
TEST(EarlRules, TheTabletopAsksForTheGripperToo) {
  const auto& goal = io::earl::ForwardGoals(Scene::kTabletop).front();
  io::earl::State state = goal;
  state[0] += 0.21f;
  EXPECT_FALSE(io::earl::Succeeded(Scene::kTabletop, state, goal));
}

TEST(EarlPeg, IsInTheHoleOnlyWithAllEdgesInTheChannelAndTheHeadBeyondItsFace) {
  io::earl::PegPlace peg{.head = {-0.25, 0.6, 0.13}, .axis = {-1, 0, 0}, .across = {0, 1, 0}, .upward = {0, 0, 1}};
  EXPECT_TRUE(peg.InHole());
  EXPECT_NEAR(peg.overlap(), -0.015, 1e-6);
  peg.head[1] = 0.616;  // Its side is 1 mm in the wall.
  EXPECT_FALSE(peg.InHole());
  EXPECT_TRUE(peg.InHole(0.002));
  peg.head = {-0.2, 0.6, 0.13};
  EXPECT_FALSE(peg.InHole());
  const double turn = std::numbers::pi / 4;  // On edge, its half diagonal of 21 mm still fits.
  peg = {.head = {-0.25, 0.6, 0.13},
         .axis = {-1, 0, 0},
         .across = {0, std::cos(turn), std::sin(turn)},
         .upward = {0, -std::sin(turn), std::cos(turn)}};
  EXPECT_TRUE(peg.InHole());
  peg.head[2] = 0.14;
  EXPECT_FALSE(peg.InHole());
}

class SmallSawyer : public testing::TestWithParam<Scene> {
 protected:
  tests::Folder folder{"worlds"};
  std::unique_ptr<io::earl::World> Make() {
    tests::WriteText(folder / "sawyer_peg/model.xml", tests::SmallModel(tests::kSmallPeg));
    tests::WriteText(folder / "sawyer_door/model.xml", tests::SmallModel(tests::kSmallDoor));
    auto world = io::earl::MakeWorld(GetParam(), folder.path());
    EXPECT_TRUE(world) << (world ? "" : world.error().detail);
    return std::move(*world);
  }
};
INSTANTIATE_TEST_SUITE_P(Both, SmallSawyer, testing::Values(Scene::kSawyerDoor, Scene::kSawyerPeg),
                         [](const auto& tested) { return std::string(Name(tested.param)); });

TEST_P(SmallSawyer, AResetBringsTheOpenHandToItsStart) {
  auto world = Make();
  world->Reset(3);
  const float* start = GetParam() == Scene::kSawyerDoor ? io::earl::kDoorHandStart : io::earl::kPegHandStart;
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(world->state()[k], start[k], 0.02);
  EXPECT_NEAR(world->state()[3], 1, 0.05);
}
TEST_P(SmallSawyer, TheSameSeedGivesTheSameStartAndAnotherOneAnother) {
  auto world = Make();
  world->Reset(3);
  const auto first = world->state();
  world->Reset(4);
  EXPECT_NE(world->state(), first);
  world->Reset(3);
  EXPECT_EQ(world->state(), first);
}
TEST_P(SmallSawyer, TheHandFollowsTheActionAndClosesItsFingers) {
  auto world = Make();
  world->Reset(3);
  const auto before = world->state();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(world->Step(std::vector<float>{0.5f, 0, 0.2f, 1}));
  EXPECT_NEAR(world->state()[0] - before[0], 0.2, 0.05);
  EXPECT_LT(world->state()[3], 0.7);
}
TEST_P(SmallSawyer, ARestoredWorldGoesOnBitByBitAsTheOneThatWasSaved) {
  auto world = Make(), other = Make();
  world->Reset(3);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(world->Step(std::vector<float>{0.5f, 0.1f, -0.7f, 1}));
  ASSERT_TRUE(other->Restore(world->Save()));
  EXPECT_EQ(other->state(), world->state());
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(world->Step(std::vector<float>{-0.5f, 0.3f, -0.7f, 1}));
    ASSERT_TRUE(other->Step(std::vector<float>{-0.5f, 0.3f, -0.7f, 1}));
    ASSERT_EQ(other->state(), world->state());
  }
}
TEST_P(SmallSawyer, RefusesToRestoreWhatIsNotItsOwn) {
  auto world = Make();
  auto saved = world->Save();
  saved.pop_back();
  EXPECT_EQ(world->Restore(saved).error().code, core::FaultCode::kCorruptState);
  saved.push_back(kNaN);
  EXPECT_EQ(world->Restore(saved).error().code, core::FaultCode::kCorruptState);
}
TEST_P(SmallSawyer, AModelThatIsNotThereOrLacksAPartIsRefusedByName) {
  const auto missing = io::earl::MakeWorld(GetParam(), folder / "nowhere");
  EXPECT_EQ(missing.error().code, core::FaultCode::kMissingFile);
  tests::WriteText(folder / std::string(Name(GetParam())) + "/model.xml", tests::SmallModel(""));
  const auto lacking = io::earl::MakeWorld(GetParam(), folder.path());
  EXPECT_EQ(lacking.error().code, core::FaultCode::kInvalidConfig);
  EXPECT_THAT(lacking.error().detail, HasSubstr(GetParam() == Scene::kSawyerDoor ? "handle" : "pegHead"));
}

}  // namespace
}  // namespace nightshift
