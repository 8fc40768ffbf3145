// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "safety/checks/arm_shape.h"
#include "safety/checks/clearance.h"
#include "safety/checks/sweep.h"
#include "safety/config.h"

/// How near the arm is to what stands around it, worked out another way than safety does: from the configuration's own
/// words, by searching along each capsule. Slower, never less than the truth, and no mistake of the distances, pairs
/// and sweeps of safety/ is one here. Only where the links are (ArmPose) is taken from there.
namespace nightshift::safety {

/// What does not move, as far as a point can tell.
class PlainObstacle {
 public:
  static PlainObstacle Table() { return PlainObstacle(); }
  explicit PlainObstacle(const BoxObstacle& box)
      : kind_(Kind::kBox), spares_fingers_(box.fingers_may_touch), at_m_(box.centre_m), half_m_(box.half_m) {
    const double c = std::cos(box.turn_rad), s = std::sin(box.turn_rad);
    const double on = std::cos(box.tilt_rad), up = std::sin(box.tilt_rad);
    along_ = {c * on, s * on, up};
    across_ = {-s, c, 0};
    above_ = {-c * up, -s * up, on};
  }
  explicit PlainObstacle(const PostObstacle& post)
      : kind_(Kind::kPost),
        spares_fingers_(post.fingers_may_touch),
        at_m_(post.from_m),
        end_m_(post.to_m),
        radius_m_(post.radius_m) {}

  bool spares_fingers() const { return spares_fingers_; }

  /// Of a point from the surface; not below 0 inside a box. Along any line it falls and then rises.
  double DistanceM(core::Vec3 p) const {
    switch (kind_) {
      case Kind::kTable: return p.z;
      case Kind::kPost: return ToSegmentM(p, at_m_, end_m_) - radius_m_;
      case Kind::kBox: break;
    }
    const core::Vec3 from_m = p - at_m_;
    const auto beyond = [](double part, double half) { return std::max(0.0, std::abs(part) - half); };
    return core::Norm({beyond(Dot(from_m, along_), half_m_.x), beyond(Dot(from_m, across_), half_m_.y),
                       beyond(Dot(from_m, above_), half_m_.z)});
  }

  static double ToSegmentM(core::Vec3 p, core::Vec3 a, core::Vec3 b) {
    const core::Vec3 way = b - a;
    const double square = Dot(way, way);
    const double share = square > 0 ? std::clamp(Dot(p - a, way) / square, 0.0, 1.0) : 0;
    return core::Norm(p - (a + way * share));
  }

 private:
  enum class Kind { kTable, kBox, kPost };
  PlainObstacle() = default;

  Kind kind_ = Kind::kTable;
  bool spares_fingers_ = true;
  core::Vec3 at_m_, half_m_, along_, across_, above_;  // Of a box.
  core::Vec3 end_m_;                                   // Of a post, which begins at `at_m_`.
  double radius_m_ = 0;
};

/// Holds poses against the promise on clearance: none nearer than the floor; what was nearer when a motion began does
/// not come nearer still.
class ClearanceJudge {
 public:
  explicit ClearanceJudge(const Limits& limits)
      : clearance_m_(limits.clearance_m),
        floor_m_(limits.clearance_m * (1 - kSlackShare)),
        arm_(ShapeOf(limits.arm)),
        pose_(arm_) {
    obstacles_.push_back(PlainObstacle::Table());
    for (const BoxObstacle& box : limits.boxes) obstacles_.emplace_back(box);
    for (const PostObstacle& post : limits.posts) obstacles_.emplace_back(post);
    PairWithObstacles();
    PairWithItself();
    Begin();
  }
  ClearanceJudge(const ClearanceJudge&) = delete;  // The pose refers to the arm.
  ClearanceJudge& operator=(const ClearanceJudge&) = delete;

  /// The arm was put elsewhere: how far it was from anything no longer counts.
  void Begin() {
    distance_m_.assign(pairs_.size(), std::numeric_limits<double>::infinity());
    begun_m_.assign(pairs_.size(), -std::numeric_limits<double>::infinity());
  }

  /// From the pose of the last ExcessM a motion was begun that has a stop of its own.
  void Accepted() {
    for (std::size_t i = 0; i < pairs_.size(); ++i) begun_m_[i] = std::max(begun_m_[i], distance_m_[i]);
  }

  /// By how much it is too near to something; below 0: by how little it is not, at most.
  double ExcessM(const core::AxisArray& q_rad) {
    pose_.MoveTo(q_rad);
    double excess_m = -std::numeric_limits<double>::infinity();
    least_m_ = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      const double distance_m = distance_m_[i] = DistanceM(pairs_[i]);
      if (std::isnan(distance_m)) return distance_m;
      least_m_ = std::min(least_m_, distance_m);
      excess_m = std::max(excess_m, std::min(floor_m_, begun_m_[i] - kEscapeM) - distance_m);
    }
    return excess_m;
  }

  /// In the pose of the last ExcessM; right where it is below the clearance, else no more than the truth.
  double least_m() const { return least_m_; }

 private:
  static constexpr double kSlackShare = 0.25;  // What the filter may lose of the clearance between two looks.
  static constexpr double kEscapeM = 2 * kEscapeLossM + 1e-6;  // As the sweep says, and what its distances err.
  static constexpr double kGolden = 0.6180339887498949;
  static constexpr int kGoldenSteps = 44;  // To 1e-9 of a link's length.

  /// A capsule of the arm, and an obstacle or another capsule.
  struct Pair {
    int capsule;
    std::optional<int> other;
    std::size_t obstacle = 0;
  };

  void PairWithObstacles() {
    for (int c = 0; c < arm_.capsules; ++c)
      for (std::size_t o = 0; o < obstacles_.size(); ++o) {
        const bool spared = obstacles_[o].spares_fingers() && (c == kFixedFingerPart || c == kJawPart);
        if (arm_.capsule[static_cast<std::size_t>(c)].link > 0 && !spared) pairs_.push_back({c, std::nullopt, o});
      }
  }

  void PairWithItself() {
    for (const LinkPair& links : kDefaultArmLinkPairs)
      for (int c = 0; c < arm_.capsules; ++c)
        for (int other = 0; other < arm_.capsules; ++other)
          if (arm_.capsule[static_cast<std::size_t>(c)].link == links.second &&
              arm_.capsule[static_cast<std::size_t>(other)].link == links.first)
            pairs_.push_back({c, other});
  }

  double DistanceM(const Pair& pair) const {
    const Capsule& part = pose_.capsule(pair.capsule);
    if (!pair.other)
      return LeastAlongM(part, [&](core::Vec3 p) { return obstacles_[pair.obstacle].DistanceM(p); }) - part.radius_m;
    const Capsule& other = pose_.capsule(*pair.other);
    const auto to_other = [&](core::Vec3 p) { return PlainObstacle::ToSegmentM(p, other.a_m, other.b_m); };
    return LeastAlongM(part, to_other, other.radius_m) - part.radius_m - other.radius_m;
  }

  /// The least of a distance on the way from end to end, by golden section: it falls and then rises. Ends early where
  /// it is clear that nothing is near.
  template <typename DistanceOf>
  double LeastAlongM(const Capsule& part, const DistanceOf& distance_of, double other_radius_m = 0) const {
    const core::Vec3 way_m = part.b_m - part.a_m;
    const double middle_m = distance_of(part.a_m + way_m * 0.5);
    const double bound_m = middle_m - core::Norm(way_m) / 2;  // It changes by no more than the point moves.
    if (bound_m - part.radius_m - other_radius_m > clearance_m_) return bound_m;
    double low = 0, high = 1;
    double left = high - kGolden, right = low + kGolden;
    double at_left_m = distance_of(part.a_m + way_m * left), at_right_m = distance_of(part.a_m + way_m * right);
    for (int i = 0; i < kGoldenSteps; ++i) {
      if (at_left_m < at_right_m) {
        high = right;
        right = left;
        at_right_m = at_left_m;
        left = high - kGolden * (high - low);
        at_left_m = distance_of(part.a_m + way_m * left);
      } else {
        low = left;
        left = right;
        at_left_m = at_right_m;
        right = low + kGolden * (high - low);
        at_right_m = distance_of(part.a_m + way_m * right);
      }
    }
    return std::min({middle_m, at_left_m, at_right_m, distance_of(part.a_m), distance_of(part.b_m)});
  }

  double clearance_m_, floor_m_;
  ArmShape arm_;
  ArmPose pose_;
  std::vector<PlainObstacle> obstacles_;
  std::vector<Pair> pairs_;
  std::vector<double> distance_m_;  // Of each pair, at last.
  std::vector<double> begun_m_;     // The most that it was when a motion was begun.
  double least_m_ = 0;
};

}  // namespace nightshift::safety
