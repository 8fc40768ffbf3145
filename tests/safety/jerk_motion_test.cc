// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/jerk_motion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/random.h"
#include "tests/safety/hostile_joint.h"

namespace nightshift::safety {
namespace {

constexpr bool kLong = false;                   // The figures of the safety document: minutes instead of a second.
constexpr int kSystems = kLong ? 30000 : 4000;  // 1.2e8 ticks in the long run.
constexpr int kTicks = kLong ? 4000 : 1000;
constexpr int kSearches = kLong ? 3010 : 100;

/// As configured for the arm: 250 Hz, a new target every 25 ticks.
constexpr JerkBounds kBounds{.q_rad_min = -1,
                             .q_rad_max = 1,
                             .speed_rad_s_max = 4,
                             .acceleration_rad_s2_max = 40,
                             .jerk_rad_s3_max = 4000,
                             .escape_speed_rad_s_max = 0.2,
                             .tick_s = 0.004};
constexpr int kPeriodTicks = 25;

testing::Message Print(const JerkBounds& b, const JerkMotion& m) {
  return testing::Message() << "q " << b.q_rad_min << ".." << b.q_rad_max << " V " << b.speed_rad_s_max << " A "
                            << b.acceleration_rad_s2_max << " J " << b.jerk_rad_s3_max << " h " << b.tick_s << "; at q "
                            << m.q_rad << " v " << m.v_rad_s << " a " << m.a_rad_s2;
}

WishKind KindOf(int system) { return kWishKinds[static_cast<std::size_t>(system) % kWishKinds.size()]; }

TEST(LimitJerk, HoldsEveryBoundUnderHostileWishes) {
  const std::uint64_t seed = 20240611;
  core::Random random(seed);
  Tally tally;
  for (int system = 0; system < kSystems; ++system) {
    const WishKind kind = KindOf(system);
    const Drive drive = DriveHostile(random, kind, kTicks);
    tally.Add(drive.Ended());
    ASSERT_EQ(drive.tally.violations(), 0)
        << "seed " << seed << " system " << system << " " << Name(kind) << " " << Print(drive.bounds, drive.now) << "\n"
        << drive.tally.Text();
  }
  RecordProperty("tally", tally.Text());
}

TEST(LimitJerk, HoldsEveryBoundAgainstASearchForTheWorstWishes) {
  const std::uint64_t seed = 5;
  core::Random random(seed);
  for (int index = 0; index < kSearches; ++index) {
    const JointSearch search(random);
    ASSERT_LE(search.harm, kTolerance) << "seed " << seed << " search " << index << " " << Print(search.bounds, {});
    ASSERT_EQ(search.tally.violations(), 0) << "seed " << seed << " search " << index << " " << search.tally.Text();
  }
}

/// Every bound may be far from its usual size; nothing may depend on it.
TEST(LimitJerk, HoldsTinyAndHugeBounds) {
  core::Random random(17);
  for (int system = 0; system < 300; ++system) {
    JerkBounds bounds{.q_rad_min = -LogUniform(random, 1e-5, 1e4),
                      .q_rad_max = LogUniform(random, 1e-5, 1e4),
                      .speed_rad_s_max = LogUniform(random, 1e-6, 1e5),
                      .acceleration_rad_s2_max = LogUniform(random, 1e-6, 1e7),
                      .jerk_rad_s3_max = LogUniform(random, 1e-6, 1e10),
                      .escape_speed_rad_s_max = 1e-3,
                      .tick_s = LogUniform(random, 1e-5, 1)};
    Drive drive(bounds);
    for (int tick = 0; tick < 300; ++tick) {
      drive.Tick({.v_rad_s = HostileWish(KindOf(system), tick, bounds, random)});
      const JerkMotion& now = drive.now;
      ASSERT_LE(now.q_rad, bounds.q_rad_max) << Print(bounds, now);
      ASSERT_GE(now.q_rad, bounds.q_rad_min) << Print(bounds, now);
      ASSERT_LE(std::abs(now.v_rad_s), bounds.speed_rad_s_max * (1 + kTolerance)) << Print(bounds, now);
      ASSERT_LE(std::abs(now.a_rad_s2), bounds.acceleration_rad_s2_max * (1 + kTolerance)) << Print(bounds, now);
      ASSERT_LE(drive.tally.worst(Promise::kJerk), kTolerance) << Print(bounds, now);
    }
  }
}

TEST(LimitJerk, UsesTheWholeRangeAndTheWholeSpeed) {
  core::Random random(23);
  for (int system = 0; system < 40; ++system) {
    JerkBounds bounds = AnyBounds(random);
    bounds.acceleration_rad_s2_max = LogUniform(random, 2, 60);
    bounds.jerk_rad_s3_max = LogUniform(random, 20, 2e4);
    const double v = bounds.speed_rad_s_max;
    const double ramp_s = v / bounds.acceleration_rad_s2_max + 2 * std::sqrt(v / bounds.jerk_rad_s3_max);
    const double length = 2.2 * v * ramp_s;  // Enough to reach the top speed, and not much more.
    bounds.q_rad_min = -length / 2;
    bounds.q_rad_max = length / 2;
    const int end_to_end = static_cast<int>((length / v + 2 * ramp_s) / bounds.tick_s) + 10;
    Drive drive(bounds);
    double lowest = 0, highest = 0, fastest = 0;
    for (int tick = 0; tick < 2 * end_to_end; ++tick) {
      drive.Tick({.v_rad_s = tick < end_to_end ? kHuge : -kHuge});
      lowest = std::min(lowest, drive.now.q_rad);
      highest = std::max(highest, drive.now.q_rad);
      fastest = std::max(fastest, std::abs(drive.now.v_rad_s));
    }
    EXPECT_GE(highest - lowest, 0.999 * length) << Print(bounds, drive.now);
    EXPECT_GE(fastest, 0.999 * v) << Print(bounds, drive.now);
    EXPECT_LE(drive.Excess(), kTolerance) << Print(bounds, drive.now);
  }
}

TEST(LimitJerk, PassesWhatIsWithinAllBounds) {
  Drive drive(kBounds);
  for (int tick = 0; tick < 50; ++tick) EXPECT_EQ(drive.Tick({.v_rad_s = 0.5}).limit, core::LimitId::kNone);
  EXPECT_NEAR(drive.now.v_rad_s, 0.5, kTolerance);
  EXPECT_NEAR(drive.now.a_rad_s2, 0, kTolerance);
}

TEST(LimitJerk, ReachesAVelocityWithoutOvershoot) {
  core::Random random(29);
  for (int system = 0; system < 200; ++system) {
    Drive drive(AnyBounds(random));
    drive.bounds.q_rad_min = -1e4;
    drive.bounds.q_rad_max = 1e4;
    const double wanted = random.Uniform(0.1, 1) * drive.bounds.speed_rad_s_max;
    const double j = drive.bounds.jerk_rad_s3_max, a = drive.bounds.acceleration_rad_s2_max;
    const double ramp_s = wanted / a + a / j + 2 * std::sqrt(wanted / j) + 4 * drive.bounds.tick_s;
    for (int tick = 0; tick * drive.bounds.tick_s < ramp_s; ++tick) {
      drive.Tick({.v_rad_s = wanted});
      ASSERT_LE(drive.now.v_rad_s, wanted + kTolerance) << Print(drive.bounds, drive.now);
    }
    EXPECT_NEAR(drive.now.v_rad_s, wanted, 1e-6 * wanted) << Print(drive.bounds, drive.now);
  }
}

TEST(LimitJerk, NamesTheLimitThatActed) {
  Drive fast(kBounds);
  EXPECT_EQ(fast.Tick({.v_rad_s = 5}).limit, core::LimitId::kVelocity);
  Drive far(kBounds);
  core::LimitId last = core::LimitId::kNone;
  for (int tick = 0; tick < 500; ++tick) last = far.Tick({.v_rad_s = 1}).limit;
  EXPECT_EQ(last, core::LimitId::kPosition);
  EXPECT_EQ(far.Tick({.v_rad_s = -1}).limit, core::LimitId::kNone);
}

TEST(LimitJerk, FollowsTheStoredStopOnWhatIsNotFinite) {
  for (const double wanted : {std::nan(""), kInfinity, -kInfinity}) {
    Drive drive(kBounds);
    for (int tick = 0; tick < 20; ++tick) drive.Tick({.v_rad_s = 2});
    const JointStop stored = drive.stop;
    ASSERT_GT(stored.duration_s(), 0.03);
    for (int tick = 1; tick <= 30; ++tick) {
      EXPECT_EQ(drive.Tick({.v_rad_s = wanted}).limit, core::LimitId::kNotFinite);
      EXPECT_NEAR(drive.now.q_rad, stored.At(tick * kBounds.tick_s).q_rad, kTolerance);
      EXPECT_NEAR(drive.now.v_rad_s, stored.At(tick * kBounds.tick_s).v_rad_s, kTolerance);
    }
    EXPECT_EQ(drive.now.v_rad_s, 0);
  }
}

TEST(LimitJerk, OutsideTheRangeOnlyReturnsAndSlowly) {
  for (const double side : {1.0, -1.0}) {
    Drive drive(kBounds, {.q_rad = 1.2 * side});
    for (int tick = 0; tick < 100; ++tick) drive.Tick({.v_rad_s = 3 * side});
    EXPECT_EQ(drive.now.q_rad, 1.2 * side) << "nothing moves farther out";
    int tick = 0;
    for (; tick < 2000 && std::abs(drive.now.q_rad) > 1; ++tick) {
      const double outside = std::abs(drive.now.q_rad);
      EXPECT_EQ(drive.Tick({.v_rad_s = -3 * side}).limit, core::LimitId::kVelocity);
      ASSERT_LE(std::abs(drive.now.q_rad), outside);
      ASSERT_LE(std::abs(drive.now.v_rad_s), kBounds.escape_speed_rad_s_max + kTolerance);
    }
    EXPECT_LT(tick, 300) << "0.2 rad at 0.2 rad/s take a second";
    for (tick = 0; tick < 50; ++tick) drive.Tick({.v_rad_s = -3 * side});
    EXPECT_GT(std::abs(drive.now.v_rad_s), 2) << "back inside, the usual limits hold";
  }
}

TEST(LimitJerk, OutsideTheRangeAWishThatIsNotFiniteMovesNothing) {
  Drive drive(kBounds, {.q_rad = 1.2});
  for (int tick = 0; tick < 100; ++tick) drive.Tick({.v_rad_s = -kInfinity});
  EXPECT_EQ(drive.now.q_rad, 1.2);
}

/// As measured at power-up, or after limits were tightened.
JerkMotion AnyMotionOutside(core::Random& random, JerkBounds bounds) {
  bounds.q_rad_min -= 0.3;
  bounds.q_rad_max += 0.3;
  bounds.speed_rad_s_max *= 2;
  bounds.acceleration_rad_s2_max *= 2;
  return AnyMotion(random, bounds);
}

TEST(LimitJerk, BringsAnyMotionBackWithNothingGettingWorseThanItsOwnStop) {
  core::Random random(31);
  for (int system = 0; system < 300; ++system) {
    JerkBounds bounds = AnyBounds(random);
    bounds.speed_rad_s_max = random.Uniform(0.2, 2);
    bounds.acceleration_rad_s2_max = random.Uniform(4, 60);
    bounds.jerk_rad_s3_max = 50 * bounds.acceleration_rad_s2_max;
    const JerkMotion start = AnyMotionOutside(random, bounds);
    Drive drive(bounds, start);
    const JointStop first = drive.stop;
    const double v_left = start.v_rad_s + start.a_rad_s2 * std::abs(start.a_rad_s2) / (2 * bounds.jerk_rad_s3_max);
    const double speed_max = std::max({bounds.speed_rad_s_max, std::abs(start.v_rad_s), std::abs(v_left)});
    const double acceleration_max = std::max(bounds.acceleration_rad_s2_max, std::abs(start.a_rad_s2));
    for (int tick = 0; tick * bounds.tick_s < 8; ++tick) {
      const double home = 0.02 - drive.now.q_rad;
      const double random_wish = random.Chance(0.1) ? std::nan("") : random.Uniform(-2, 2) * speed_max;
      drive.Tick({.v_rad_s = tick * bounds.tick_s < 1 ? random_wish : std::copysign(kHuge, home)});
      const JerkMotion& now = drive.now;
      ASSERT_LE(now.q_rad, std::max(bounds.q_rad_max, first.q_rad_highest()) + kTolerance) << Print(bounds, start);
      ASSERT_GE(now.q_rad, std::min(bounds.q_rad_min, first.q_rad_lowest()) - kTolerance) << Print(bounds, start);
      ASSERT_LE(std::abs(now.v_rad_s), speed_max + kTolerance) << Print(bounds, start);
      ASSERT_LE(std::abs(now.a_rad_s2), acceleration_max + kTolerance) << Print(bounds, start);
      ASSERT_LE(drive.tally.worst(Promise::kJerk), kTolerance) << Print(bounds, start);
      ASSERT_LE(drive.tally.worst(Promise::kContinuity), kTolerance) << Print(bounds, start);
    }
    EXPECT_TRUE(IsSafe(drive.now, bounds)) << Print(bounds, start) << "\nended " << Print(bounds, drive.now);
  }
}

TEST(LimitJerk, SlowsDownToABoundThatWasTightened) {
  Drive drive(kBounds);
  for (int tick = 0; tick < 40; ++tick) drive.Tick({.v_rad_s = 2});
  drive.bounds.speed_rad_s_max = 1;
  for (int tick = 0; tick < 20; ++tick) {
    const double before = drive.now.v_rad_s;
    drive.Tick({.v_rad_s = 2});
    EXPECT_LE(drive.now.v_rad_s, before + kTolerance);
  }
  EXPECT_NEAR(drive.now.v_rad_s, 1, 1e-6);
}

TEST(LimitJerk, MirrorsWithItsInput) {
  core::Random random(37);
  for (int system = 0; system < 100; ++system) {
    Drive drive(AnyBounds(random));
    Drive mirror(drive.bounds);
    mirror.bounds.q_rad_min = -drive.bounds.q_rad_max;
    mirror.bounds.q_rad_max = -drive.bounds.q_rad_min;
    for (int tick = 0; tick < 500; ++tick) {
      const double wanted = HostileWish(KindOf(system), tick, drive.bounds, random);
      drive.Tick({.v_rad_s = wanted});
      mirror.Tick({.v_rad_s = -wanted});
      ASSERT_NEAR(mirror.now.q_rad, -drive.now.q_rad, kTolerance) << Print(drive.bounds, drive.now);
      ASSERT_NEAR(mirror.now.v_rad_s, -drive.now.v_rad_s, kTolerance) << Print(drive.bounds, drive.now);
    }
  }
}

/// In twice the time each derivative of the position halves once more; two, so that rounding is the same.
TEST(LimitJerk, TakesTwiceTheTimeWhereTimeIsTwiceAsLong) {
  core::Random random(41);
  for (int system = 0; system < 100; ++system) {
    Drive drive(AnyBounds(random));
    Drive slow(drive.bounds);
    slow.bounds.speed_rad_s_max /= 2;
    slow.bounds.escape_speed_rad_s_max /= 2;
    slow.bounds.acceleration_rad_s2_max /= 4;
    slow.bounds.jerk_rad_s3_max /= 8;
    slow.bounds.tick_s *= 2;
    for (int tick = 0; tick < 500; ++tick) {
      const double wanted = HostileWish(KindOf(system), tick, drive.bounds, random);
      drive.Tick({.v_rad_s = wanted});
      slow.Tick({.v_rad_s = wanted / 2});
      ASSERT_NEAR(slow.now.q_rad, drive.now.q_rad, kTolerance) << Print(drive.bounds, drive.now);
      ASSERT_NEAR(slow.now.v_rad_s * 2, drive.now.v_rad_s, kTolerance) << Print(drive.bounds, drive.now);
    }
  }
}

/// The stop as a simulation sees it: lowest and highest position, in steps too small to matter.
TEST(JointStop, IsContinuousKeepsItsBoundsAndKnowsItsExtrema) {
  core::Random random(43);
  for (int system = 0; system < 300; ++system) {
    const JerkBounds bounds = AnyBounds(random);
    const JerkMotion start = AnyMotion(random, bounds);
    const JointStop stop(start, bounds);
    const int steps = 400;
    const double dt = stop.duration_s() / steps, j = bounds.jerk_rad_s3_max;
    double lowest = start.q_rad, highest = start.q_rad;
    for (int i = 0; i < steps; ++i) {
      const JerkMotion now = stop.At(i * dt), next = stop.At((i + 1) * dt);
      const double v_off = next.v_rad_s - now.v_rad_s - now.a_rad_s2 * dt;
      const double q_off = next.q_rad - now.q_rad - now.v_rad_s * dt - now.a_rad_s2 * dt * dt / 2;
      ASSERT_LE(std::abs(next.a_rad_s2 - now.a_rad_s2), j * dt + kTolerance) << Print(bounds, start);
      ASSERT_LE(std::abs(v_off), j * dt * dt / 2 + kTolerance) << Print(bounds, start);
      ASSERT_LE(std::abs(q_off), j * dt * dt * dt / 6 + kTolerance) << Print(bounds, start);
      ASSERT_LE(std::abs(next.a_rad_s2), bounds.acceleration_rad_s2_max + kTolerance) << Print(bounds, start);
      lowest = std::min(lowest, next.q_rad);
      highest = std::max(highest, next.q_rad);
    }
    const double between = bounds.acceleration_rad_s2_max * dt * dt + kTolerance;
    EXPECT_LE(stop.q_rad_lowest(), lowest + kTolerance) << Print(bounds, start);
    EXPECT_GE(stop.q_rad_highest(), highest - kTolerance) << Print(bounds, start);
    EXPECT_GE(stop.q_rad_lowest(), lowest - between) << Print(bounds, start);
    EXPECT_LE(stop.q_rad_highest(), highest + between) << Print(bounds, start);
    EXPECT_EQ(stop.At(stop.duration_s()).v_rad_s, 0);
    EXPECT_EQ(stop.At(stop.duration_s() + 1).a_rad_s2, 0);
  }
}

static_assert(std::is_trivially_copyable_v<JointStop>, "a value: no allocation");

TEST(JointStop, SeenFromLaterIsTheSameStop) {
  core::Random random(47);
  for (int system = 0; system < 300; ++system) {
    const JerkBounds bounds = AnyBounds(random);
    const JointStop stop(AnyMotion(random, bounds), bounds);
    const double t = random.Uniform(0, stop.duration_s()), u = random.Uniform(0, stop.duration_s());
    const JointStop later = stop.After(t), anew(stop.At(t), bounds);
    EXPECT_NEAR(later.At(u).q_rad, stop.At(t + u).q_rad, kTolerance);
    EXPECT_NEAR(later.duration_s(), stop.duration_s() - t, kTolerance);
    EXPECT_NEAR(later.q_rad_lowest(), anew.q_rad_lowest(), 1e-8);
    EXPECT_NEAR(later.q_rad_highest(), anew.q_rad_highest(), 1e-8);
    EXPECT_NEAR(later.At(u).q_rad, anew.At(u).q_rad, 1e-8) << "the rest of a fastest stop is the fastest stop";
  }
}

TEST(JointStop, ShedsAnAccelerationBeyondTheBoundFirst) {
  for (const double a : {80.0, -80.0}) {
    const JointStop stop({.q_rad = 0, .v_rad_s = 3, .a_rad_s2 = a}, kBounds);
    double last = a;
    for (int i = 0; i * 1e-4 < stop.duration_s(); ++i) {
      const double now = stop.At(i * 1e-4).a_rad_s2;
      EXPECT_LE(std::abs(now), std::max(std::abs(last), kBounds.acceleration_rad_s2_max) + kTolerance);
      last = now;
    }
    EXPECT_LE(std::abs(stop.At(0.011).a_rad_s2), kBounds.acceleration_rad_s2_max) << "40 rad/s2 too much take 10 ms";
    EXPECT_EQ(stop.At(stop.duration_s()).v_rad_s, 0);
  }
}

TEST(IsSafe, CountsTheBackSwing) {
  // Moving down slowly and accelerating up: it is over quickly, but first it goes lower.
  const JerkMotion motion{.q_rad = -0.9999, .v_rad_s = -0.1, .a_rad_s2 = 35};
  ASSERT_GT(JointStop(motion, kBounds).At(10).q_rad, -1);
  EXPECT_FALSE(IsSafe(motion, kBounds));
  EXPECT_TRUE(IsSafe({.q_rad = -0.999, .v_rad_s = -0.1, .a_rad_s2 = 35}, kBounds));
}

TEST(IsSafe, CountsTheSpeedThatTheAccelerationStillAdds) {
  EXPECT_TRUE(IsSafe({.q_rad = 0, .v_rad_s = 3.79, .a_rad_s2 = 40}, kBounds));
  EXPECT_FALSE(IsSafe({.q_rad = 0, .v_rad_s = 3.81, .a_rad_s2 = 40}, kBounds));
}

TEST(IsSafe, RefusesWhatIsNotFinite) {
  for (const double bad : {std::nan(""), kInfinity, -kInfinity}) {
    EXPECT_FALSE(IsSafe({.q_rad = bad}, kBounds));
    EXPECT_FALSE(IsSafe({.v_rad_s = bad}, kBounds));
    EXPECT_FALSE(IsSafe({.a_rad_s2 = bad}, kBounds));
  }
}

TEST(IsSafe, LessJerkMayHoldForABackSwingThatIsOverSooner) {
  const JerkMotion motion{.q_rad = -0.9994, .v_rad_s = -0.1, .a_rad_s2 = 10};
  JerkBounds bounds = kBounds;
  bounds.jerk_rad_s3_max = 500;
  EXPECT_FALSE(IsSafe(motion, bounds));
  bounds.jerk_rad_s3_max = 250;
  EXPECT_TRUE(IsSafe(motion, bounds));
}

/// Of the jerk this holds only for stops that do not turn round: with less jerk a back-swing is over sooner.
TEST(IsSafe, HoldsForNothingMoreWhenALimitIsTightened) {
  core::Random random(53);
  int safe = 0, newly_unsafe = 0;
  for (int i = 0; i < 200000; ++i) {
    const JerkBounds bounds = AnyBounds(random);
    JerkBounds tighter = bounds;
    const JerkMotion motion = AnyMotion(random, bounds);
    const int which = random.Index(5);
    const double share = random.Uniform(0.3, 1);
    if (which == 0) tighter.q_rad_min *= share;
    if (which == 1) tighter.q_rad_max *= share;
    if (which == 2) tighter.speed_rad_s_max *= share;
    if (which == 3) tighter.acceleration_rad_s2_max *= share;
    if (which == 4) tighter.jerk_rad_s3_max *= share;
    const double v_left = motion.v_rad_s + motion.a_rad_s2 * std::abs(motion.a_rad_s2) / (2 * tighter.jerk_rad_s3_max);
    if (which == 4 && motion.v_rad_s * v_left < 0) continue;
    const bool was_safe = IsSafe(motion, bounds), is_safe = IsSafe(motion, tighter);
    ASSERT_FALSE(is_safe && !was_safe) << "limit " << which << " times " << share << " " << Print(bounds, motion);
    safe += is_safe;
    newly_unsafe += was_safe && !is_safe;
  }
  EXPECT_GT(safe, 10000);
  EXPECT_GT(newly_unsafe, 1000) << "tightening must count for something";
}

/// A joint that is sent from target to target as the filter does it.
struct Reach {
  explicit Reach(double jerk_rad_s3_max) : drive(kBounds) { drive.bounds.jerk_rad_s3_max = jerk_rad_s3_max; }

  void Period(double target_q_rad, double passing_speed_rad_s = 0) {
    for (int tick = 0; tick < kPeriodTicks; ++tick) {
      const double left_s = (kPeriodTicks - tick) * kBounds.tick_s;
      Tick({.q_rad = target_q_rad, .left_s = left_s, .passing_speed_rad_s = passing_speed_rad_s});
    }
  }
  void Tick(const JerkGoal& goal) {
    drive.Tick(VelocityTowards(goal, drive.now, drive.bounds));
    lowest = std::min(lowest, drive.now.q_rad);
    highest = std::max(highest, drive.now.q_rad);
  }

  Drive drive;
  double lowest = kInfinity, highest = -kInfinity;
};

TEST(VelocityTowards, ReachesAnOrdinaryStepWithinThePeriodAndNotBeyond) {
  for (const double jerk : {2000.0, 3000.0, 4000.0}) {
    for (const double target : {0.001, 0.01, 0.05, 0.1, -0.05, -0.1}) {
      Reach reach(jerk);
      reach.Period(target);
      EXPECT_NEAR(reach.drive.now.q_rad, target, std::abs(target) < 0.06 ? 1e-4 : 0.01) << "J " << jerk;
      EXPECT_LE(std::max(reach.highest, -reach.lowest), std::abs(target) + kTolerance) << "J " << jerk;
    }
  }
}

TEST(VelocityTowards, IsAsFastAsTheBoundsAllowWhereThePeriodIsTooShort) {
  // From rest to rest with a triangle of velocity: two ramps of v / A + A / J, over a gap of v times one.
  for (const double jerk : {2000.0, 4000.0}) {
    for (const double target : {0.15, 0.2, 0.4}) {
      Reach reach(jerk);
      const double ease = 40 / jerk, v = 20 * (std::sqrt(ease * ease + target / 10) - ease);
      const double ideal_s = 2 * (v / 40 + ease);
      ASSERT_NEAR(v * (v / 40 + ease), target, kTolerance);
      int ticks = 0;
      for (; ticks < 200 && std::abs(target - reach.drive.now.q_rad) > 1e-3; ++ticks)
        reach.Tick({.q_rad = target, .left_s = (kPeriodTicks - ticks) * kBounds.tick_s});
      EXPECT_LE(ticks * kBounds.tick_s, ideal_s + kBounds.tick_s) << "J " << jerk << " target " << target;
      for (; ticks < 200; ++ticks) reach.Tick({.q_rad = target, .left_s = 0});
      EXPECT_NEAR(reach.drive.now.q_rad, target, 1e-6) << "no creeping: there for good";
      EXPECT_LE(reach.highest, target + kTolerance);
    }
  }
}

TEST(VelocityTowards, ATargetThatIsReachedIsNoLimitThatActed) {
  Drive drive(kBounds);
  for (int tick = 0; tick < 60; ++tick) {
    const double left_s = (kPeriodTicks - tick) * kBounds.tick_s;
    const JerkVerdict verdict = drive.Tick(VelocityTowards({.q_rad = 0.1, .left_s = left_s}, drive.now, kBounds));
    ASSERT_EQ(verdict.limit, core::LimitId::kNone) << "tick " << tick;
  }
}

TEST(VelocityTowards, SpreadsASmallStepOverThePeriod) {
  Reach reach(4000);
  double fastest = 0;
  for (int tick = 0; tick < kPeriodTicks; ++tick) {
    reach.Tick({.q_rad = 0.02, .left_s = (kPeriodTicks - tick) * kBounds.tick_s});
    fastest = std::max(fastest, reach.drive.now.v_rad_s);
  }
  EXPECT_NEAR(reach.drive.now.q_rad, 0.02, 1e-4);
  EXPECT_LT(fastest, 0.32) << "0.2 rad/s on average; as fast as possible would be 0.7";
}

/// The time from rest to rest over a gap, as fast as the default bounds on acceleration and jerk allow.
double IdealS(double gap_rad, const JerkBounds& bounds) {
  const double a = bounds.acceleration_rad_s2_max, j = bounds.jerk_rad_s3_max, ease_s = a / j;
  if (gap_rad < 2 * a * ease_s * ease_s) return 4 * std::cbrt(gap_rad / (2 * j));  // The acceleration stays below A.
  return std::sqrt(ease_s * ease_s + 4 * gap_rad / a) + ease_s;
}

TEST(VelocityTowards, IsNoFasterThanItHasToBeWhereThereIsTimeEnough) {
  core::Random random(60);
  int steps = 0;
  for (int i = 0; i < 3000; ++i) {
    Reach reach(random.Chance(0.5) ? 2000 : 4000);
    const double gap_rad = std::pow(10, random.Uniform(-4, -1)),
                 passing = random.Chance(0.5) ? 0 : random.Uniform(0, 2);
    const int ticks = 2 + static_cast<int>(random.Index(40));
    const double period_s = ticks * kBounds.tick_s;
    if (IdealS(gap_rad, reach.drive.bounds) > period_s / 2) continue;
    ++steps;
    double fastest = 0;
    for (int tick = 0; tick < ticks; ++tick) {
      reach.Tick({.q_rad = gap_rad, .left_s = period_s - tick * kBounds.tick_s, .passing_speed_rad_s = passing});
      fastest = std::max(fastest, reach.drive.now.v_rad_s);
    }
    ASSERT_LE(fastest, 1.5 * gap_rad / period_s) << gap_rad << " rad in " << ticks << " ticks, passing at " << passing;
    ASSERT_NEAR(reach.drive.now.q_rad, gap_rad, 1e-5 + 0.02 * gap_rad) << "in " << ticks << " ticks";
  }
  EXPECT_GT(steps, 1000);
}

TEST(VelocityTowards, OvershootsAPassedTargetOnlyByTheStopFromThePassingSpeed) {
  const double passing = 1.5;
  const double overrun = JointStop({0, passing, 0}, kBounds).q_rad_highest();
  Reach reach(4000);
  for (int period = 1; period <= 4; ++period) {
    reach.Period(0.15 * period, passing);
    const double late = period == 1 ? 0.02 : 0.005;  // From rest it takes longer.
    EXPECT_NEAR(reach.drive.now.q_rad, 0.15 * period, late) << "it flows through its targets";
  }
  EXPECT_GT(reach.drive.now.v_rad_s, 1);
  for (int tick = 0; tick < 50; ++tick) reach.Tick({.q_rad = 0.6, .left_s = 0, .passing_speed_rad_s = passing});
  EXPECT_LE(reach.highest, 0.6 + overrun + kTolerance);
  EXPECT_NEAR(reach.drive.now.q_rad, 0.6, 1e-6) << "none followed: back to the last one";
}

/// Targets that jump about while the joint moves: whatever was overshot was so when the target came.
TEST(VelocityTowards, NeverGoesBeyondBothTheTargetAndTheStopItCameWith) {
  core::Random random(59);
  Reach reach(3000);
  for (int period = 0; period < 400; ++period) {
    const double target = random.Uniform(-1, 1);
    const JointStop stop = reach.drive.stop;
    const double start = reach.drive.now.q_rad;
    reach.lowest = kInfinity;
    reach.highest = -kInfinity;
    reach.Period(target);
    ASSERT_LE(reach.highest, std::max({start, target, stop.q_rad_highest()}) + kTolerance) << "period " << period;
    ASSERT_GE(reach.lowest, std::min({start, target, stop.q_rad_lowest()}) - kTolerance) << "period " << period;
    ASSERT_LE(reach.drive.Excess(), kTolerance) << "period " << period;
  }
}

TEST(VelocityTowards, BrakesOnAGoalThatIsNotFinite) {
  for (const double bad : {std::nan(""), kInfinity, -kInfinity}) {
    EXPECT_FALSE(std::isfinite(VelocityTowards({.q_rad = bad, .left_s = 0.1}, {}, kBounds).v_rad_s));
    Reach reach(4000);
    reach.Period(0.1);
    reach.Period(bad);
    EXPECT_EQ(reach.drive.now.v_rad_s, 0);
    const double v = VelocityTowards({.q_rad = 0.1, .left_s = std::nan("")}, {}, kBounds).v_rad_s;
    EXPECT_EQ(v, kBounds.speed_rad_s_max) << "no time that anyone knows of: late";
  }
}

TEST(VelocityTowards, StopsAtTheEndOfTheRangeForATargetBeyond) {
  Reach reach(4000);
  for (int period = 0; period < 20; ++period) reach.Period(kHuge);
  EXPECT_NEAR(reach.drive.now.q_rad, 1, 1e-6);
  EXPECT_LE(reach.drive.Excess(), kTolerance);
}

}  // namespace
}  // namespace nightshift::safety
