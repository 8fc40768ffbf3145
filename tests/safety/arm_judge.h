// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>

#include "core/kinematics.h"
#include "safety/filter.h"
#include "tests/safety/clearance_judge.h"
#include "tests/safety/hostile_joint.h"

/// A judge of a filter from outside: sees what it was given and what it commands, and holds each tick against what is
/// promised. Asks no check of safety/ whether all is well; only the stop that must be stored is worked out with its
/// JointStop, and the bounds are held against the way that it takes.
namespace nightshift::safety {

/// By how much the tip is outside its box, in metres.
inline double OutsideBoxM(const Limits& limits, const core::AxisArray& q_rad) {
  const core::Vec3 tip = core::ForwardKinematics(limits.arm, q_rad).position_m;
  const core::Vec3 low = limits.workspace_m_min, high = limits.workspace_m_max;
  return std::max({low.x - tip.x, tip.x - high.x, low.y - tip.y, tip.y - high.y, low.z - tip.z, tip.z - high.z});
}

class ArmJudge {
 public:
  /// What the filter was given in a tick.
  struct Given {
    const core::JointState* seen = nullptr;  // None: it was blind.
    std::optional<core::ProposedAction> wanted;
    core::Instant now;
  };

  explicit ArmJudge(const Limits& limits)
      : limits_(limits), clearance_(limits), axes_(static_cast<std::size_t>(limits.axes)) {}

  /// Before the first tick, and where the arm was put: what is outside there may stay so, and not get worse.
  void Begin(const Filter& filter) {
    for (std::size_t i = 0; i < axes_; ++i) Rest(i, filter.commanded_q_rad()[i]);
    seen_q_rad_ = lowest_rad_ = highest_rad_ = filter.commanded_q_rad();
    BeginOutside(filter);
    epoch_ = filter.latch().epoch;
    was_latched_ = filter.latch().latched();
    latch_id_ = filter.latch().id;
    refused_ = filter.proposals_refused();
  }

  /// The supervisor wants nothing any more, from before the next tick on: whatever it proposed so far is dead.
  void Withdrawn() {
    const std::optional<Live>& last = live_ ? live_ : last_live_;
    if (last && last->epoch == epoch_) EndEpoch();
  }

  /// Before the next tick the loop stood still for too long: the command is to rest where it was.
  void Overran() {
    for (std::size_t i = 0; i < axes_; ++i) Rest(i, motion_[i].q_rad);
  }

  /// After each tick.
  void Note(const Filter& filter, const Given& given) {
    NoteLife(filter, given);
    TakeNext(filter);
    if (NoteReseed(given)) BeginOutside(filter);
    if (!Brakes()) NoteBegun();
    if (!Rests()) NoteInside();
    tally_.Note(Promise::kLiveCommand, live_ || Brakes() ? 0 : 1);
    NoteEscape();
    for (std::size_t i = 0; i < axes_; ++i) NoteAxis(i);
    NotePlace(filter.commanded_q_rad());
  }

  const Limits& limits() const { return limits_; }
  const Tally& tally() const { return tally_; }
  double travelled_rad() const { return travelled_rad_; }

  /// Of the whole run, which is over.
  Tally Ended() const {
    Tally whole = tally_;
    for (std::size_t i = 0; i < axes_; ++i)
      whole.NoteRange((highest_rad_[i] - lowest_rad_[i]) / (limits_.q_rad_max[i] - limits_.q_rad_min[i]));
    return whole;
  }

 private:
  struct Live {
    core::Epoch epoch = 0;
    std::uint64_t sequence = 0;
    core::Instant until;
  };
  // A stop that is worked out anew in the middle of it is the same one but for rounding, which its roots make more of.
  static constexpr double kSameRad = 1e-9, kSameRadS = 1e-7;
  // Then it is the one that was stored, and not one just like it. A stop that changes its jerk within nanoseconds of a
  // tick's end shows in the acceleration alone, and only a tick later in the velocity.
  static constexpr double kGoesOnRadS = 1e-11, kGoesOnRadS2 = 1e-9;
  static constexpr double kSurelyM = 1e-6;  // The filter's distances are less than the truth by at most this.

  /// The epochs that a stop has ended, and the command that may be carried out.
  void NoteLife(const Filter& filter, const Given& given) {
    const core::LatchReport latch = filter.latch();
    if (latch.latched() && (!was_latched_ || latch.id != latch_id_)) EndEpoch();
    if (given.wanted && IsNew(*given.wanted, filter, given)) {
      const bool refused = filter.proposals_refused() != refused_;
      const bool holds = given.wanted->risk_scale < limits_.risk_scale_min;
      if (refused == holds)
        live_ = Live{given.wanted->epoch, given.wanted->sequence,
                     std::min(given.wanted->deadline, given.now + limits_.command_deadline_max)};
      if (refused && holds) Kill();  // What was wanted before it has ended, too.
    }
    if (live_ && (latch.latched() || live_->epoch <= dead_epoch_ || given.now > live_->until)) Kill();
    was_latched_ = latch.latched();
    latch_id_ = latch.id;
    epoch_ = std::max(epoch_, latch.epoch);
    refused_ = filter.proposals_refused();
  }

  void EndEpoch() { dead_epoch_ = std::max(dead_epoch_, epoch_); }

  void Kill() {
    last_live_ = live_;
    live_.reset();
  }

  bool IsNew(const core::ProposedAction& wanted, const Filter& filter, const Given& given) const {
    const std::optional<Live>& last = live_ ? live_ : last_live_;
    const bool replayed = last && last->epoch == wanted.epoch && wanted.sequence <= last->sequence;
    return given.seen != nullptr && given.seen->powered && !replayed && wanted.sequence > 0 &&
           wanted.axes == limits_.axes && core::IsFinite(wanted.target_q_rad, wanted.axes) &&
           std::isfinite(wanted.risk_scale) && wanted.deadline >= given.now && wanted.epoch == filter.latch().epoch &&
           wanted.epoch > dead_epoch_;
  }

  void TakeNext(const Filter& filter) {
    for (std::size_t i = 0; i < axes_; ++i) {
      next_[i] = {filter.commanded_q_rad()[i], filter.commanded_v_rad_s()[i], filter.commanded_a_rad_s2()[i]};
      const JerkMotion stopped = stop_[i].At(BoundsOf(i).tick_s);
      const double v_off_rad_s = std::abs(next_[i].v_rad_s - stopped.v_rad_s);
      follows_[i] = std::abs(next_[i].q_rad - stopped.q_rad) < kSameRad && v_off_rad_s < kSameRadS;
      goes_on_[i] =
          follows_[i] && v_off_rad_s < kGoesOnRadS && std::abs(next_[i].a_rad_s2 - stopped.a_rad_s2) < kGoesOnRadS2;
    }
  }

  bool Brakes() const { return std::all_of(follows_.begin(), follows_.begin() + limits_.axes, std::identity{}); }

  bool Rests() const {
    return Brakes() && std::all_of(stop_.begin(), stop_.begin() + limits_.axes,
                                   [](const JointStop& stop) { return stop.duration_s() == 0; });
  }

  /// Where the arm holds no torque, or has stopped pushing, the setpoint is where it was measured, at rest: in this
  /// tick, or in the last one before a stop was cleared.
  bool NoteReseed(const Given& given) {
    bool any = false;
    for (std::size_t i = 0; i < axes_; ++i) {
      const auto& [q_rad, v_rad_s, a_rad_s2] = next_[i];
      const bool may = (given.seen != nullptr && !given.seen->powered) || stop_[i].duration_s() == 0;
      const bool measured = q_rad == seen_q_rad_[i] || (given.seen != nullptr && q_rad == given.seen->q_rad[i]);
      if (follows_[i] || !may || !measured || v_rad_s != 0 || a_rad_s2 != 0) continue;
      Rest(i, q_rad);
      follows_[i] = goes_on_[i] = any = true;
    }
    if (given.seen != nullptr) seen_q_rad_ = given.seen->q_rad;
    return any;
  }

  void Rest(std::size_t i, double q_rad) {
    motion_[i] = {.q_rad = q_rad};
    stop_[i] = JointStop(motion_[i], BoundsOf(i));
    mean_v_rad_s_[i] = 0;
    reach_rad_[i] = {q_rad, q_rad};
  }

  void BeginOutside(const Filter& filter) {
    clearance_.Begin();
    clearance_.ExcessM(filter.commanded_q_rad());
    outside_m_ = OutsideBoxM(limits_, filter.commanded_q_rad());
    NoteBegun();
    least_m_ = clearance_.least_m();
  }

  /// Between ticks: what the drives do on the way from command to command.
  void NoteInside() {
    for (const double share : kInsideShares) {
      core::AxisArray q_rad{};
      for (std::size_t i = 0; i < axes_; ++i) {
        const double tick_s = BoundsOf(i).tick_s;
        const JerkMotion inside =
            follows_[i] ? stop_[i].At(share * tick_s) : AtConstantJerk(motion_[i], next_[i], tick_s, share);
        NoteBounds(tally_, inside, OuterBoundsOf(i));
        q_rad[i] = inside.q_rad;
      }
      tally_.Note(Promise::kClearance, clearance_.ExcessM(q_rad));
    }
  }

  /// A motion with a stop of its own begins where the arm is: from now on it may come to nothing worse.
  void NoteBegun() {
    for (std::size_t i = 0; i < axes_; ++i)
      if (!follows_[i])
        reach_rad_[i] = {std::max(reach_rad_[i].lowest, stop_[i].q_rad_lowest()),
                         std::min(reach_rad_[i].highest, stop_[i].q_rad_highest())};
    clearance_.Accepted();
    outside_max_m_ = std::max(0.0, outside_m_);
  }

  /// From outside the workspace, or from too near to something, the arm goes no faster than escapes may, or slower than
  /// it was.
  void NoteEscape() {
    const bool escapes = outside_m_ > kSurelyM || least_m_ < limits_.clearance_m - kSurelyM;
    for (std::size_t i = 0; escapes && i < core::kJaw; ++i) {
      if (follows_[i]) continue;
      const double a = motion_[i].a_rad_s2, v = motion_[i].v_rad_s;
      const double peak_rad_s = std::max(std::abs(v), std::abs(v + a * std::abs(a) / (2 * limits_.jerk_rad_s3_max[i])));
      tally_.Note(Promise::kEscapeSpeed,
                  std::abs(next_[i].v_rad_s) - std::max(limits_.escape_speed_rad_s_max, peak_rad_s));
    }
  }

  void NoteAxis(std::size_t i) {
    const JerkBounds bounds = OuterBoundsOf(i);
    const JerkMotion& next = next_[i];
    NoteBounds(tally_, next, bounds);
    const double v = (next.q_rad - motion_[i].q_rad) / bounds.tick_s;  // As a drive sees it that knows positions only.
    tally_.Note(Promise::kSpeed, std::abs(v) - bounds.speed_rad_s_max);
    tally_.Note(Promise::kAcceleration,
                std::abs(v - mean_v_rad_s_[i]) - bounds.acceleration_rad_s2_max * bounds.tick_s);
    const double jerk = (next.a_rad_s2 - motion_[i].a_rad_s2) / bounds.tick_s;
    tally_.Note(Promise::kJerk, std::abs(jerk) / bounds.jerk_rad_s3_max - 1);
    tally_.NoteStep(std::abs(v) / bounds.speed_rad_s_max);
    travelled_rad_ += std::abs(next.q_rad - motion_[i].q_rad);
    lowest_rad_[i] = std::min(lowest_rad_[i], next.q_rad);
    highest_rad_[i] = std::max(highest_rad_[i], next.q_rad);
    stop_[i] = goes_on_[i] ? stop_[i].After(bounds.tick_s) : JointStop(next, bounds);
    motion_[i] = next;
    mean_v_rad_s_[i] = v;
  }

  void NotePlace(const core::AxisArray& q_rad) {
    const double outside_m = OutsideBoxM(limits_, q_rad);
    tally_.Note(Promise::kWorkspace, std::isnan(outside_m) ? outside_m : outside_m - outside_max_m_, 2 * kTolerance);
    tally_.Note(Promise::kClearance, clearance_.ExcessM(q_rad));
    outside_m_ = outside_m;
    least_m_ = clearance_.least_m();
  }

  JerkBounds BoundsOf(std::size_t i) const {
    return {.q_rad_min = limits_.q_rad_min[i],
            .q_rad_max = limits_.q_rad_max[i],
            .speed_rad_s_max = limits_.speed_rad_s_max[i],
            .acceleration_rad_s2_max = limits_.acceleration_rad_s2_max[i],
            .jerk_rad_s3_max = limits_.jerk_rad_s3_max[i],
            .escape_speed_rad_s_max = limits_.escape_speed_rad_s_max,
            .tick_s = core::ToSeconds(limits_.control_period)};
  }

  /// A joint that is outside its range may go as far as the stop would have taken it that its motion was begun from.
  JerkBounds OuterBoundsOf(std::size_t i) const {
    JerkBounds bounds = BoundsOf(i);
    bounds.q_rad_min = std::min(bounds.q_rad_min, reach_rad_[i].lowest);
    bounds.q_rad_max = std::max(bounds.q_rad_max, reach_rad_[i].highest);
    return bounds;
  }

  Limits limits_;
  ClearanceJudge clearance_;
  std::size_t axes_;
  std::array<JerkMotion, core::kAxesMax> motion_{}, next_{};  // As of the tick before, and of this one.
  std::array<bool, core::kAxesMax> follows_{}, goes_on_{};    // The stop that was stored, in this tick.
  std::array<JointStop, core::kAxesMax> stop_;                // That must be stored, as seen from outside.
  core::AxisArray mean_v_rad_s_{}, lowest_rad_{}, highest_rad_{};
  double outside_m_ = 0, least_m_ = 0;
  // What was outside already where the motions began that have the stops that are stored.
  double outside_max_m_ = 0;
  struct Reach {
    double lowest = 0, highest = 0;
  };
  std::array<Reach, core::kAxesMax> reach_rad_{};
  core::AxisArray seen_q_rad_{};  // Measured last.

  std::optional<Live> live_, last_live_;
  core::Epoch epoch_ = 0, dead_epoch_ = 0;
  std::uint64_t latch_id_ = 0, refused_ = 0;
  bool was_latched_ = false;

  Tally tally_;
  double travelled_rad_ = 0;
};

}  // namespace nightshift::safety
