// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cmath>

namespace nightshift::core {

/// A point or displacement in the robot's base frame: x forward, y left, z up, metres.
struct Vec3 {
  double x = 0, y = 0, z = 0;

  friend constexpr Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend constexpr Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
  friend constexpr Vec3 operator*(Vec3 a, double s) { return {a.x * s, a.y * s, a.z * s}; }
  friend constexpr bool operator==(const Vec3&, const Vec3&) = default;
};

inline double Norm(Vec3 v) { return std::sqrt(v.x * v.x + v.y * v.y + v.z * v.z); }
inline double NormXy(Vec3 v) { return std::hypot(v.x, v.y); }
inline bool IsFinite(Vec3 v) { return std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z); }

}  // namespace nightshift::core
