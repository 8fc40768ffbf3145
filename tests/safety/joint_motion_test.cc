// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/joint_motion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/random.h"

namespace nightshift::safety {
namespace {

constexpr double kTolerance = 1e-9;
constexpr JointBounds kBounds{.q_rad_min = -1,
                              .q_rad_max = 1,
                              .speed_rad_s_max = 4,
                              .acceleration_rad_s2_max = 40,
                              .escape_speed_rad_s_max = 0.2,
                              .tick_s = 0.004};

double DistanceWhileBraking(double v, double a, double h) {
  double distance = 0;
  for (; v > 0; v = BrakedSpeed(v, a, h)) distance += v * h;
  return distance;
}

TEST(BrakeableSpeed, StopsExactlyWithinTheGapTickByTick) {
  core::Random random(3);
  for (int i = 0; i < 20000; ++i) {
    const double gap = random.Uniform(1e-6, 1), a = random.Uniform(0.2, 60), h = random.Uniform(5e-4, 4e-3);
    const double v = BrakeableSpeed(gap, a, h);
    ASSERT_LE(DistanceWhileBraking(v, a, h), gap + kTolerance) << "gap " << gap << " a " << a << " h " << h;
    ASSERT_GT(DistanceWhileBraking(v * 1.0001 + 1e-9, a, h), gap) << "gap " << gap << ": slower than it has to be";
  }
}

TEST(BrakeableSpeed, IsZeroWithoutAGap) {
  EXPECT_EQ(BrakeableSpeed(0, 40, 0.004), 0);
  EXPECT_EQ(BrakeableSpeed(-0.1, 40, 0.004), 0);
  EXPECT_EQ(BrakeableSpeed(std::numeric_limits<double>::quiet_NaN(), 40, 0.004), 0);
}

TEST(LimitVelocity, PassesWhatIsWithinAllBounds) {
  const JointVerdict verdict = LimitVelocity({.q_rad = 0, .v_rad_s = 1}, 1.1, kBounds);
  EXPECT_EQ(verdict.v_rad_s, 1.1);
  EXPECT_EQ(verdict.limit, core::LimitId::kNone);
}

TEST(LimitVelocity, BrakesOnWhatIsNotANumber) {
  const JointVerdict verdict = LimitVelocity({.q_rad = 0, .v_rad_s = 1}, std::nan(""), kBounds);
  EXPECT_DOUBLE_EQ(verdict.v_rad_s, 1 - 40 * 0.004);
  EXPECT_EQ(verdict.limit, core::LimitId::kNotFinite);
}

TEST(LimitVelocity, OutsideTheRangeOnlyReturnsAndSlowly) {
  EXPECT_EQ(LimitVelocity({.q_rad = 1.2, .v_rad_s = 0}, 3, kBounds).v_rad_s, 0);
  JointMotion motion{.q_rad = 1.2, .v_rad_s = 0};
  for (int tick = 0; tick < 2000 && motion.q_rad > 1; ++tick) {
    const double v = LimitVelocity(motion, -3, kBounds).v_rad_s;
    ASSERT_LE(v, 0);
    ASSERT_GE(v, -kBounds.escape_speed_rad_s_max - kTolerance);
    motion = {motion.q_rad + v * kBounds.tick_s, v};
  }
  EXPECT_LE(motion.q_rad, 1) << "a joint outside its range must be able to come back";
}

/// One random joint driven by one kind of hostile command; returns its mean share of the top speed.
struct Drive {
  core::Random& random;
  JointBounds bounds;
  JointMotion motion;
  double speed_sum = 0;

  double Wanted(int kind, int tick) {
    constexpr double kHuge = 1e308;
    switch (kind) {
      case 0: return random.Uniform(-1, 1) * 3 * bounds.speed_rad_s_max;
      case 1: return (tick / 97) % 2 == 0 ? kHuge : -kHuge;  // Bang-bang, end to end.
      case 2: return random.Chance(0.5) ? kHuge : -kHuge;
      case 3: return std::numeric_limits<double>::infinity();
      case 4: return random.Chance(0.3) ? std::nan("") : -std::numeric_limits<double>::infinity();
      default: return random.Chance(0.02) ? -kHuge : bounds.speed_rad_s_max * std::sin(tick * 0.01);
    }
  }

  void Step(int kind, int tick) {
    const double v = LimitVelocity(motion, Wanted(kind, tick), bounds).v_rad_s;
    const double h = bounds.tick_s, q = motion.q_rad + v * h;
    ASSERT_LE(std::abs(v), bounds.speed_rad_s_max + kTolerance);
    ASSERT_LE(std::abs(v - motion.v_rad_s) / h, bounds.acceleration_rad_s2_max * (1 + kTolerance) + kTolerance);
    ASSERT_GE(q, bounds.q_rad_min - kTolerance);
    ASSERT_LE(q, bounds.q_rad_max + kTolerance);
    motion = {q, v};
    speed_sum += std::abs(v);
  }
};

TEST(LimitVelocity, HoldsEveryBoundUnderHostileCommandsAndStillMoves) {
  constexpr int kSystems = 1500, kTicks = 2000;  // Three million joint-steps.
  const std::uint64_t seed = 20240607;
  core::Random random(seed);
  double bang_bang_use = 0;
  for (int system = 0; system < kSystems; ++system) {
    Drive drive{random,
                {.q_rad_min = random.Uniform(-3, 0),
                 .q_rad_max = random.Uniform(0.05, 3),
                 .speed_rad_s_max = random.Uniform(0.02, 10),
                 .acceleration_rad_s2_max = random.Uniform(0.2, 60),
                 .escape_speed_rad_s_max = 0.2,
                 .tick_s = random.Uniform(5e-4, 4e-3)},
                {}};
    drive.motion.q_rad = random.Uniform(drive.bounds.q_rad_min, drive.bounds.q_rad_max);
    const int kind = system % 6;
    for (int tick = 0; tick < kTicks && !testing::Test::HasFatalFailure(); ++tick) drive.Step(kind, tick);
    ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed << " system " << system << " kind " << kind;
    if (kind == 1) bang_bang_use += drive.speed_sum / kTicks;
  }
  EXPECT_GT(bang_bang_use / (kSystems / 6), 0.3) << "rad/s: always braking would be no limiter";
}

}  // namespace
}  // namespace nightshift::safety
