// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "core/action.h"
#include "core/time.h"
#include "safety/checks/arm_motion.h"
#include "safety/checks/separation.h"
#include "safety/config.h"

namespace nightshift::safety {

/// What a presence sensor says.
struct PresenceReport {
  double distance_m = 0;       // From the nearest person to the nearest part of the arm. What is no distance is 0.
  std::uint64_t sequence = 0;  // The sensor's own, rising: what repeats itself says nothing.
};

/// How far the arm has gone of late: in at least the last `window`, and little more.
class RecentTravel {
 public:
  explicit RecentTravel(core::Duration window);

  /// The way since the last call.
  void Add(double travel_m, core::Instant now);
  double SumM() const;

 private:
  static constexpr std::size_t kParts = 16;  // One that is being filled, and as many as make up the window.

  core::Duration part_;
  std::array<double, kParts> travel_m_{};
  std::size_t newest_ = 0;
  core::Instant begin_{};  // Of the newest.
};

/// Hazard: a person near a moving arm; a sensor that does not say so. Keeps how near a person can be by now, whatever
/// has happened since the sensor looked: the share of its speed that the arm may have leaves it a stop within that. A
/// person who stays where told is not to make it go and stop in turns, so the share is also one that can be kept until
/// the next report. Too near even for the least share: the arm must stop, until the person has been well away for a
/// while.
///
/// Silence is a person at the arm: nothing heard yet, nothing new for age_s_max, or a sequence that goes back while
/// the sensor speaks, which is a sensor that began anew or two of them. Without a source nobody is ever near.
///
/// Thread: control thread only. Real-time: no lock, no allocation, no clock.
class PersonWatch {
 public:
  /// @param limits already validated.
  explicit PersonWatch(const Limits& limits);

  /// The sensor spoke; it counts from the next Look on.
  void Hear(const PresenceReport& report);

  /// One tick.
  /// @param commanded what the arm does; between two looks it is no faster than at one of them.
  void Look(const ArmMotion& commanded, core::Instant now);

  /// Must the arm stop, or stay so?
  bool too_near() const { return too_near_; }
  /// In [speed_scale_min, 1]; 0 while a person is too near.
  double speed_scale() const { return speed_scale_; }

  /// How near a person can be: now, or when the next report comes if the arm has but its least speed; the lesser.
  double room_m() const;
  /// With less room the arm stops.
  double needed_m() const { return needed_m_; }

  core::PersonReport report() const;

 private:
  void Pass(double passed_s, double arm_speed_m_s, core::Instant now);
  double SpeedToComeMS(const ArmMotion& commanded) const;
  void Take(const PresenceReport& report, core::Instant now);
  void Decide(double passed_s, core::Instant now);

  PresenceConfig config_;
  core::Duration age_max_, clear_after_;
  core::AxisArray jerk_rad_s3_max_;
  std::size_t axes_;
  Separation separation_;
  double needed_m_;

  std::optional<PresenceReport> pending_;
  std::optional<PresenceReport> last_;  // Heard ever.
  bool silent_ = true;
  core::Instant heard_{};
  std::optional<core::Instant> looked_;
  double now_m_ = 0;  // A person is no nearer than this, now.
  double told_m_ = 0;
  RecentTravel unseen_travel_;        // Of the arm, in the time for which a report is on its way.
  double arm_speed_m_s_ = 0;          // At the last look,
  double arm_speed_to_come_m_s_ = 0;  // and soon after it, whatever is wanted.

  bool too_near_;
  core::Instant near_until_{};
  double speed_scale_;
};

}  // namespace nightshift::safety
