// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <variant>

#include "core/fault.h"
#include "safety/checks/arm_shape.h"
#include "safety/checks/shapes.h"

/// Which parts of the arm must keep clear of what, and how far they are from it in a pose.
namespace nightshift::safety {

inline constexpr int kObstaclesMax = 32;
inline constexpr int kClearancePairsMax = 512;

/// Bit i: capsule i of the arm.
using CapsuleSet = std::uint32_t;
constexpr CapsuleSet Only(int capsule) { return CapsuleSet{1} << capsule; }

/// Something that does not move. Parts of the arm that are meant to touch it are spared: the fingers on a table.
struct Obstacle {
  std::variant<HalfSpace, Box, Capsule> shape;
  CapsuleSet spared = 0;
};

/// Two links that could touch each other. Neighbours always do, at their joint, and are not to be listed.
struct LinkPair {
  int first = 0, second = 0;
};

/// The links of the default arm that its joint ranges do not keep apart.
inline constexpr std::array kDefaultArmLinkPairs{LinkPair{0, 3}, LinkPair{0, 4}, LinkPair{0, 5},
                                                 LinkPair{0, 6}, LinkPair{1, 5}, LinkPair{1, 6},
                                                 LinkPair{2, 4}, LinkPair{2, 5}, LinkPair{2, 6}};

enum class PairKind { kObstacle, kSelf };

/// A capsule of the arm and what it must keep clear of. Only the joints in [first_joint, end_joint) move them
/// relative to each other.
struct ClearancePair {
  PairKind kind = PairKind::kObstacle;
  int capsule = 0;
  int other = 0;  // An obstacle; or a capsule on a link nearer to the base.
  int first_joint = 0, end_joint = 0;
};

/// Arm, surroundings, and all pairs of the two that have to keep clear. Fixed after start; any thread may read it.
/// About 17 KiB. Real-time, except Make.
class ClearanceModel {
 public:
  /// Faults: kInvalidConfig where a shape is degenerate or not finite, an index is out of range, two listed links are
  /// neighbours, or there are more pairs than kClearancePairsMax.
  static core::Result<ClearanceModel> Make(const ArmShape& arm, std::span<const Obstacle> obstacles,
                                           std::span<const LinkPair> link_pairs);

  const ArmShape& arm() const { return arm_; }
  int pairs() const { return pairs_; }
  const ClearancePair& pair(int index) const { return pair_[static_cast<std::size_t>(index)]; }

  /// From surface to surface, never too large: see shapes.h. `pose` is one of arm().
  double DistanceM(int pair, const ArmPose& pose) const;

  /// At most that, and cheaper.
  double DistanceBoundM(int pair, const ArmPose& pose) const;

  /// How much, at most, the distance can change while each joint travels `per_joint` radians back and forth; with
  /// rad/s, in m/s.
  double ChangeBound(int pair, const core::AxisArray& per_joint) const;

  /// The least distance of all pairs.
  double LeastDistanceM(const ArmPose& pose) const;

 private:
  ClearanceModel() = default;
  void AddObstaclePairs();
  void AddSelfPairs(const LinkPair& links);
  void Add(const ClearancePair& pair);
  Ball BallOf(int capsule, const ArmPose& pose) const;

  ArmShape arm_;
  std::array<double, kArmCapsulesMax> ball_radius_m_{};
  std::array<core::AxisArray, kArmCapsulesMax> reach_m_{};
  int obstacles_ = 0;
  std::array<Obstacle, kObstaclesMax> obstacle_{};
  int pairs_ = 0;  // Counted beyond kClearancePairsMax, so that Make can say by how much.
  std::array<ClearancePair, kClearancePairsMax> pair_{};
};

}  // namespace nightshift::safety
