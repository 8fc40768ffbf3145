// SPDX-License-Identifier: Apache-2.0
#include "safety/surroundings.h"

#include <cmath>
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

}  // namespace

core::Result<ClearanceModel> SurroundingsOf(const Limits& limits) {
  std::vector<Obstacle> obstacles{{HalfSpace{{0, 0, 1}, 0}, kFingers}};
  for (const BoxObstacle& box : limits.boxes) obstacles.push_back(ObstacleOf(box));
  for (const PostObstacle& post : limits.posts) obstacles.push_back(ObstacleOf(post));
  return ClearanceModel::Make(ShapeOf(limits.arm), obstacles, kDefaultArmLinkPairs);
}

}  // namespace nightshift::safety
