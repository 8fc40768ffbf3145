// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/clearance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

namespace nightshift::safety {
namespace {

using core::Vec3;

constexpr double kUnitTolerance = 1e-9;  // Of directions: rounding. Whoever makes a shape of digits makes them whole.

std::size_t At(int index) { return static_cast<std::size_t>(index); }

bool IsUnit(Vec3 v) { return std::abs(core::Norm(v) - 1) < kUnitTolerance; }

bool IsSound(const Capsule& c) {
  return core::IsFinite(c.a_m) && core::IsFinite(c.b_m) && std::isfinite(c.radius_m) && c.radius_m >= 0;
}

bool IsSound(const HalfSpace& h) { return IsUnit(h.normal) && std::isfinite(h.offset_m); }

bool IsSound(const Box& b) {
  const Vec3 missing = Cross(b.axes.x, b.axes.y) - b.axes.z;
  return core::IsFinite(b.centre_m) && core::IsFinite(b.half_m) && b.half_m.x >= 0 && b.half_m.y >= 0 &&
         b.half_m.z >= 0 && IsUnit(b.axes.x) && IsUnit(b.axes.y) && core::Norm(missing) < kUnitTolerance;
}

bool IsSound(const Obstacle& obstacle) {
  return std::visit([](const auto& shape) { return IsSound(shape); }, obstacle.shape);
}

bool IsSound(const ArmJoint& joint) {
  return core::IsFinite(joint.origin_m) && IsUnit(joint.axis) && std::isfinite(joint.zero_rad);
}

tl::unexpected<core::Fault> Invalid(const std::string& what) {
  return core::Fail(core::FaultCode::kInvalidConfig, "clearance: " + what);
}

core::Result<void> CheckArm(const ArmShape& arm) {
  if (arm.joints < 1 || arm.joints > core::kAxesMax || arm.capsules < 1 || arm.capsules > kArmCapsulesMax)
    return Invalid("an arm needs 1 to 8 joints and 1 to 16 capsules");
  for (int i = 0; i < arm.joints; ++i)
    if (!IsSound(arm.joint[At(i)]))
      return Invalid("joint " + std::to_string(i) + " needs a finite origin and an axis of length 1");
  for (int i = 0; i < arm.capsules; ++i) {
    const ArmCapsule& part = arm.capsule[At(i)];
    if (part.link < 0 || part.link > arm.joints || !IsSound(part.shape))
      return Invalid("capsule " + std::to_string(i) +
                     " needs a link of the arm, finite ends and a radius of at least 0");
  }
  return {};
}

core::Result<void> CheckSurroundings(std::span<const Obstacle> obstacles) {
  if (obstacles.size() > kObstaclesMax)
    return Invalid(std::to_string(obstacles.size()) + " obstacles; at most " + std::to_string(kObstaclesMax));
  for (std::size_t i = 0; i < obstacles.size(); ++i)
    if (!IsSound(obstacles[i]))
      return Invalid("obstacle " + std::to_string(i) +
                     " needs finite numbers, sizes of at least 0, and directions of length 1 at right angles");
  return {};
}

core::Result<void> CheckLinkPairs(const ArmShape& arm, std::span<const LinkPair> link_pairs) {
  for (const auto& [first, second] : link_pairs)
    if (first < 0 || second > arm.joints || second - first < 2)
      return Invalid("links " + std::to_string(first) + " and " + std::to_string(second) +
                     " are no pair: name the one nearer to the base first, and no neighbours");
  return {};
}

template <typename Shape>
double ToObstacle(const Shape& shape, const Obstacle& obstacle) {
  if (const auto* box = std::get_if<Box>(&obstacle.shape)) return Distance(shape, *box);
  if (const auto* solid = std::get_if<HalfSpace>(&obstacle.shape)) return Distance(shape, *solid);
  if (const auto* capsule = std::get_if<Capsule>(&obstacle.shape)) {
    if constexpr (std::is_same_v<Shape, Ball>) return Distance(shape, BallAround(*capsule));
    if constexpr (std::is_same_v<Shape, Capsule>) return Distance(shape, *capsule);
  }
  return -std::numeric_limits<double>::infinity();  // No shape at all: nothing is clear of it.
}

}  // namespace

core::Result<ClearanceModel> ClearanceModel::Make(const ArmShape& arm, std::span<const Obstacle> obstacles,
                                                  std::span<const LinkPair> link_pairs) {
  if (const auto sound = CheckArm(arm); !sound) return tl::make_unexpected(sound.error());
  if (const auto sound = CheckSurroundings(obstacles); !sound) return tl::make_unexpected(sound.error());
  if (const auto sound = CheckLinkPairs(arm, link_pairs); !sound) return tl::make_unexpected(sound.error());
  ClearanceModel model;
  model.arm_ = arm;
  model.obstacles_ = static_cast<int>(obstacles.size());
  std::copy(obstacles.begin(), obstacles.end(), model.obstacle_.begin());
  for (int c = 0; c < arm.capsules; ++c) {
    model.ball_radius_m_[At(c)] = BallAround(arm.capsule[At(c)].shape).radius_m;
    for (int j = 0; j < arm.joints; ++j) model.reach_m_[At(c)][At(j)] = ReachM(arm, c, j);
  }
  model.AddObstaclePairs();
  for (const LinkPair& links : link_pairs) model.AddSelfPairs(links);
  if (model.pairs_ > kClearancePairsMax)
    return Invalid(std::to_string(model.pairs_) + " pairs to keep clear; at most " +
                   std::to_string(kClearancePairsMax));
  return model;
}

/// The base does not move: what it stands on is no matter.
void ClearanceModel::AddObstaclePairs() {
  for (int c = 0; c < arm_.capsules; ++c)
    for (int o = 0; o < obstacles_; ++o) {
      const int link = arm_.capsule[At(c)].link;
      if (link > 0 && !(obstacle_[At(o)].spared & Only(c))) Add({PairKind::kObstacle, c, o, 0, link});
    }
}

void ClearanceModel::AddSelfPairs(const LinkPair& links) {
  for (int c = 0; c < arm_.capsules; ++c)
    for (int other = 0; other < arm_.capsules; ++other)
      if (arm_.capsule[At(c)].link == links.second && arm_.capsule[At(other)].link == links.first)
        Add({PairKind::kSelf, c, other, links.first, links.second});
}

void ClearanceModel::Add(const ClearancePair& pair) {
  if (pairs_ < kClearancePairsMax) pair_[At(pairs_)] = pair;
  ++pairs_;
}

Ball ClearanceModel::BallOf(int capsule, const ArmPose& pose) const {
  const Capsule& at = pose.capsule(capsule);
  return {(at.a_m + at.b_m) * 0.5, ball_radius_m_[At(capsule)]};
}

double ClearanceModel::DistanceM(int pair, const ArmPose& pose) const {
  const ClearancePair& p = pair_[At(pair)];
  if (p.kind == PairKind::kSelf) return Distance(pose.capsule(p.capsule), pose.capsule(p.other));
  return ToObstacle(pose.capsule(p.capsule), obstacle_[At(p.other)]);
}

double ClearanceModel::DistanceBoundM(int pair, const ArmPose& pose) const {
  const ClearancePair& p = pair_[At(pair)];
  if (p.kind == PairKind::kSelf) return Distance(BallOf(p.capsule, pose), BallOf(p.other, pose));
  return ToObstacle(BallOf(p.capsule, pose), obstacle_[At(p.other)]);
}

double ClearanceModel::ChangeBound(int pair, const core::AxisArray& per_joint) const {
  const ClearancePair& p = pair_[At(pair)];
  double change = 0;
  for (int j = p.first_joint; j < p.end_joint; ++j) change += reach_m_[At(p.capsule)][At(j)] * per_joint[At(j)];
  return change;
}

double ClearanceModel::LeastDistanceM(const ArmPose& pose) const {
  double least_m = std::numeric_limits<double>::infinity();
  for (int pair = 0; pair < pairs_; ++pair) least_m = std::min(least_m, DistanceM(pair, pose));
  return least_m;
}

}  // namespace nightshift::safety
