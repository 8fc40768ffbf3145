// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>
#include <functional>
#include <optional>
#include <utility>

#include "core/check.h"
#include "core/kinematics.h"
#include "runtime/control_loop.h"
#include "tests/fakes/hand_wall.h"

/// The control loop with fakes around it, driven tick by tick.
namespace nightshift::runtime {

using std::chrono::milliseconds;

inline constexpr milliseconds kTick{4};

/// An arm that is where it was told to be; its bus can fail. In lock-step its clock is the number of commands it got.
class FakeRobot final : public core::RobotDriver {
 public:
  FakeRobot(core::Pacing pacing, tests::HandWall& wall) : pacing_(pacing), wall_(wall) {
    state.axes = core::kArmAxes;
    state.q_rad = *core::InverseKinematics({}, {0.2, 0, 0.1}, 0);
    state.temperature_c.fill(30);
  }
  core::Pacing pacing() const override { return pacing_; }
  core::Result<core::JointState> Read() override {
    ++reads;
    if (on_read) on_read();
    const core::Instant device(applied * kTick + ahead), steady(wall_.now.time_since_epoch());
    wall_.Look();
    wall_.now += takes;
    if (silent) return core::Fail(core::FaultCode::kDriverTimeout, "silent");
    state.sequence = ++sequence_;
    state.time = clock ? *clock : (pacing_ == core::Pacing::kMonotonic ? steady : device) - old;
    core::JointState seen = state;
    seen.q_rad[core::kPan] += moved_rad;
    return seen;
  }
  core::Result<void> Apply(const core::SafeAction& action) override {
    if (on_apply) on_apply(action);
    wall_.Look();
    if (deaf) return core::Fail(core::FaultCode::kDriverLost, "deaf");
    ++applied;
    state.q_rad = action.q_rad();
    state.powered = action.power() == core::PowerMode::kHold;
    return {};
  }

  core::JointState state;
  int reads = 0, applied = 0;
  bool silent = false, deaf = false;
  double moved_rad = 0;                // By somebody, off its command.
  milliseconds ahead{0};               // The device went on alone for so long.
  std::optional<core::Instant> clock;  // What it says instead of the truth.
  milliseconds old{0}, takes{0};       // A reading, when it comes; wall time to get it.
  std::function<void()> on_read;
  std::function<void(const core::SafeAction&)> on_apply;

 private:
  core::Pacing pacing_;
  tests::HandWall& wall_;
  std::uint64_t sequence_ = 0;
};

/// A wall that knows how long was slept, and a peer that acts while the loop waits for it.
class FakeWall final : public tests::HandWall {
 public:
  void SleepUntil(Instant at) override {
    slept += at - now;
    HandWall::SleepUntil(at);
  }
  void AwaitMail(Mailbox&, Instant until) override {
    if (!peer.empty()) {
      now += thinking;
      const auto act = peer.front();
      peer.pop_front();
      return act();
    }
    waited += until - now;
    now = until;
  }

  std::chrono::nanoseconds slept{0}, waited{0}, thinking{0};
  std::deque<std::function<void()>> peer;
};

/// A loop with fakes around it, driven tick by tick.
struct Rig {
  explicit Rig(core::Pacing pacing = core::Pacing::kLockStep, LoopSpeed speed = LoopSpeed::kMax,
               safety::Audit* audit = nullptr, std::function<void(const TickFacts&)> on_tick = {},
               const safety::Limits& given = Uninspected({}))
      : limits(given),
        robot(pacing, wall),
        loop({robot, filter, mailbox, answers, wall, audit, std::move(on_tick), &state, &presence_switch}, limits,
             speed) {}

  void Ticks(int count) {
    for (int i = 0; i < count; ++i) loop.Tick();
  }
  Ticket Exchange(const std::optional<core::ProposedAction>& proposal = std::nullopt) {
    NIGHTSHIFT_CHECK(mailbox.Post(ExchangeMail{++tickets, proposal}));
    return tickets;
  }
  core::ProposedAction Propose(double pan_step_rad) {
    auto target = filter.commanded_q_rad();
    target[core::kPan] += pan_step_rad;
    return {.epoch = filter.latch().epoch,
            .sequence = ++sequence,
            .deadline = loop.now() + milliseconds(200),
            .axes = limits.axes,
            .target_q_rad = target};
  }
  /// Takes all answers; the newest report that somebody asked for.
  std::optional<core::PeriodReport> Report() {
    std::optional<core::PeriodReport> report;
    while (const auto answer = answers.Take())
      if (const auto* period = std::get_if<PeriodAnswer>(&*answer); period && period->ticket != 0)
        report = period->report;
    return report;
  }
  /// Past the latch of the start, at a boundary.
  void Arm() {
    Ticks(25);
    const auto latch = filter.latch();
    mailbox.Post(AcknowledgeMail{++tickets, {.latch_id = latch.id, .nonce = latch.nonce}});
    Ticks(25);
    NIGHTSHIFT_CHECK(!filter.latch().latched());
    Report();
  }

  /// Inspections are the monitor's subject.
  static safety::Limits Uninspected(safety::Limits limits) {
    limits.inspection_speed_share = 1;
    return limits;
  }

  safety::Limits limits;
  safety::Filter filter{limits, {.epoch = 10, .nonce_source = 3}};
  Mailbox mailbox;
  AnswerBox answers;
  StateBox state;
  SwitchBox presence_switch;
  FakeWall wall;
  FakeRobot robot;
  ControlLoop loop;
  Ticket tickets = 0;
  std::uint64_t sequence = 0;
};

}  // namespace nightshift::runtime
