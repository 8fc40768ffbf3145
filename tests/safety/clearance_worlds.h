// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/random.h"
#include "core/time.h"
#include "safety/checks/clearance.h"
#include "safety/checks/stop_motion.h"
#include "safety/config.h"
#include "tests/safety/simple_stops.h"

/// Two arms in their surroundings, and fast motions of theirs: for tests and benchmarks of whole-arm checks.
namespace nightshift::safety {

/// A slope of the cell's bin, about `turn_rad` around the vertical from the one that rises along +x.
inline Obstacle BinSlope(double turn_rad, CapsuleSet spared) {
  constexpr double kSlopeRad = 0.5586, kFromCentreM = 0.04506, kHeightM = 0.0083;
  const double c = std::cos(turn_rad), s = std::sin(turn_rad), up = std::sin(kSlopeRad), on = std::cos(kSlopeRad);
  const Axes axes{{c * on, s * on, up}, {-s, c, 0}, {-c * up, -s * up, on}};
  return {Box{{0.150 + kFromCentreM * c, 0.190 + kFromCentreM * s, kHeightM}, {0.01887, 0.060, 0.002}, axes}, spared};
}

/// configs/cell/tabletop.xml: table, walls and ceiling of the workspace, tray, bin. Fingers may touch what they work
/// in.
inline std::vector<Obstacle> CellObstacles() {
  constexpr CapsuleSet kFingers = Only(kFixedFingerPart) | Only(kJawPart);
  constexpr CapsuleSet kMount = Only(kPanPart) | Only(kUpperPart);
  const double quarter_rad = std::acos(0.0);
  return {{HalfSpace{{0, 0, 1}, 0}, kFingers},
          {HalfSpace{{-1, 0, 0}, -0.46}, 0},  // No farther forward than 46 cm.
          {HalfSpace{{1, 0, 0}, -0.15}, kMount},
          {HalfSpace{{0, -1, 0}, -0.43}, 0},
          {HalfSpace{{0, 1, 0}, -0.43}, 0},
          {HalfSpace{{0, 0, -1}, -0.50}, 0},
          {Box{{0.113, 0, 0.0125}, {0.002, 0.104, 0.0125}, {}}, kFingers},
          {Box{{0.287, 0, 0.0125}, {0.002, 0.104, 0.0125}, {}}, kFingers},
          {Box{{0.200, 0.102, 0.0125}, {0.089, 0.002, 0.0125}, {}}, kFingers},
          {Box{{0.200, -0.102, 0.0125}, {0.089, 0.002, 0.0125}, {}}, kFingers},
          BinSlope(0, kFingers),
          BinSlope(quarter_rad, kFingers),
          BinSlope(2 * quarter_rad, kFingers),
          BinSlope(3 * quarter_rad, kFingers),
          {Capsule{{0.47, 0.07, 0}, {0.47, 0.07, 0.40}, 0.02}, 0}};  // The camera's post.
}

/// A 7-joint arm of 0.85 m reach, of the proportions of a common research arm.
inline ArmShape SevenJointArm() {
  ArmShape arm;
  arm.joints = 7;
  arm.joint = {ArmJoint{{0, 0, 0.333}, {0, 0, 1}}, {{0, 0, 0}, {0, 1, 0}},           {{0, 0, 0.316}, {0, 0, 1}},
               {{0.0825, 0, 0}, {0, -1, 0}},       {{-0.0825, 0, 0.384}, {0, 0, 1}}, {{0, 0, 0}, {0, -1, 0}},
               {{0.088, 0, 0}, {0, 0, -1}}};
  const std::array<ArmCapsule, 9> parts{{{0, {{0, 0, 0}, {0, 0, 0.20}, 0.09}},
                                         {1, {{0, 0, -0.12}, {0, 0, 0}, 0.07}},
                                         {2, {{0, 0, 0}, {0, 0, 0.20}, 0.07}},
                                         {3, {{0, 0, -0.10}, {0.0825, 0, 0}, 0.065}},
                                         {4, {{0, 0, 0}, {-0.0825, 0, 0.12}, 0.065}},
                                         {5, {{0, 0, -0.24}, {0, 0, -0.10}, 0.055}},
                                         {6, {{0, 0, 0}, {0.088, 0, 0}, 0.06}},
                                         {7, {{0, 0, -0.10}, {0, 0, -0.06}, 0.055}},
                                         {7, {{0, -0.08, -0.16}, {0, 0.08, -0.16}, 0.035}}}};
  arm.capsules = static_cast<int>(parts.size());
  std::copy(parts.begin(), parts.end(), arm.capsule.begin());
  return arm;
}

inline constexpr std::array kSevenJointLinkPairs{LinkPair{0, 4}, LinkPair{0, 5}, LinkPair{0, 6}, LinkPair{0, 7},
                                                 LinkPair{1, 5}, LinkPair{1, 6}, LinkPair{1, 7}, LinkPair{2, 5},
                                                 LinkPair{2, 6}, LinkPair{2, 7}, LinkPair{3, 7}};

/// Ten obstacles and a floor.
inline std::vector<Obstacle> SevenJointObstacles() {
  const double c = std::sqrt(0.5);
  const Axes turned{{c, c, 0}, {-c, c, 0}, {0, 0, 1}};
  return {{HalfSpace{{0, 0, 1}, 0}, 0},
          {Box{{0.65, 0.00, 0.15}, {0.20, 0.30, 0.15}, {}}, 0},
          {Box{{0.40, 0.60, 0.30}, {0.10, 0.10, 0.30}, turned}, 0},
          {Box{{0.40, -0.60, 0.30}, {0.10, 0.10, 0.30}, turned}, 0},
          {Box{{-0.60, 0.00, 0.50}, {0.05, 0.80, 0.50}, {}}, 0},
          {Box{{0.70, 0.00, 0.95}, {0.25, 0.40, 0.02}, {}}, 0},
          {Box{{0.00, 0.80, 0.80}, {0.40, 0.03, 0.10}, {}}, 0},
          {Box{{-0.20, -0.50, 0.10}, {0.10, 0.10, 0.10}, turned}, 0},
          {Capsule{{0.35, 0.35, 0}, {0.35, 0.35, 0.9}, 0.04}, 0},
          {Capsule{{0.35, -0.35, 0}, {0.35, -0.35, 0.5}, 0.04}, 0},
          {Capsule{{-0.40, 0.45, 0.6}, {0.10, 0.55, 0.6}, 0.05}, 0}};
}

/// A tick of constant jerk and the jerk-limited stop after it, each a row of cubics (SAFETY.md, Level B).
class JerkTrajectory {
 public:
  struct Limits {
    double acceleration_rad_s2_max = 0, jerk_rad_s3_max = 0, tick_s = 0;
  };

  JerkTrajectory() = default;
  JerkTrajectory(const JerkMotion& start, double wanted_jerk_rad_s3, const Limits& limits) {
    const double tick_s = limits.tick_s, a_max = limits.acceleration_rad_s2_max;
    Append(start, std::clamp(wanted_jerk_rad_s3, (-a_max - start.a_rad_s2) / tick_s, (a_max - start.a_rad_s2) / tick_s),
           tick_s);
    const JerkMotion from = piece_[0].At(tick_s);
    const double j = limits.jerk_rad_s3_max;
    const double speed_rad_s = from.v_rad_s + from.a_rad_s2 * std::abs(from.a_rad_s2) / (2 * j);
    const double way = speed_rad_s < 0 ? -1 : 1;
    const double v = from.v_rad_s * way, a = from.a_rad_s2 * way;
    const double peak = std::min(a_max, std::sqrt(std::max(0.0, j * v + a * a / 2)));
    const double coast_s = peak < a_max ? 0 : std::max(0.0, (v + (a * a - 2 * peak * peak) / (2 * j)) / peak);
    Append(from, -way * j, std::max(0.0, (a + peak) / j));
    Append(End(), 0, coast_s);
    Append(End(), way * j, peak / j);
  }

  double duration_s() const { return duration_s_; }

  JerkMotion At(double t_s) const {
    for (std::size_t i = 0; i + 1 < pieces_; ++i) {
      if (t_s < piece_[i].length_s) return piece_[i].At(t_s);
      t_s -= piece_[i].length_s;
    }
    return piece_[pieces_ - 1].At(std::min(t_s, piece_[pieces_ - 1].length_s));
  }

 private:
  struct Piece {
    JerkMotion start;
    double jerk = 0, length_s = 0;
    JerkMotion At(double t) const {
      const auto& [q, v, a] = start;
      return {q + t * (v + t * (a / 2 + t * jerk / 6)), v + t * (a + t * jerk / 2), a + t * jerk};
    }
  };

  void Append(const JerkMotion& from, double jerk, double length_s) {
    piece_[pieces_++] = {from, jerk, length_s};
    duration_s_ += length_s;
  }
  JerkMotion End() const { return piece_[pieces_ - 1].At(piece_[pieces_ - 1].length_s); }

  std::size_t pieces_ = 0;
  std::array<Piece, 4> piece_{};
  double duration_s_ = 0;
};

/// One arm, what stands around it, and fast motions of it that begin clear.
class CellWorld {
 public:
  using Stop = ArmStopOf<TickwiseStop>;

  CellWorld()
      : model(ClearanceModel::Make(ShapeOf(limits.arm), CellObstacles(), kDefaultArmLinkPairs).value()),
        pose(model.arm()) {}

  Stop Fast(core::Random& random) const {
    std::array<TickwiseStop, core::kAxesMax> joints;
    for (std::size_t i = 0; i < core::kArmAxes; ++i) {
      const double sign = random.Chance(0.5) ? 1 : -1;
      joints[i] = TickwiseStop({.q_rad = random.Uniform(limits.q_rad_min[i], limits.q_rad_max[i]),
                                .v_rad_s = sign * random.Uniform(0.4, 1) * limits.speed_rad_s_max[i],
                                .acceleration_rad_s2_max = limits.acceleration_rad_s2_max[i],
                                .tick_s = core::ToSeconds(limits.control_period)});
    }
    return {core::ToSeconds(limits.control_period), core::kArmAxes, joints};
  }

  Limits limits;
  ClearanceModel model;
  ArmPose pose;
};

class SevenJointWorld {
 public:
  using Stop = ArmStopOf<JerkLimitedStop<JerkTrajectory>>;
  static constexpr int kJoints = 7;
  static constexpr double kTickS = 0.001;
  static constexpr double kJerkMax = 5000;
  static constexpr std::array<double, kJoints> kQMin{-2.7, -1.7, -2.7, -3.0, -2.8, 0.0, -2.8};
  static constexpr std::array<double, kJoints> kQMax{2.7, 1.7, 2.7, -0.1, 2.8, 3.7, 2.8};
  static constexpr std::array<double, kJoints> kSpeedMax{2.1, 2.1, 2.1, 2.1, 2.6, 2.6, 2.6};
  static constexpr std::array<double, kJoints> kAccelerationMax{15, 7.5, 10, 12.5, 15, 20, 20};

  SevenJointWorld()
      : model(ClearanceModel::Make(SevenJointArm(), SevenJointObstacles(), kSevenJointLinkPairs).value()),
        pose(model.arm()) {}

  Stop Fast(core::Random& random) const {
    std::array<JerkLimitedStop<JerkTrajectory>, core::kAxesMax> joints;
    for (std::size_t i = 0; i < kJoints; ++i) {
      const double sign = random.Chance(0.5) ? 1 : -1, a = kAccelerationMax[i] / 2;
      const JerkMotion start{random.Uniform(kQMin[i], kQMax[i]), sign * random.Uniform(0.4, 1) * kSpeedMax[i],
                             random.Uniform(-a, a)};
      joints[i] = {JerkTrajectory(start, random.Uniform(-kJerkMax, kJerkMax), {kAccelerationMax[i], kJerkMax, kTickS}),
                   {kJerkMax, kTickS}};
    }
    return {kTickS, kJoints, joints};
  }

  ClearanceModel model;
  ArmPose pose;
};

/// The next one whose parts all keep `margin_m` at its start, as about every third or tenth does; any after many tries.
template <typename World>
typename World::Stop FastFromClear(World& world, core::Random& random, double margin_m) {
  constexpr int kTriesMax = 1000;
  auto stop = world.Fast(random);
  for (int i = 0; i < kTriesMax; ++i, stop = world.Fast(random)) {
    world.pose.MoveTo(stop.At(0).q_rad);
    if (world.model.LeastDistanceM(world.pose) >= margin_m) break;
  }
  return stop;
}

}  // namespace nightshift::safety
