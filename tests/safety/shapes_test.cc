// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/shapes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/random.h"

namespace nightshift::safety {
namespace {

using core::Norm;
using core::Random;
using core::Vec3;

constexpr double kExactM = 1e-9;  // Of what the tests work out by search.

Vec3 RandomVector(Random& random, double size) {
  return {random.Uniform(-size, size), random.Uniform(-size, size), random.Uniform(-size, size)};
}

Vec3 RandomDirection(Random& random) {
  const Vec3 v{random.Normal(0, 1), random.Normal(0, 1), random.Normal(0, 1)};
  return v * (1 / Norm(v));
}

Axes RandomAxes(Random& random) {
  const Vec3 x = RandomDirection(random), across = Cross(x, RandomDirection(random));
  const Vec3 y = across * (1 / Norm(across));
  return {x, y, Cross(x, y)};
}

/// One in five is a ball; sizes like those of arms.
Capsule RandomCapsule(Random& random) {
  const Vec3 a = RandomVector(random, 0.3);
  return {a, random.Chance(0.2) ? a : a + RandomVector(random, 0.2), random.Uniform(0, 0.05)};
}

Box RandomBox(Random& random) {
  const Vec3 half{random.Uniform(0, 0.15), random.Uniform(0, 0.15), random.Uniform(0.001, 0.15)};
  return {RandomVector(random, 0.3), half, random.Chance(0.3) ? Axes{} : RandomAxes(random)};
}

Vec3 PointOn(const Capsule& capsule, double share) { return capsule.a_m + (capsule.b_m - capsule.a_m) * share; }

/// The least value on [0, 1] of a function that falls and then rises.
template <typename Function>
double Least(const Function& value) {
  double low = 0, high = 1;
  for (int i = 0; i < 120; ++i) {
    const double third = (high - low) / 3;
    (value(low + third) < value(high - third) ? high : low) +=
        value(low + third) < value(high - third) ? -third : third;
  }
  return std::min({value(0), value(1), value((low + high) / 2)});
}

double PointToAxis(Vec3 p, const Capsule& capsule) {
  return Least([&](double share) { return Norm(p - PointOn(capsule, share)); });
}

double PointToBox(Vec3 p, const Box& box) {
  const Vec3 v = p - box.centre_m;
  const auto beyond = [](double x, double half) { return std::max(std::abs(x) - half, 0.0); };
  return Norm({beyond(Dot(box.axes.x, v), box.half_m.x), beyond(Dot(box.axes.y, v), box.half_m.y),
               beyond(Dot(box.axes.z, v), box.half_m.z)});
}

/// By how much the capsule's axis and the box are apart along a direction; negative: by how much they overlap.
double GapAlong(Vec3 direction, const Capsule& capsule, const Box& box) {
  const double reach = std::abs(Dot(direction, box.axes.x)) * box.half_m.x +
                       std::abs(Dot(direction, box.axes.y)) * box.half_m.y +
                       std::abs(Dot(direction, box.axes.z)) * box.half_m.z;
  return std::min(Dot(direction, capsule.a_m - box.centre_m), Dot(direction, capsule.b_m - box.centre_m)) - reach;
}

/// The same along the best of very many directions.
double GapBySearch(Random& random, const Capsule& capsule, const Box& box) {
  Vec3 best = RandomDirection(random);
  double gap_m = GapAlong(best, capsule, box), spread = 3;
  for (int i = 0; i < 3000; ++i) {
    const Vec3 tried = best + RandomDirection(random) * spread;
    const Vec3 direction = tried * (1 / Norm(tried));
    const double tried_m = GapAlong(direction, capsule, box);
    spread = tried_m > gap_m ? std::min(3.0, spread * 2) : std::max(1e-5, spread * 0.97);
    if (tried_m > gap_m) best = direction, gap_m = tried_m;
  }
  return gap_m;
}

TEST(CapsuleToCapsule, IsNeverTooLargeAndRightToTheStatedError) {
  Random random(1);
  for (int i = 0; i < 3000; ++i) {
    const Capsule one = RandomCapsule(random), other = RandomCapsule(random);
    const double axes = Least([&](double share) { return PointToAxis(PointOn(one, share), other); });
    const double true_m = axes - one.radius_m - other.radius_m;
    ASSERT_LE(Distance(one, other), true_m + kExactM) << "case " << i;
    ASSERT_GE(Distance(one, other), true_m - kDistanceErrorM - kExactM) << "case " << i;
    ASSERT_NEAR(Distance(one, other), Distance(other, one), kDistanceErrorM) << "case " << i;
  }
}

TEST(CapsuleToCapsule, IsNeverTooLargeForAlmostParallelOnes) {
  Random random(2);
  for (int i = 0; i < 1000; ++i) {
    Capsule one = RandomCapsule(random);
    const Vec3 skew = RandomDirection(random) * std::pow(10, random.Uniform(-12, -4)),
               aside = RandomVector(random, 0.1);
    const Capsule other{one.a_m + aside, one.b_m + aside + skew, 0.01};
    const double axes = Least([&](double share) { return PointToAxis(PointOn(one, share), other); });
    ASSERT_LE(Distance(one, other), axes - one.radius_m - 0.01 + kExactM) << "case " << i;
    ASSERT_GE(Distance(one, other), axes - one.radius_m - 0.01 - kDistanceErrorM - kExactM) << "case " << i;
  }
}

TEST(CapsuleToBox, IsNeverTooLargeAndRightToTheStatedError) {
  Random random(3);
  int apart = 0;
  for (int i = 0; i < 20000; ++i) {
    const Capsule capsule = RandomCapsule(random);
    const Box box = RandomBox(random);
    const double axis = Least([&](double share) { return PointToBox(PointOn(capsule, share), box); });
    if (axis <= kExactM) continue;  // Overlaps are the next test's.
    ++apart;
    ASSERT_LE(Distance(capsule, box), axis - capsule.radius_m + kExactM) << "case " << i;
    ASSERT_GE(Distance(capsule, box), axis - capsule.radius_m - kDistanceErrorM - kExactM) << "case " << i;
  }
  EXPECT_GT(apart, 10000);
}

TEST(CapsuleToBox, IsMinusTheShortestWayOutWhereTheAxisIsInside) {
  constexpr double kSearchM = 5e-4;  // What a search over directions misses.
  Random random(4);
  int inside = 0;
  for (int i = 0; i < 250; ++i) {
    const Box box = RandomBox(random);
    Capsule capsule = RandomCapsule(random);
    const Vec3 shift = box.centre_m - PointOn(capsule, random.Uniform(0, 1)) + RandomVector(random, 0.05);
    capsule = {capsule.a_m + shift, capsule.b_m + shift, capsule.radius_m};
    if (Least([&](double share) { return PointToBox(PointOn(capsule, share), box); }) > 0) continue;
    ++inside;
    double gap_m = -1;
    for (int start = 0; start < 30; ++start) gap_m = std::max(gap_m, GapBySearch(random, capsule, box));
    const double searched_m = gap_m - capsule.radius_m;
    ASSERT_LE(Distance(capsule, box), searched_m + kSearchM) << "case " << i;
    ASSERT_GE(Distance(capsule, box), searched_m - kDistanceErrorM) << "case " << i;
  }
  EXPECT_GT(inside, 100);
}

TEST(CapsuleToBox, SeesTheEdgeThatASegmentPassesClosely) {
  const Box box{{0, 0, 0}, {0.1, 0.1, 0.1}, {}};
  const Capsule across{{0.3, 0, 0}, {0, 0.3, 0}, 0.01};  // Past the edge at (0.1, 0.1).
  EXPECT_NEAR(Distance(across, box), 0.1 / std::sqrt(2) - 0.01, kDistanceErrorM);
}

TEST(CapsuleToHalfSpace, IsThatOfTheNearerEnd) {
  Random random(5);
  for (int i = 0; i < 5000; ++i) {
    const Capsule capsule = RandomCapsule(random);
    const HalfSpace solid{RandomDirection(random), random.Uniform(-0.3, 0.3)};
    double least_m = 1e9;
    for (double share = 0; share <= 1.0001; share += 0.05)
      least_m = std::min(least_m, Dot(solid.normal, PointOn(capsule, std::min(share, 1.0))) - solid.offset_m);
    ASSERT_NEAR(Distance(capsule, solid), least_m - capsule.radius_m - kDistanceErrorM / 2,
                kDistanceErrorM / 2 + 1e-12);
  }
}

TEST(EveryDistance, ChangesByNoMoreThanTheCapsuleMoves) {
  Random random(6);
  for (int i = 0; i < 50000; ++i) {
    const Capsule capsule = RandomCapsule(random), other = RandomCapsule(random);
    const Box box = RandomBox(random);
    const HalfSpace solid{RandomDirection(random), 0};
    const Vec3 a = RandomVector(random, 0.005), b = RandomVector(random, 0.005);
    const Capsule moved{capsule.a_m + a, capsule.b_m + b, capsule.radius_m};
    const double most_m = std::max(Norm(a), Norm(b)) + kDistanceErrorM;
    ASSERT_LE(std::abs(Distance(moved, box) - Distance(capsule, box)), most_m) << "case " << i;
    ASSERT_LE(std::abs(Distance(moved, other) - Distance(capsule, other)), most_m) << "case " << i;
    ASSERT_LE(std::abs(Distance(moved, solid) - Distance(capsule, solid)), most_m) << "case " << i;
  }
}

TEST(BallAroundACapsule, IsNeverFartherFromAnything) {
  Random random(7);
  for (int i = 0; i < 20000; ++i) {
    const Capsule capsule = RandomCapsule(random), other = RandomCapsule(random);
    const Box box = RandomBox(random);
    const HalfSpace solid{RandomDirection(random), random.Uniform(-0.3, 0.3)};
    const Ball ball = BallAround(capsule);
    if (Distance(capsule, box) > 0) {
      ASSERT_LE(Distance(ball, box), Distance(capsule, box) + kDistanceErrorM);
    }
    ASSERT_LE(Distance(ball, BallAround(other)), Distance(capsule, other) + kDistanceErrorM);
    ASSERT_LE(Distance(ball, solid), Distance(capsule, solid) + kDistanceErrorM);
  }
}

TEST(EveryDistance, IsNotANumberWhereAnEndIsNone) {
  const double nan = std::nan("");
  const Capsule sound{{0, 0, 0}, {0, 0, 0.1}, 0.01};
  for (const Capsule& broken : {Capsule{{nan, 0, 0}, {0, 0, 0.1}, 0.01}, Capsule{{0, 0, 0}, {0, 0, nan}, 0.01}}) {
    EXPECT_TRUE(std::isnan(Distance(broken, sound)));
    EXPECT_TRUE(std::isnan(Distance(sound, broken)));
    EXPECT_TRUE(std::isnan(Distance(broken, Box{{0.5, 0, 0}, {0.1, 0.1, 0.1}, {}})));
    EXPECT_TRUE(std::isnan(Distance(broken, HalfSpace{{1 / std::sqrt(2), 0, 1 / std::sqrt(2)}, 0})));
  }
}

}  // namespace
}  // namespace nightshift::safety
