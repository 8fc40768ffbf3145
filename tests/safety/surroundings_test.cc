// SPDX-License-Identifier: Apache-2.0
#include "safety/surroundings.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nightshift::safety {
namespace {

constexpr core::Vec3 kWristM{0.03, 0, 0.371};  // Of the default arm, straight up.
constexpr double kWristRadiusM = 0.015;
constexpr int kTable = 0, kFirstObstacle = 1;

ClearanceModel ModelOf(const Limits& limits) {
  const auto made = SurroundingsOf(limits);
  EXPECT_TRUE(made) << (made ? "" : made.error().detail);
  return made.value();
}

std::optional<int> PairOf(const ClearanceModel& model, int capsule, int obstacle) {
  for (int i = 0; i < model.pairs(); ++i) {
    const ClearancePair& pair = model.pair(i);
    if (pair.kind == PairKind::kObstacle && pair.capsule == capsule && pair.other == obstacle) return i;
  }
  return std::nullopt;
}

/// From the wrist's centre to an obstacle, with the arm straight up.
double WristToM(const Limits& limits, int obstacle) {
  const ClearanceModel model = ModelOf(limits);
  ArmPose pose(model.arm());
  pose.MoveTo({});
  return model.DistanceM(PairOf(model, kWristPart, obstacle).value(), pose) + kWristRadiusM;
}

TEST(Surroundings, HaveATableAtHeightZeroThatOnlyFingersMayTouch) {
  EXPECT_NEAR(WristToM({}, kTable), kWristM.z, 1e-6);
  const ClearanceModel model = ModelOf({});
  EXPECT_TRUE(PairOf(model, kPalmPart, kTable));
  EXPECT_FALSE(PairOf(model, kFixedFingerPart, kTable));
  EXPECT_FALSE(PairOf(model, kJawPart, kTable));
}

TEST(Surroundings, TurnABoxAboutTheVerticalAndThenRaiseItsXAxis) {
  constexpr double kTurn = 0.7, kTilt = 0.4, kApartM = 0.5;
  const core::Vec3 x{std::cos(kTilt) * std::cos(kTurn), std::cos(kTilt) * std::sin(kTurn), std::sin(kTilt)};
  const core::Vec3 y{-std::sin(kTurn), std::cos(kTurn), 0};
  const core::Vec3 z{-std::sin(kTilt) * std::cos(kTurn), -std::sin(kTilt) * std::sin(kTurn), std::cos(kTilt)};
  const auto distance_m = [&](core::Vec3 way) {
    Limits limits;
    limits.boxes = {{.name = "box",
                     .centre_m = kWristM - way * kApartM,
                     .half_m = {0.2, 0.01, 0.03},
                     .turn_rad = kTurn,
                     .tilt_rad = kTilt}};
    return WristToM(limits, kFirstObstacle);
  };
  EXPECT_NEAR(distance_m(x), kApartM - 0.2, 1e-6);
  EXPECT_NEAR(distance_m(y), kApartM - 0.01, 1e-6);
  EXPECT_NEAR(distance_m(z), kApartM - 0.03, 1e-6);
}

TEST(Surroundings, PutAPostBetweenItsEnds) {
  Limits limits;
  limits.posts = {{.name = "post", .from_m = {0.23, 0, 0}, .to_m = {0.23, 0, 1}, .radius_m = 0.05}};
  EXPECT_NEAR(WristToM(limits, kFirstObstacle), 0.15, 1e-6);
}

TEST(Surroundings, SpareTheFingersOnlyWhereTheyMayTouch) {
  for (const bool may_touch : {false, true}) {
    Limits limits;
    limits.boxes = {{.name = "box", .centre_m = {0.2, 0, 0}, .fingers_may_touch = may_touch}};
    limits.posts = {{.name = "post", .from_m = {0.2, 0, 0}, .to_m = {0.2, 0, 1}, .fingers_may_touch = may_touch}};
    const ClearanceModel model = ModelOf(limits);
    for (const int obstacle : {kFirstObstacle, kFirstObstacle + 1}) {
      EXPECT_TRUE(PairOf(model, kPalmPart, obstacle));
      EXPECT_EQ(PairOf(model, kFixedFingerPart, obstacle).has_value(), !may_touch);
      EXPECT_EQ(PairOf(model, kJawPart, obstacle).has_value(), !may_touch);
    }
  }
}

TEST(Surroundings, IncludeTheArmItself) {
  const ClearanceModel model = ModelOf({});
  int own_pairs = 0;
  for (int i = 0; i < model.pairs(); ++i) own_pairs += model.pair(i).kind == PairKind::kSelf ? 1 : 0;
  EXPECT_EQ(own_pairs, 12) << "nine pairs of links; in three of them the hand has two parts";
}

}  // namespace
}  // namespace nightshift::safety
