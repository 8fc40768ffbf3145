// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/stop_motion.h"
#include "tests/safety/simple_stops.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"
#include "tests/safety/clearance_worlds.h"

namespace nightshift::safety {
namespace {

using core::Random;

TickwiseStop::Motion RandomMotion(Random& random) {
  return {.q_rad = random.Uniform(-2, 2),
          .v_rad_s = random.Chance(0.1) ? 0 : random.Uniform(-6, 6),
          .acceleration_rad_s2_max = random.Uniform(0.5, 60),
          .tick_s = random.Uniform(5e-4, 4e-3)};
}

/// From behind: how far and how fast it still went after each time, and that both were foreseen.
template <ForeseenStop Stop>
void ExpectForeseen(const Stop& stop, const char* what) {
  constexpr int kSteps = 2000;
  const double end_s = stop.duration_s(), step_s = end_s / kSteps;
  double travel_rad = 0, fastest_rad_s = 0;
  for (int i = kSteps - 1; i >= 0; --i) {
    const JointAhead now = stop.At(i * step_s), next = stop.At((i + 1) * step_s);
    const double moved_rad = std::abs(next.q_rad - now.q_rad);
    travel_rad += moved_rad;
    fastest_rad_s = std::max(fastest_rad_s, moved_rad / step_s);
    ASSERT_LE(travel_rad, now.travel_rad_max + 1e-9) << what << " at " << i * step_s << " of " << end_s;
    ASSERT_LE(fastest_rad_s, now.speed_rad_s_max * (1 + 1e-6) + 1e-6)
        << what << " at " << i * step_s << " of " << end_s;
  }
  const JointAhead rest = stop.At(end_s), later = stop.At(end_s + 1);
  EXPECT_EQ(rest.q_rad, later.q_rad);
  EXPECT_EQ(later.speed_rad_s_max, 0);
  EXPECT_EQ(rest.travel_rad_max, 0);
}

TEST(TickwiseStop, BrakesTickByTick) {
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const TickwiseStop::Motion m = RandomMotion(random);
    const TickwiseStop stop(m);
    double q = m.q_rad, v = m.v_rad_s;
    int tick = 0;
    for (; v != 0; ++tick) {
      ASSERT_NEAR(stop.At(tick * m.tick_s).q_rad, q, 1e-9) << "tick " << tick << " v " << m.v_rad_s;
      ASSERT_NEAR(stop.At((tick + 0.5) * m.tick_s).q_rad, q + v * m.tick_s / 2, 1e-9) << "tick " << tick;
      q += v * m.tick_s;
      v = BrakedSpeed(v, m.acceleration_rad_s2_max, m.tick_s);
    }
    ASSERT_NEAR(stop.duration_s(), tick * m.tick_s, m.tick_s * 1.001);  // One more tick by rounding, of no speed.
    ASSERT_NEAR(stop.At(stop.duration_s()).q_rad, q, 1e-9);
  }
}

TEST(TickwiseStop, ForeseesItsSpeedAndTravel) {
  Random random(2);
  for (int i = 0; i < 300; ++i) {
    ExpectForeseen(TickwiseStop(RandomMotion(random)), "tickwise");
    if (HasFatalFailure()) return;
  }
}

TEST(LinearStop, ForeseesItsSpeedAndTravelAndStopsWhereItMust) {
  Random random(3);
  for (int i = 0; i < 300; ++i) {
    const LinearStop::Motion m = RandomMotion(random);
    ExpectForeseen(LinearStop(m), "linear");
    if (HasFatalFailure()) return;
    const double v = m.v_rad_s, braking_rad = v * std::abs(v) / (2 * m.acceleration_rad_s2_max);
    ASSERT_NEAR(LinearStop(m).At(1e3).q_rad, m.q_rad + v * m.tick_s + braking_rad, 1e-9);
  }
}

TEST(JerkLimitedStop, ForeseesItsSpeedAndTravelWhateverTheTickDoes) {
  Random random(4);
  for (int i = 0; i < 3000; ++i) {
    const double a_max = random.Uniform(5, 20), j_max = std::pow(10, random.Uniform(2, 4)),
                 tick_s = random.Uniform(5e-4, 4e-3);
    const JerkMotion start{random.Uniform(-2, 2),
                           random.Chance(0.4) ? random.Uniform(-0.02, 0.02) : random.Uniform(-3, 3),
                           random.Uniform(-a_max, a_max) * 0.5};
    const JerkTrajectory trajectory(start, random.Uniform(-j_max, j_max), {a_max, j_max, tick_s});
    const JerkMotion end = trajectory.At(trajectory.duration_s());
    ASSERT_NEAR(end.v_rad_s, 0, 1e-9) << "the test's own stop does not stop";
    ASSERT_NEAR(end.a_rad_s2, 0, 1e-6) << "the test's own stop does not stop";
    ExpectForeseen(JerkLimitedStop<JerkTrajectory>(trajectory, {j_max, tick_s}), "jerk-limited");
    if (HasFatalFailure()) return;
  }
}

TEST(ArmStop, LastsAsLongAsItsSlowestJoint) {
  std::array<LinearStop, core::kAxesMax> joints;
  joints[0] = LinearStop({.q_rad = 0, .v_rad_s = 1, .acceleration_rad_s2_max = 10, .tick_s = 0.001});
  joints[1] = LinearStop({.q_rad = 0, .v_rad_s = -2, .acceleration_rad_s2_max = 10, .tick_s = 0.001});
  EXPECT_DOUBLE_EQ(ArmStopOf(0.001, 2, joints).duration_s(), 0.201);
  joints[0] = LinearStop({.q_rad = 0, .v_rad_s = std::nan(""), .acceleration_rad_s2_max = 10, .tick_s = 0.001});
  EXPECT_FALSE(std::isfinite(ArmStopOf(0.001, 2, joints).duration_s()));
}

}  // namespace
}  // namespace nightshift::safety
