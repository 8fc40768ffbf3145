// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/sweep.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace nightshift::safety {
namespace {

constexpr double kRoundingM = 1e-9;
constexpr double kTogetherS = 5e-4;  // Pairs due this soon are looked at as well: a pose costs more than a distance.

/// A pair that is not yet known to stay clear to the end.
struct Watch {
  int pair;
  bool near;        // Within the margin at the start.
  double floor_m;   // Never nearer than this.
  double wanted_m;  // Nor than this where it is looked at; if near, only at the ends of tick and stop.
  double due_s;     // Cannot have reached the floor before.
};

std::size_t At(int index) { return static_cast<std::size_t>(index); }

enum class Finding { kSettled, kWatched, kTooClose };

class Sweeper {
 public:
  Sweeper(const ClearanceModel& model, const ArmStop& stop, const SweepLimits& limits)
      : model_(model),
        stop_(stop),
        limits_(limits),
        tick_s_(stop.tick_s()),
        end_s_(stop.duration_s()),
        pose_(model.arm()) {}

  SweepVerdict Run() {
    verdict_.least_m = std::numeric_limits<double>::infinity();
    verdict_.outcome = Outcome();
    return verdict_;
  }

 private:
  SweepOutcome Outcome() {
    if (!std::isfinite(end_s_) || !std::isfinite(tick_s_)) return SweepOutcome::kNotFinite;
    if (limits_.evaluations_max < 1) return SweepOutcome::kExhausted;
    if (!MoveTo(0)) return SweepOutcome::kNotFinite;
    if (!LookAtAll()) return SweepOutcome::kTooClose;
    while (watched_ > 0) {
      if (verdict_.evaluations >= limits_.evaluations_max) return SweepOutcome::kExhausted;
      if (!MoveTo(NextDueS())) return SweepOutcome::kNotFinite;
      if (!LookAtDue()) return SweepOutcome::kTooClose;
    }
    return SweepOutcome::kClear;
  }

  bool MoveTo(double t_s) {
    t_s_ = t_s;
    ahead_ = stop_.At(t_s);
    const int joints = model_.arm().joints;
    if (!core::IsFinite(ahead_.q_rad, joints) || !core::IsFinite(ahead_.speed_rad_s_max, joints) ||
        !core::IsFinite(ahead_.travel_rad_max, joints))
      return false;
    pose_.MoveTo(ahead_.q_rad);
    ++verdict_.evaluations;
    return true;
  }

  bool LookAtAll() {
    for (int pair = 0; pair < model_.pairs(); ++pair) {
      const double bound_m = model_.DistanceBoundM(pair, pose_);
      if (bound_m - limits_.margin_m >= model_.ChangeBound(pair, ahead_.travel_rad_max)) {
        Note(pair, bound_m);
        continue;
      }
      Watch watch = WatchOn(pair);
      if (watch.near) ++verdict_.near_pairs;
      if (!Keep(watch)) return false;
    }
    return true;
  }

  Watch WatchOn(int pair) const {
    const double start_m = model_.DistanceM(pair, pose_);
    const double floor_m = limits_.margin_m - limits_.slack_m;
    if (start_m >= limits_.margin_m) return {pair, false, floor_m, limits_.margin_m, 0};
    return {pair, true, std::min(floor_m, start_m - kEscapeLossM), start_m, 0};
  }

  double NextDueS() const {
    double next_s = end_s_;
    for (int i = 0; i < watched_; ++i) next_s = std::min(next_s, watch_[At(i)].due_s);
    return next_s;
  }

  bool LookAtDue() {
    const int before = watched_;
    watched_ = 0;
    for (int i = 0; i < before; ++i) {
      const Watch watch = watch_[At(i)];
      if (watch.due_s > t_s_ + kTogetherS) {
        watch_[At(watched_++)] = watch;
      } else if (!Keep(watch)) {
        return false;
      }
    }
    return true;
  }

  /// False if it is too close. Watches it further unless it is settled.
  bool Keep(Watch watch) {
    const Finding finding = LookAt(watch);
    if (finding == Finding::kWatched) watch_[At(watched_++)] = watch;
    return finding != Finding::kTooClose;
  }

  /// Works out when to look again. Whatever is not a number ends as too close.
  Finding LookAt(Watch& watch) {
    const double distance_m = model_.DistanceM(watch.pair, pose_);
    Note(watch.pair, distance_m);
    const double travel_m = model_.ChangeBound(watch.pair, ahead_.travel_rad_max);
    if (distance_m - watch.wanted_m + kRoundingM >= travel_m) return Finding::kSettled;
    const bool counts = !watch.near || t_s_ == tick_s_ || t_s_ == end_s_;
    if ((counts && !(distance_m >= watch.wanted_m)) || !(distance_m > watch.floor_m)) {
      verdict_.least_pair = watch.pair;
      return Finding::kTooClose;
    }
    watch.due_s =
        std::min(end_s_, t_s_ + (distance_m - watch.floor_m) / model_.ChangeBound(watch.pair, ahead_.speed_rad_s_max));
    if (watch.near && t_s_ < tick_s_) watch.due_s = std::min(watch.due_s, tick_s_);
    return Finding::kWatched;
  }

  void Note(int pair, double distance_m) {
    if (!(distance_m < verdict_.least_m)) return;
    verdict_.least_m = distance_m;
    verdict_.least_pair = pair;
  }

  const ClearanceModel& model_;
  const ArmStop& stop_;
  const SweepLimits& limits_;
  double tick_s_, end_s_;
  double t_s_ = 0;
  ArmAhead ahead_;
  ArmPose pose_;
  int watched_ = 0;
  std::array<Watch, kClearancePairsMax> watch_;  // The first `watched_` count; the rest is never read nor written.
  SweepVerdict verdict_;
};

}  // namespace

SweepVerdict Sweep(const ClearanceModel& model, const ArmStop& stop, const SweepLimits& limits) {
  return Sweeper(model, stop, limits).Run();
}

}  // namespace nightshift::safety
