// SPDX-License-Identifier: Apache-2.0
#include "runtime/control_loop.h"

#include <algorithm>

namespace nightshift::runtime {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kWaitSlice{50};          // Between signs of life while waiting.
constexpr milliseconds kFirstReadingRetry{20};  // The driver's own wait comes on top.
constexpr milliseconds kCatchUpMax{40};         // Ticks missed beyond this are not made up for.
constexpr int kBrakeTicksMax = 100;             // At the end; the stop from full speed takes 25.

}  // namespace

ControlLoop::ControlLoop(const Parts& parts, const safety::Limits& limits, LoopSpeed speed)
    : parts_(parts), limits_(limits), speed_(speed) {}

void ControlLoop::Run() {
  AwaitFirstReading();
  due_ = parts_.wall.Now();
  while (!stopping_) Tick();
  BrakeToRest();
  PutState();
}

void ControlLoop::Tick() {
  const auto seen = Read();
  const auto judged = Judge(seen);
  Apply(judged);
}

/// Of an arm that was never seen nothing is known, not even how to hold it still.
void ControlLoop::AwaitFirstReading() {
  while (!stopping_) {
    ++counters_.progress;
    const auto seen = parts_.robot.Read();
    if (seen) {
      last_seen_ = *seen;
      return;
    }
    CountDriverFault(seen.error().code);
    TakeMail();
    parts_.wall.SleepUntil(parts_.wall.Now() + kFirstReadingRetry);
  }
}

/// The end was asked for: the drives' own time-out then finds the arm at rest.
void ControlLoop::BrakeToRest() {
  parts_.filter.Withdraw();
  wanted_.reset();
  for (int i = 0; clock_known_ && i < kBrakeTicksMax; ++i) {
    Tick();
    if (driver_failed_) return;  // Nobody hears us: the drives' own time-out stops the arm.
    if (parts_.filter.Rests()) return;
  }
}

core::Result<core::JointState> ControlLoop::Read() {
  Pace();
  auto seen = parts_.robot.Read();
  now_ += clock_known_ ? limits_.control_period : core::Duration(0);
  driver_failed_ = !seen;
  if (!seen) {
    CountDriverFault(seen.error().code);
    return seen;
  }
  // A device whose clock is behind ours began anew: ours goes on.
  if (parts_.robot.pacing() == core::Pacing::kLockStep) now_ = std::max(now_, seen->time);
  clock_known_ = true;
  seen->time = now_;
  last_seen_ = *seen;
  return seen;
}

/// Wall time: always for a monotonic clock; in lock-step when nobody else sets the pace.
void ControlLoop::Pace() {
  const bool monotonic = parts_.robot.pacing() == core::Pacing::kMonotonic;
  const bool alone = !peer_here_ && !stopping_;
  const auto wall = parts_.wall.Now();
  late_ = monotonic ? std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(wall - due_))
                    : std::chrono::nanoseconds(0);
  if (monotonic || alone || driver_failed_ || speed_ == LoopSpeed::kRealTime) {
    if (wall < due_) parts_.wall.SleepUntil(due_);
    if (wall > due_ + kCatchUpMax) due_ = wall;
  } else {
    due_ = wall;
  }
  due_ += limits_.control_period;
}

safety::Judgement ControlLoop::Judge(const core::Result<core::JointState>& seen) {
  ++counters_.progress;
  TakeMail();
  if (IsBoundary()) {
    ClosePeriod(last_seen_);
    AwaitExchange();
  }
  const auto begin = parts_.wall.Now();
  const auto judged = seen ? parts_.filter.Judge(*seen, wanted_, now_) : parts_.filter.JudgeBlind(now_);
  wanted_.reset();
  tally_.Add(judged);
  counters_.proposals_refused.store(parts_.filter.proposals_refused(), std::memory_order_relaxed);
  if (parts_.on_tick) parts_.on_tick({judged.verdict, judged.limit, parts_.wall.Now() - begin, late_});
  return judged;
}

void ControlLoop::Apply(const safety::Judgement& judged) {
  ++counters_.ticks;
  const auto sent = parts_.robot.Apply(judged.action);
  parts_.filter.Sent(sent.has_value());
  if (!sent) {
    driver_failed_ = true;
    CountDriverFault(sent.error().code);
  }
}

void ControlLoop::CountDriverFault(core::FaultCode code) {
  if (code == core::FaultCode::kDriverTimeout) {
    ++counters_.driver_timeouts;
  } else if (code == core::FaultCode::kDriverLost) {
    ++counters_.driver_losses;
  } else {
    ++counters_.driver_garbled;
  }
}

void ControlLoop::TakeMail() {
  for (std::size_t i = 0; i < kMailPlaces; ++i) {
    const auto mail = parts_.mailbox.Take();
    if (!mail) return;
    std::visit([this](const auto& letter) { Handle(letter); }, *mail);
  }
}

void ControlLoop::Handle(const StopMail& mail) {
  parts_.filter.Stop();
  Answer(StopAnswer{mail.ticket});
}

void ControlLoop::Handle(const AcknowledgeMail& mail) {
  Answer(AcknowledgeAnswer{mail.ticket, parts_.filter.Acknowledge(mail.acknowledgement, now_)});
}

void ControlLoop::Handle(const ExchangeMail& mail) {
  if (open_count_ == kOpenMax) {
    ++counters_.answers_dropped;  // Its sender hears nothing, and asks again.
    return;
  }
  open_[open_count_++] = {mail.ticket, safety::PeriodEnd(now_, limits_.policy_period)};
  if (mail.proposal) {
    wanted_ = mail.proposal;
  } else {
    parts_.filter.Withdraw();
    wanted_.reset();
  }
  exchange_came_ = true;
  peer_here_ = true;
}

void ControlLoop::Answer(const SafetyAnswer& answer) {
  if (!parts_.answers.Post(answer)) ++counters_.answers_dropped;
}

bool ControlLoop::IsBoundary() const {
  return clock_known_ && now_.time_since_epoch() % limits_.policy_period == core::Duration(0);
}

/// Answers the exchanges whose period ends now. One that came late in a period ends with the next: then both are one.
void ControlLoop::ClosePeriod(const core::JointState& joints) {
  const auto due = [this](const Open& open) { return open.due <= now_; };
  const auto begin = open_.begin(), end = begin + static_cast<std::ptrdiff_t>(open_count_);
  if (open_count_ > 0 && std::none_of(begin, end, due)) return;
  const auto heaviest = tally_.heaviest();
  const core::PeriodReport report = tally_.Close(joints, parts_.filter);
  Record(heaviest, report);
  PutState();
  for (auto open = begin; open != end; ++open)
    if (due(*open)) Answer(PeriodAnswer{open->ticket, report});
  if (open_count_ == 0) Answer(PeriodAnswer{0, report});
  open_count_ = static_cast<std::size_t>(std::remove_if(begin, end, due) - begin);
  exchange_came_ = open_count_ > 0;
}

void ControlLoop::PutState() {
  if (parts_.state != nullptr && clock_known_) parts_.state->Put(parts_.filter.state(now_));
}

/// Every period that did not simply pass; of a stop only its beginning and its end.
void ControlLoop::Record(const std::optional<safety::Judgement>& heaviest, const core::PeriodReport& report) {
  if (parts_.audit == nullptr || !heaviest) return;
  const bool stopped_as_before =
      report.verdict == core::Verdict::kStopped && report.latch.latched() && report.latch.id == audited_latch_;
  const bool cleared = audited_latch_ != 0 && !report.latch.latched();
  if (stopped_as_before || (report.verdict == core::Verdict::kPass && !cleared)) return;
  audited_latch_ = report.latch.latched() ? report.latch.id : 0;
  parts_.audit->Push({.at = now_,
                      .verdict = report.verdict,
                      .limit = report.limit,
                      .axis = heaviest->axis,
                      .wanted = heaviest->wanted,
                      .allowed = heaviest->allowed,
                      .ticks_limited = report.ticks_limited,
                      .sequence = report.sequence,
                      .latch = report.latch});
}

void ControlLoop::AwaitExchange() {
  if (parts_.robot.pacing() != core::Pacing::kLockStep || !peer_here_) return;
  const auto until = parts_.wall.Now() + limits_.peer_wait_max;
  while (!exchange_came_ && !stopping_) {
    const auto wall = parts_.wall.Now();
    if (wall >= until) {
      peer_here_ = false;
      due_ = wall;
      return;
    }
    parts_.wall.AwaitMail(parts_.mailbox, std::min<WallClock::Instant>(until, wall + kWaitSlice));
    ++counters_.progress;
    TakeMail();
  }
}

}  // namespace nightshift::runtime
