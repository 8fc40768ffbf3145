// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>

/// What hostile commands came to, as data: tests assert on it, the benchmark prints it.
namespace nightshift::safety {

/// What must hold in every tick, whatever is wanted.
enum class Promise {
  kPosition,
  kSpeed,
  kAcceleration,
  kJerk,
  kContinuity,
  kCheckedStop,
  kWorkspace,
  kClearance,
  kEscapeSpeed,
  kLiveCommand,
};
inline constexpr std::array kPromises{
    Promise::kPosition,    Promise::kSpeed,     Promise::kAcceleration, Promise::kJerk,        Promise::kContinuity,
    Promise::kCheckedStop, Promise::kWorkspace, Promise::kClearance,    Promise::kEscapeSpeed, Promise::kLiveCommand};

inline std::string_view Name(Promise promise) {
  switch (promise) {
    case Promise::kPosition: return "position_rad";
    case Promise::kSpeed: return "speed_rad_s";
    case Promise::kAcceleration: return "acceleration_rad_s2";
    case Promise::kJerk: return "jerk_share";             // Of the bound.
    case Promise::kContinuity: return "continuity";       // rad and rad/s beyond what the bounded jerk can reach.
    case Promise::kCheckedStop: return "unchecked_stop";  // 1: the motion has no safe stop.
    case Promise::kWorkspace: return "workspace_m";
    case Promise::kClearance: return "clearance_m";
    case Promise::kEscapeSpeed: return "escape_speed_rad_s";
    case Promise::kLiveCommand: return "dead_command";  // 1: moves on though no command is alive.
  }
  return "";
}

inline constexpr double kTolerance = 1e-9;

class Tally {
 public:
  /// By how much a promise was broken, in its unit; below 0: by how little it was not. What is not a number broke it.
  void Note(Promise promise, double excess, double tolerance = kTolerance) {
    if (std::isnan(excess)) excess = std::numeric_limits<double>::infinity();
    violations_ += excess > tolerance;
    double& worst = worst_[static_cast<std::size_t>(promise)];
    worst = std::max(worst, excess);
  }
  void NoteStep(double speed_share) {
    ++joint_steps_;
    speed_share_sum_ += speed_share;
    speed_share_max_ = std::max(speed_share_max_, speed_share);
  }
  /// Once for each joint, at its end.
  void NoteRange(double range_share) {
    ++joints_;
    range_share_sum_ += range_share;
  }
  void Add(const Tally& other) {
    for (std::size_t i = 0; i < worst_.size(); ++i) worst_[i] = std::max(worst_[i], other.worst_[i]);
    violations_ += other.violations_;
    joint_steps_ += other.joint_steps_;
    joints_ += other.joints_;
    speed_share_sum_ += other.speed_share_sum_;
    speed_share_max_ = std::max(speed_share_max_, other.speed_share_max_);
    range_share_sum_ += other.range_share_sum_;
  }

  /// -infinity for what was never looked at.
  double worst(Promise promise) const { return worst_[static_cast<std::size_t>(promise)]; }
  std::int64_t violations() const { return violations_; }
  std::int64_t joint_steps() const { return joint_steps_; }
  double speed_share_mean() const { return speed_share_sum_ / static_cast<double>(joint_steps_); }
  double speed_share_max() const { return speed_share_max_; }
  double range_share_mean() const { return range_share_sum_ / static_cast<double>(joints_); }

  std::string Text() const {
    std::ostringstream text;
    text << violations_ << " violations in " << joint_steps_ << " joint-steps; worst excess:";
    for (const Promise promise : kPromises) text << " " << Name(promise) << " " << worst(promise);
    return text.str();
  }

 private:
  static constexpr double kNever = -std::numeric_limits<double>::infinity();

  std::array<double, kPromises.size()> worst_ = [] {
    std::array<double, kPromises.size()> never{};
    never.fill(kNever);
    return never;
  }();
  std::int64_t violations_ = 0, joint_steps_ = 0, joints_ = 0;
  double speed_share_sum_ = 0, speed_share_max_ = 0, range_share_sum_ = 0;
};

}  // namespace nightshift::safety
