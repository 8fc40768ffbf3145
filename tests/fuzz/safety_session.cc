// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/safety_session.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/kinematics.h"
#include "io/wire/convert.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"
#include "runtime/control_loop.h"
#include "runtime/safety_request.h"
#include "tests/safety/arm_judge.h"

namespace nightshift::fuzz {
namespace {

using core::FaultCode;
using runtime::AcknowledgeMail;
using runtime::ControlLoop;
using runtime::ExchangeMail;
using runtime::SafetyMail;
using runtime::StopMail;

/// Bytes, taken from the front.
class Bytes {
 public:
  explicit Bytes(std::span<const std::uint8_t> left) : left_(left) {}

  std::optional<std::uint8_t> Byte() {
    if (left_.empty()) return std::nullopt;
    const std::uint8_t byte = left_.front();
    left_ = left_.subspan(1);
    return byte;
  }

  /// As many as the first two of them say, the lower one first.
  std::optional<std::string> Counted() {
    const auto low = Byte(), high = Byte();
    if (!high) return std::nullopt;
    const auto length = static_cast<std::size_t>(*low) + 256 * static_cast<std::size_t>(*high);
    if (length > left_.size()) return std::nullopt;
    const auto taken = left_.first(length);
    left_ = left_.subspan(length);
    return std::string(taken.begin(), taken.end());
  }

 private:
  std::span<const std::uint8_t> left_;
};

/// Wall time that passes only while somebody waits.
class FuzzedWall final : public runtime::WallClock {
 public:
  Instant Now() override { return now_; }
  void SleepUntil(Instant at) override { now_ = at; }
  void AwaitMail(runtime::Mailbox&, Instant until) override { now_ = until; }

 private:
  Instant now_{};
};

/// The arm as its driver tells of it.
class FuzzedArm final : public core::RobotDriver {
 public:
  FuzzedArm(core::Pacing pacing, FuzzedWall& wall) : pacing_(pacing), wall_(wall) {
    state.axes = core::kArmAxes;
    state.q_rad = *core::InverseKinematics({}, {0.2, 0, 0.1}, 0);
    state.powered = true;
  }

  core::Pacing pacing() const override { return pacing_; }

  core::Result<core::JointState> Read() override {
    seen_before = seen ? seen : seen_before;
    seen.reset();
    if (silent_ticks > 0) {
      --silent_ticks;
      return core::Fail(FaultCode::kDriverTimeout, "silent");
    }
    state.sequence = ++sequence_;
    state.temperature_c.fill(hot ? 80 : 30);
    state.current_a[core::kPan] = 0.1 + 1e-3 * static_cast<double>(sequence_ % 2);  // As sensors are.
    state.time = pacing_ == core::Pacing::kMonotonic ? core::Instant(wall_.Now().time_since_epoch()) : clock_;
    seen = reading ? *reading : state;
    reading.reset();
    if (seen->time <= ControlLoop::kClockMax) clock_ = std::max(clock_, seen->time);
    return *seen;
  }

  core::Result<void> Apply(const core::SafeAction& action) override {
    const bool holds = action.power() == core::PowerMode::kHold;
    clock_ += std::chrono::milliseconds(4);
    if (deaf_ticks > 0) {
      --deaf_ticks;
      return core::Fail(FaultCode::kDriverLost, "deaf");
    }
    if (holds && !stuck) state.q_rad = action.q_rad();
    state.powered = holds;
    return {};
  }

  core::JointState state;
  std::optional<core::JointState> reading;  // Instead of the state, once.
  std::optional<core::JointState> seen;     // What was read in this tick.
  std::optional<core::JointState> seen_before;
  int silent_ticks = 0, deaf_ticks = 0;
  bool stuck = false, hot = false;

 private:
  core::Pacing pacing_;
  FuzzedWall& wall_;
  core::Instant clock_{};  // Of a device that has one.
  std::uint64_t sequence_ = 0;
};

safety::Limits LimitsOf(bool near_things) {
  safety::Limits limits;
  limits.boxes.push_back({.name = "crate", .centre_m = {0.20, -0.20, 0.06}, .half_m = {0.03, 0.03, 0.06}});
  limits.posts.push_back({.name = "post", .from_m = {0.27, 0.15, 0}, .to_m = {0.27, 0.15, 0.30}, .radius_m = 0.015});
  if (!near_things) return limits;
  limits.posts.push_back({.name = "near", .from_m = {0.2, 0.08, 0}, .to_m = {0.2, 0.08, 0.30}, .radius_m = 0.015});
  limits.workspace_m_min.z = 0.05;
  limits.workspace_m_max.x = 0.25;
  return limits;
}

class Session {
 public:
  explicit Session(std::uint8_t setting)
      : limits_(LimitsOf((setting & 2) != 0)),
        filter_(limits_, {.epoch = 100, .nonce_source = 7}),
        arm_((setting & 1) != 0 ? core::Pacing::kLockStep : core::Pacing::kMonotonic, wall_),
        loop_({arm_, filter_, mailbox_, answers_, wall_, nullptr, [this](const auto& facts) { NoteTick(facts); }},
              limits_, runtime::LoopSpeed::kMax),
        judge_(limits_) {
    loop_.Tick();
    judge_.Begin(filter_);
    latch_ = filter_.latch();
  }

  SessionFacts Play(Bytes bytes) {
    while (facts_.ticks < kTicksMax) {
      const auto record = bytes.Byte();
      if (!record || !Play(static_cast<Record>(*record % kRecords), bytes)) break;
    }
    facts_.tally = judge_.Ended();
    facts_.travelled_rad = judge_.travelled_rad();
    facts_.refused = static_cast<int>(filter_.proposals_refused());
    return facts_;
  }

 private:
  /// False at the end of the bytes.
  bool Play(Record record, Bytes& bytes) {
    switch (record) {
      case Record::kRequest: return WithBytes(bytes, [this](const std::string& body) { Send(body); });
      case Record::kInformed: return WithBytes(bytes, [this](const std::string& body) { Send(Informed(body)); });
      case Record::kReading: return WithBytes(bytes, [this](const std::string& body) { ReadNext(body); });
      case Record::kTicks: return WithNumber(bytes, [this](int number) { Ticks(number); });
      case Record::kSilent: return WithNumber(bytes, [this](int number) { Ticks(arm_.silent_ticks = number); });
      case Record::kDeaf: return WithNumber(bytes, [this](int number) { Ticks(arm_.deaf_ticks = number); });
      case Record::kStuck: arm_.stuck = !arm_.stuck; return true;
      case Record::kHot: arm_.hot = !arm_.hot; return true;
      case Record::kUnpowered: return LetGo(bytes);
    }
    return false;
  }

  template <typename Use>
  static bool WithBytes(Bytes& bytes, const Use& use) {
    const auto body = bytes.Counted();
    if (body) use(*body);
    return body.has_value();
  }

  template <typename Use>
  static bool WithNumber(Bytes& bytes, const Use& use) {
    const auto less_one = bytes.Byte();
    if (less_one) use(*less_one + 1);
    return less_one.has_value();
  }

  bool LetGo(Bytes& bytes) {
    for (std::size_t i = 0; i < core::kArmAxes; ++i) {
      const auto share = bytes.Byte();
      if (!share) return false;
      arm_.state.q_rad[i] += static_cast<std::int8_t>(*share) / 128.0 * 4;
    }
    arm_.state.powered = false;
    Ticks(1);
    return true;
  }

  void ReadNext(const std::string& body) {
    const auto message = io::Parse<wire::JointState>(body);
    const auto reading = message ? io::Decode(*message) : tl::make_unexpected(message.error());
    if (reading) arm_.reading = *reading;
    Ticks(1);
  }

  /// The request as a peer would fill it in that knows the latest report.
  std::string Informed(const std::string& body) const {
    auto message = io::Parse<wire::SafetyRequest>(body);
    if (!message) return body;
    message->set_protocol(message->protocol() + io::kProtocol);
    if (message->has_acknowledge()) {
      auto* ack = message->mutable_acknowledge();
      ack->set_latch_id(ack->latch_id() + filter_.latch().id);
      ack->set_nonce(ack->nonce() + filter_.latch().nonce);
    }
    if (message->has_exchange() && message->exchange().has_proposal()) {
      auto* proposal = message->mutable_exchange()->mutable_proposal();
      proposal->set_epoch(proposal->epoch() + filter_.latch().epoch);
      proposal->set_sequence(proposal->sequence() + sequence_ + 1);
      const auto deadline = static_cast<std::uint64_t>(core::ToNanoseconds(now_ + limits_.policy_period * 2));
      proposal->set_deadline_ns(
          static_cast<std::int64_t>(static_cast<std::uint64_t>(proposal->deadline_ns()) + deadline));
    }
    return message->SerializeAsString();
  }

  /// One mail a tick, so that it can be said from outside what is alive.
  void Send(const std::string& body) {
    ++facts_.requests;
    auto mail = runtime::MailOf(body);
    if (auto* presence = mail ? std::get_if<runtime::PresenceMail>(&*mail) : nullptr) presence->came = wall_.Now();
    facts_.malformed += !mail;
    if (mail) NIGHTSHIFT_CHECK(mailbox_.Post(*mail));
    Tick(mail ? &*mail : nullptr);
  }

  void Ticks(int count) {
    for (int i = 0; i < count; ++i) Tick(nullptr);
  }

  void Tick(const SafetyMail* mail) {
    if (facts_.ticks == kTicksMax) return;
    ++facts_.ticks;
    mail_ = mail;
    dropped_before_ = loop_.counters().answers_dropped;
    missed_before_ = loop_.counters().ticks_missed;
    loop_.Tick();
    while (answers_.Take()) continue;
    NoteLatch();
  }

  /// Between the filter's judgement and its way to the drives.
  void NoteTick(const runtime::TickFacts& tick) {
    if (facts_.ticks == 0) return;  // The first one seeds the command.
    const core::Instant before = std::exchange(now_, loop_.now());
    if (tick.missed) return judge_.Note(filter_, {.seen = SeenIn(arm_.seen_before), .now = now_});
    const auto missed = static_cast<std::int64_t>(loop_.counters().ticks_missed - missed_before_);
    if (missed * limits_.control_period > limits_.overrun_max || LeaptFrom(before)) judge_.Overran();
    const bool heard = mail_ != nullptr && loop_.counters().answers_dropped == dropped_before_;
    const auto* exchange = heard ? std::get_if<ExchangeMail>(mail_) : nullptr;
    if (exchange && !exchange->proposal) judge_.Withdrawn();
    const bool blind = tick.verdict == core::Verdict::kStopped && tick.limit == core::LimitId::kNoState;
    judge_.Note(
        filter_,
        {.seen = SeenIn(arm_.seen), .wanted = exchange && !blind ? exchange->proposal : std::nullopt, .now = now_});
    if (exchange && exchange->proposal) sequence_ = std::max(sequence_, exchange->proposal->sequence);
  }

  /// Did the device say that it went on alone for long? Then nothing goes on, whether or not it is believed.
  bool LeaptFrom(core::Instant before) const {
    return arm_.pacing() == core::Pacing::kLockStep && arm_.seen && arm_.seen->time <= ControlLoop::kClockMax &&
           arm_.seen->time - before > ControlLoop::kLeapMax;
  }

  static const core::JointState* SeenIn(const std::optional<core::JointState>& seen) { return seen ? &*seen : nullptr; }

  void NoteLatch() {
    const core::LatchReport latch = filter_.latch();
    facts_.stops += latch.latched() && latch.id != latch_.id;
    facts_.clears += latch_.latched() && !latch.latched();
    latch_ = latch;
  }

  safety::Limits limits_;
  safety::Filter filter_;
  FuzzedWall wall_;
  FuzzedArm arm_;
  runtime::Mailbox mailbox_;
  runtime::AnswerBox answers_;
  ControlLoop loop_;
  safety::ArmJudge judge_;
  core::LatchReport latch_;
  core::Instant now_{};
  const SafetyMail* mail_ = nullptr;  // What the tick is to find, and how much was dropped before it.
  std::uint64_t dropped_before_ = 0, missed_before_ = 0;
  std::uint64_t sequence_ = 0;
  SessionFacts facts_;
};

}  // namespace

SessionFacts PlaySession(std::span<const std::uint8_t> bytes) {
  Bytes left(bytes);
  return Session(left.Byte().value_or(0)).Play(left);
}

}  // namespace nightshift::fuzz
