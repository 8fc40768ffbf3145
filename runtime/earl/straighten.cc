// SPDX-License-Identifier: Apache-2.0
#include "runtime/earl/straighten.h"

#include <algorithm>

namespace nightshift::runtime::earl {

namespace {

constexpr double kFlatZM = 0.015;      // Half the peg's thickness.
constexpr double kSeenZM = 0.002;      // Less is contact, not pitch.
constexpr double kLeverM = 0.215;      // From the rear edge that bears it to the head.
constexpr double kReturnSteps = 5000;  // Within which it shall come back: slowly, so that it arrives at rest.
constexpr double kPressEffect = 6e-8;  // Radians per step, per step of pressing.
constexpr int kPressStepsMin = 25, kPressStepsMax = 400;

}  // namespace

Pitch SeePitch(const Pitch& before, double head_z_m, std::int64_t step) {
  const double up = head_z_m - kFlatZM;
  Pitch now{.pitch_rad = up > kSeenZM ? up / kLeverM : 0, .rate_rad = 0, .seen_step = step};
  if (step > before.seen_step)
    now.rate_rad = (now.pitch_rad - before.pitch_rad) / static_cast<double>(step - before.seen_step);
  return now;
}

int PressSteps(const Pitch& p) {
  if (p.pitch_rad == 0) return 0;  // Flat, or pointing down, which is not seen: leave it.
  const double wanted = (p.rate_rad + p.pitch_rad / kReturnSteps) / kPressEffect;
  const int steps = static_cast<int>(std::clamp(wanted, -1.0 * kPressStepsMax, 1.0 * kPressStepsMax));
  return steps > -kPressStepsMin && steps < kPressStepsMin ? 0 : steps;
}

}  // namespace nightshift::runtime::earl
