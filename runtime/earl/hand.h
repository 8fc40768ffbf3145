// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

namespace nightshift::runtime::earl {

/// The part of an action, -1 to 1, that brings the hand of the Sawyer worlds over a distance along one axis, in metres:
/// full speed from afar, slower within 5 cm, since the hand trails its target and would overshoot. Pure.
inline float Approach(float away_m) {
  constexpr float kSlowM = 0.05f;
  return std::clamp(away_m / kSlowM, -1.0f, 1.0f);
}

}  // namespace nightshift::runtime::earl
