// SPDX-License-Identifier: Apache-2.0
#include "runtime/control_loop.h"

#include <algorithm>
#include <utility>

#include "safety/checks/reading.h"

namespace nightshift::runtime {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kWaitSlice{50};          // Between signs of life while waiting.
constexpr milliseconds kFirstReadingRetry{20};  // The driver's own wait comes on top.
constexpr milliseconds kUnheardAfter{1000};     // Of silence at the start: a driver that begins beside us is ready.
constexpr milliseconds kCatchUpMax{40};         // Ticks missed beyond this are not made up for.
constexpr int kBrakeTicksMax = 100;             // At the end; the stop from full speed takes 25.

/// What the driver reads. A clock that says what none can is taken for garbage: ours would go along, and over its end.
core::Result<core::JointState> ReadingOf(core::RobotDriver& robot) {
  auto seen = robot.Read();
  if (seen && (seen->time > ControlLoop::kClockMax ||
               seen->time.time_since_epoch() < -ControlLoop::kClockMax.time_since_epoch()))
    return tl::make_unexpected(core::Fault{core::FaultCode::kMalformedMessage, {}});  // No text: nothing is allocated.
  return seen;
}

}  // namespace

ControlLoop::ControlLoop(const Parts& parts, const safety::Limits& limits, LoopSpeed speed)
    : parts_(parts), limits_(limits), speed_(speed) {}

void ControlLoop::Run() {
  while (!stopping_) clock_known_ ? Tick() : Begin();
  BrakeToRest();
  Record(runs_.Finish());
  PutState();
}

void ControlLoop::Tick() {
  const auto seen = Read();
  const auto judged = Judge(seen);
  Apply(judged);
}

void ControlLoop::Begin() {
  AwaitFirstReading();
  due_ = parts_.wall.Now();
  if (!stopping_) Tick();
}

/// Of an arm that was never seen nothing is known, not even how to hold it still.
void ControlLoop::AwaitFirstReading() {
  const auto begin = parts_.wall.Now();
  auto telling = begin;
  while (!stopping_ && !Fresh(ReadingOf(parts_.robot))) {
    ++counters_.progress;
    TakeMail();
    const auto now = parts_.wall.Now();
    counters_.driver_unheard = now - begin >= kUnheardAfter;
    if (now >= telling) {
      TellUnseen();
      telling = now + limits_.policy_period;
    }
    parts_.wall.SleepUntil(parts_.wall.Now() + kFirstReadingRetry);
  }
  counters_.driver_unheard = false;
}

/// Why the arm stands. It is not latched as a lost driver: nothing was lost, and what holds it until a reading comes
/// holds it afterwards, too: the restart.
void ControlLoop::TellUnseen() {
  core::PeriodReport report = tally_.Close(last_seen_, parts_.filter);
  report.verdict = core::Verdict::kStopped;
  report.limit = core::LimitId::kNoState;
  Answer(PeriodAnswer{0, report});
  if (!counters_.driver_unheard) return;
  for (std::size_t i = 0; i < open_count_; ++i) Answer(UnseenAnswer{open_[i].ticket});
  open_count_ = 0;
  exchange_came_ = false;
  wanted_.reset();
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

/// The newest reading, if there is one. What went by since the last tick is lived through first.
std::optional<core::JointState> ControlLoop::Read() {
  const bool monotonic = parts_.robot.pacing() == core::Pacing::kMonotonic;
  Pace();
  if (monotonic) {
    TakeMail();  // What lies there came before the time that goes by now: a stop stops, a proposal is of its period.
    Advance(PeriodsOnTheWall());
  }
  auto seen = Fresh(Believed(ReadingOf(parts_.robot)));
  // A bus may be slow. After more than that nothing goes on from where it was, not even in this tick.
  if (monotonic && parts_.wall.Now() - due_ > limits_.overrun_max) Advance(PeriodsOnTheWall());
  if (!monotonic) Advance(PeriodsOfTheDevice(seen));
  if (seen) {
    seen->time = now_;
    last_seen_ = *seen;
    clock_known_ = true;
  }
  return seen;
}

/// A simulated clock that leaps may be a garbled one, with which ours would go, and never come back: a second reading
/// must agree. If it does, the device went on without us: nothing goes on from where it was, not even in this tick.
core::Result<core::JointState> ControlLoop::Believed(core::Result<core::JointState> seen) {
  const bool lock_step = parts_.robot.pacing() == core::Pacing::kLockStep;
  if (!lock_step || !clock_known_ || !seen) return seen;
  const auto before = std::exchange(leapt_to_, std::nullopt);
  if (seen->time - now_ <= kLeapMax) return seen;
  if (before && seen->time > *before && seen->time - *before <= kLeapMax) return seen;
  leapt_to_ = seen->time;
  parts_.filter.Overran();
  return tl::make_unexpected(core::Fault{core::FaultCode::kMalformedMessage, {}});
}

/// What the driver gave, unless it is too old to say where the arm is.
std::optional<core::JointState> ControlLoop::Fresh(const core::Result<core::JointState>& seen) {
  driver_failed_ = !seen;
  if (!seen) {
    CountDriverFault(seen.error().code);
    return std::nullopt;
  }
  const bool monotonic = parts_.robot.pacing() == core::Pacing::kMonotonic;
  const core::Duration age = monotonic ? parts_.wall.Now().time_since_epoch() - seen->time.time_since_epoch()
                                       : std::max(now_, seen->time) - seen->time;
  if (!safety::IsOld(limits_, age)) return *seen;
  ++counters_.readings_old;
  return std::nullopt;
}

/// From the last tick to this one: one if all is well. The first reading begins the clock.
std::int64_t ControlLoop::PeriodsOnTheWall() {
  const std::int64_t late = std::max<std::int64_t>(0, (parts_.wall.Now() - due_) / limits_.control_period);
  due_ += (1 + late) * limits_.control_period;
  return clock_known_ ? 1 + late : 0;
}

/// The same where a device has the clock: it may have gone on alone. Of one that is silent nothing is known.
std::int64_t ControlLoop::PeriodsOfTheDevice(const std::optional<core::JointState>& seen) const {
  const std::int64_t ordinary = clock_known_ ? 1 : 0;
  return seen ? std::max(ordinary, (seen->time - now_) / limits_.control_period) : ordinary;
}

/// Periods but the last are those in which the loop did not come round.
void ControlLoop::Advance(std::int64_t periods) {
  const std::int64_t missed = clock_known_ ? std::max<std::int64_t>(0, periods - 1) : 0;
  counters_.ticks_missed += static_cast<std::uint64_t>(missed);
  if (missed * limits_.control_period > limits_.overrun_max) {
    now_ += missed * limits_.control_period;
    parts_.filter.Overran();
    EndPeriod();
  } else {
    for (std::int64_t i = 0; i < missed; ++i) LiveThroughOne();
  }
  now_ += (periods - missed) * limits_.control_period;
}

void ControlLoop::LiveThroughOne() {
  now_ += limits_.control_period;
  EndPeriod();
  const auto judged = parts_.filter.JudgeMissed(now_);
  Count(judged, {.now = now_, .person = parts_.filter.person()},
        {.verdict = judged.verdict, .limit = judged.limit, .missed = true});
}

/// Wall time: always for a monotonic clock; in lock-step when nobody else sets the pace.
void ControlLoop::Pace() {
  if (parts_.robot.pacing() == core::Pacing::kLockStep) return PaceInLockStep();
  if (!clock_known_) due_ = parts_.wall.Now();
  if (parts_.wall.Now() < due_) parts_.wall.SleepUntil(due_);
  late_ = std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(parts_.wall.Now() - due_));
}

void ControlLoop::PaceInLockStep() {
  const bool alone = !peer_here_ && !stopping_;
  const auto wall = parts_.wall.Now();
  if (alone || driver_failed_ || speed_ == LoopSpeed::kRealTime) {
    if (wall < due_) parts_.wall.SleepUntil(due_);
    if (wall > due_ + kCatchUpMax) due_ = wall;
  } else {
    due_ = wall;
  }
  due_ += limits_.control_period;
}

safety::Judgement ControlLoop::Judge(const std::optional<core::JointState>& seen) {
  ++counters_.progress;
  TakeMail();
  HearSwitch();
  if (clock_known_ && EndPeriod()) AwaitExchange();
  const auto begin = parts_.wall.Now();
  const auto judged = seen ? parts_.filter.Judge(*seen, wanted_, now_) : parts_.filter.JudgeBlind(now_);
  counters_.proposals_refused.store(parts_.filter.proposals_refused(), std::memory_order_relaxed);
  Count(judged, {now_, seen, wanted_, parts_.filter.person()},
        {judged.verdict, judged.limit, parts_.wall.Now() - begin, late_});
  wanted_.reset();
  return judged;
}

void ControlLoop::Count(const safety::Judgement& judged, const safety::TickInput& input, const TickFacts& facts) {
  tally_.Add(judged);
  Record(runs_.Add(judged, input, parts_.filter.latch()));
  if (parts_.on_tick) parts_.on_tick(facts);
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
  if (mail.proposal && !stopping_) {  // At the end it comes to rest, whoever wants more.
    wanted_ = mail.proposal;
  } else {
    parts_.filter.Withdraw();
    wanted_.reset();
  }
  exchange_came_ = true;
  peer_here_ = true;
}

/// A program cannot speak for a sensor that is not configured, nor for a switch.
void ControlLoop::Handle(const PresenceMail& mail) {
  const bool listens = limits_.presence.source == safety::PresenceSource::kTopic;
  const bool waited = parts_.wall.Now() - mail.came > kPresenceWaitMax;
  if (listens && !waited) parts_.filter.HearPresence(mail.report);
  using Heard = PresenceAnswer::Heard;
  Answer(PresenceAnswer{mail.ticket, listens ? Heard::kYes : Heard::kNoSuchSensor});
}

/// While it sees nobody, nobody is nearer than where it would see them. What lay there while the loop stood still may
/// have been seen before that.
void ControlLoop::HearSwitch() {
  const auto newest = parts_.presence_switch ? parts_.presence_switch->newest() : std::nullopt;
  const auto now = parts_.wall.Now();
  const bool stood_still = switch_looked_ && now - *switch_looked_ > kPresenceWaitMax;
  switch_looked_ = now;
  if (!newest) return;
  if (stood_still) switch_waited_ = newest->count;
  if (newest->count == switch_waited_) return;
  const bool somebody = newest->reading == SwitchBox::Reading::kSomebody;
  parts_.filter.HearPresence({somebody ? 0 : limits_.presence.switch_distance_m, newest->count});
}

void ControlLoop::Answer(const SafetyAnswer& answer) {
  if (!parts_.answers.Post(answer)) ++counters_.answers_dropped;
}

/// True if a policy period has ended since the last look.
bool ControlLoop::EndPeriod() {
  const bool ended = now_.time_since_epoch() % limits_.policy_period < now_ - last_look_;
  last_look_ = now_;
  if (!ended) return false;
  Record(runs_.EndPeriod());
  ClosePeriod(last_seen_);
  return true;
}

/// Answers the exchanges whose period ends now. One that came late in a period ends with the next: then both are one.
void ControlLoop::ClosePeriod(const core::JointState& joints) {
  const auto due = [this](const Open& open) { return open.due <= now_; };
  const auto begin = open_.begin(), end = begin + static_cast<std::ptrdiff_t>(open_count_);
  if (open_count_ > 0 && std::none_of(begin, end, due)) return;
  const core::PeriodReport report = tally_.Close(joints, parts_.filter);
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

void ControlLoop::Record(const std::optional<safety::AuditRecord>& record) {
  if (record && parts_.audit != nullptr) parts_.audit->Push(*record);
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
