// SPDX-License-Identifier: Apache-2.0
#include "safety/surroundings.h"

#include <cmath>
#include <span>
#include <string>
#include <vector>

namespace nightshift::safety {
namespace {

constexpr CapsuleSet kFingers = Only(kFixedFingerPart) | Only(kJawPart);

CapsuleSet Spared(bool fingers_may_touch) { return fingers_may_touch ? kFingers : 0; }

Obstacle ObstacleOf(const BoxObstacle& box) {
  const double c = std::cos(box.turn_rad), s = std::sin(box.turn_rad);
  const double on = std::cos(box.tilt_rad), up = std::sin(box.tilt_rad);
  return {Box{box.centre_m, box.half_m, Axes{{c * on, s * on, up}, {-s, c, 0}, {-c * up, -s * up, on}}},
          Spared(box.fingers_may_touch)};
}

Obstacle ObstacleOf(const PostObstacle& post) {
  return {Capsule{post.from_m, post.to_m, post.radius_m}, Spared(post.fingers_may_touch)};
}

/// Faults: kInvalidConfig naming the obstacle.
template <typename Shape>
core::Result<void> Add(const std::vector<Shape>& shapes, const char* key, const ArmShape& arm,
                       std::vector<Obstacle>& obstacles) {
  for (const Shape& shape : shapes) {
    obstacles.push_back(ObstacleOf(shape));
    if (const auto alone = ClearanceModel::Make(arm, std::span(&obstacles.back(), 1), {}); !alone)
      return core::Fail(alone.error().code, std::string(key) + " \"" + shape.name + "\": " + alone.error().detail);
  }
  return {};
}

}  // namespace

core::Result<ClearanceModel> SurroundingsOf(const Limits& limits) {
  const ArmShape arm = ShapeOf(limits.arm);
  std::vector<Obstacle> obstacles{{HalfSpace{{0, 0, 1}, 0}, kFingers}};
  if (auto added = Add(limits.boxes, "safety.boxes", arm, obstacles); !added) return tl::make_unexpected(added.error());
  if (auto added = Add(limits.posts, "safety.posts", arm, obstacles); !added) return tl::make_unexpected(added.error());
  return ClearanceModel::Make(arm, obstacles, kDefaultArmLinkPairs);
}

}  // namespace nightshift::safety
