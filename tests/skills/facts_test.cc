// SPDX-License-Identifier: Apache-2.0
#include "skills/facts.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/fakes/sights.h"

namespace nightshift::skills {
namespace {

using tests::SeenHeld;
using tests::SeenLying;
using tests::With;

const Scene kScene;

double Of(const core::Observation& seen, Fact fact, core::Target target = {}) {
  return Get(FactsOf(seen, target, kScene), fact);
}

TEST(Facts, EveryFactHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i < kFacts; ++i) names.insert(Name(static_cast<Fact>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kFacts));
  EXPECT_FALSE(names.contains("?"));
}

TEST(Facts, AnObjectInTheFingersIsHeldAndNowhereElse) {
  core::Observation seen = SeenHeld(kScene);
  seen.tip_m = seen.objects[0].position_m = kScene.tray.Centre(0.02);
  EXPECT_EQ(Of(seen, Fact::kHeld), 1);
  EXPECT_EQ(Of(seen, Fact::kInTray), 0);
  EXPECT_EQ(Of(seen, Fact::kOutside), 0);
}

TEST(Facts, NothingIsHeldByAnOpenAnEmptyOrAFarJaw) {
  core::Observation open = SeenHeld(kScene), empty = open, far = open;
  open.jaw_command_rad = kScene.jaw_open_rad;
  empty.jaw_rad = kScene.jaw_empty_rad - 0.05;
  far.objects[0].position_m.x += 0.1;
  for (const auto& seen : {open, empty, far}) EXPECT_EQ(Of(seen, Fact::kHeld), 0);
}

TEST(Facts, ACubeGraspedAcrossItsDiagonalIsHeld) {
  core::Observation seen = SeenHeld(kScene);
  seen.jaw_rad = 0.72;
  EXPECT_EQ(Of(seen, Fact::kHeld), 1);
}

TEST(Facts, AJawThatIsStillClosingHoldsNothingWhateverItPasses) {
  core::Observation seen = SeenHeld(kScene);
  seen.joints.dq_rad_s[core::kJaw] = -3;
  EXPECT_EQ(Of(seen, Fact::kHeld), 0);
}

TEST(Facts, AnObjectNotSeenForASecondIsNotBelievedHeld) {
  core::Observation seen = SeenHeld(kScene);
  seen.objects[0].age = core::Seconds(1.1);
  EXPECT_EQ(Of(seen, Fact::kObjectSeen), 0);
  EXPECT_EQ(Of(seen, Fact::kHeld), 0);
}

TEST(Facts, AnObjectIsInTheTrayInTheBinOrOutside) {
  const auto tray = SeenLying(kScene, 0.2, 0.0), bin = SeenLying(kScene, 0.15, 0.19);
  const auto outside = SeenLying(kScene, 0.2, -0.15);
  EXPECT_EQ(Of(tray, Fact::kInTray), 1);
  EXPECT_EQ(Of(bin, Fact::kInBin), 1);
  EXPECT_EQ(Of(outside, Fact::kOutside), 1);
  for (const auto& seen : {tray, bin, outside})
    EXPECT_EQ(Of(seen, Fact::kInTray) + Of(seen, Fact::kInBin) + Of(seen, Fact::kOutside), 1);
}

TEST(Facts, AnObjectAtTheTraysWallIsInsideThoughTheCameraErrsByAFewMillimetres) {
  EXPECT_EQ(Of(SeenLying(kScene, kScene.tray.x_min_m - 0.004, 0), Fact::kInTray), 1);
  EXPECT_EQ(Of(SeenLying(kScene, kScene.tray.x_min_m - 0.004 - kScene.object_half_m, 0), Fact::kOutside), 1);
}

TEST(Facts, AnObjectNeverSeenIsNowhere) {
  core::Observation seen = SeenLying(kScene, 0.2, 0.0);
  seen.objects[0].confidence = 0;
  for (const Fact fact : {Fact::kObjectSeen, Fact::kInTray, Fact::kInBin, Fact::kOutside, Fact::kReachable})
    EXPECT_EQ(Of(seen, fact), 0) << Name(fact);
}

TEST(Facts, ReachIsARing) {
  EXPECT_EQ(Of(SeenLying(kScene, 0.2, 0.0), Fact::kReachable), 1);
  EXPECT_EQ(Of(SeenLying(kScene, 0.05, 0.0), Fact::kReachable), 0);
  EXPECT_EQ(Of(SeenLying(kScene, 0.3, 0.2), Fact::kReachable), 0);
}

TEST(Facts, TheWallGapIsMeasuredFromTheObjectsFace) {
  const double y_m = kScene.tray.y_max_m - kScene.object_half_m - 0.01;
  EXPECT_NEAR(Of(SeenLying(kScene, 0.2, y_m), Fact::kWallGap), 0.01, 1e-9);
  EXPECT_LT(Of(SeenLying(kScene, 0.2, 0.2), Fact::kWallGap), 0);
}

TEST(Facts, TheOtherGapIsToTheNearestSeenObject) {
  core::Observation seen = With(SeenLying(kScene, 0.2, 0.0), kScene, 0.2, 0.04);
  EXPECT_NEAR(Of(seen, Fact::kOtherGap), 0.04, 1e-9);
  seen.objects[1].confidence = 0;
  EXPECT_EQ(Of(seen, Fact::kOtherGap), 1);
}

TEST(Facts, TheGoalDistanceIgnoresHeight) {
  EXPECT_NEAR(Of(SeenLying(kScene, 0.2, 0.0), Fact::kGoalDistance, {0, {0.23, 0.04, 0.5}}), 0.05, 1e-9);
}

TEST(Facts, OnlyAGoodPictureIsAGoodPicture) {
  core::Observation seen = SeenLying(kScene, 0.2, 0.0);
  EXPECT_EQ(Of(seen, Fact::kFrameGood), 1);
  for (const auto bad : {core::FrameHealth::kAbsent, core::FrameHealth::kBlind, core::FrameHealth::kFrozen}) {
    seen.frame = bad;
    EXPECT_EQ(Of(seen, Fact::kFrameGood), 0);
  }
}

}  // namespace
}  // namespace nightshift::skills
