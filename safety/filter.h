// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <optional>

#include "core/action.h"
#include "safety/checks/arm_motion.h"
#include "safety/checks/astray.h"
#include "safety/checks/contact.h"
#include "safety/checks/grip.h"
#include "safety/checks/heat_budget.h"
#include "safety/checks/presence.h"
#include "safety/checks/reading.h"
#include "safety/checks/stall.h"
#include "safety/checks/wear_budget.h"
#include "safety/config.h"
#include "safety/monitor.h"
#include "safety/path_check.h"
#include "safety/safety_state.h"

namespace nightshift::safety {

/// What may reach the motors in this tick, and why it is not more.
struct Judgement {
  core::SafeAction action;
  core::Verdict verdict = core::Verdict::kPass;
  core::LimitId limit = core::LimitId::kNone;
  int axis = 0;       // The axis that the limit acted on; 0 where the limit is the whole arm's.
  double wanted = 0;  // In the limit's unit: rad, rad/s, m, s.
  double allowed = 0;
  std::uint64_t sequence = 0;  // Of the proposal in force; 0: none.
  double strain = 0;           // How near the arm is to a stop of its own doing, in [0, 1].

  /// Distance left to the limit; negative: wanted beyond it.
  double margin() const { return allowed - wanted; }
};

/// Turns a proposed action into one the robot may execute, or refuses it. Each tick ends in a commanded motion with a
/// stored stop, checked to its end against joint ranges, the workspace and what stands around. A new motion is accepted
/// only with its own checked stop; otherwise the stored one is followed. By induction no sequence of proposals leads
/// outside a limit.
///
/// Thread: control thread only. Real-time: no lock, no allocation, no log, no clock.
class Filter {
 public:
  /// @param limits already validated.
  /// @param spent what earlier lives of the process have left.
  Filter(const Limits& limits, Monitor::Seed seed, const SpentBudgets& spent = {});

  /// One tick. Passes, limits or refuses; a refusal carries the stored stop. Never yields nothing.
  /// @param wanted a proposal that has not been shown before, if one has arrived since the last tick.
  Judgement Judge(const core::JointState& seen, const std::optional<core::ProposedAction>& wanted, core::Instant now);

  /// One tick without a reading: the stored stop, one step on. Proposals that arrive meanwhile are lost.
  Judgement JudgeBlind(core::Instant now);

  /// A tick that the loop slept through by a little: the motion goes on as it would have, with the newest reading as it
  /// was. Its action is no longer for the drives: the next one leads on from it.
  Judgement JudgeMissed(core::Instant now);

  /// The loop stood still for longer than `overrun_max`: the drives hold what they heard last, or have stopped by
  /// themselves, and to go on would be a leap. The command rests where it was last; latched, and what was wanted is
  /// dead. Where the arm was before is forgotten, as after a silence: nobody looked; a jump that was there stays.
  void Overran();
  /// The presence sensor spoke; it counts from the next tick on.
  void HearPresence(const PresenceReport& report) { person_.Hear(report); }

  /// Whether the last action reached the drives. Too many in a row that did not: the driver is lost.
  void Sent(bool reached);

  /// The supervisor lives and wants nothing: come to rest and hold. Commands given so far are dead (the epoch goes up).
  void Withdraw();

  /// A person said stop.
  void Stop() { Raise(core::StopCause::kOperator); }

  Clearance Acknowledge(const Acknowledgement& ack, core::Instant now);

  core::LatchReport latch() const;
  core::PersonReport person() const { return person_.report(); }
  /// For the next life of the process.
  SafetyState state(core::Instant now) const;
  const core::AxisArray& commanded_q_rad() const { return motion_.q_rad; }
  const core::AxisArray& commanded_v_rad_s() const { return motion_.v_rad_s; }
  const core::AxisArray& commanded_a_rad_s2() const { return motion_.a_rad_s2; }
  /// Is the command at rest?
  bool Rests() const;
  std::uint64_t proposals_refused() const { return proposals_refused_; }

 private:
  /// The proposal that is being carried out.
  struct InForce {
    core::ProposedAction action;
    core::Instant period_end;
  };
  /// The limit that acted hardest in this tick.
  struct Finding {
    core::Verdict verdict = core::Verdict::kPass;
    core::LimitId limit = core::LimitId::kNone;
    int axis = 0;
    double wanted = 0, allowed = 0;
  };

  /// One tick's motion that keeps all joint bounds, and what bounded each axis.
  struct Candidate {
    ArmMotion motion;
    std::array<core::LimitId, core::kAxesMax> limit{};
  };

  Judgement Blind(core::Instant now);
  void Raise(core::StopCause cause);
  void Watch(const core::JointState& seen);
  void WatchFollowing(const core::JointState& seen);
  void WatchTouch(const core::JointState& seen);
  void WatchBudgets(const core::JointState& seen, core::Instant now);
  void WatchDeadline(core::Instant now);
  void WatchPower(const core::JointState& seen);
  void WatchPerson(core::Instant now);
  void GoOnWithout(core::StopCause cause);
  void Consider(const core::ProposedAction& wanted, core::Instant now);
  void Refuse(Finding finding);
  void Note(const Finding& finding);

  void Advance(core::Instant now);
  void Follow(core::Instant now);
  using Wishes = std::array<JerkWish, core::kAxesMax>;
  double LeftS(core::Instant now) const;
  Wishes WishesAt(core::Instant now) const;
  void Ease(Wishes& wishes);
  Candidate Next(const Wishes& wishes) const;
  Candidate Braking(Candidate candidate, std::size_t first, std::size_t end) const;
  void NoteJoints(const Candidate& candidate, core::Instant now);
  void NoteShortfall(core::Instant now);
  void Brake(std::size_t axes);
  void RestAt(std::size_t axis, double q_rad);
  JerkBounds BoundsOf(std::size_t axis, bool escapes) const;
  double RiskScale() const { return in_force_ ? in_force_->action.risk_scale : 1.0; }

  void SeedAll(const core::JointState& seen);
  void SeedForGoingOn();
  void SeedFarOff(const core::JointState& seen);
  void RelaxOnceAtRest(const core::JointState& seen);
  void Relax(const core::JointState& seen);
  Judgement Conclude();

  Limits limits_;
  double tick_s_;
  PathCheck path_;
  Monitor monitor_;
  StallBudget stall_;
  AstrayBudget astray_;
  ContactWatch contact_;
  GripLimit grip_limit_;
  Grip grip_ = Grip::kFree;
  bool grip_noted_ = false;  // Of this grip.
  HeatBudget heat_;
  WearBudget wear_;
  std::optional<core::Instant> spent_until_;  // Budgets: the newest reading.
  FrozenContent frozen_;
  Continuity continuity_;
  PersonWatch person_;
  ArmMotion motion_;
  std::optional<InForce> in_force_;
  std::optional<core::JointState> seen_;
  std::uint64_t last_sequence_ = 0;  // Accepted in this epoch.
  core::Epoch sequence_epoch_ = 0;   // The epoch it belongs to.
  Finding finding_;
  double strain_ = 0;  // As of the newest reading.
  int blind_ticks_ = 0;
  int silent_ticks_ = 0;
  int unsent_ticks_ = 0;
  int unpowered_ticks_ = 0;
  bool was_powered_ = false;
  bool power_off_ = false;      // What the last action said.
  bool seed_pending_ = true;    // The setpoint is unknown: take it from the next reading.
  bool relax_pending_ = false;  // Once at rest, stop pushing.
  int unrelaxed_ticks_ = 0;     // Since the command came to rest.
  std::uint64_t proposals_refused_ = 0;
};

}  // namespace nightshift::safety
