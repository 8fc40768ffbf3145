// SPDX-License-Identifier: Apache-2.0
// The tracker on pictures of the simulated cell, against the cell's own knowledge of where things are.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/kinematics.h"
#include "core/random.h"
#include "io/camera/tracker.h"
#include "io/robot/cell/cell_renderer.h"
#include "io/robot/cell/cell_world.h"
#include "tests/fakes/source_tree.h"

namespace nightshift::io {
namespace {

constexpr int kTicksPerLook = 25;  // 10 Hz.
constexpr double kOpenRad = cell::kJawOpenRad, kClosedRad = cell::kJawClosedRad;

double At(std::vector<double> errors, double share) {
  if (errors.empty()) return 0;
  std::sort(errors.begin(), errors.end());
  return errors[static_cast<std::size_t>(share * static_cast<double>(errors.size() - 1))];
}

cell::CellConfig Config(const char* mess) {
  cell::CellConfig config;
  config.model_file = tests::SourceTree() + "/configs/cell/tabletop.xml";
  config.mess = cell::MessNamed(mess).value();
  return config;
}

/// An arm in the cell with a tracker that looks ten times a second.
class Rig {
 public:
  explicit Rig(const char* mess)
      : world_(cell::CellWorld::Load(Config(mess)).value()),
        renderer_(cell::CellRenderer::Create(world_).value()),
        command_q_rad_(cell::kHomeRad) {}

  /// A straight line of the commanded joints, with looks on the way.
  void MoveTo(core::Vec3 tip_m, double jaw_rad, double seconds) {
    core::AxisArray target = core::InverseKinematics(arm_, tip_m, 0).value();
    target[core::kJaw] = jaw_rad;
    const core::AxisArray from = command_q_rad_;
    const int ticks = static_cast<int>(seconds / cell::kTickS);
    for (int i = 1; i <= ticks; ++i) {
      for (std::size_t axis = 0; axis < cell::kAxes; ++axis)
        command_q_rad_[axis] = from[axis] + (target[axis] - from[axis]) * i / ticks;
      world_.Step(cell::DriveCommand{.q_rad = command_q_rad_});
      if (i % kTicksPerLook == 0) Look();
    }
  }

  void Rest(double seconds) {
    for (int i = 1; i <= seconds / cell::kTickS; ++i) {
      world_.Step(cell::DriveCommand{.q_rad = command_q_rad_});
      if (i % kTicksPerLook == 0) Look();
    }
  }

  void Look() {
    const core::JointState joints = world_.Joints();
    const core::Vec3 tip = core::ForwardKinematics(arm_, joints.q_rad).position_m;
    seen_ = tracker_.See(renderer_.Render(world_), {.now = world_.time(),
                                                    .tip_m = tip,
                                                    .jaw_rad = joints.q_rad[core::kJaw],
                                                    .jaw_command_rad = command_q_rad_[core::kJaw]});
    const cell::Truth truth = world_.Objects();
    ++looks_;
    for (std::size_t i = 0; i < cell::kObjects; ++i) {
      const double error = core::Norm(seen_.objects[i].position_m - truth[i].position_m);
      lost_ += seen_.objects[i].age > core::Duration(0) ? 1 : 0;
      const bool raised = truth[i].held && truth[i].position_m.z > 0.04;
      (raised ? raised_m : truth[i].held ? gripped_m : open_m).push_back(error);
      const bool seen_up = seen_.objects[i].position_m.z > 0.065, is_up = truth[i].position_m.z > 0.065;
      false_lifts += seen_up && truth[i].position_m.z < 0.04 ? 1 : 0;
      missed_lifts += is_up && !seen_up ? 1 : 0;
    }
  }

  double LostShare() const { return static_cast<double>(lost_) / (looks_ * cell::kObjects); }
  cell::CellWorld& world() { return world_; }
  const Sighting& seen() const { return seen_; }

  std::vector<double> open_m, gripped_m, raised_m;  // Errors, by what the fingers do with the object.
  int false_lifts = 0, missed_lifts = 0;

 private:
  core::ArmGeometry arm_;
  cell::CellWorld world_;
  cell::CellRenderer renderer_;
  Tracker tracker_{PerceptionConfig{}};
  core::AxisArray command_q_rad_;
  Sighting seen_;
  int looks_ = 0, lost_ = 0;
};

/// Grasps an object where it really is, lifts it, and lets it go just above the tray.
void PickAndPutDown(Rig& rig, std::uint64_t seed) {
  core::Random random(seed);
  const int object = static_cast<int>(seed % cell::kObjects);
  const core::Vec3 at{random.Uniform(0.15, 0.25), random.Uniform(-0.06, 0.06), 0.0145};
  ASSERT_TRUE(rig.world().Place(1 - object, {at.x > 0.2 ? 0.14 : 0.26, at.y > 0 ? -0.08 : 0.08, 0.0145}, 0.3));
  ASSERT_TRUE(rig.world().Place(object, at, 0));
  rig.MoveTo({0.14, 0.01, 0.12}, kOpenRad, 0.6);
  rig.MoveTo({at.x, at.y, 0.07}, kOpenRad, 0.8);
  rig.MoveTo({at.x, at.y, 0.016}, kOpenRad, 0.5);
  rig.MoveTo({at.x, at.y, 0.016}, kClosedRad, 0.5);
  rig.MoveTo({at.x, at.y, 0.11}, kClosedRad, 0.8);
  rig.MoveTo({at.x, at.y, 0.03}, kClosedRad, 0.5);
  rig.MoveTo({at.x, at.y, 0.03}, kOpenRad, 0.3);
}

void RecordErrors(const Rig& rig) {
  for (const auto& [name, errors] :
       {std::pair{"open", rig.open_m}, {"gripped", rig.gripped_m}, {"raised", rig.raised_m}})
    testing::Test::RecordProperty(
        name, std::to_string(errors.size()) +
                  " looks, median, p90, max in mm: " + std::to_string(At(errors, 0.5) * 1000) + " " +
                  std::to_string(At(errors, 0.9) * 1000) + " " + std::to_string(At(errors, 1.0) * 1000));
  testing::Test::RecordProperty("lost_share", std::to_string(rig.LostShare()));
  testing::Test::RecordProperty("missed_lifts", rig.missed_lifts);
}

TEST(CellView, ShowsObjectsInTheOpenWithinFourMillimetresInACleanWorld) {
  Rig rig("clean");
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    rig.world().Stage(seed);
    rig.Rest(0.3);
  }
  RecordProperty("median_mm", std::to_string(At(rig.open_m, 0.5) * 1000));
  RecordProperty("p90_mm", std::to_string(At(rig.open_m, 0.9) * 1000));
  EXPECT_LT(At(rig.open_m, 0.5), 0.004);
  EXPECT_LT(At(rig.open_m, 0.9), 0.008);
}

TEST(CellView, FollowsObjectsThroughGraspAndLiftInACleanWorld) {
  Rig rig("clean");
  for (std::uint64_t seed = 1; seed <= 20; ++seed) PickAndPutDown(rig, seed);
  RecordErrors(rig);
  ASSERT_GT(rig.raised_m.size(), 60u);
  EXPECT_LT(At(rig.open_m, 0.5), 0.003);
  EXPECT_LT(At(rig.gripped_m, 0.9), 0.015);
  EXPECT_LT(At(rig.raised_m, 0.5), 0.008);
  EXPECT_LT(At(rig.raised_m, 0.9), 0.015);
  EXPECT_LT(rig.LostShare(), 0.02);
  EXPECT_EQ(rig.false_lifts, 0);
}

/// What assembly made of camera and joints is unknown to perception and shows as a bias of about a centimetre; glare
/// hides objects now and then.
TEST(CellView, NeverSeesALiftThatIsNoneAndLosesFewLooksInTheFullMess) {
  Rig rig("full");
  for (std::uint64_t seed = 1; seed <= 20; ++seed) PickAndPutDown(rig, seed);
  RecordErrors(rig);
  EXPECT_LT(At(rig.open_m, 0.5), 0.015);
  EXPECT_LT(rig.LostShare(), 0.25);
  EXPECT_EQ(rig.false_lifts, 0);
}

TEST(CellView, NoticesAFrozenAndABlindedCamera) {
  Rig rig("full");
  rig.MoveTo({0.20, 0.0, 0.12}, kOpenRad, 0.6);
  EXPECT_EQ(rig.seen().frame, core::FrameHealth::kGood);
  ASSERT_TRUE(rig.world().Inject({.fault = cell::CellFault::kBlindCamera, .index = 0, .duration_s = 0.4}));
  rig.Rest(0.3);
  EXPECT_EQ(rig.seen().frame, core::FrameHealth::kBlind);
  rig.Rest(0.3);
  EXPECT_EQ(rig.seen().frame, core::FrameHealth::kGood);
  ASSERT_TRUE(rig.world().Inject({.fault = cell::CellFault::kFreezeCamera, .index = 0, .duration_s = 2}));
  rig.MoveTo({0.20, 0.08, 0.06}, kOpenRad, 1.0);
  EXPECT_EQ(rig.seen().frame, core::FrameHealth::kFrozen);
}

}  // namespace
}  // namespace nightshift::io
