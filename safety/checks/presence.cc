// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/presence.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace nightshift::safety {

RecentTravel::RecentTravel(core::Duration window)
    : part_(std::max(core::Duration(1), window / static_cast<int>(kParts - 1))) {}

void RecentTravel::Add(double travel_m, core::Instant now) {
  for (std::size_t i = 0; i < kParts && now - begin_ >= part_; ++i) {
    newest_ = (newest_ + 1) % kParts;
    travel_m_[newest_] = 0;
    begin_ += part_;
  }
  if (now - begin_ >= part_) begin_ = now;  // Everything is long ago.
  travel_m_[newest_] += travel_m;
}

double RecentTravel::SumM() const { return std::accumulate(travel_m_.begin(), travel_m_.end(), 0.0); }

PersonWatch::PersonWatch(const Limits& limits)
    : config_(limits.presence),
      age_max_(core::Seconds(config_.age_s_max)),
      clear_after_(core::Seconds(config_.clear_s)),
      jerk_rad_s3_max_(limits.jerk_rad_s3_max),
      axes_(static_cast<std::size_t>(limits.axes)),
      separation_(limits),
      needed_m_(separation_.NeededM(config_.speed_scale_min)),
      unseen_travel_(core::Seconds(config_.sensor_delay_s + config_.arm_lag_s)),
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

void PersonWatch::Look(const ArmMotion& commanded, core::Instant now) {
  if (config_.source == PresenceSource::kNone) return;
  const double passed_s = looked_ ? core::ToSeconds(now - *looked_) : 0;
  if (!looked_) near_until_ = now;
  looked_ = now;
  Pass(passed_s, separation_.ArmSpeedMS(commanded.v_rad_s), now);
  arm_speed_to_come_m_s_ = SpeedToComeMS(commanded);
  if (pending_) Take(*std::exchange(pending_, std::nullopt), now);
  silent_ = !last_ || now - heard_ > age_max_;
  if (silent_) now_m_ = told_m_ = 0;
  Decide(passed_s, now);
}

/// Person and arm have come towards each other as fast as they could.
void PersonWatch::Pass(double passed_s, double arm_speed_m_s, core::Instant now) {
  const double arm_m = std::max(arm_speed_m_s, std::exchange(arm_speed_m_s_, arm_speed_m_s)) * passed_s;
  unseen_travel_.Add(arm_m, now);
  now_m_ -= config_.person_speed_m_s * passed_s + arm_m;
}

/// A joint that speeds up goes on doing so until its acceleration has been shed.
double PersonWatch::SpeedToComeMS(const ArmMotion& commanded) const {
  core::AxisArray v_rad_s{};
  for (std::size_t i = 0; i < axes_; ++i) {
    const double v = commanded.v_rad_s[i], a = commanded.a_rad_s2[i];
    v_rad_s[i] = std::max(std::abs(v), std::abs(v + a * std::abs(a) / (2 * jerk_rad_s3_max_[i])));
  }
  return separation_.ArmSpeedMS(v_rad_s);
}

void PersonWatch::Take(const PresenceReport& report, core::Instant now) {
  told_m_ = report.distance_m;
  now_m_ = told_m_ - config_.person_speed_m_s * config_.sensor_delay_s - unseen_travel_.SumM();
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
  const double kept_m = std::min(now_m_, told_m_ - separation_.UnseenM(arm_speed_to_come_m_s_));
  const double least = config_.speed_scale_min, risen = std::max(least, speed_scale_ + passed_s / config_.rise_s);
  speed_scale_ = too_near_ ? 0 : std::min(risen, std::max(least, separation_.SpeedScaleWithin(kept_m)));
}

core::PersonReport PersonWatch::report() const {
  if (config_.source == PresenceSource::kNone) return {};
  if (silent_) return {.presence = core::Presence::kSilent, .distance_m = 0, .speed_scale = speed_scale_};
  return {.presence = core::Presence::kSeen, .distance_m = last_->distance_m, .speed_scale = speed_scale_};
}

}  // namespace nightshift::safety
