// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "safety/surroundings.h"
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

/// Holds poses against the promise on clearance: none nearer than the floor, unless it was nearer all the time.
class ClearanceJudge {
 public:
  explicit ClearanceJudge(const Limits& limits)
      : clearance_m_(limits.clearance_m),
        floor_m_(limits.clearance_m * (1 - kSlackShare)),
        model_(*SurroundingsOf(limits)),
        pose_(model_.arm()),
        farthest_m_(static_cast<std::size_t>(model_.pairs()), -kInfinity) {}
  ClearanceJudge(const ClearanceJudge&) = delete;  // The pose refers to the model.
  ClearanceJudge& operator=(const ClearanceJudge&) = delete;

  /// By how much it is too near to something; below 0: by how little it is not, at most.
  double ExcessM(const core::AxisArray& q_rad) {
    pose_.MoveTo(q_rad);
    double excess_m = -kInfinity;
    for (int pair = 0; pair < model_.pairs(); ++pair) {
      double distance_m = model_.DistanceBoundM(pair, pose_);
      if (!(distance_m >= clearance_m_)) distance_m = model_.DistanceM(pair, pose_);
      double& farthest_m = farthest_m_[static_cast<std::size_t>(pair)];
      farthest_m = std::max(farthest_m, distance_m);
      excess_m = std::max(excess_m, std::min(floor_m_, farthest_m) - distance_m);
    }
    return excess_m;
  }

 private:
  static constexpr double kSlackShare = 0.25;  // What the filter may lose of the clearance between two looks.

  double clearance_m_, floor_m_;
  ClearanceModel model_;
  ArmPose pose_;
  std::vector<double> farthest_m_;  // That each pair has been apart so far.
};

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

/// Feeds a filter with hostile proposals and holds each action against the limits, from outside.
class Adversary {
 public:
  explicit Adversary(std::uint64_t seed, const Limits& limits = {})
      : random_(seed), arm_(limits), clearance_(limits), axes_(static_cast<std::size_t>(limits.axes)) {
    for (double& hz : wave_hz_) hz = LogUniform(random_, 0.05, 2);
    arm_.Arm();
    q_rad_ = arm_.filter.commanded_q_rad();
    lowest_rad_ = highest_rad_ = q_rad_;
    for (std::size_t i = 0; i < axes_; ++i) stop_[i] = JointStop({.q_rad = q_rad_[i]}, BoundsOf(i));
    clearance_.ExcessM(q_rad_);
  }

  void Period(ProposalKind kind) {
    const auto proposal = Proposal(kind);
    for (int tick = 0; tick < 25; ++tick) {
      const bool again = kind == ProposalKind::kBangBang && random_.Chance(0.2);
      Tick(tick == 0 ? std::optional(proposal) : again ? std::optional(Proposal(ProposalKind::kRandom)) : std::nullopt);
    }
    if (arm_.filter.latch().latched()) Clear();
  }

  /// A target from now on, begun at any tick, and asked for again in each period.
  void Reach(const core::AxisArray& target_q_rad, int ticks) {
    for (int tick = 0; tick < ticks; ++tick)
      Tick(tick % 25 == 0 ? std::optional(arm_.Propose(target_q_rad)) : std::nullopt);
    if (arm_.filter.latch().latched()) Clear();
  }

  const Tally& tally() const { return tally_; }
  double travelled_rad() const { return travelled_rad_; }

  /// Of the whole run, which is over.
  Tally Ended() const {
    Tally whole = tally_;
    for (std::size_t i = 0; i < axes_; ++i)
      whole.NoteRange((highest_rad_[i] - lowest_rad_[i]) / (arm_.limits.q_rad_max[i] - arm_.limits.q_rad_min[i]));
    return whole;
  }

 private:
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

  void Tick(const std::optional<core::ProposedAction>& wanted = std::nullopt) {
    arm_.Tick(wanted);
    NoteInside();
    for (std::size_t i = 0; i < axes_; ++i) NoteAxis(i);
    const auto& q = arm_.filter.commanded_q_rad();
    tally_.Note(Promise::kWorkspace, OutsideWorkspace(arm_.limits, q), 2 * kTolerance);
    tally_.Note(Promise::kClearance, clearance_.ExcessM(q));
    q_rad_ = q;
  }

  /// Between ticks: what the drives do on the way from command to command.
  void NoteInside() {
    for (const double share : kInsideShares) {
      core::AxisArray q_rad{};
      for (std::size_t i = 0; i < axes_; ++i) {
        const JerkMotion inside = Inside(i, share);
        NoteBounds(tally_, inside, BoundsOf(i));
        q_rad[i] = inside.q_rad;
      }
      tally_.Note(Promise::kClearance, clearance_.ExcessM(q_rad));
    }
  }

  void NoteAxis(std::size_t i) {
    const JerkBounds bounds = BoundsOf(i);
    const JerkMotion next = Commanded(i);
    NoteBounds(tally_, next, bounds);
    const double v = (next.q_rad - q_rad_[i]) / bounds.tick_s;  // As a drive sees it that knows positions only.
    tally_.Note(Promise::kSpeed, std::abs(v) - bounds.speed_rad_s_max);
    tally_.Note(Promise::kAcceleration,
                std::abs(v - mean_v_rad_s_[i]) - bounds.acceleration_rad_s2_max * bounds.tick_s);
    const double jerk = (next.a_rad_s2 - motion_[i].a_rad_s2) / bounds.tick_s;
    tally_.Note(Promise::kJerk, std::abs(jerk) / bounds.jerk_rad_s3_max - 1);
    tally_.NoteStep(std::abs(v) / bounds.speed_rad_s_max);
    travelled_rad_ += std::abs(next.q_rad - q_rad_[i]);
    lowest_rad_[i] = std::min(lowest_rad_[i], next.q_rad);
    highest_rad_[i] = std::max(highest_rad_[i], next.q_rad);
    stop_[i] = Follows(i) ? stop_[i].After(bounds.tick_s) : JointStop(next, bounds);
    motion_[i] = next;
    mean_v_rad_s_[i] = v;
  }

  void Clear() {
    for (int i = 0; i < 40; ++i) Tick();
    NIGHTSHIFT_CHECK(arm_.Clear() == Clearance::kCleared);
    while (arm_.now.time_since_epoch() % arm_.limits.policy_period != core::Duration(0)) Tick();
  }

  JerkMotion Commanded(std::size_t i) const {
    const Filter& filter = arm_.filter;
    return {filter.commanded_q_rad()[i], filter.commanded_v_rad_s()[i], filter.commanded_a_rad_s2()[i]};
  }

  /// Did the axis follow its stored stop in this tick?
  bool Follows(std::size_t i) const {
    constexpr double kSame = 1e-12;
    const JerkMotion next = Commanded(i), stopped = stop_[i].At(BoundsOf(i).tick_s);
    return std::abs(next.q_rad - stopped.q_rad) < kSame && std::abs(next.v_rad_s - stopped.v_rad_s) < kSame;
  }

  JerkMotion Inside(std::size_t i, double share) const {
    const double tick_s = BoundsOf(i).tick_s;
    return Follows(i) ? stop_[i].At(share * tick_s) : AtConstantJerk(motion_[i], Commanded(i), tick_s, share);
  }

  JerkBounds BoundsOf(std::size_t i) const {
    const Limits& limits = arm_.limits;
    return {.q_rad_min = limits.q_rad_min[i],
            .q_rad_max = limits.q_rad_max[i],
            .speed_rad_s_max = limits.speed_rad_s_max[i],
            .acceleration_rad_s2_max = limits.acceleration_rad_s2_max[i],
            .jerk_rad_s3_max = limits.jerk_rad_s3_max[i],
            .escape_speed_rad_s_max = limits.escape_speed_rad_s_max,
            .tick_s = core::ToSeconds(limits.control_period)};
  }

  core::Random random_;
  IdealArm arm_;
  ClearanceJudge clearance_;
  std::size_t axes_;
  core::AxisArray wave_hz_{};
  core::AxisArray q_rad_{}, mean_v_rad_s_{};  // Of the tick before.
  std::array<JerkMotion, core::kAxesMax> motion_{};
  std::array<JointStop, core::kAxesMax> stop_;  // That must be stored, as seen from outside.
  core::AxisArray lowest_rad_{}, highest_rad_{};
  Tally tally_;
  double travelled_rad_ = 0;
};

/// A few targets, each kept for a while, as an adversary writes them.
struct ArmScript {
  struct Piece {
    core::AxisArray target_q_rad;
    int ticks;
  };
  std::array<Piece, 6> pieces;
};

inline ArmScript::Piece AnyPiece(core::Random& random, const Limits& limits) {
  ArmScript::Piece piece{{}, random.Index(random.Chance(0.5) ? 8 : 150) + 1};
  for (std::size_t i = 0; i < static_cast<std::size_t>(limits.axes); ++i) {
    const double low = limits.q_rad_min[i], high = limits.q_rad_max[i];
    piece.target_q_rad[i] = random.Chance(0.3) ? (random.Chance(0.5) ? low : high) : random.Uniform(low, high);
  }
  return piece;
}

/// What a search for the worst sequence of proposals came to. It climbs towards the surroundings: all other limits are
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
    for (const auto& piece : script.pieces) adversary.Reach(piece.target_q_rad, piece.ticks);
    tally.Add(adversary.Ended());
    return adversary.tally().worst(Promise::kClearance);
  }

  Limits limits;
  Tally tally;  // Of all that was tried.
};

}  // namespace nightshift::safety
