// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/arm_dynamics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/random.h"
#include "tests/safety/cell_physics.h"

namespace nightshift::safety {
namespace {

using core::AxisArray;
using tests::CellPhysics;

constexpr int kStates = 2000;
constexpr double kExactNm = 1e-6;  // The model's text rounds moments of inertia to six digits.

JointMotion AnyMotion(core::Random& random, const Limits& limits) {
  JointMotion motion;
  for (std::size_t i = 0; i < core::kArmAxes; ++i) {
    motion.q_rad[i] = random.Uniform(limits.q_rad_min[i], limits.q_rad_max[i]);
    motion.dq_rad_s[i] = random.Uniform(-1, 1) * limits.speed_rad_s_max[i];
    motion.ddq_rad_s2[i] = random.Uniform(-1, 1) * limits.acceleration_rad_s2_max[i];
  }
  return motion;
}

/// The largest difference of any joint, over many motions drawn at random.
double WorstNm(CellPhysics& physics, const std::function<AxisArray(const JointMotion&)>& foreseen_nm) {
  const Limits limits;
  core::Random random(17);
  double worst_nm = 0;
  for (int state = 0; state < kStates; ++state) {
    const JointMotion motion = AnyMotion(random, limits);
    physics.Set(motion.q_rad, motion.dq_rad_s);
    const AxisArray theirs_nm = physics.InverseNm(motion.ddq_rad_s2), ours_nm = foreseen_nm(motion);
    for (std::size_t i = 0; i < core::kArmAxes; ++i) worst_nm = std::max(worst_nm, std::abs(ours_nm[i] - theirs_nm[i]));
  }
  return worst_nm;
}

TEST(ArmDynamics, AsksForTheTorqueThatThePhysicsEngineAsksFor) {
  CellPhysics physics({CellPhysics::Unobstructed()});
  physics.SetFriction(0);
  const ArmDynamics dynamics(Limits{});
  EXPECT_LT(WorstNm(physics, [&](const JointMotion& motion) { return dynamics.TorqueNm(motion, 0); }), kExactNm);
}

TEST(ArmDynamics, CarriesWhatTheHandHolds) {
  CellPhysics physics({CellPhysics::Unobstructed(), CellPhysics::Holding(0.08)});
  physics.SetFriction(0);
  const ArmDynamics dynamics(Limits{});
  EXPECT_LT(WorstNm(physics, [&](const JointMotion& motion) { return dynamics.TorqueNm(motion, 0.08); }), kExactNm);
}

/// Each joint alone, at half its speed either way and not accelerated: the engine lets Coulomb friction come in softly.
TEST(ArmDynamics, KnowsTheFrictionOfTheDrives) {
  const Limits limits;
  const ArmDynamics dynamics(limits);
  CellPhysics physics({CellPhysics::Unobstructed()});
  for (std::size_t i = 0; i < core::kArmAxes; ++i)
    for (const double share : {-0.5, 0.5}) {
      JointMotion motion;
      motion.dq_rad_s[i] = share * limits.speed_rad_s_max[i];
      physics.Set(motion.q_rad, motion.dq_rad_s);
      const double with_nm = physics.InverseNm(motion.ddq_rad_s2)[i];
      EXPECT_NEAR(dynamics.TorqueNm(motion, 0)[i] + dynamics.FrictionNm(motion.dq_rad_s)[i], with_nm, 1e-3) << i;
    }
}

TEST(ArmDynamics, AColumnOfTheMassMatrixIsWhatOneJointsAccelerationTakesOfAll) {
  const Limits limits;
  const ArmDynamics dynamics(limits);
  core::Random random(18);
  const AxisArray q_rad = AnyMotion(random, limits).q_rad;
  const AxisArray weight_nm = dynamics.GravityNm(q_rad, 0.1);
  for (int joint = 0; joint < core::kArmAxes; ++joint) {
    JointMotion motion{.q_rad = q_rad};
    motion.ddq_rad_s2[static_cast<std::size_t>(joint)] = 30;
    const AxisArray column = dynamics.InertiaKgM2(q_rad, joint, 0.1), torque_nm = dynamics.TorqueNm(motion, 0.1);
    for (std::size_t i = 0; i < core::kArmAxes; ++i) EXPECT_NEAR(torque_nm[i], weight_nm[i] + 30 * column[i], 1e-12);
  }
}

TEST(ArmDynamics, WhatIsNotANumberComesOutAsNone) {
  const ArmDynamics dynamics(Limits{});
  JointMotion motion;
  motion.dq_rad_s[core::kLift] = std::nan("");
  EXPECT_TRUE(std::isnan(dynamics.TorqueNm(motion, 0)[core::kLift]));
  EXPECT_TRUE(std::isnan(dynamics.FrictionNm(motion.dq_rad_s)[core::kLift]));
}

}  // namespace
}  // namespace nightshift::safety
