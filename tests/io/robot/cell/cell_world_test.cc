// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>

#include "tests/io/robot/cell/bench.h"

namespace nightshift::io::cell {
namespace {

using core::FaultCode;
using testing::HasSubstr;

constexpr int kRed = 0, kBlue = 1;
constexpr core::Vec3 kMiddle{0.20, 0.0, 0.0145}, kFarAside{0.25, 0.06, 0.0135};

/// A clean world with the cubes at known places: red in the middle, blue out of the way.
Bench CleanBench() {
  Bench bench(CellWith("clean"));
  EXPECT_TRUE(bench.world.Place(kRed, kMiddle, 0));
  EXPECT_TRUE(bench.world.Place(kBlue, kFarAside, 0));
  return bench;
}

TEST(CellWorld, NamesAModelFileThatIsNotThere) {
  CellConfig config;
  config.model_file = "/nowhere/tabletop.xml";
  const auto world = CellWorld::Load(config);
  ASSERT_FALSE(world);
  EXPECT_EQ(world.error().code, FaultCode::kMissingFile);
  EXPECT_THAT(world.error().detail, HasSubstr("/nowhere/tabletop.xml"));
}

TEST(CellWorld, RefusesAModelOfSomethingElse) {
  CellConfig config;
  config.model_file = testing::TempDir() + "empty_world.xml";
  std::ofstream(config.model_file) << "<mujoco><worldbody/></mujoco>";
  const auto world = CellWorld::Load(config);
  ASSERT_FALSE(world);
  EXPECT_EQ(world.error().code, FaultCode::kInvalidConfig);
  EXPECT_THAT(world.error().detail, HasSubstr("lacks: pan"));
}

TEST(CellWorld, StartsAtHomeWithUnpoweredDrives) {
  const Bench bench(CellWith("full"));
  EXPECT_FALSE(bench.world.Joints().powered);
  for (std::size_t i = 0; i < kAxes; ++i) EXPECT_NEAR(bench.world.Joints().q_rad[i], kHomeRad[i], 1e-9);
  EXPECT_NEAR(bench.tip().x, 0.14, 0.002);
  EXPECT_NEAR(bench.tip().z, 0.12, 0.002);
}

TEST(CellWorld, AdvancesFourMillisecondsAStep) {
  Bench bench(CellWith("clean"));
  bench.world.Step(std::nullopt);
  EXPECT_EQ(bench.world.time(), core::FromNanoseconds(4'000'000));
  EXPECT_EQ(bench.world.Joints().time, bench.world.time());
}

TEST(CellWorld, IsTheSameForTheSameSeedAndCommands) {
  Bench one(CellWith("full")), other(CellWith("full"));
  for (Bench* bench : {&one, &other}) bench->Pick(kRed);
  EXPECT_EQ(one.world.SaveState(), other.world.SaveState());
}

TEST(CellWorld, IsAnotherForAnotherSeed) {
  CellConfig config = CellWith("full");
  config.seed = 2;
  EXPECT_NE(Bench(CellWith("full")).world.SaveState(), Bench(config).world.SaveState());
}

TEST(CellWorld, HasTheGeometryOfCoreKinematics) {
  Bench bench = CleanBench();
  const core::AxisArray poses[] = {
      {0, 0, 0, 0, 0, 0.9}, {0.4, 0.6, 1.2, 1.1, -0.8, 0.5}, {-0.9, -0.3, 2.0, 0.4, 1.2, 0}};
  for (const core::AxisArray& q : poses) {
    for (int i = 0; i < 500; ++i) bench.world.Step(DriveCommand{.q_rad = q});
    bench.world.Step(DriveCommand{.q_rad = q});
    EXPECT_LT(core::Norm(bench.tip() - bench.world.TrueTip()), 0.0005);
  }
}

TEST(CellWorld, IsNotQuiteAsAssembledInTheFullMess) {
  Bench bench(CellWith("full"));
  for (const core::Vec3 goal : {core::Vec3{0.20, 0.05, 0.08}, {0.15, 0.19, 0.08}, {0.24, -0.06, 0.08}}) {
    bench.Go(goal);
    const double error_m = core::Norm(bench.tip() - bench.world.TrueTip());
    EXPECT_GT(error_m, 0.001);
    EXPECT_LT(error_m, 0.010);
  }
}

TEST(CellWorld, SagsOnlyLittleUnderItsOwnWeight) {
  Bench bench = CleanBench();
  for (const core::Vec3 goal : {core::Vec3{0.20, 0.05, 0.08}, {0.15, 0.19, 0.06}, {0.26, -0.06, 0.05}}) {
    bench.Go(goal);
    bench.Wait(0.5);
    EXPECT_LT(core::Norm(bench.tip() - goal), 0.008);
  }
}

TEST(CellWorld, LiftsAGraspedCube) {
  Bench bench = CleanBench();
  bench.Pick(kRed);
  EXPECT_TRUE(bench.held(kRed));
  EXPECT_GT(bench.object(kRed).z, 0.07);
  EXPECT_LT(core::Norm(bench.object(kRed) - bench.tip()), 0.02);
  EXPECT_NEAR(bench.jaw(), kJawOnCubeRad, 0.06);
}

TEST(CellWorld, ClosesTheJawFullyOnNothing) {
  Bench bench = CleanBench();
  bench.Jaw(kJawClosedRad, 1);
  EXPECT_NEAR(bench.jaw(), kJawClosedRad, 0.02);
  bench.Jaw(kJawOpenRad, 1);
  EXPECT_NEAR(bench.jaw(), kJawOpenRad, 0.05);
}

TEST(CellWorld, KeepsWhatIsCarriedFastAndLosesWhatIsCarriedSlowly) {
  CellConfig config = CellWith("clean");
  const MessConfig full = *MessNamed("full");
  config.mess.grip_fade_after_s = full.grip_fade_after_s;
  config.mess.grip_fade_tau_s = full.grip_fade_tau_s;
  config.mess.grip_fade_floor = full.grip_fade_floor;
  Bench bench(config);
  ASSERT_TRUE(bench.world.Place(kRed, kMiddle, 0));
  ASSERT_TRUE(bench.world.Place(kBlue, kFarAside, 0));
  bench.Pick(kRed);  // About one second of load.
  EXPECT_TRUE(bench.held(kRed));
  bench.Wait(6);
  EXPECT_FALSE(bench.held(kRed));
  EXPECT_LT(bench.object(kRed).z, 0.05);
}

TEST(CellWorld, GathersInTheMiddleOfTheBinWhatFallsIntoIt) {
  CellConfig config = CellWith("clean");
  config.mess.friction_min = config.mess.friction_max = 1.2;
  Bench bench(config);
  for (const double dx : {-0.035, 0.035}) {
    for (const double dy : {-0.035, 0.035}) {
      ASSERT_TRUE(bench.world.Place(kRed, kBinCentre + core::Vec3{dx, dy, 0.05}, 0.4));
      bench.Wait(2);
      EXPECT_LT(core::NormXy(bench.object(kRed) - kBinCentre), 0.025) << dx << ", " << dy;
    }
  }
}

TEST(CellWorld, CanPickAnObjectOutOfTheBin) {
  Bench bench = CleanBench();
  ASSERT_TRUE(bench.world.Place(kRed, kBinCentre + core::Vec3{0, 0, 0.03}, 0.2));
  bench.Go({0.15, 0.10, 0.12});
  bench.Wait(1);
  const core::Vec3 at = bench.object(kRed) - core::Vec3{0, 0.005, 0};
  bench.Go({at.x, at.y, 0.08});
  bench.Go({at.x, at.y, 0.020});
  bench.Jaw(kJawClosedRad, 0.4);
  bench.Go({at.x, at.y, 0.10});
  EXPECT_TRUE(bench.held(kRed));
  EXPECT_GT(bench.object(kRed).z, 0.06);
}

TEST(CellWorld, LeavesAnObjectOutsideUntilAPersonPutsItBack) {
  Bench bench = CleanBench();
  ASSERT_TRUE(bench.world.Place(kRed, {0.36, 0.0, 0.015}, 0));
  bench.Wait(5);
  EXPECT_FALSE(kTray.Contains(bench.object(kRed)));
  ASSERT_TRUE(bench.world.PutBack(kRed));
  EXPECT_TRUE(kTray.Contains(bench.object(kRed)));
  EXPECT_FALSE(bench.world.PutBack(2));
}

TEST(CellWorld, DrivesStopByThemselvesWhenCommandsCease) {
  Bench bench = CleanBench();
  bench.Wait(0.5);
  EXPECT_TRUE(bench.world.Joints().powered);
  bench.WaitSilently(0.3);
  EXPECT_EQ(bench.world.drive_state(core::kLift), DriveState::kHolding);
  const core::Vec3 held_at = bench.tip();
  bench.WaitSilently(5);
  EXPECT_LT(core::Norm(bench.tip() - held_at), 0.005);
}

TEST(CellWorld, SinksWithoutPowerAndTouchesNothingButTheTable) {
  Bench bench = CleanBench();
  bench.WaitSilently(60);
  EXPECT_GT(bench.tip().z, -0.02);
  for (std::size_t i = 0; i < kAxes; ++i) EXPECT_TRUE(std::isfinite(bench.world.Joints().q_rad[i]));
}

TEST(CellWorld, StagesTheSameSceneForTheSameSeed) {
  Bench one(CellWith("full")), other(CellWith("full"));
  other.Wait(1);
  one.world.Stage(77);
  other.world.Stage(77);
  for (int i = 0; i < kObjects; ++i) {
    EXPECT_LT(core::Norm(one.object(i) - other.object(i)), 1e-12);
    EXPECT_EQ(one.world.Objects()[static_cast<std::size_t>(i)].friction,
              other.world.Objects()[static_cast<std::size_t>(i)].friction);
  }
  one.world.Stage(78);
  EXPECT_GT(core::Norm(one.object(kRed) - other.object(kRed)), 1e-3);
}

TEST(CellWorld, ChangesTheSurfaceOfAnObjectNowAndThenButNotInTheHand) {
  CellConfig config = CellWith("clean");
  config.mess.friction_min = 0.6, config.mess.friction_max = 1.2, config.mess.redraw_every_s = 5;
  Bench bench(config);
  ASSERT_TRUE(bench.world.Place(kRed, kMiddle, 0));
  ASSERT_TRUE(bench.world.Place(kBlue, kFarAside, 0));
  bench.Pick(kRed);
  ASSERT_TRUE(bench.held(kRed));
  const Truth before = bench.world.Objects();
  bench.Wait(10);
  EXPECT_EQ(bench.world.Objects()[kRed].friction, before[kRed].friction);
  EXPECT_NE(bench.world.Objects()[kBlue].friction, before[kBlue].friction);
}

TEST(CellWorld, DropsWhatItHoldsOnRequest) {
  Bench bench = CleanBench();
  bench.Pick(kRed);
  ASSERT_TRUE(bench.held(kRed));
  ASSERT_TRUE(bench.world.Inject({.fault = CellFault::kDrop, .duration_s = 1}));
  bench.Wait(1);
  EXPECT_FALSE(bench.held(kRed));
  EXPECT_LT(bench.object(kRed).z, 0.05);
}

TEST(CellWorld, MovesAnObjectOnRequest) {
  Bench bench = CleanBench();
  ASSERT_TRUE(bench.world.Inject({.fault = CellFault::kMove, .index = kRed}));
  EXPECT_GT(core::NormXy(bench.object(kRed) - kMiddle), 0.005);
  EXPECT_TRUE(kTray.Contains(bench.object(kRed)));
}

TEST(CellWorld, JamsAJointForTheRequestedTime) {
  Bench bench = CleanBench();
  bench.Go({0.2, 0, 0.1});
  ASSERT_TRUE(bench.world.Inject({.fault = CellFault::kStall, .index = core::kPan, .duration_s = 1.5}));
  const double pan = bench.world.Joints().q_rad[core::kPan];
  bench.Go({0.15, 0.12, 0.1});
  EXPECT_NEAR(bench.world.Joints().q_rad[core::kPan], pan, 0.02);
  EXPECT_GT(bench.world.Joints().torque_nm[core::kPan], 2.0);
  bench.Wait(2);
  EXPECT_GT(bench.world.Joints().q_rad[core::kPan], pan + 0.3);
}

TEST(CellWorld, HeatsAMotorOnRequest) {
  Bench bench = CleanBench();
  bench.Wait(0.1);
  EXPECT_LT(bench.world.Joints().temperature_c[core::kElbow], 30);
  ASSERT_TRUE(bench.world.Inject({.fault = CellFault::kHeat, .index = core::kElbow, .duration_s = 1}));
  bench.Wait(0.1);
  EXPECT_GT(bench.world.Joints().temperature_c[core::kElbow], 65);
}

TEST(CellWorld, RefusesFaultsThatMakeNoSense) {
  Bench bench = CleanBench();
  const auto joint = bench.world.Inject({.fault = CellFault::kStall, .index = 6});
  ASSERT_FALSE(joint);
  EXPECT_EQ(joint.error().code, FaultCode::kRefused);
  EXPECT_THAT(joint.error().detail, HasSubstr("[0, 5]"));
  EXPECT_FALSE(bench.world.Inject({.fault = CellFault::kDrop, .duration_s = std::nan("")}));
  EXPECT_FALSE(bench.world.Inject({.fault = CellFault::kDrop, .duration_s = -1}));
}

TEST(CellWorld, IsWhereItWasAfterAPowerCutWithUnpoweredDrives) {
  Bench before = CleanBench();
  before.Go({0.22, -0.05, 0.05});
  const std::string saved = before.world.SaveState();
  Bench after(CellWith("clean"));
  ASSERT_TRUE(after.world.RestoreState(saved));
  EXPECT_FALSE(after.world.Joints().powered);
  EXPECT_EQ(after.world.tick(), before.world.tick());
  EXPECT_LT(core::Norm(after.object(kRed) - before.object(kRed)), 1e-9);
  EXPECT_LT(core::Norm(after.tip() - before.tip()), 1e-9);
}

TEST(CellWorld, RefusesASavedStateThatIsDamagedAndStaysAsItWas) {
  Bench bench = CleanBench();
  std::string saved = bench.world.SaveState();
  for (const std::string& bad : {saved.substr(0, saved.size() - 1), std::string(), std::string(saved.size(), 'x'), [&] {
                                   auto flipped = saved;
                                   flipped[40] ^= 1;
                                   return flipped;
                                 }()}) {
    const auto restored = bench.world.RestoreState(bad);
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().code, FaultCode::kCorruptState);
  }
  EXPECT_EQ(bench.world.SaveState(), saved);
}

TEST(CellWorld, SkipsForwardButNeverBack) {
  Bench bench = CleanBench();
  bench.world.SkipTo(500);
  EXPECT_EQ(bench.world.tick(), 500u);
  bench.world.SkipTo(100);
  EXPECT_EQ(bench.world.tick(), 500u);
}

}  // namespace
}  // namespace nightshift::io::cell
