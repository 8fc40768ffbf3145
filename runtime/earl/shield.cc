// SPDX-License-Identifier: Apache-2.0
#include "runtime/earl/shield.h"

#include <cmath>

namespace nightshift::runtime::earl {

namespace {

constexpr double kPegLengthM = 0.22;  // From the head's site to the far end.
constexpr double kReachYLowM = 0.42, kReachYHighM = 0.90, kReachXM = 0.5, kTableZM = -0.02;
// Where demonstrations have the head, and 2 cm: -0.305 to 0.07, 0.517 to 0.687.
constexpr double kPractisedXLowM = -0.32, kPractisedXHighM = 0.12, kPractisedYLowM = 0.49, kPractisedYHighM = 0.72;
// Every reverse win leaves the door swinging past where attempts begin, 0.01 to 0.07, to -0.10 or its stop at -0.15.
constexpr double kPractisedHandleXLowM = 0;
constexpr float kPushBack = 0.5f;  // Of a full action.

bool MayTouch(const ShieldConfig& c, std::span<const float> s) {
  return std::abs(s[1] - s[5]) < c.reach_across_m && s[0] > s[4] - c.reach_along_m &&
         s[0] < s[4] + kPegLengthM + c.reach_along_m && s[2] - s[6] < c.reach_up_m;
}

struct Range {
  double low = 0, high = 0;
};

bool KeepWithin(const Range& range, double brake, double place, float& action) {
  const float before = action;
  if (place < range.low) action = std::max(action, place < range.low - brake ? kPushBack : 0.0f);
  if (place > range.high) action = std::min(action, place > range.high + brake ? -kPushBack : 0.0f);
  return action != before;
}

}  // namespace

bool Practised(io::earl::Scene scene, std::span<const float> s) {
  if (scene == io::earl::Scene::kTabletop) return true;
  if (scene == io::earl::Scene::kSawyerDoor) return s[4] >= kPractisedHandleXLowM;
  return s[5] >= kPractisedYLowM && s[5] <= kPractisedYHighM && s[4] >= kPractisedXLowM && s[4] <= kPractisedXHighM &&
         s[6] >= kTableZM;
}

bool Reachable(io::earl::Scene scene, std::span<const float> s) {
  if (scene != io::earl::Scene::kSawyerPeg) return true;
  return s[5] >= kReachYLowM && s[5] <= kReachYHighM && std::abs(s[4]) <= kReachXM && s[6] >= kTableZM;
}

bool Shield(const ShieldConfig& c, io::earl::Scene scene, std::span<const float> state, std::vector<float>& action) {
  if (c.enabled == 0 || scene != io::earl::Scene::kSawyerPeg || !MayTouch(c, state)) return false;
  const bool y = KeepWithin({c.y_low_m, c.y_high_m}, c.brake_m, state[5], action[1]);
  // A peg that is pushed from the side, not held between the fingers, slides or flies on faster than the hand.
  const float aside = state[5] - state[1];
  const bool pushes = std::abs(aside) > c.held_across_m && aside * action[1] > 0 &&
                      std::abs(action[1]) > static_cast<float>(c.push_max);
  if (pushes) action[1] = std::copysign(static_cast<float>(c.push_max), action[1]);
  // Open fingers that come from behind do not push it deeper into the hole: they come to take it.
  const double x_low = state[3] < c.fingers_open_min ? c.x_low_m : -kReachXM;
  const bool x = KeepWithin({x_low, c.x_high_m}, c.brake_m, state[4], action[0]);
  return x || y || pushes;
}

}  // namespace nightshift::runtime::earl
