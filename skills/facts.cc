// SPDX-License-Identifier: Apache-2.0
#include "skills/facts.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nightshift::skills {
namespace {

constexpr double kHeldDistanceM = 0.040;  // Grasp point to object, with the error of a half-hidden object.
constexpr double kStillRadS = 0.4;        // A closing jaw passes every angle; one that something stops stays.
constexpr double kSeenAgeSMax = 1.0;      // Ten policy periods.
constexpr double kFarM = 1.0;             // Stands for "none" among distances: beyond any on the table.

double WallGap(const Zone& tray, core::Vec3 p, double half_m) {
  return std::min({p.x - tray.x_min_m, tray.x_max_m - p.x, p.y - tray.y_min_m, tray.y_max_m - p.y}) - half_m;
}

double OtherGap(const core::Observation& seen, int object, core::Vec3 p) {
  double gap = kFarM;
  for (int i = 0; i < seen.object_count; ++i) {
    const auto& other = seen.objects[static_cast<std::size_t>(i)];
    if (i != object && other.confidence > 0) gap = std::min(gap, NormXy(other.position_m - p));
  }
  return gap;
}

}  // namespace

std::string_view Name(Fact fact) {
  switch (fact) {
    case Fact::kTipX: return "tip_x";
    case Fact::kTipY: return "tip_y";
    case Fact::kTipZ: return "tip_z";
    case Fact::kJaw: return "jaw";
    case Fact::kJawClosing: return "jaw_closing";
    case Fact::kHeld: return "held";
    case Fact::kObjectX: return "object_x";
    case Fact::kObjectY: return "object_y";
    case Fact::kObjectZ: return "object_z";
    case Fact::kObjectAge: return "object_age";
    case Fact::kObjectSeen: return "object_seen";
    case Fact::kInTray: return "in_tray";
    case Fact::kInBin: return "in_bin";
    case Fact::kOutside: return "outside";
    case Fact::kReachable: return "reachable";
    case Fact::kWallGap: return "wall_gap";
    case Fact::kOtherGap: return "other_gap";
    case Fact::kGoalDistance: return "goal_distance";
    case Fact::kTipDistance: return "tip_distance";
    case Fact::kFrameGood: return "frame_good";
    case Fact::kCount: break;
  }
  return "?";
}

Facts FactsOf(const core::Observation& seen, const core::Target& target, const Scene& scene) {
  Facts facts{};
  const auto set = [&facts](Fact fact, double value) { facts[static_cast<std::size_t>(fact)] = value; };
  const auto& object = seen.objects[static_cast<std::size_t>(target.object)];
  const core::Vec3 p = object.position_m;
  const bool known = object.confidence > 0;
  const bool visible = known && core::ToSeconds(object.age) <= kSeenAgeSMax;
  const bool closing = seen.jaw_command_rad < scene.jaw_wide_rad;
  const bool between = seen.jaw_rad > scene.jaw_empty_rad && seen.jaw_rad < scene.jaw_wide_rad;
  const bool stopped = std::abs(seen.joints.dq_rad_s[core::kJaw]) < kStillRadS;
  const bool held = closing && between && stopped && visible && Norm(p - seen.tip_m) < kHeldDistanceM;
  const bool in_tray = known && !held && scene.tray.Contains(p, scene.wall_tolerance_m);
  const bool in_bin = known && !held && scene.bin.Contains(p);
  const double radius = NormXy(p);

  set(Fact::kTipX, seen.tip_m.x);
  set(Fact::kTipY, seen.tip_m.y);
  set(Fact::kTipZ, seen.tip_m.z);
  set(Fact::kJaw, seen.jaw_rad);
  set(Fact::kJawClosing, closing);
  set(Fact::kHeld, held);
  set(Fact::kObjectX, p.x);
  set(Fact::kObjectY, p.y);
  set(Fact::kObjectZ, p.z);
  set(Fact::kObjectAge, core::ToSeconds(object.age));
  set(Fact::kObjectSeen, visible);
  set(Fact::kInTray, in_tray);
  set(Fact::kInBin, in_bin);
  set(Fact::kOutside, visible && !held && !in_tray && !in_bin);
  set(Fact::kReachable, known && radius >= scene.reach_min_m && radius <= scene.reach_max_m);
  set(Fact::kWallGap, known ? WallGap(scene.tray, p, scene.object_half_m) : -kFarM);
  set(Fact::kOtherGap, OtherGap(seen, target.object, p));
  set(Fact::kGoalDistance, NormXy(target.goal_m - p));
  set(Fact::kTipDistance, Norm(p - seen.tip_m));
  set(Fact::kFrameGood, seen.frame == core::FrameHealth::kGood);
  return facts;
}

}  // namespace nightshift::skills
