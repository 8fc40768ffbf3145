// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/wear_budget.h"

#include <algorithm>
#include <cmath>

namespace nightshift::safety {
namespace {

constexpr std::chrono::hours kHour{1};

}  // namespace

bool WearDay::Advance(core::Duration time) {
  into_hour += time;
  const auto begun = static_cast<std::size_t>(into_hour / kHour);
  if (begun == 0) return false;
  into_hour %= kHour;
  const std::size_t gone = std::min(begun, kHours);
  std::shift_right(hours.begin(), hours.end(), static_cast<std::ptrdiff_t>(gone));
  std::fill(hours.begin(), hours.begin() + static_cast<std::ptrdiff_t>(gone), WearHour{});
  return true;
}

WearHour WearDay::Sum() const {
  WearHour sum;
  for (const WearHour& hour : hours)
    for (const WearKind& kind : kWearKinds)
      for (std::size_t i = 0; i < core::kAxesMax; ++i) (sum.*kind.worn)[i] += (hour.*kind.worn)[i];
  return sum;
}

WearBudget::WearBudget(const Limits& limits, const WearDay& day) : limits_(limits), day_(day), sum_(day.Sum()) {}

void WearBudget::Spend(const core::JointState& seen, const core::AxisArray& commanded_v_rad_s, core::Duration since) {
  if (day_.Advance(since)) sum_ = day_.Sum();
  const double since_s = core::ToSeconds(since);
  const bool comparable = !first_ && since_s <= kImpactGapTicksMax * core::ToSeconds(limits_.control_period);
  for (std::size_t i = 0; i < static_cast<std::size_t>(limits_.axes); ++i) {
    if (first_) axes_[i].counted_q_rad = seen.q_rad[i];
    SpendMotion(i, seen);
    if (comparable) SpendImpact(i, seen.dq_rad_s[i], commanded_v_rad_s[i]);
    axes_[i].since_impact_s = std::min(axes_[i].since_impact_s + since_s, kImpactApartS);
    axes_[i].dq_rad_s = seen.dq_rad_s[i];
    axes_[i].commanded_v_rad_s = commanded_v_rad_s[i];
  }
  first_ = false;
}

void WearBudget::SpendMotion(std::size_t i, const core::JointState& seen) {
  Axis& axis = axes_[i];
  if (const double way_rad = std::abs(seen.q_rad[i] - axis.counted_q_rad); way_rad >= kTravelStepRad) {
    Count(&WearHour::travel_rad, i, way_rad);
    axis.counted_q_rad = seen.q_rad[i];
  }
  const double speed = std::abs(seen.dq_rad_s[i]);
  if (!axis.moves && speed > kStartPerRestSpeed * limits_.rest_speed_rad_s_max) {
    Count(&WearHour::starts, i, 1);
    axis.moves = true;
  } else if (speed <= limits_.rest_speed_rad_s_max) {
    axis.moves = false;
  }
}

/// A command that is taken from where the arm is changes its speed at once, and strikes nothing.
void WearBudget::SpendImpact(std::size_t i, double dq_rad_s, double commanded_v_rad_s) {
  Axis& axis = axes_[i];
  const double jump = std::abs(dq_rad_s - axis.dq_rad_s), wanted = std::abs(commanded_v_rad_s - axis.commanded_v_rad_s);
  if (jump - wanted <= limits_.impact_rad_s[i]) return;
  if (axis.since_impact_s >= kImpactApartS) Count(&WearHour::impacts, i, 1);
  axis.since_impact_s = 0;
}

void WearBudget::Count(core::AxisArray WearHour::*what, std::size_t i, double much) {
  (day_.hours[0].*what)[i] += much;
  (sum_.*what)[i] += much;
}

std::optional<WearBudget::Excess> WearBudget::Exceeded() const {
  for (const WearKind& kind : kWearKinds)
    for (int i = 0; i < limits_.axes; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double worn = (sum_.*kind.worn)[at], allowed = (limits_.*kind.allowed_per_day)[at];
      if (worn > allowed) return Excess{kind.budget, i, worn, allowed};
    }
  return std::nullopt;
}

bool WearBudget::HasRecovered() const {
  for (const WearKind& kind : kWearKinds)
    for (std::size_t i = 0; i < static_cast<std::size_t>(limits_.axes); ++i)
      if ((sum_.*kind.worn)[i] >= limits_.wear_clear_share * (limits_.*kind.allowed_per_day)[i]) return false;
  return true;
}

}  // namespace nightshift::safety
