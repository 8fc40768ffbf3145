// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/clearance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/random.h"
#include "tests/safety/clearance_worlds.h"

namespace nightshift::safety {
namespace {

using core::Random;

core::AxisArray RandomAngles(Random& random) {
  core::AxisArray q_rad;
  for (double& q : q_rad) q = random.Uniform(-3, 3);
  return q_rad;
}

TEST(ClearanceModel, PairsEachMovingPartWithEachObstacleThatDoesNotSpareIt) {
  const Obstacle table{HalfSpace{}, Only(kFixedFingerPart) | Only(kJawPart)};
  const auto model = ClearanceModel::Make(ShapeOf({}), {&table, 1}, {});
  ASSERT_TRUE(model);
  ASSERT_EQ(model->pairs(), 5);  // Pan, upper arm, forearm, wrist, palm; not the base, which stands on it.
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(model->pair(i).kind, PairKind::kObstacle);
    EXPECT_EQ(model->pair(i).capsule, kPanPart + i);
  }
}

TEST(ClearanceModel, CountsOnlyTheJointsBetweenTheLinksOfASelfPair) {
  const LinkPair upper_and_hand{2, 5};
  const auto model = ClearanceModel::Make(ShapeOf({}), {}, {&upper_and_hand, 1});
  ASSERT_TRUE(model);
  ASSERT_EQ(model->pairs(), 2);  // Palm and fixed finger.
  Random random(1);
  for (int pair = 0; pair < 2; ++pair)
    for (int joint = 0; joint < core::kArmAxes; ++joint) {
      core::AxisArray one_rad{};
      one_rad[static_cast<std::size_t>(joint)] = 1;
      const bool between = joint == core::kElbow || joint == core::kWrist || joint == core::kRoll;
      EXPECT_EQ(model->ChangeBound(pair, one_rad) > 0, between) << "pair " << pair << " joint " << joint;
    }
}

TEST(ClearanceModel, BoundsHowMuchEachDistanceCanChange) {
  const CellWorld cell;
  const SevenJointWorld seven;
  Random random(2);
  for (const ClearanceModel* model : {&cell.model, &seven.model}) {
    ArmPose before(model->arm()), after(model->arm());
    for (int i = 0; i < 3000; ++i) {
      core::AxisArray q_rad = RandomAngles(random), moved_rad{};
      before.MoveTo(q_rad);
      const bool all = random.Chance(0.3);
      const int one = random.Index(model->arm().joints);
      for (int j = 0; j < model->arm().joints; ++j) {
        const double by_rad = all || j == one ? random.Uniform(-0.05, 0.05) : 0;
        q_rad[static_cast<std::size_t>(j)] += by_rad;
        moved_rad[static_cast<std::size_t>(j)] = std::abs(by_rad);
      }
      after.MoveTo(q_rad);
      for (int pair = 0; pair < model->pairs(); ++pair)
        ASSERT_LE(std::abs(model->DistanceM(pair, after) - model->DistanceM(pair, before)),
                  model->ChangeBound(pair, moved_rad) + kDistanceErrorM)
            << "pair " << pair << " case " << i;
    }
  }
}

TEST(ClearanceModel, QuickBoundIsNeverMoreThanTheDistance) {
  CellWorld cell;
  SevenJointWorld seven;
  Random random(3);
  const auto check = [&](const ClearanceModel& model, ArmPose& pose) {
    for (int i = 0; i < 1000; ++i) {
      pose.MoveTo(RandomAngles(random));
      for (int pair = 0; pair < model.pairs(); ++pair) {
        const double distance_m = model.DistanceM(pair, pose);
        if (distance_m < 0) continue;  // It is only asked for to show that something is far.
        ASSERT_LE(model.DistanceBoundM(pair, pose), distance_m + kDistanceErrorM) << "pair " << pair;
      }
    }
  };
  check(cell.model, cell.pose);
  check(seven.model, seven.pose);
}

TEST(CellModel, LetsTheArmWorkInTrayAndBin) {
  CellWorld cell;
  for (const core::Vec3 grasp_m : {core::Vec3{0.13, 0.0, 0.15},
                                   {0.14, 0.01, 0.12},
                                   {0.13, -0.085, 0.013},
                                   {0.27, 0.085, 0.013},
                                   {0.20, 0.0, 0.013},
                                   {0.15, 0.19, 0.02},
                                   {0.15, 0.19, 0.09}})
    for (const double yaw_rad : {-0.7, 0.0, 0.7})
      for (const double jaw_rad : {0.0, 0.43, 0.8}) {
        auto q_rad = core::InverseKinematics(cell.limits.arm, grasp_m, yaw_rad);
        ASSERT_TRUE(q_rad);
        (*q_rad)[core::kJaw] = jaw_rad;
        cell.pose.MoveTo(*q_rad);
        EXPECT_GT(cell.model.LeastDistanceM(cell.pose), 0.003)
            << "grasp " << grasp_m.x << " " << grasp_m.y << " " << grasp_m.z << " yaw " << yaw_rad;
      }
}

TEST(CellModel, SeesTheForearmOnTheTable) {
  CellWorld cell;
  cell.pose.MoveTo({0, 1.75, 0.8, 0, 0, 0});
  EXPECT_LT(cell.model.LeastDistanceM(cell.pose), 0);
}

void ExpectRefused(const ArmShape& arm, const Obstacle& obstacle, LinkPair links, const std::string& said) {
  const auto model = ClearanceModel::Make(arm, {&obstacle, 1}, {&links, 1});
  ASSERT_FALSE(model) << said;
  EXPECT_EQ(model.error().code, core::FaultCode::kInvalidConfig);
  EXPECT_NE(model.error().detail.find(said), std::string::npos) << model.error().detail;
}

TEST(ClearanceModel, RefusesWhatIsNoArmNoShapeAndNoPair) {
  const ArmShape arm = ShapeOf({});
  const Obstacle table{HalfSpace{}, 0};
  const LinkPair links{2, 5};
  ArmShape broken = arm;
  broken.joint[1].axis = {0, 2, 0};
  ExpectRefused(broken, table, links, "joint 1");
  broken = arm;
  broken.capsule[3].shape.radius_m = std::nan("");
  ExpectRefused(broken, table, links, "capsule 3");
  broken = arm;
  broken.capsule[3].link = 7;
  ExpectRefused(broken, table, links, "capsule 3");
  broken = arm;
  broken.capsule[0].link = -1;
  ExpectRefused(broken, table, links, "capsule 0");
  broken = arm;
  broken.capsules = kArmCapsulesMax + 1;
  ExpectRefused(broken, table, links, "1 to 16 capsules");
  broken = arm;
  broken.joints = 9;
  ExpectRefused(broken, table, links, "1 to 8 joints");
  ExpectRefused(arm, {HalfSpace{{0, 0, 0}, 0}, 0}, links, "obstacle 0");
  ExpectRefused(arm, {Box{{0, 0, 0}, {0.1, -0.1, 0.1}, {}}, 0}, links, "obstacle 0");
  ExpectRefused(arm, {Box{{0, 0, 0}, {0.1, 0.1, 0.1}, {{1, 0, 0}, {0, 1, 0}, {0, 0, -1}}}, 0}, links, "obstacle 0");
  ExpectRefused(arm, {Capsule{{0, 0, std::nan("")}, {0, 0, 0}, 0.1}, 0}, links, "obstacle 0");
  ExpectRefused(arm, table, {2, 3}, "links 2 and 3");
  ExpectRefused(arm, table, {5, 2}, "links 5 and 2");
  ExpectRefused(arm, table, {2, 7}, "links 2 and 7");
}

TEST(ClearanceModel, TakesAsManyPartsAsItHasRoomFor) {
  ArmShape arm = ShapeOf({});
  arm.capsules = kArmCapsulesMax;
  EXPECT_TRUE(ClearanceModel::Make(arm, {}, {}));
  const std::vector<LinkPair> pairs(kClearancePairsMax / 2, LinkPair{2, 5});  // Palm and fixed finger each.
  EXPECT_TRUE(ClearanceModel::Make(ShapeOf({}), {}, pairs));
}

TEST(ClearanceModel, TakesABoxThatIsFlat) {
  for (const core::Vec3 half_m : {core::Vec3{0, 0.1, 0.1}, {0.1, 0, 0.1}, {0.1, 0.1, 0}}) {
    const Obstacle sheet{Box{{1, 0, 0}, half_m, {}}, 0};
    EXPECT_TRUE(ClearanceModel::Make(ShapeOf({}), {&sheet, 1}, {}));
  }
}

TEST(ClearanceModel, RefusesMoreThanItHasRoomFor) {
  const std::vector<Obstacle> many(kObstaclesMax + 1);
  const auto crowded = ClearanceModel::Make(ShapeOf({}), many, {});
  ASSERT_FALSE(crowded);
  EXPECT_NE(crowded.error().detail.find("33 obstacles"), std::string::npos);
  const std::vector<LinkPair> pairs(300, LinkPair{2, 5});
  const auto paired = ClearanceModel::Make(ShapeOf({}), {}, pairs);
  ASSERT_FALSE(paired);
  EXPECT_NE(paired.error().detail.find("600 pairs"), std::string::npos);
}

}  // namespace
}  // namespace nightshift::safety
