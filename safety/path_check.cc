// SPDX-License-Identifier: Apache-2.0
#include "safety/path_check.h"

#include <algorithm>

#include "safety/checks/workspace.h"
#include "safety/surroundings.h"

namespace nightshift::safety {
namespace {

using core::LimitId;

constexpr double kSlackShare = 4;    // Of the clearance, what may be lost between two looks.
constexpr double kRoundingM = 1e-9;  // The stop ends on the wall itself, give or take rounding.

}  // namespace

SweepLimits SweepLimitsOf(const Limits& limits) {
  return {.margin_m = limits.clearance_m,
          .slack_m = limits.clearance_m / kSlackShare,
          .evaluations_max = limits.clearance_looks_max};
}

PathCheck::PathCheck(const Limits& limits)
    : limits_(limits),
      tick_s_(core::ToSeconds(limits.control_period)),
      surroundings_(*SurroundingsOf(limits)),
      pose_(surroundings_.arm()) {}

void PathCheck::Begin(const ArmMotion& now) {
  now_ = now;
  const double outside_m = OutsideWorkspace(limits_, now.q_rad);
  outside_max_m_ = std::max(0.0, outside_m) + (outside_m > 0 ? 0 : kRoundingM);
  pose_.MoveTo(now.q_rad);
  escapes_ = outside_m > kRoundingM || surroundings_.LeastDistanceM(pose_) < limits_.clearance_m;
}

std::optional<PathCheck::Bar> PathCheck::BarOn(const ArmMotion& next) const {
  if (const double outside_m = OutsideWhileStopping(limits_, next); outside_m > outside_max_m_)
    return Bar{LimitId::kWorkspace, outside_m, 0};
  using Foreseen = JerkLimitedStop<TickAndStop>;
  std::array<Foreseen, core::kAxesMax> joints;
  for (std::size_t i = 0; i < core::kArmAxes; ++i)
    joints[i] = Foreseen({now_.axis(i), next.axis(i), next.stop[i], tick_s_}, {limits_.jerk_rad_s3_max[i], tick_s_});
  const SweepVerdict swept = Sweep(surroundings_, ArmStopOf(tick_s_, core::kArmAxes, joints), SweepLimitsOf(limits_));
  if (swept.clear()) return std::nullopt;
  return Bar{LimitId::kObstacle, -swept.least_m, -limits_.clearance_m};
}

}  // namespace nightshift::safety
