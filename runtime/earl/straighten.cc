// SPDX-License-Identifier: Apache-2.0
#include "runtime/earl/straighten.h"

#include <algorithm>
#include <cmath>

namespace nightshift::runtime::earl {

namespace {

constexpr double kFlatZM = 0.015;      // Half the peg's thickness.
constexpr double kSeenZM = 0.002;      // Less is contact, not pitch.
constexpr double kLeverM = 0.215;      // From the rear edge that bears it to the head.
constexpr double kHeldAsideM = 0.004;  // Of the head from the hand's middle where it is held straight (demonstrations).
constexpr double kReturnSteps = 5000;  // Within which it shall come back: slowly, so that it arrives at rest.
constexpr double kPressEffect = 6e-8;  // Radians per step, per step of pressing; measured,
constexpr double kLeverEffect = 7e-8;  // as this one, at 2.4 cm.
constexpr int kStepsMin = 25, kStepsMax = 400;

/// How long it takes to change the rate to one that brings the angle back.
int StepsFor(const Turn& turn, double effect) {
  const double wanted = (turn.rate_rad + turn.angle_rad / kReturnSteps) / effect;
  if (!std::isfinite(wanted) || std::abs(wanted) < kStepsMin) return 0;
  return static_cast<int>(std::clamp(wanted, -1.0 * kStepsMax, 1.0 * kStepsMax));
}

}  // namespace

Turn Seen(const Turn& before, double angle_rad, std::int64_t step) {
  Turn now{.angle_rad = angle_rad, .rate_rad = 0, .seen_step = step};
  if (step > before.seen_step)
    now.rate_rad = (angle_rad - before.angle_rad) / static_cast<double>(step - before.seen_step);
  return now;
}

double PitchOf(std::span<const float> s) {
  const double up = s[6] - kFlatZM;
  return up > kSeenZM ? up / kLeverM : 0;
}

double YawOf(std::span<const float> s) {
  const double behind = std::max(0.05, static_cast<double>(s[0] - s[4]));
  return std::clamp((s[5] - s[1] - kHeldAsideM) / behind, -1.0, 1.0);
}

int PressSteps(const Turn& pitch) {
  return pitch.angle_rad == 0 ? 0 : StepsFor(pitch, kPressEffect);  // Flat, or pointing down, which is not seen.
}

int LeverSteps(const Turn& yaw) { return StepsFor(yaw, kLeverEffect); }

}  // namespace nightshift::runtime::earl
