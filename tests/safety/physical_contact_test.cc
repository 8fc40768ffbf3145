// SPDX-License-Identifier: Apache-2.0
// Contact and grip with real pushes: the arm of the physics engine meets what stands in its way.
#include <gtest/gtest.h>

#include <utility>

#include "core/random.h"
#include "tests/safety/physical_arm.h"

namespace nightshift::safety {
namespace {

using core::AxisArray;
using core::kPan;
using core::StopCause;
using tests::CellPhysics;

const ContactZone kTable{"table", {0, -0.21, 0}, {0.37, 0.34, 0.08}};  // As configs/tabletop.toml has it.
const CellPhysics::Change kBar = CellPhysics::Bar({0.2, 0.05, 0.02}, {0.2, 0.05, 0.4});
constexpr double kTouchesN = 0.1;

Limits Watched() {
  Limits limits;
  limits.contact_zones = {kTable};
  return limits;
}

AxisArray Over(core::Vec3 tip_m) {
  AxisArray q_rad = *core::InverseKinematics({}, tip_m, 0);
  q_rad[core::kJaw] = 0.5;
  return q_rad;
}

/// What came of a sweep of the pan into the bar.
struct Hit {
  StopCause cause = StopCause::kNone;
  int ticks = 0;                               // From the first touch to the stop.
  double until_n = 0, peak_n = 0, left_n = 0;  // Most until the stop, most ever, and a second later.
};

Hit SweepInto(PhysicalArm& arm, double speed_rad_s) {
  Hit hit;
  bool touched = false;
  for (int tick = 0; tick < 3000 && !arm.filter.latch().latched(); ++tick) {
    AxisArray target_q_rad = arm.filter.commanded_q_rad();
    target_q_rad[kPan] += speed_rad_s * 0.1;
    arm.Tick(tick % 25 == 0 ? std::optional(arm.Propose(target_q_rad)) : std::nullopt);
    const double force_n = arm.physics.ForceOnN("bar");
    touched = touched || force_n > kTouchesN;
    hit.ticks += touched;
    hit.until_n = std::max(hit.until_n, force_n);
  }
  hit.cause = arm.filter.latch().first;
  hit.peak_n = hit.until_n;
  for (int tick = 0; tick < 250; ++tick) {
    arm.Tick();
    hit.peak_n = std::max(hit.peak_n, arm.physics.ForceOnN("bar"));
  }
  hit.left_n = arm.physics.ForceOnN("bar");
  return hit;
}

Hit HitBar(const Limits& limits, double speed_rad_s, core::Vec3 from_m = {0.2, -0.1, 0.12}) {
  PhysicalArm arm(limits, {kBar});
  arm.Begin(Over(from_m));
  return SweepInto(arm, speed_rad_s);
}

TEST(PhysicalContact, ABarInTheWayStopsTheArmSoonerTheFasterItIs) {
  struct Row {
    double speed_rad_s;
    int ticks_max;
  };
  for (const auto& [speed_rad_s, ticks_max] : {Row{0.2, 50}, Row{0.5, 15}, Row{1, 8}, Row{2, 5}, Row{3, 4}}) {
    const Hit hit = HitBar(Watched(), speed_rad_s);
    EXPECT_EQ(hit.cause, StopCause::kContact) << speed_rad_s;
    EXPECT_LE(hit.ticks, ticks_max) << speed_rad_s;
  }
}

TEST(PhysicalContact, LongBeforeStallOrTrackingErrorWouldHave) {
  for (const double speed_rad_s : {0.2, 0.5, 1.0, 2.0, 3.0}) {
    const Hit with = HitBar(Watched(), speed_rad_s), without = HitBar(Limits{}, speed_rad_s);
    EXPECT_NE(without.cause, StopCause::kContact);
    EXPECT_GT(without.ticks, 7 * with.ticks) << speed_rad_s;
  }
}

TEST(PhysicalContact, ASlowArmIsStoppedBeforeItPressesHardAndThenPressesNoMore) {
  for (const double speed_rad_s : {0.2, 0.5}) {
    const Hit hit = HitBar(Watched(), speed_rad_s);
    EXPECT_LT(hit.peak_n, 16) << speed_rad_s;
    EXPECT_LT(hit.left_n, 1) << speed_rad_s;
  }
}

/// The blow itself is over within a tick or two: it is a matter of the speed, not of the watch.
TEST(PhysicalContact, AFastArmStillStrikes) {
  const Hit with = HitBar(Watched(), 3), without = HitBar(Limits{}, 3);
  EXPECT_GT(with.peak_n, 50);
  EXPECT_NEAR(with.peak_n, without.peak_n, 1);
  EXPECT_LT(with.left_n, 1);
}

TEST(PhysicalContact, InAZoneTheStallIsTheSupervisors) {
  PhysicalArm arm(Watched(), {kBar});
  arm.Begin(Over({0.2, -0.05, 0.05}));
  EXPECT_EQ(SweepInto(arm, 0.2).cause, StopCause::kStall);
  EXPECT_EQ(arm.Clear(ClearedBy::kSupervisor), Clearance::kCleared);
}

/// What stops an arm whose joint jams while it moves at 1 rad/s, and after how many ticks.
std::pair<StopCause, int> Jammed(std::size_t joint, core::Vec3 from_m) {
  PhysicalArm arm(Watched());
  arm.Begin(Over(from_m));
  const auto move = [&, way = arm.filter.commanded_q_rad()[joint] > 0.5 ? -1 : 1](int tick) {
    AxisArray target_q_rad = arm.filter.commanded_q_rad();
    target_q_rad[joint] += way * 0.1;
    arm.Tick(tick % 25 == 0 ? std::optional(arm.Propose(target_q_rad)) : std::nullopt);
  };
  for (int tick = 0; tick < 50; ++tick) move(tick);
  arm.physics.Jam(static_cast<int>(joint));
  int ticks = 0;
  for (; ticks < 2000 && !arm.filter.latch().latched(); ++ticks) move(50 + ticks);
  return {arm.filter.latch().first, ticks};
}

TEST(PhysicalContact, AJointThatJamsInTheAirIsContactAndInAZoneIsNot) {
  for (std::size_t joint = 0; joint < core::kJaw; ++joint) {
    const auto [cause, ticks] = Jammed(joint, {0.18, 0, 0.2});
    EXPECT_EQ(cause, StopCause::kContact) << joint;
    EXPECT_LE(ticks, 8) << joint;
    EXPECT_NE(Jammed(joint, {0.2, 0, 0.05}).first, StopCause::kContact) << joint;
  }
}

TEST(PhysicalContact, AnArmThatOnlyMovesTouchesNothing) {
  PhysicalArm arm(Watched());
  arm.Begin(Over({0.2, 0, 0.15}));
  core::Random random(71);
  for (int period = 0; period < 1000; ++period) {
    AxisArray target_q_rad = arm.filter.commanded_q_rad();
    const core::Vec3 place_m{random.Uniform(0.1, 0.3), random.Uniform(-0.2, 0.2), random.Uniform(0.1, 0.25)};
    if (period % 10 == 0)
      if (const auto q_rad = core::InverseKinematics({}, place_m, random.Uniform(-1, 1))) target_q_rad = *q_rad;
    target_q_rad[core::kJaw] = random.Chance(0.5) ? 0 : 1;
    arm.Tick(arm.Propose(target_q_rad));
    arm.Ticks(24);
    ASSERT_FALSE(arm.filter.latch().latched()) << period << " " << Name(arm.filter.latch().worst);
  }
}

/// It falls where no zone is, lies on the table, and gets up.
TEST(PhysicalContact, AnArmThatFellWhenPowerWentGetsUpAgain) {
  Limits limits = Watched();
  limits.contact_zones.front().max_m.z = 1e-3;
  PhysicalArm arm(limits);
  arm.Begin(Over({0.25, 0, 0.12}));
  arm.power_is_cut = true;
  arm.Ticks(500);
  const double fallen_m = core::ForwardKinematics({}, arm.physics.q_rad()).position_m.z;
  EXPECT_LT(fallen_m, 0.05);
  arm.power_is_cut = false;
  arm.Ticks(100);
  ASSERT_EQ(arm.filter.latch().worst, StopCause::kDriverLost);
  ASSERT_EQ(arm.Clear(ClearedBy::kSupervisor), Clearance::kCleared);
  for (int period = 0; period < 20; ++period) {
    const core::Vec3 tip_m = core::ForwardKinematics({}, arm.filter.commanded_q_rad()).position_m;
    const auto up = core::InverseKinematics({}, tip_m + core::Vec3{0, 0, 0.01}, 0);
    arm.Tick(up ? std::optional(arm.Propose(*up)) : std::nullopt);
    arm.Ticks(24);
  }
  EXPECT_FALSE(arm.filter.latch().latched()) << Name(arm.filter.latch().worst);
  EXPECT_GT(core::ForwardKinematics({}, arm.physics.q_rad()).position_m.z, fallen_m + 0.05);
}

/// The drive forgot its own limit and gives four times as much.
TEST(PhysicalGrip, AJawWhoseDriveIsSetTooStrongStillHoldsGently) {
  PhysicalArm arm(Limits{});
  arm.torque_nm_max[core::kJaw] = 1;
  AxisArray q_rad = Over({0.17, -0.05, 0.016});  // The red cube is between the fingers.
  q_rad[core::kJaw] = 0.8;
  arm.Begin(q_rad);
  AxisArray target_q_rad = arm.filter.commanded_q_rad();
  target_q_rad[core::kJaw] = 0;
  for (int period = 0; period < 20; ++period) {
    arm.Tick(arm.Propose(target_q_rad));
    arm.Ticks(24);
  }
  EXPECT_GT(arm.physics.q_rad()[core::kJaw], 0.35) << "it holds the cube";
  EXPECT_LE(-arm.seen.torque_nm[core::kJaw], 1.2 * 0.25 + 0.01);
  EXPECT_GE(-arm.seen.torque_nm[core::kJaw], 0.15);
}

}  // namespace
}  // namespace nightshift::safety
