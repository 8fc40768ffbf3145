// SPDX-License-Identifier: Apache-2.0
#include "safety/admissible.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "core/random.h"
#include "safety/checks/arm_dynamics.h"
#include "safety/checks/workspace.h"
#include "safety/surroundings.h"

namespace nightshift::safety {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;

/// What loading says of the default limits after one change.
std::string FaultAfter(const std::function<void(Limits&)>& change) {
  Limits limits;
  change(limits);
  const auto valid = Validate(limits);
  if (valid) return "";
  EXPECT_EQ(valid.error().code, core::FaultCode::kInvalidConfig);
  return valid.error().detail;
}

TEST(AdmissibleLimits, TheDefaultsHaveAStopFromEveryState) {
  const auto fine = CheckStops(Limits{});
  EXPECT_TRUE(fine) << fine.error().detail;
}

TEST(AdmissibleLimits, RefusesAStopOfMoreTicksThanACheckFollows) {
  const auto weak = [](double acceleration_rad_s2) {
    return [=](Limits& l) {
      l.control_period = milliseconds(1);
      l.speed_rad_s_max[core::kLift] = 0.5;
      l.acceleration_rad_s2_max[core::kLift] = acceleration_rad_s2;
    };
  };
  EXPECT_THAT(FaultAfter(weak(0.2)),
              AllOf(HasSubstr("safety.speed_rad_s_max[lift] = 0.5: with acceleration_rad_s2_max = 0.2"),
                    HasSubstr("its stop takes 2501 ticks, and a check follows 2000; lower the speed")));
  EXPECT_EQ(FaultAfter(weak(0.26)), "") << "1 924 ticks";
}

TEST(AdmissibleLimits, RefusesAStopThatNeedsMoreThanTheJointsRange) {
  const auto narrow = [](double range_rad) {
    return [=](Limits& l) { l.q_rad_min[core::kRoll] = 0, l.q_rad_max[core::kRoll] = range_rad; };
  };
  EXPECT_THAT(FaultAfter(narrow(0.25)), HasSubstr("safety.speed_rad_s_max[roll] = 4: with acceleration_rad_s2_max = 40 "
                                                  "and jerk_rad_s3_max = 4e+03 its stop takes 0.259 rad, and the "
                                                  "joint's whole range is 0.25 rad"));
  EXPECT_EQ(FaultAfter(narrow(0.27)), "");
}

/// The hardest state to stop from is not full speed: it is the one that still speeds up to it.
TEST(AdmissibleLimits, ReckonsWithTheSpeedThatIsStillToCome) {
  const auto jerky = [](Limits& l) {
    l.jerk_rad_s3_max[core::kRoll] = 200;  // 4 rad/s are reached with 0.2 s of acceleration left.
    l.q_rad_min[core::kRoll] = 0, l.q_rad_max[core::kRoll] = 0.9;
  };
  EXPECT_THAT(FaultAfter(jerky), HasSubstr("its stop takes 1.1 rad"));
}

TEST(AdmissibleLimits, RefusesADriveThatCannotHoldTheArmUp) {
  EXPECT_THAT(FaultAfter([](Limits& l) { l.torque_nm_max[core::kLift] = 0.8; }),
              AllOf(HasSubstr("safety.torque_nm_max[lift] = 0.8: with payload_kg_max = 0.1 holding still takes 0.837 "),
                    HasSubstr("the arm would sink; lower the payload")));
}

TEST(AdmissibleLimits, RefusesADriveThatBrakesTooWeakly) {
  EXPECT_THAT(FaultAfter([](Limits& l) { l.torque_nm_max[core::kLift] = 1.6; }),
              AllOf(HasSubstr("safety.torque_nm_max[lift] = 1.6: with payload_kg_max = 0.1 braking with "
                              "acceleration_rad_s2_max takes 2."),
                    HasSubstr(" rad beyond its stop from speed_rad_s_max = 4, and half of tracking_error_rad_max is "
                              "0.25; lower speed, acceleration or payload")));
  EXPECT_THAT(FaultAfter([](Limits& l) { l.speed_rad_s_max[core::kElbow] = 12; }), HasSubstr("beyond its stop"));
  EXPECT_EQ(FaultAfter([](Limits& l) {
              l.torque_nm_max[core::kLift] = 1.6;
              l.speed_rad_s_max[core::kLift] = l.speed_rad_s_max[core::kElbow] = 2;
            }),
            "")
      << "at half the speed it brakes in time";
}

TEST(AdmissibleLimits, RefusesADriveThatWeightAndSpeedLeaveNothingToBrakeWith) {
  EXPECT_THAT(FaultAfter([](Limits& l) { l.torque_nm_max[core::kLift] = 0.9; }),
              HasSubstr("the arm would come to rest anywhere beyond its stop"));
  EXPECT_THAT(FaultAfter([](Limits& l) { l.payload_kg_max = 1.0; }), HasSubstr("torque_nm_max[pan] = 2.5"));
}

TEST(AdmissibleLimits, AStopFallsShortByWhatTheBrakingLacks) {
  const Limits limits;
  EXPECT_EQ(OvershootRad(limits, core::kLift, 1.5), 0);
  EXPECT_EQ(OvershootRad(limits, core::kLift, 1), 0);
  EXPECT_DOUBLE_EQ(OvershootRad(limits, core::kLift, 0.5), 0.2);  // 4 rad/s: 0.2 rad at 40 rad/s2, 0.4 at 20.
  EXPECT_TRUE(std::isinf(OvershootRad(limits, core::kLift, 0)));
  EXPECT_TRUE(std::isinf(OvershootRad(limits, core::kLift, -0.1)));
}

TEST(AdmissibleLimits, WhatBrakingNeedsIsThatOfTheWorstPose) {
  const Limits limits;
  const BrakingNeed need = BrakingNeedsOf(limits)[core::kLift];
  const ArmDynamics dynamics(limits);
  EXPECT_GT(need.weight_nm, std::abs(dynamics.GravityNm({}, limits.payload_kg_max)[core::kLift]));
  const core::AxisArray column = dynamics.InertiaKgM2(need.q_rad, core::kLift, limits.payload_kg_max);
  EXPECT_GT(need.braking_nm, 40 * column[core::kLift]) << "the other joints brake as well";
  EXPECT_LT(need.left_nm, limits.torque_nm_max[core::kLift] - need.weight_nm / 2);
}

TEST(AdmissibleLimits, TheWorstPoseMayBeAtTheLowEndOfEveryRange) {
  Limits limits;
  for (const std::size_t joint : {core::kPan, core::kLift, core::kElbow}) {
    const BrakingNeed need = BrakingNeedsOf(limits)[joint];
    Limits narrow;
    for (const std::size_t i : {core::kLift, core::kElbow, core::kWrist})
      narrow.q_rad_min[i] = std::min(need.q_rad[i], narrow.q_rad_max[i] - 0.01);
    EXPECT_LE(BrakingNeedsOf(narrow)[joint].share(), need.share()) << joint;
  }
}

/// The most that the joints' speed does to one of them, whichever way each of them turns: 64 ways. Roll and jaw, which
/// are the lightest, have no say in BrakingNeedsOf.
double SwingNmOf(const Limits& limits, const core::AxisArray& q_rad, std::size_t joint) {
  const ArmDynamics dynamics(limits);
  const double still_nm = dynamics.GravityNm(q_rad, limits.payload_kg_max)[joint];
  double most_nm = 0;
  for (unsigned ways = 0; ways < 1u << core::kArmAxes; ++ways) {
    JointMotion motion{.q_rad = q_rad};
    for (std::size_t i = 0; i < core::kArmAxes; ++i)
      motion.dq_rad_s[i] = (ways >> i & 1u) != 0 ? -limits.speed_rad_s_max[i] : limits.speed_rad_s_max[i];
    most_nm = std::max(most_nm, std::abs(dynamics.TorqueNm(motion, limits.payload_kg_max)[joint] - still_nm));
  }
  return most_nm;
}

TEST(AdmissibleLimits, BrakingHasLeftWhatWeightAndTheWorstWayToTurnLeaveOfTheTorque) {
  Limits limits;
  limits.speed_rad_s_max = {3, 4, 5, 6, 4, 6};
  const ArmDynamics dynamics(limits);
  const auto needs = BrakingNeedsOf(limits);
  for (const std::size_t joint : {core::kPan, core::kLift, core::kElbow, core::kWrist}) {
    const core::AxisArray& q_rad = needs[joint].q_rad;
    const double weight_nm = std::max(std::abs(dynamics.GravityNm(q_rad, 0)[joint]),
                                      std::abs(dynamics.GravityNm(q_rad, limits.payload_kg_max)[joint]));
    EXPECT_NEAR(needs[joint].left_nm, limits.torque_nm_max[joint] - weight_nm - SwingNmOf(limits, q_rad, joint), 0.003)
        << "joint " << joint;
  }
}

TEST(AdmissibleLimits, RefusesABoxThatTheArmCannotReachInto) {
  const auto moved = [](double x_m) {
    return [=](Limits& l) { l.workspace_m_min.x = x_m, l.workspace_m_max.x = x_m + 0.1; };
  };
  EXPECT_THAT(FaultAfter(moved(0.45)), AllOf(HasSubstr("safety.workspace_m_min = (0.45, -0.33, 0.002), workspace_m_max "
                                                       "= (0.55, 0.33, 0.45): no pose within q_rad_min and q_rad_max"),
                                             HasSubstr("clearance_m = 0.004")));
  EXPECT_EQ(FaultAfter(moved(0.2)), "");
}

TEST(AdmissibleLimits, RefusesObstaclesThatLeaveTheArmNoRoom) {
  const auto walled_in = [](double half_m) {
    return [=](Limits& l) {
      l.boxes = {{.name = "crate", .centre_m = {0.2, 0, 0.2}, .half_m = {half_m, half_m, half_m}}};
    };
  };
  EXPECT_THAT(FaultAfter(walled_in(0.6)), HasSubstr("no pose within q_rad_min and q_rad_max was found"));
  EXPECT_EQ(FaultAfter(walled_in(0.03)), "");
}

TEST(AdmissibleLimits, AClearPoseIsInRangeInTheBoxAndClear) {
  Limits limits;
  limits.workspace_m_min = {0.2, 0.1, 0.1};
  limits.workspace_m_max = {0.25, 0.15, 0.12};
  const auto q_rad = ClearPose(limits);
  ASSERT_TRUE(q_rad);
  EXPECT_LE(OutsideWorkspace(limits, *q_rad), 0);
  for (std::size_t i = 0; i < core::kArmAxes; ++i) {
    EXPECT_GE((*q_rad)[i], limits.q_rad_min[i]);
    EXPECT_LE((*q_rad)[i], limits.q_rad_max[i]);
  }
  const auto surroundings = *SurroundingsOf(limits);
  ArmPose pose(surroundings.arm());
  pose.MoveTo(*q_rad);
  EXPECT_GE(surroundings.LeastDistanceM(pose), limits.clearance_m);
}

TEST(AdmissibleLimits, AClearPoseIsInItsBoxAlsoWhereTheArmReachesOnlyACornerOfIt) {
  constexpr double kInverseErrorM = 0.0005;
  core::Random random(11);
  int found = 0;
  for (int i = 0; i < 300; ++i) {
    Limits limits;
    limits.workspace_m_min = {random.Uniform(-0.4, 0.3), random.Uniform(-0.4, 0.3), random.Uniform(0.01, 0.4)};
    limits.workspace_m_max = limits.workspace_m_min + core::Vec3{0.1, 0.1, 0.1};
    const auto q_rad = ClearPose(limits);
    if (!q_rad) continue;
    ++found;
    EXPECT_LE(OutsideWorkspace(limits, *q_rad), kInverseErrorM) << "box " << i;
  }
  EXPECT_GT(found, 100);
}

/// The hand could point down in the middle of the box, if only the joint turned that far.
TEST(AdmissibleLimits, AClearPoseKeepsToTheRangeOfEachJoint) {
  const Limits whole;
  const core::AxisArray first = *ClearPose(whole);
  for (std::size_t joint = 0; joint < core::kJaw; ++joint)
    for (const bool above : {false, true}) {
      Limits limits;
      (above ? limits.q_rad_min : limits.q_rad_max)[joint] = first[joint] + (above ? 0.05 : -0.05);
      if (limits.q_rad_min[joint] >= limits.q_rad_max[joint]) continue;
      const auto q_rad = ClearPose(limits);
      ASSERT_TRUE(q_rad) << "joint " << joint;
      EXPECT_GE((*q_rad)[joint], limits.q_rad_min[joint]) << "joint " << joint;
      EXPECT_LE((*q_rad)[joint], limits.q_rad_max[joint]) << "joint " << joint;
    }
}

TEST(AdmissibleLimits, SaysOfAPoseWhatIsInItsWay) {
  Limits limits;
  core::AxisArray q_rad = *core::InverseKinematics(limits.arm, {0.2, 0, 0.1}, 0);
  const auto said = [&] {
    const auto room = RoomAround(limits, q_rad);
    return room ? std::string() : room.error().detail;
  };
  EXPECT_EQ(said(), "");
  limits.boxes = {{.name = "far", .centre_m = {1, 0, 0}},
                  {.name = "crate", .centre_m = {0.2, 0.02, 0.1}, .half_m = {0.02, 0.03, 0.02}}};
  EXPECT_THAT(said(),
              AllOf(HasSubstr("within -0.0"), HasSubstr("of the box \"crate\", and safety.clearance_m is 0.004")));
  limits.posts = {{.name = "lamp", .from_m = {0.2, 0, 0}, .to_m = {0.2, 0, 1}}};
  limits.boxes.clear();
  EXPECT_THAT(said(), HasSubstr("the post \"lamp\""));
  limits.posts.clear();
  q_rad = {0, 1.7, 0.6, 0, 0, 0.5};
  EXPECT_THAT(said(), HasSubstr("of the table"));
  q_rad = {0, -0.5, 2.6, 2.2, 0, 0.5};
  EXPECT_THAT(said(), HasSubstr("of another part of it"));
  q_rad[core::kElbow] = 2.7;
  EXPECT_EQ(said(), "takes the elbow to 2.7 rad, and its range is [-0.2, 2.6] (safety.q_rad_min, _max)");
  q_rad[core::kPan] = -2;
  EXPECT_THAT(said(), HasSubstr("takes the pan to -2 rad"));
}

TEST(AdmissibleLimits, ARoomThatCannotBeMadeIsARefusal) {
  Limits limits;
  limits.boxes = {{.name = "box", .centre_m = {0, 0, std::nan("")}}};
  EXPECT_FALSE(RoomAround(limits, {}));
}

/// A hand that points down reaches nothing above its wrist's highest place: other poses do.
TEST(AdmissibleLimits, FindsPosesThatPointUp) {
  Limits limits;
  limits.workspace_m_min.z = 0.4;
  EXPECT_TRUE(ClearPose(limits));
}

/// Nor anything that is both far away and high, or high behind the arm: wrist and elbow are tried all over their
/// ranges.
TEST(AdmissibleLimits, FindsPosesThatStretchAndBend) {
  Limits ahead, behind;
  ahead.workspace_m_min = {0.3, -0.05, 0.3}, ahead.workspace_m_max = {0.4, 0.05, 0.4};
  EXPECT_TRUE(ClearPose(ahead));
  behind.workspace_m_min = {-0.26, -0.02, 0.18}, behind.workspace_m_max = {-0.16, 0.08, 0.28};
  EXPECT_TRUE(ClearPose(behind));
}

TEST(AdmissibleLimits, RefusesStopsThatTheLooksDoNotReachToTheEndOf) {
  const auto slow_to_stop = [](int looks) {
    return [=](Limits& l) {
      l.clearance_looks_max = looks;
      l.clearance_m = 1e-6;  // Nothing may be lost between two looks.
      for (std::size_t i = 0; i < core::kJaw; ++i) l.acceleration_rad_s2_max[i] = 12;
    };
  };
  EXPECT_THAT(FaultAfter(slow_to_stop(10)),
              AllOf(HasSubstr("safety.clearance_looks_max = 10: of 12 poses tried, none has a stop from full speed"),
                    HasSubstr("the slowest joint to stop is the pan, from speed_rad_s_max = 4 with "
                              "acceleration_rad_s2_max = 12; allow more looks")));
  EXPECT_EQ(FaultAfter(slow_to_stop(100)), "");
}

/// What harder braking and more room are worth, in looks.
TEST(AdmissibleLimits, TakesTheFewestLooksThatReachToTheEndOfOneStop) {
  const auto needs = [](int looks, double acceleration_rad_s2, const core::Vec3& workspace_m_max) {
    const auto with = [&](int allowed) {
      return FaultAfter([&](Limits& l) {
        l.clearance_looks_max = allowed;
        l.clearance_m = 1e-6;
        l.workspace_m_max = workspace_m_max;
        for (std::size_t i = 0; i < core::kJaw; ++i) l.acceleration_rad_s2_max[i] = acceleration_rad_s2;
      });
    };
    EXPECT_THAT(with(looks - 1), HasSubstr("safety.clearance_looks_max = "));
    EXPECT_EQ(with(looks), "");
  };
  const core::Vec3 whole = Limits{}.workspace_m_max, low_on_the_right{0.36, 0, 0.15};
  needs(27, 12, whole);
  needs(45, 8, whole);
  needs(30, 12, low_on_the_right);
  needs(47, 8, low_on_the_right);
}

/// Each way to stop from full speed is the only one that so few looks reach to the end of, somewhere.
TEST(AdmissibleLimits, OneStopThatTheLooksReachToTheEndOfIsEnoughWhicheverWayTheJointsGo) {
  struct Scene {
    std::string way;
    core::Vec3 low_m;  // Of the grasp point's box, 10 cm each way.
    core::Vec3 centre_m, half_m;
    int looks;
  };
  const std::vector<Scene> scenes{
      {"all back", {-0.1, 0.05, 0.2}, {0.1, 0.25, 0.4}, {0.2, 0.15, 0.1}, 60},
      {"all forward", {-0.05, 0.05, 0.25}, {0.35, -0.1, 0.3}, {0.3, 0.2, 0.1}, 58},
      {"each other, the pan forward", {0.25, -0.1, 0.1}, {0.05, -0.3, 0.15}, {0.25, 0.2, 0.15}, 48},
      {"each other, the pan back", {-0.1, -0.25, 0.25}, {0.35, 0.15, 0.25}, {0.3, 0.3, 0.1}, 55}};
  for (const Scene& scene : scenes) {
    const auto with = [&](int looks) {
      return FaultAfter([&](Limits& l) {
        l.clearance_looks_max = looks;
        l.clearance_m = 1e-6;
        for (std::size_t i = 0; i < core::kJaw; ++i) l.acceleration_rad_s2_max[i] = 12;
        l.workspace_m_min = scene.low_m;
        l.workspace_m_max = scene.low_m + core::Vec3{0.1, 0.1, 0.1};
        l.boxes = {{.name = "box", .centre_m = scene.centre_m, .half_m = scene.half_m}};
      });
    };
    EXPECT_THAT(with(scene.looks - 1), HasSubstr("safety.clearance_looks_max = ")) << scene.way;
    EXPECT_EQ(with(scene.looks), "") << scene.way;
  }
}

}  // namespace
}  // namespace nightshift::safety
