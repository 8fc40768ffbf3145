// SPDX-License-Identifier: Apache-2.0
// Whether drives with limited torque carry out the stops that safety counts on, in the physics engine.
#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"
#include "safety/admissible.h"
#include "safety/checks/jerk_motion.h"
#include "tests/safety/cell_physics.h"
#include "tests/safety/physical_arm.h"

namespace nightshift::safety {
namespace {

using core::AxisArray;
using tests::CellPhysics;

constexpr int kStops = 200;
constexpr double kLooksOnS = 0.4;  // After the command has come to rest.

/// The drives, and how much of their friction there is.
struct Drives {
  double damping_nm_s_rad = 0;  // By the servo loop, within the torque that there is.
  double friction_share = 1;
};
constexpr Drives kCells{}, kWarm{.friction_share = 0.5}, kFrictionless{.damping_nm_s_rad = 1, .friction_share = 0};

/// One stop from full speed, of all joints at once, each its own way, from anywhere.
AxisArray FarthestOffRad(CellPhysics& physics, const Limits& limits, const Drives& drives, core::Random& random) {
  const double tick_s = core::ToSeconds(limits.control_period);
  std::array<JointStop, core::kArmAxes> stops;
  AxisArray q_rad{}, v_rad_s{}, off_rad{};
  double longest_s = 0;
  for (std::size_t i = 0; i < core::kArmAxes; ++i) {
    const double way = random.Chance(0.5) ? 1 : -1;
    q_rad[i] = random.Uniform(limits.q_rad_min[i], limits.q_rad_max[i]);
    v_rad_s[i] = way * limits.speed_rad_s_max[i];
    const JerkBounds bounds{.speed_rad_s_max = limits.speed_rad_s_max[i],
                            .acceleration_rad_s2_max = limits.acceleration_rad_s2_max[i],
                            .jerk_rad_s3_max = limits.jerk_rad_s3_max[i],
                            .tick_s = tick_s};
    stops[i] = JointStop({q_rad[i], v_rad_s[i], 0}, bounds);
    longest_s = std::max(longest_s, stops[i].duration_s());
  }
  physics.Set(q_rad, v_rad_s);
  for (double t_s = tick_s; t_s < longest_s + kLooksOnS; t_s += tick_s) {
    AxisArray torque_nm{};
    for (std::size_t i = 0; i < core::kArmAxes; ++i) {
      const JerkMotion wanted = stops[i].At(t_s);
      const double servo_nm = PhysicalArm::kStiffnessNmRad[i] * (wanted.q_rad - physics.q_rad()[i]) +
                              drives.damping_nm_s_rad * (wanted.v_rad_s - physics.dq_rad_s()[i]);
      torque_nm[i] = std::clamp(servo_nm, -limits.torque_nm_max[i], limits.torque_nm_max[i]);
    }
    physics.Step(torque_nm);
    for (std::size_t i = 0; i < core::kArmAxes; ++i)
      off_rad[i] = std::max(off_rad[i], std::abs(physics.q_rad()[i] - stops[i].At(t_s).q_rad));
  }
  return off_rad;
}

AxisArray FarthestOffRad(const Limits& limits, double payload_kg, const Drives& drives) {
  CellPhysics physics({CellPhysics::Unobstructed(), CellPhysics::Holding(payload_kg)});
  physics.SetFriction(drives.friction_share);
  core::Random random(41);
  AxisArray worst_rad{};
  for (int i = 0; i < kStops; ++i) {
    const AxisArray off_rad = FarthestOffRad(physics, limits, drives, random);
    for (std::size_t axis = 0; axis < core::kArmAxes; ++axis)
      worst_rad[axis] = std::max(worst_rad[axis], off_rad[axis]);
  }
  return worst_rad;
}

TEST(Braking, TheArmStaysWithinItsTrackingErrorOfAStopFromFullSpeed) {
  const Limits limits;
  for (const double payload_kg : {0.001, limits.payload_kg_max})
    for (const Drives& drives : {kCells, kWarm, kFrictionless}) {
      const AxisArray off_rad = FarthestOffRad(limits, payload_kg, drives);
      for (std::size_t i = 0; i < core::kArmAxes; ++i)
        EXPECT_LT(off_rad[i], limits.tracking_error_rad_max[i])
            << AxisName(static_cast<int>(i)) << ", " << payload_kg << " kg, friction " << drives.friction_share;
    }
}

TEST(Braking, LimitsThatAreRefusedForItWouldLetTheArmGoOnTooFar) {
  Limits limits;
  limits.torque_nm_max[core::kLift] = 1.2;
  ASSERT_FALSE(CheckStops(limits));
  EXPECT_GT(FarthestOffRad(limits, limits.payload_kg_max, kFrictionless)[core::kLift],
            limits.tracking_error_rad_max[core::kLift]);
}

}  // namespace
}  // namespace nightshift::safety
