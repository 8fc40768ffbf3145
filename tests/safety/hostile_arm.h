// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "tests/safety/arm_judge.h"
#include "tests/safety/hostile_joint.h"
#include "tests/safety/ideal_arm.h"

/// A whole arm behind its filter in hostile hands, and a judge from outside.
namespace nightshift::safety {

/// What stands around the arm in configs/tabletop.toml.
inline std::vector<BoxObstacle> TabletopBoxes() {
  constexpr double kSlopeRad = 0.5586, kFromCentreM = 0.04506, kQuarterRad = 1.5708;
  const auto wall = [](const char* name, core::Vec3 centre_m, core::Vec3 half_m) {
    return BoxObstacle{.name = name, .centre_m = centre_m, .half_m = half_m, .fingers_may_touch = true};
  };
  std::vector<BoxObstacle> boxes{wall("tray-near", {0.113, 0, 0.0125}, {0.002, 0.104, 0.0125}),
                                 wall("tray-far", {0.287, 0, 0.0125}, {0.002, 0.104, 0.0125}),
                                 wall("tray-left", {0.200, 0.102, 0.0125}, {0.089, 0.002, 0.0125}),
                                 wall("tray-right", {0.200, -0.102, 0.0125}, {0.089, 0.002, 0.0125})};
  for (int side = 0; side < 4; ++side) {
    const double turn_rad = side * kQuarterRad;
    boxes.push_back(
        {.name = "bin",
         .centre_m = {0.150 + kFromCentreM * std::cos(turn_rad), 0.190 + kFromCentreM * std::sin(turn_rad), 0.0083},
         .half_m = {0.01887, 0.060, 0.002},
         .turn_rad = turn_rad,
         .tilt_rad = kSlopeRad,
         .fingers_may_touch = true});
  }
  return boxes;
}

inline Limits TabletopLimits() {
  Limits limits;
  limits.boxes = TabletopBoxes();
  return limits;
}

/// The tabletop, and in the midst of the reach what no part may touch.
inline Limits CrowdedLimits() {
  Limits limits = TabletopLimits();
  limits.boxes.push_back({.name = "crate", .centre_m = {0.20, -0.20, 0.06}, .half_m = {0.03, 0.03, 0.06}});
  limits.posts.push_back({.name = "post", .from_m = {0.27, 0.15, 0}, .to_m = {0.27, 0.15, 0.30}, .radius_m = 0.015});
  return limits;
}

/// Any limits that may be configured, in crowded surroundings. The arm may begin outside them.
inline Limits AnyLimits(core::Random& random) {
  constexpr std::array kControlPeriodsMs{1, 2, 4, 5, 10};
  for (;;) {
    Limits limits = CrowdedLimits();
    for (std::size_t i = 0; i < static_cast<std::size_t>(limits.axes); ++i) {
      limits.q_rad_min[i] *= random.Uniform(0.5, 1);
      limits.q_rad_max[i] *= random.Uniform(0.5, 1);
      limits.speed_rad_s_max[i] = LogUniform(random, 0.3, 8);
      limits.acceleration_rad_s2_max[i] = LogUniform(random, 5, 200);
      limits.jerk_rad_s3_max[i] = limits.acceleration_rad_s2_max[i] * LogUniform(random, 10, 300);
    }
    for (double* wall_m :
         {&limits.workspace_m_min.y, &limits.workspace_m_max.x, &limits.workspace_m_max.y, &limits.workspace_m_max.z})
      *wall_m *= random.Uniform(0.6, 1);
    limits.passing_speed_rad_s = random.Chance(0.3) ? 0 : random.Uniform(0, 8);
    limits.escape_speed_rad_s_max = LogUniform(random, 0.05, 0.5);
    limits.clearance_m = LogUniform(random, 0.001, 0.02);
    limits.clearance_looks_max = 10 + random.Index(90);
    limits.control_period = std::chrono::milliseconds(kControlPeriodsMs[static_cast<std::size_t>(random.Index(5))]);
    limits.policy_period = limits.control_period * (5 + random.Index(30));
    limits.command_deadline_max = limits.policy_period * (1 + random.Index(3));
    if (Validate(limits)) return limits;
  }
}

/// Hostile proposals.
enum class ProposalKind { kRandom, kHugeBangBang, kNear, kNotFinite, kBangBang, kTip, kSinusoidal };
inline constexpr std::array kProposalKinds{ProposalKind::kRandom,    ProposalKind::kHugeBangBang, ProposalKind::kNear,
                                           ProposalKind::kNotFinite, ProposalKind::kBangBang,     ProposalKind::kTip,
                                           ProposalKind::kSinusoidal};

inline std::string_view Name(ProposalKind kind) {
  switch (kind) {
    case ProposalKind::kRandom: return "random";
    case ProposalKind::kHugeBangBang: return "huge bang-bang";
    case ProposalKind::kNear: return "random, near";
    case ProposalKind::kNotFinite: return "non-finite";
    case ProposalKind::kBangBang: return "bang-bang, several a period";
    case ProposalKind::kTip: return "random, of the tip";
    case ProposalKind::kSinusoidal: return "sinusoidal";
  }
  return "";
}

/// What an adversary does besides proposing: what must not move the arm, or what puts it where it should not be.
enum class Ploy {
  kReach,         // Asks for a target, as often as a policy may.
  kOldEpoch,      // Sends the target as a command from before the last stop.
  kOldSequence,   // Sends the target under a number that was used.
  kPastDeadline,  // Sends the target when it is too late for it.
  kSilence,       // Stops proposing while the arm moves.
  kStop,          // Stops the arm as a person does, and goes on proposing.
  kWithdraw,      // Wants nothing any more, then sends what it sent before.
  kBlind,         // Cuts some readings off while it proposes.
  kPush,          // Cuts the power, and moves the arm to the target, wherever that is.
  kRisk,          // Sends the target with risk scales that refuse it, slow it down, or mean to speed it up.
};
inline constexpr std::array kPloys{Ploy::kReach,   Ploy::kOldEpoch, Ploy::kOldSequence, Ploy::kPastDeadline,
                                   Ploy::kSilence, Ploy::kStop,     Ploy::kWithdraw,    Ploy::kBlind,
                                   Ploy::kPush,    Ploy::kRisk};

/// Feeds a filter with hostile proposals, and holds each tick against the limits, from outside.
class Adversary {
 public:
  explicit Adversary(std::uint64_t seed, const Limits& limits = {},
                     const std::function<void(Filter&)>& before_tick = {})
      : random_(seed),
        arm_(limits),
        judge_(limits),
        axes_(static_cast<std::size_t>(limits.axes)),
        period_ticks_(static_cast<int>(limits.policy_period / limits.control_period)) {
    arm_.before_tick = before_tick;
    for (double& hz : wave_hz_) hz = LogUniform(random_, 0.05, 2);
    arm_.Arm();
    judge_.Begin(arm_.filter);
  }

  void Period(ProposalKind kind) {
    const auto proposal = Proposal(kind);
    for (int tick = 0; tick < period_ticks_; ++tick) {
      const bool again = kind == ProposalKind::kBangBang && random_.Chance(0.2);
      Tick(tick == 0 ? std::optional(proposal) : again ? std::optional(Proposal(ProposalKind::kRandom)) : std::nullopt);
    }
    ClearIfLatched();
  }

  /// A target from now on, begun at any tick, and asked for again in each period; or what a ploy makes of it.
  void Play(Ploy ploy, const core::AxisArray& target_q_rad, int ticks) {
    if (ploy == Ploy::kStop) arm_.filter.Stop();
    if (ploy == Ploy::kWithdraw) Withdraw();
    if (ploy == Ploy::kPush) Push(target_q_rad);
    for (int tick = 0; tick < ticks; ++tick) {
      const bool asks = tick % period_ticks_ == 0 && ploy != Ploy::kSilence && ploy != Ploy::kPush;
      const auto wanted = asks ? std::optional(Stamped(ploy, target_q_rad)) : std::nullopt;
      ploy == Ploy::kBlind&& tick % kBlindEvery != 0 ? TickBlind() : Tick(wanted);
    }
    ClearIfLatched();
  }

  const Tally& tally() const { return judge_.tally(); }
  double travelled_rad() const { return judge_.travelled_rad(); }

  /// Of the whole run, which is over.
  Tally Ended() const { return judge_.Ended(); }

 private:
  static constexpr double kPushRad = 0.1;  // In a tick: what is faster would be a jump, and no reading.
  static constexpr int kRestTicksMin = 40, kRestTicksMax = 4000;  // Before a stop is cleared.
  static constexpr int kBlindEvery = 4;                           // Fewer missing readings in a row than latch.
  static constexpr std::array kRiskScales{0.0, 5.0, 0.3, -1.0};

  core::ProposedAction Proposal(ProposalKind kind) {
    auto target = kind == ProposalKind::kTip ? TipTarget() : arm_.seen.q_rad;
    if (kind != ProposalKind::kTip)
      for (std::size_t i = 0; i < axes_; ++i) target[i] = Target(kind, i);
    auto proposal = arm_.Propose(target);
    proposal.risk_scale = random_.Chance(0.2) ? random_.Uniform(-0.1, 3) : 1;  // Below 0.1 it is refused.
    return proposal;
  }

  double Target(ProposalKind kind, std::size_t axis) {
    const double low = arm_.limits.q_rad_min[axis], high = arm_.limits.q_rad_max[axis];
    const double turns = wave_hz_[axis] * core::ToSeconds(arm_.now.time_since_epoch());
    switch (kind) {
      case ProposalKind::kRandom: return random_.Uniform(2 * low, 2 * high);
      case ProposalKind::kHugeBangBang: return random_.Chance(0.5) ? kHuge : -kHuge;
      case ProposalKind::kNear: return arm_.seen.q_rad[axis] + random_.Uniform(-0.25, 0.25);
      case ProposalKind::kNotFinite: return random_.Chance(0.1) ? std::nan("") : random_.Uniform(low, high);
      case ProposalKind::kBangBang: return random_.Chance(0.5) ? low : high;
      case ProposalKind::kSinusoidal:
        return (low + high) / 2 + 0.6 * (high - low) * std::sin(2 * std::numbers::pi * turns);
      case ProposalKind::kTip: break;  // A matter of all axes.
    }
    return arm_.seen.q_rad[axis];
  }

  /// Anywhere in reach, the table's surface and below included.
  core::AxisArray TipTarget() {
    const auto q = core::InverseKinematics(
        arm_.limits.arm, {random_.Uniform(0.1, 0.3), random_.Uniform(-0.25, 0.25), random_.Uniform(-0.05, 0.15)}, 0);
    return q ? *q : arm_.seen.q_rad;
  }

  /// A proposal as the ploy wants it.
  core::ProposedAction Stamped(Ploy ploy, const core::AxisArray& target_q_rad) {
    auto proposal = arm_.Propose(target_q_rad);
    if (ploy == Ploy::kOldEpoch || ploy == Ploy::kWithdraw) proposal.epoch = epoch_before_;
    if (ploy == Ploy::kOldSequence) proposal.sequence = --arm_.sequence;
    if (ploy == Ploy::kRisk) proposal.risk_scale = kRiskScales[proposal.sequence % kRiskScales.size()];
    if (ploy == Ploy::kPastDeadline) proposal.deadline = arm_.now - std::chrono::milliseconds(1);
    return proposal;
  }

  void Withdraw() {
    epoch_before_ = arm_.filter.latch().epoch;
    judge_.Withdrawn();
    arm_.filter.Withdraw();
  }

  /// The drives let go for a tick, in which the arm is moved; it comes to rest and is cleared there.
  void Push(const core::AxisArray& target_q_rad) {
    for (bool there = false; !there;) {
      there = true;
      for (std::size_t i = 0; i < axes_; ++i) {
        const double left_rad = target_q_rad[i] - arm_.seen.q_rad[i];
        arm_.seen.q_rad[i] += std::clamp(left_rad, -kPushRad, kPushRad);
        there = there && std::abs(left_rad) <= kPushRad;
      }
      TickUnpowered();
    }
    ClearIfLatched();
  }

  void TickUnpowered() {
    const core::Instant now = arm_.now;
    arm_.TickUnpowered();
    judge_.Note(arm_.filter, {&arm_.seen, std::nullopt, now});
  }

  void Tick(const std::optional<core::ProposedAction>& wanted = std::nullopt) {
    const core::JointState seen = arm_.seen;
    const core::Instant now = arm_.now;
    arm_.Tick(wanted);
    judge_.Note(arm_.filter, {&seen, wanted, now});
  }

  void TickBlind() {
    const core::Instant now = arm_.now;
    arm_.TickBlind();
    judge_.Note(arm_.filter, {nullptr, std::nullopt, now});
  }

  /// The last epoch that a stop ended is remembered.
  void ClearIfLatched() {
    if (!arm_.filter.latch().latched()) return;
    for (int i = 0; i < kRestTicksMin || (!arm_.filter.Rests() && i < kRestTicksMax); ++i) Tick();
    const bool cleared = arm_.Clear() == Clearance::kCleared;
    NIGHTSHIFT_CHECK(cleared || tally().violations() > 0);
    epoch_before_ = arm_.filter.latch().epoch - 1;
    while (arm_.now.time_since_epoch() % arm_.limits.policy_period != core::Duration(0)) Tick();
  }

  core::Random random_;
  IdealArm arm_;
  ArmJudge judge_;
  std::size_t axes_;
  int period_ticks_;
  core::AxisArray wave_hz_{};
  core::Epoch epoch_before_ = IdealArm::kFirstEpoch;
};

/// A few targets, each kept for a while, as an adversary writes them.
struct ArmScript {
  struct Piece {
    Ploy ploy;
    core::AxisArray target_q_rad;
    int ticks;
  };
  std::array<Piece, 6> pieces;
};

inline ArmScript::Piece AnyPiece(core::Random& random, const Limits& limits) {
  const bool proposes = random.Chance(0.7);
  ArmScript::Piece piece{proposes ? Ploy::kReach : kPloys[static_cast<std::size_t>(random.Index(kPloys.size()))],
                         {},
                         random.Index(random.Chance(0.5) ? 8 : 150) + 1};
  for (std::size_t i = 0; i < static_cast<std::size_t>(limits.axes); ++i) {
    const double low = limits.q_rad_min[i], high = limits.q_rad_max[i];
    piece.target_q_rad[i] = random.Chance(0.3) ? (random.Chance(0.5) ? low : high) : random.Uniform(low, high);
  }
  return piece;
}

/// What a search for the worst sequence of commands came to. It climbs towards the surroundings: all other limits are
/// reached to the last digit by any fast motion.
struct ArmSearch {
  static constexpr int kSteps = 20;

  ArmSearch(core::Random& random, const Limits& given) : limits(given) {
    ArmScript first;
    for (auto& piece : first.pieces) piece = AnyPiece(random, limits);
    const auto change = [&](ArmScript& script) {
      script.pieces[static_cast<std::size_t>(random.Index(6))] = AnyPiece(random, limits);
    };
    Climb(first, kSteps, change, [this](const ArmScript& script) { return Play(script); });
  }

  double Play(const ArmScript& script) {
    Adversary adversary(1, limits);
    for (const auto& [ploy, target_q_rad, ticks] : script.pieces) adversary.Play(ploy, target_q_rad, ticks);
    tally.Add(adversary.Ended());
    return adversary.tally().worst(Promise::kClearance);
  }

  Limits limits;
  Tally tally;  // Of all that was tried.
};

}  // namespace nightshift::safety
