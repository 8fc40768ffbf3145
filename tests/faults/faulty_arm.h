// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include <deque>
#include <limits>
#include <optional>
#include <vector>

#include "core/check.h"
#include "core/kinematics.h"
#include "runtime/control_loop.h"
#include "safety/checks/workspace.h"
#include "skills/scene.h"
#include "tests/fakes/hand_wall.h"

/// Everything that can go wrong with a robot, by name, and an arm with which all of it that is the arm's can be made
/// to.
namespace nightshift::tests {

using std::chrono::milliseconds;

inline constexpr milliseconds kTick{4};
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kRoomC = 30;  // Motors at their usual temperature.

/// The first `lost` of every `of`.
struct Share {
  int lost = 0, of = 1;
  bool Hits(std::int64_t count) const { return count % of < lost; }
};
inline constexpr Share kAll{1, 1};

/// Everything that can be made to fail. What is not named works.
struct Trouble {
  milliseconds lasts{2000};

  // The bus, as it is read.
  Share reads_lost;
  bool reading_repeats = false, positions_freeze = false, reading_nan = false, positions_random = false;
  double pan_reads_off_rad = 0;
  int reading_late_ticks = 0;
  milliseconds read_takes{0};  // Wall time.
  // What it says of torque, and what it is needed for.
  bool arm_blocked = false;
  std::optional<double> torque_reads;
  Share torque_spikes;
  int torque_late_ticks = 0;
  // What it says of temperature.
  double heats_to_c = kRoomC;
  std::optional<double> temperature_reads;
  Share hot_flickers;
  int temperature_late_ticks = 0;
  double temperature_tau_s = 0, current_a = 0;
  // The bus, as it is written.
  Share commands_fail, commands_vanish;
  bool commands_random = false;
  double elbow_driven_off_rad = 0, follow_speed_rad_s = 0;
  int command_late_ticks = 0;
  // Torque at the drives.
  Share power_drops;
  bool power_reads_off = false, after_heat = false;
  int power_up_ticks = 0;
  // From the supervisor to safety.
  Share proposals_lost;
  bool proposal_repeats = false, proposal_nan = false, proposal_wild = false;
  milliseconds proposal_late{0};
  int flood = 0;  // Letters besides, in every period.
  // The camera.
  std::optional<core::FrameHealth> picture;
  Share looks_lost;
  bool sight_freezes = false, object_nan = false;
  double object_off_m = 0;
  milliseconds look_takes{0};
  int sight_late_looks = 0;
  // From the learner to the supervisor.
  bool snapshot_repeats = false, snapshot_nan = false, snapshot_wild = false, snapshot_of_no_task = false;
  Share snapshots_bad;
  int snapshot_after_looks = -1;  // A good one, so late; negative: none.
  bool learner_behind = false;
  // The machine: the control loop stands still now and then while the arm moves fast.
  milliseconds stall{0};
};

/// An arm that follows what it is told with a little lag; without torque it sinks a little. Holds when commands cease.
class FaultyArm final : public core::RobotDriver {
 public:
  FaultyArm(const Trouble& trouble, const safety::Limits& limits, core::Pacing pacing, HandWall& wall)
      : trouble_(trouble), limits_(limits), pacing_(pacing), wall_(wall) {
    truth_.axes = core::kArmAxes;
    truth_.q_rad = *core::InverseKinematics(limits.arm, skills::Scene{}.home_m, 0);
    truth_.q_rad[core::kJaw] = skills::Scene{}.jaw_open_rad;
    truth_.temperature_c.fill(kRoomC);
    setpoint_ = aim_ = truth_.q_rad;
  }

  core::Pacing pacing() const override { return pacing_; }
  core::Result<core::JointState> Read() override {
    wall_.Look();
    const std::int64_t goal =
        pacing_ == core::Pacing::kMonotonic ? wall_.now.time_since_epoch() / kTick + 1 : count_ + 1;
    while (count_ < goal) Step();
    if (!failing) {
      told_ = truth_;
      return told_;
    }
    wall_.now += trouble_.read_takes;
    if (trouble_.reads_lost.Hits(count_)) return core::Fail(core::FaultCode::kDriverTimeout, "the bus is silent");
    if (trouble_.reading_repeats) return told_;
    told_ = Spoilt();
    return told_;
  }
  core::Result<void> Apply(const core::SafeAction& action) override {
    Inspect(action);
    wall_.Look();
    if (failing && trouble_.commands_fail.Hits(count_))
      return core::Fail(core::FaultCode::kDriverLost, "the bus takes nothing");
    if (failing && trouble_.commands_vanish.Hits(count_)) return {};
    queue_.push_back(action);
    return {};
  }

  bool AtRest() const {
    return std::ranges::all_of(truth_.dq_rad_s, [](double speed) { return std::abs(speed) < 0.02; });
  }
  const core::JointState& truth() const { return truth_; }

  bool failing = false, heated = false, powers_up_late = false, asked_to_power_off = false;
  std::optional<double> jaw_stops_at_rad;
  std::vector<std::string> limits_left;
  std::function<core::Instant()> robot_now;

 private:
  struct Told {
    double at_s = 0;
    core::AxisArray q_rad{};
  };
  using Sent = std::array<Told, 3>;  // Newest first.
  static constexpr std::size_t kPast = 600;
  static constexpr double kSpeedRadSMax = 25;  // No drive of this size is so fast; faster, its readings were wrong.
  static constexpr double kEndStopRad = 0.1;   // Beyond the range that is allowed.
  static constexpr double kFollowShare = 0.2;  // Of what is missing, in each tick: a lag of 16 ms.
  static constexpr double kSinkRadS = 0.4, kSinkRadMax = 0.1, kSinkTipMMin = 0.02;

  void Step() {
    ++count_;
    truth_.sequence = static_cast<std::uint64_t>(count_);
    // As core/devices.h asks: of the wall, or of the device's own clock.
    truth_.time = core::Instant(pacing_ == core::Pacing::kMonotonic ? (count_ - 1) * kTick : count_ * kTick);
    const std::size_t wait = failing ? static_cast<std::size_t>(trouble_.command_late_ticks) : 0;
    for (; queue_.size() > wait; queue_.pop_front()) Obey(queue_.front());
    const core::AxisArray before = truth_.q_rad;
    truth_.powered ? Follow() : Sink();
    for (std::size_t i = 0; i < core::kArmAxes; ++i) truth_.dq_rad_s[i] = (truth_.q_rad[i] - before[i]) / TickS();
    Strain();
    Warm();
    past_.push_front(truth_);
    if (past_.size() > kPast) past_.pop_back();
  }

  void Obey(const core::SafeAction& action) {
    setpoint_ = action.q_rad();
    const bool wanted = action.power() == core::PowerMode::kHold;
    off_ticks_ = wanted && !truth_.powered ? off_ticks_ + 1 : 0;
    const bool slow = powers_up_late && trouble_.power_up_ticks > off_ticks_;
    if (!wanted) truth_.powered = false;
    if (wanted && !slow) truth_.powered = true;
    if (failing && trouble_.power_drops.Hits(count_)) truth_.powered = false;
    if (truth_.powered) sunk_rad_ = 0;
  }

  void Follow() {
    for (std::size_t i = 0; i < core::kArmAxes; ++i) {
      double to = setpoint_[i];
      if (failing && i == core::kElbow) to += trouble_.elbow_driven_off_rad;
      if (failing && trouble_.commands_random) to += 1.2 * random_.Uniform(-1, 1);
      if (i == core::kJaw && jaw_stops_at_rad) to = std::max(to, *jaw_stops_at_rad);
      aim_[i] = to;
      if (failing && trouble_.arm_blocked && i != core::kJaw) to = truth_.q_rad[i];
      const double reach =
          failing && trouble_.follow_speed_rad_s > 0 ? trouble_.follow_speed_rad_s * TickS() : kSpeedRadSMax * TickS();
      truth_.q_rad[i] += std::clamp((to - truth_.q_rad[i]) * kFollowShare, -reach, reach);
      truth_.q_rad[i] =
          std::clamp(truth_.q_rad[i], limits_.q_rad_min[i] - kEndStopRad, limits_.q_rad_max[i] + kEndStopRad);
    }
  }
  void Sink() {
    if (sunk_rad_ >= kSinkRadMax || core::ForwardKinematics(limits_.arm, truth_.q_rad).position_m.z < kSinkTipMMin)
      return;
    truth_.q_rad[core::kLift] += kSinkRadS * TickS();
    sunk_rad_ += kSinkRadS * TickS();
  }
  void Strain() {
    for (std::size_t i = 0; i < core::kArmAxes; ++i) {
      const double limit_nm = i == core::kJaw ? 0.25 : 2.5;
      truth_.torque_nm[i] = std::clamp(25 * (aim_[i] - truth_.q_rad[i]), -limit_nm, limit_nm);
    }
    truth_.torque_nm[core::kLift] += 0.6;  // Gravity.
  }
  void Warm() { truth_.temperature_c[core::kLift] = heated ? 75 : failing ? trouble_.heats_to_c : kRoomC; }

  core::JointState Spoilt() {
    core::JointState seen = Past(trouble_.reading_late_ticks);
    seen.sequence = truth_.sequence;
    if (trouble_.positions_freeze) {
      seen.q_rad = told_.q_rad;
      seen.dq_rad_s = told_.dq_rad_s;
      seen.torque_nm = told_.torque_nm;
    }
    if (trouble_.reading_nan) seen.q_rad[core::kElbow] = kNaN;
    for (std::size_t i = 0; trouble_.positions_random && i < core::kArmAxes; ++i)
      seen.q_rad[i] = random_.Uniform(-10, 10);
    seen.q_rad[core::kPan] += trouble_.pan_reads_off_rad;
    if (trouble_.torque_late_ticks > 0) seen.torque_nm = Past(trouble_.torque_late_ticks).torque_nm;
    if (trouble_.torque_reads) seen.torque_nm.fill(*trouble_.torque_reads);
    if (trouble_.torque_spikes.Hits(count_)) seen.torque_nm.fill(1e6);
    seen.temperature_c = Past(trouble_.temperature_late_ticks).temperature_c;
    if (trouble_.temperature_tau_s > 0) {
      sensed_c_ += (truth_.temperature_c[core::kLift] - sensed_c_) * TickS() / trouble_.temperature_tau_s;
      seen.temperature_c[core::kLift] = sensed_c_;
    }
    if (trouble_.temperature_reads) seen.temperature_c.fill(*trouble_.temperature_reads);
    if (trouble_.hot_flickers.Hits(count_)) seen.temperature_c[core::kLift] = 75;
    if (truth_.powered) seen.current_a[core::kLift] += trouble_.current_a;
    if (trouble_.power_reads_off) seen.powered = false;
    return seen;
  }
  const core::JointState& Past(int ticks) const {
    return past_[std::min(past_.size() - 1, static_cast<std::size_t>(ticks))];
  }

  /// No action may leave a limit at the time that it is for, whatever fails. A setpoint that is taken from where the
  /// arm really is moves nothing; after a loop that stood still the motion begins from rest.
  void Inspect(const core::SafeAction& action) {
    asked_to_power_off = action.power() == core::PowerMode::kOff;
    const Sent before = sent_;
    const double now_s = core::ToSeconds(robot_now());
    sent_ = {Told{now_s, action.q_rad()}, before[0], before[1]};
    if (asked_to_power_off || sent_count_ == 0) {  // Moves nothing, or is the first.
      sent_count_ = asked_to_power_off ? 0 : 1;
      return;
    }
    if (now_s - before[0].at_s > core::ToSeconds(limits_.overrun_max) + 1.5 * TickS()) return InspectRest(before[0]);
    ++sent_count_;
    for (std::size_t i = 0; i < core::kArmAxes; ++i) InspectAxis(i, before);
    const double outside_m = safety::OutsideWorkspace(limits_, action.q_rad());
    if (outside_m > std::max(1e-9, safety::OutsideWorkspace(limits_, before[0].q_rad) + 1e-9) &&
        !IsTruth(action.q_rad()))
      Left("workspace", core::kPan, outside_m, 0);
  }
  void InspectRest(const Told& before) {
    const Told& now = sent_[0];
    for (std::size_t i = 0; i < core::kArmAxes; ++i)
      if (now.q_rad[i] != before.q_rad[i] && std::abs(now.q_rad[i] - truth_.q_rad[i]) > kReseedRad)
        Left("rest", i, now.q_rad[i], before.q_rad[i]);
    sent_ = {now, Told{now.at_s - TickS(), now.q_rad}, Told{now.at_s - 2 * TickS(), now.q_rad}};
    sent_count_ = 3;
  }
  /// Mean speed, acceleration and jerk between actions, by divided differences: no motion within limits exceeds them.
  void InspectAxis(std::size_t i, const Sent& before) {
    constexpr double kRounding = 1e-6;
    const std::array<Told, 4> at{sent_[0], before[0], before[1], before[2]};
    const auto speed = [&](std::size_t k) {
      return (at[k].q_rad[i] - at[k + 1].q_rad[i]) / (at[k].at_s - at[k + 1].at_s);
    };
    const auto bend = [&](std::size_t k) { return 2 * (speed(k) - speed(k + 1)) / (at[k].at_s - at[k + 2].at_s); };
    const double q = at[0].q_rad[i], v = speed(0);
    if (std::abs(v) > limits_.speed_rad_s_max[i] * (1 + kRounding)) {
      if (std::abs(q - truth_.q_rad[i]) > kReseedRad) Left("speed", i, v, limits_.speed_rad_s_max[i]);
      sent_count_ = 1;  // A setpoint taken from where the arm is: acceleration is counted anew.
      return;
    }
    const bool outside = q < limits_.q_rad_min[i] - kRounding || q > limits_.q_rad_max[i] + kRounding;
    // A command that was taken from measurement may stay there, or return, wherever the drive itself goes on to.
    const bool farther = q > limits_.q_rad_max[i] ? q > before[0].q_rad[i] : q < before[0].q_rad[i];
    if (outside && farther && std::abs(q - truth_.q_rad[i]) > kReseedRad) Left("position", i, q, limits_.q_rad_max[i]);
    if (sent_count_ < 3) return;
    if (std::abs(bend(0)) > limits_.acceleration_rad_s2_max[i] * (1 + kRounding) && !Reseeds(i, before))
      Left("acceleration", i, bend(0), limits_.acceleration_rad_s2_max[i]);
    if (sent_count_ < 4) return;
    const double twist = 3 * (bend(0) - bend(1)) / (at[0].at_s - at[3].at_s);
    if (std::abs(twist) > limits_.jerk_rad_s3_max[i] * (1 + kRounding) + kJerkRoundingRadS3 && !Reseeds(i, before))
      Left("jerk", i, twist, limits_.jerk_rad_s3_max[i]);
  }
  /// Was the command brought from where it was to where the arm is, and rests there?
  bool Reseeds(std::size_t i, const Sent& before) const {
    return std::abs(sent_[0].q_rad[i] - truth_.q_rad[i]) < kReseedRad || sent_[0].q_rad[i] == before[0].q_rad[i];
  }
  bool IsTruth(const core::AxisArray& q) const {
    for (std::size_t i = 0; i < core::kJaw; ++i)
      if (std::abs(q[i] - truth_.q_rad[i]) > kReseedRad) return false;
    return true;
  }
  void Left(const char* limit, std::size_t axis, double value, double allowed) {
    limits_left.push_back(std::string(limit) + " of axis " + std::to_string(axis) + ": " + std::to_string(value) +
                          " where " + std::to_string(allowed) + " is allowed, in tick " + std::to_string(count_));
  }
  double TickS() const { return core::ToSeconds(limits_.control_period); }

  static constexpr double kReseedRad = 0.02;
  static constexpr double kJerkRoundingRadS3 = 0.05;  // Times of whole ticks in seconds, to the third power.

  const Trouble& trouble_;
  const safety::Limits& limits_;
  core::Pacing pacing_;
  HandWall& wall_;
  core::Random random_{7};
  core::JointState truth_, told_;
  core::AxisArray setpoint_{}, aim_{};  // What was sent last; where each drive goes with it.
  std::deque<core::JointState> past_;
  std::deque<core::SafeAction> queue_;
  Sent sent_{};
  std::int64_t count_ = 0;
  int sent_count_ = 0, off_ticks_ = 0;
  double sunk_rad_ = 0, sensed_c_ = kRoomC;
};

}  // namespace nightshift::tests
