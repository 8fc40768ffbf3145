// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstddef>
#include <optional>

#include "core/budget.h"
#include "core/observation.h"
#include "core/time.h"
#include "safety/config.h"

namespace nightshift::safety {

/// What one hour has worn each axis.
struct WearHour {
  core::AxisArray starts{};  // From rest to twice the rest speed. To turn back is to start, too: gears take up play.
  core::AxisArray travel_rad{};
  core::AxisArray impacts{};
};

/// A kind of wear: where it is counted, and what is allowed in 24 hours.
struct WearKind {
  core::Budget budget;
  core::AxisArray WearHour::*worn;
  core::AxisArray Limits::*allowed_per_day;
};
inline constexpr std::array kWearKinds{
    WearKind{core::Budget::kStarts, &WearHour::starts, &Limits::wear_starts_per_day_max},
    WearKind{core::Budget::kTravel, &WearHour::travel_rad, &Limits::wear_travel_rad_per_day_max},
    WearKind{core::Budget::kImpacts, &WearHour::impacts, &Limits::wear_impacts_per_day_max}};

/// The last 24 hours: the one that runs and the 23 before it, so that what was done counts for 23 to 24 hours.
struct WearDay {
  static constexpr std::size_t kHours = 24;
  std::array<WearHour, kHours> hours{};  // The running one first.
  core::Duration into_hour{0};           // How long the running one has run.

  /// Time goes on; true if an hour began.
  bool Advance(core::Duration time);
  WearHour Sum() const;
};

/// Hazard: gears and brushes that are used up or beaten to pieces. Counts, per axis and in any 24 hours, starts, travel
/// and impacts: a speed that changed from one reading to the next by more than any drive could bring about, beyond what
/// the command's own change explains. Noise and sway at rest count for nothing.
/// Thread: control thread only. Real-time.
class WearBudget {
 public:
  struct Excess {
    core::Budget budget = core::Budget::kStarts;
    int axis = 0;
    double wanted = 0, allowed = 0;
  };

  /// @param day what earlier lives of the process have left.
  explicit WearBudget(const Limits& limits, const WearDay& day = {});

  /// @param since the reading before this one. After a gap nothing is said of impacts.
  void Spend(const core::JointState& seen, const core::AxisArray& commanded_v_rad_s, core::Duration since);

  /// The first budget that is used up, if any.
  std::optional<Excess> Exceeded() const;
  /// Is each budget below the share at which work may go on?
  bool HasRecovered() const;
  const WearDay& day() const { return day_; }

  static constexpr double kTravelStepRad = 0.01;     // Some seven steps of a 12-bit encoder.
  static constexpr double kStartPerRestSpeed = 2;    // Above it an axis moves, below the rest speed it rests.
  static constexpr double kImpactApartS = 0.1;       // What rattles on is one impact.
  static constexpr double kImpactGapTicksMax = 1.5;  // Between two readings that can be compared.

 private:
  /// What is known of an axis from one reading to the next.
  struct Axis {
    double counted_q_rad = 0;  // Up to where its travel is counted.
    double dq_rad_s = 0, commanded_v_rad_s = 0;
    double since_impact_s = kImpactApartS;
    bool moves = false;
  };
  void SpendMotion(std::size_t i, const core::JointState& seen);
  void SpendImpact(std::size_t i, double dq_rad_s, double commanded_v_rad_s);
  void Count(core::AxisArray WearHour::*what, std::size_t i, double much);

  Limits limits_;
  WearDay day_;
  WearHour sum_;
  std::array<Axis, core::kAxesMax> axes_{};
  bool first_ = true;
};

}  // namespace nightshift::safety
