// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/vector.h"

/// Distances between the shapes that arm and surroundings are made of, in metres; negative: how deep they overlap.
/// None is larger than the true one. It is smaller by at most kDistanceErrorM, except where the axes of two capsules
/// cross: that counts as touching axes, however far one lies past the other. All change by no more than the shapes
/// move (1-Lipschitz), overlapping or not. What is not a number comes out as not a number.
/// Pure; real-time: no lock, no allocation, no exception, no unbounded loop.
namespace nightshift::safety {

inline constexpr double kDistanceErrorM = 2e-7;  // Rounding, and segments so parallel that their crossing is lost.

/// All points within `radius_m` of the segment from a to b; a ball where a = b.
struct Capsule {
  core::Vec3 a_m, b_m;
  double radius_m = 0;
};

/// Three perpendicular unit vectors, right-handed: the columns of a rotation.
struct Axes {
  core::Vec3 x{1, 0, 0}, y{0, 1, 0}, z{0, 0, 1};
};

struct Box {
  core::Vec3 centre_m;
  core::Vec3 half_m;  // Half its edges, along `axes`.
  Axes axes;
};

/// Solid where normal . p < offset_m. The normal has unit length and points to where the arm may be.
struct HalfSpace {
  core::Vec3 normal{0, 0, 1};
  double offset_m = 0;
};

/// A quick stand-in for a capsule.
struct Ball {
  core::Vec3 centre_m;
  double radius_m = 0;
};

constexpr double Dot(core::Vec3 a, core::Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
constexpr core::Vec3 Cross(core::Vec3 a, core::Vec3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

/// The vector whose components along `axes` are v's.
constexpr core::Vec3 Turn(const Axes& axes, core::Vec3 v) { return axes.x * v.x + axes.y * v.y + axes.z * v.z; }

double Distance(const Capsule& one, const Capsule& other);
double Distance(const Capsule& capsule, const Box& box);
double Distance(const Capsule& capsule, const HalfSpace& solid);

/// The smallest ball around a capsule. Distances from it are lower bounds of the capsule's, at a fraction of the cost.
Ball BallAround(const Capsule& capsule);
double Distance(const Ball& ball, const Ball& other);
double Distance(const Ball& ball, const Box& box);
double Distance(const Ball& ball, const HalfSpace& solid);

}  // namespace nightshift::safety
