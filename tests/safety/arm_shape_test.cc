// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/arm_shape.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/random.h"
#include "tests/safety/clearance_worlds.h"

namespace nightshift::safety {
namespace {

using core::Norm;
using core::Random;
using core::Vec3;

core::AxisArray RandomAngles(Random& random) {
  core::AxisArray q_rad;
  for (double& q : q_rad) q = random.Uniform(-std::numbers::pi, std::numbers::pi);
  return q_rad;
}

TEST(DefaultArm, PutsTheGraspPointWhereForwardKinematicsDoes) {
  Random random(1);
  for (int i = 0; i < 5000; ++i) {
    const core::ArmGeometry geometry{.base_height_m = random.Uniform(0.05, 0.4),
                                     .shoulder_offset_m = random.Uniform(0, 0.1),
                                     .upper_arm_m = random.Uniform(0.1, 0.4),
                                     .forearm_m = random.Uniform(0.1, 0.4),
                                     .hand_m = random.Uniform(0.08, 0.2),
                                     .grasp_offset_m = random.Uniform(-0.02, 0.02)};
    const ArmShape shape = ShapeOf(geometry);
    ArmPose pose(shape);
    const core::AxisArray q_rad = RandomAngles(random);
    pose.MoveTo(q_rad);
    const core::TipPose tip = core::ForwardKinematics(geometry, q_rad);
    const LinkFrame& hand = pose.link(5);
    ASSERT_LT(Norm(hand.origin_m + Turn(hand.axes, {0, geometry.grasp_offset_m, geometry.hand_m}) - tip.position_m),
              1e-12);
    ASSERT_NEAR(hand.axes.z.z, -std::cos(tip.tilt_rad), 1e-12);
  }
}

TEST(DefaultArm, ClosesItsJawAlongTheYawThatForwardKinematicsSays) {
  const core::ArmGeometry geometry;
  const ArmShape shape = ShapeOf(geometry);
  ArmPose pose(shape);
  const core::AxisArray q_rad{0.7, -0.2, 1.9, std::numbers::pi - 1.7, 0.3, 0};  // The hand straight down.
  pose.MoveTo(q_rad);
  const double yaw_rad = core::ForwardKinematics(geometry, q_rad).yaw_rad;
  EXPECT_LT(Norm(pose.link(5).axes.y - Vec3{-std::sin(yaw_rad), std::cos(yaw_rad), 0}), 1e-12);
}

TEST(DefaultArm, OpensItsJawAwayFromTheFixedFinger) {
  const ArmShape shape = ShapeOf({});
  ArmPose pose(shape);
  const auto gap_m = [&](double jaw_rad) {
    pose.MoveTo({0, 0, 0, 0, 0, jaw_rad});
    return pose.capsule(kJawPart).b_m.y - pose.capsule(kFixedFingerPart).b_m.y;
  };
  EXPECT_NEAR(gap_m(0.48), 0.036, 1e-12);  // Faces parallel, 30 mm apart, and two half fingers of 3 mm.
  EXPECT_GT(gap_m(0.80), 0.048);
  EXPECT_LT(gap_m(0.0), 0.012);
}

/// A solid part of configs/cell/tabletop.xml, in the frame of its link.
struct Solid {
  ArmPart part;
  Vec3 centre_m, half_m;
};

TEST(DefaultArm, CoversTheSolidPartsOfTheCell) {
  const std::array<Solid, 4> solids{{{kPanPart, {0.012, 0, 0.115}, {0.028, 0.022, 0.012}},
                                     {kPalmPart, {0, 0.009, 0.027}, {0.012, 0.020, 0.015}},
                                     {kFixedFingerPart, {0, -0.008, 0.075}, {0.007, 0.003, 0.030}},
                                     {kJawPart, {0, 0, 0.035}, {0.007, 0.003, 0.030}}}};
  const ArmShape shape = ShapeOf({});
  for (const auto& [part, centre, half] : solids)
    for (const double x : {-1.0, 1.0})
      for (const double y : {-1.0, 1.0})
        for (const double z : {-1.0, 1.0}) {
          const Vec3 corner = centre + Vec3{x * half.x, y * half.y, z * half.z};
          EXPECT_LE(Distance(Capsule{corner, corner, 0}, shape.capsule[part].shape), 0)
              << "part " << part << " corner " << x << " " << y << " " << z;
        }
}

TEST(DefaultArm, IsAsThickAsTheRoundPartsOfTheCell) {
  const ArmShape shape = ShapeOf({});
  const auto expect = [&](ArmPart part, Vec3 a, Vec3 b, double radius_m) {
    const Capsule& capsule = shape.capsule[part].shape;
    EXPECT_LT(Norm(capsule.a_m - a), 1e-12) << "part " << part;
    EXPECT_LT(Norm(capsule.b_m - b), 1e-12) << "part " << part;
    EXPECT_DOUBLE_EQ(capsule.radius_m, radius_m) << "part " << part;
  };
  expect(kBasePart, {0, 0, 0}, {0, 0, 0.1}, 0.035);
  expect(kUpperPart, {0, 0, 0}, {0, 0, 0.116}, 0.014);
  expect(kForearmPart, {0, 0, 0}, {0, 0, 0.135}, 0.013);
  expect(kWristPart, {0, 0, 0}, {0, 0, 0}, 0.015);
}

/// Denavit-Hartenberg parameters in Craig's convention, one row a joint.
struct DenavitHartenberg {
  double a_m, d_m, alpha_rad;
};

TEST(SevenJointArm, AgreesWithItsDenavitHartenbergTable) {
  constexpr double kQuarter = std::numbers::pi / 2;
  constexpr std::array<DenavitHartenberg, 7> kTable{{{0, 0.333, 0},
                                                     {0, 0, -kQuarter},
                                                     {0, 0.316, kQuarter},
                                                     {0.0825, 0, kQuarter},
                                                     {-0.0825, 0.384, -kQuarter},
                                                     {0, 0, kQuarter},
                                                     {0.088, 0, kQuarter}}};
  const ArmShape shape = SevenJointArm();
  ArmPose pose(shape);
  Random random(2);
  for (int i = 0; i < 1000; ++i) {
    const core::AxisArray q_rad = RandomAngles(random);
    pose.MoveTo(q_rad);
    LinkFrame frame;
    for (std::size_t j = 0; j < kTable.size(); ++j) {
      const auto& [a, d, alpha] = kTable[j];
      const double ca = std::cos(alpha), sa = std::sin(alpha), c = std::cos(q_rad[j]), s = std::sin(q_rad[j]);
      frame.origin_m = frame.origin_m + Turn(frame.axes, {a, -sa * d, ca * d});
      frame.axes = {Turn(frame.axes, {c, s * ca, s * sa}), Turn(frame.axes, {-s, c * ca, c * sa}),
                    Turn(frame.axes, {0, -sa, ca})};
    }
    const LinkFrame& hand = pose.link(7);  // Its z axis points up in the zero pose, that of the table down.
    const Vec3 flange = hand.origin_m + Turn(hand.axes, {0, 0, -0.107});
    ASSERT_LT(Norm(flange - (frame.origin_m + frame.axes.z * 0.107)), 1e-12);
    ASSERT_LT(Norm(hand.axes.x - frame.axes.x), 1e-12);
  }
}

TEST(ArmPose, IsTheSameWhateverPoseCameBefore) {
  const ArmShape shape = SevenJointArm();
  ArmPose moved(shape);
  Random random(3);
  core::AxisArray q_rad = RandomAngles(random);
  for (int i = 0; i < 2000; ++i) {
    for (int change = random.Index(3); change >= 0; --change)
      q_rad[static_cast<std::size_t>(random.Index(7))] = random.Uniform(-3, 3);
    moved.MoveTo(q_rad);
    ArmPose fresh(shape);
    fresh.MoveTo(q_rad);
    for (int c = 0; c < shape.capsules; ++c) ASSERT_EQ(moved.capsule(c).b_m, fresh.capsule(c).b_m) << "capsule " << c;
  }
}

TEST(ArmPose, IsNotANumberWhereAnAngleIsNone) {
  const ArmShape shape = ShapeOf({});
  ArmPose pose(shape);
  pose.MoveTo({});
  pose.MoveTo({0, std::nan(""), 0, 0, 0, 0});
  EXPECT_TRUE(std::isnan(pose.capsule(kWristPart).a_m.x));
  pose.MoveTo({});
  EXPECT_FALSE(std::isnan(pose.capsule(kWristPart).a_m.x));
}

/// How far the farther end of a capsule goes per radian of one joint, in random poses: the most that was seen.
double ReachSeen(const ArmShape& shape, int capsule, int joint, Random& random) {
  constexpr double kStepRad = 1e-4;
  ArmPose pose(shape);
  double seen_m = 0;
  for (int i = 0; i < 3000; ++i) {
    core::AxisArray q_rad = RandomAngles(random);
    pose.MoveTo(q_rad);
    const Capsule before = pose.capsule(capsule);
    q_rad[static_cast<std::size_t>(joint)] += kStepRad;
    pose.MoveTo(q_rad);
    const Capsule after = pose.capsule(capsule);
    seen_m = std::max({seen_m, Norm(after.a_m - before.a_m) / kStepRad, Norm(after.b_m - before.b_m) / kStepRad});
  }
  return seen_m;
}

/// No axis lies along or across another.
ArmShape ObliqueArm(Random& random) {
  const auto vector = [&random](double most) {
    return Vec3{random.Uniform(-most, most), random.Uniform(-most, most), random.Uniform(-most, most)};
  };
  ArmShape arm;
  arm.joints = 4;
  for (std::size_t i = 0; i < 4; ++i) {
    const Vec3 axis = vector(1);
    arm.joint[i] = {vector(0.3), axis * (1 / Norm(axis))};
  }
  arm.capsules = 3;
  for (int c = 0; c < 3; ++c) arm.capsule[static_cast<std::size_t>(c)] = {c + 2, {vector(0.3), vector(0.3), 0.02}};
  return arm;
}

TEST(Reach, IsNeverLessThanAPartTravelsPerRadianHoweverTheAxesLie) {
  Random random(5);
  for (int i = 0; i < 20; ++i) {
    const ArmShape shape = ObliqueArm(random);
    for (int c = 0; c < shape.capsules; ++c)
      for (int j = 0; j < shape.joints; ++j)
        ASSERT_LE(ReachSeen(shape, c, j, random), ReachM(shape, c, j) + 1e-9) << "capsule " << c << " joint " << j;
  }
}

/// Around parallel axes a part comes as far as all links stretched out, whatever lies along the axes.
TEST(Reach, IsExactWhereAllAxesAreParallel) {
  ArmShape shape;
  shape.joints = 3;
  shape.joint = {ArmJoint{{0, 0, 0.4}, {0, 0, 1}}, {{0.2, 0, 0.3}, {0, 0, 1}}, {{0, 0.3, -0.1}, {0, 0, -1}}};
  shape.capsules = 1;
  shape.capsule[0] = {3, {{0.1, 0, 0.5}, {0.05, 0, -0.5}, 0.02}};
  EXPECT_NEAR(ReachM(shape, 0, 2), 0.1, 1e-12);
  EXPECT_NEAR(ReachM(shape, 0, 1), 0.4, 1e-12);
  EXPECT_NEAR(ReachM(shape, 0, 0), 0.6, 1e-12);
}

TEST(Reach, OfAnArmTenTimesAsLargeIsTenTimesAsFar) {
  Random random(6);
  for (int i = 0; i < 100; ++i) {
    const ArmShape shape = ObliqueArm(random);
    ArmShape large = shape;
    for (ArmJoint& joint : large.joint) joint.origin_m = joint.origin_m * 10;
    for (ArmCapsule& part : large.capsule) part.shape.a_m = part.shape.a_m * 10, part.shape.b_m = part.shape.b_m * 10;
    for (int c = 0; c < shape.capsules; ++c)
      for (int j = 0; j < shape.joints; ++j)
        ASSERT_NEAR(ReachM(large, c, j), 10 * ReachM(shape, c, j), 1e-9) << "capsule " << c << " joint " << j;
  }
}

TEST(Reach, IsNeverLessThanAPartTravelsPerRadianAndNotMuchMore) {
  Random random(4);
  for (const ArmShape& shape : {ShapeOf({}), SevenJointArm()})
    for (int c = 0; c < shape.capsules; ++c)
      for (int j = 0; j < shape.joints; ++j) {
        const double seen_m = ReachSeen(shape, c, j, random), reach_m = ReachM(shape, c, j);
        ASSERT_LE(seen_m, reach_m + 1e-9) << "capsule " << c << " joint " << j;
        ASSERT_LE(reach_m, 1.5 * seen_m + 0.01) << "capsule " << c << " joint " << j;
      }
}

}  // namespace
}  // namespace nightshift::safety
