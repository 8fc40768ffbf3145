// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/presence.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace nightshift::safety {

PersonWatch::PersonWatch(const Limits& limits)
    : config_(limits.presence),
      age_max_(core::Seconds(config_.age_s_max)),
      clear_after_(core::Seconds(config_.clear_s)),
      hidden_(core::Seconds(config_.sensor_delay_s + config_.arm_lag_s)),
      separation_(limits),
      needed_m_(separation_.NeededM(config_.speed_scale_min)),
      too_near_(config_.source != PresenceSource::kNone),
      speed_scale_(too_near_ ? 0 : 1) {}

void PersonWatch::Hear(const PresenceReport& report) {
  const auto& newest = pending_ ? pending_ : last_;
  if (newest && report.sequence == newest->sequence) return;
  const bool goes_back = (pending_ || !silent_) && report.sequence < newest->sequence;
  // Negated, so that what is not a number is no distance.
  const bool is_none = goes_back || !(report.distance_m >= 0 && std::isfinite(report.distance_m));
  const double distance_m = is_none ? 0 : report.distance_m;
  // Of several in one tick the nearest: none is forgotten before it counted.
  pending_ = {pending_ ? std::min(pending_->distance_m, distance_m) : distance_m, report.sequence};
}

void PersonWatch::Look(const core::AxisArray& commanded_v_rad_s, core::Instant now) {
  if (config_.source == PresenceSource::kNone) return;
  const double passed_s = looked_ ? core::ToSeconds(now - *looked_) : 0;
  if (!looked_) near_until_ = now;
  looked_ = now;
  Pass(passed_s, separation_.ArmSpeedMS(commanded_v_rad_s), now);
  if (pending_) Take(*std::exchange(pending_, std::nullopt), now);
  silent_ = !last_ || now - heard_ > age_max_;
  if (silent_) now_m_ = told_m_ = 0;
  Decide(passed_s, now);
}

/// Person and arm have come towards each other as fast as they could.
void PersonWatch::Pass(double passed_s, double arm_speed_m_s, core::Instant now) {
  const double faster_m_s = std::max(arm_speed_m_s, std::exchange(arm_speed_m_s_, arm_speed_m_s));
  now_m_ -= (config_.person_speed_m_s + faster_m_s) * passed_s;
  if (now - since_ >= hidden_) {
    fastest_before_m_s_ = std::exchange(fastest_since_m_s_, 0);
    since_ = now;
  }
  fastest_since_m_s_ = std::max(fastest_since_m_s_, faster_m_s);
}

void PersonWatch::Take(const PresenceReport& report, core::Instant now) {
  const double arm_m = std::max(fastest_before_m_s_, fastest_since_m_s_) * core::ToSeconds(hidden_);
  told_m_ = report.distance_m;
  now_m_ = told_m_ - config_.person_speed_m_s * config_.sensor_delay_s - arm_m;
  last_ = report;
  heard_ = now;
}

double PersonWatch::room_m() const {
  return std::min(now_m_, told_m_ - separation_.UnseenM(config_.speed_scale_min * separation_.full_speed_m_s()));
}

/// The faster the arm is by now, the less it may speed up: it settles at a speed that it can keep.
void PersonWatch::Decide(double passed_s, core::Instant now) {
  const double room = room_m();
  if (!(room >= needed_m_)) too_near_ = true;
  if (!(room >= needed_m_ + config_.clear_margin_m)) near_until_ = now;
  if (too_near_ && now - near_until_ >= clear_after_) too_near_ = false;
  const double kept_m = std::min(now_m_, told_m_ - separation_.UnseenM(arm_speed_m_s_));
  const double least = config_.speed_scale_min, risen = std::max(least, speed_scale_ + passed_s / config_.rise_s);
  speed_scale_ = too_near_ ? 0 : std::min(risen, std::max(least, separation_.SpeedScaleWithin(kept_m)));
}

core::PersonReport PersonWatch::report() const {
  if (config_.source == PresenceSource::kNone) return {};
  if (silent_) return {.presence = core::Presence::kSilent, .distance_m = 0, .speed_scale = speed_scale_};
  return {.presence = core::Presence::kSeen, .distance_m = last_->distance_m, .speed_scale = speed_scale_};
}

}  // namespace nightshift::safety
