// SPDX-License-Identifier: Apache-2.0
// storm_stand_in: a supervisor for the kill storm that is light, fast and hostile. DATA SEED
//
// It moves the arm about its upright home as hard as the limits let it, with valid commands that never turn the roll
// axis. Between them it sends what must not be carried out, and all of that turns the roll axis far: commands of dead
// epochs, of earlier safety processes too, replays, late ones, wrong ones, commands while a stop is latched, after a
// stop, and commands that wait in the socket of a monitor that is stopped.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "core/kinematics.h"
#include "core/random.h"
#include "io/link/link.h"
#include "io/robot/cell/cell_control.h"
#include "io/robot/cell/cell_geometry.h"
#include "io/wire/convert.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"
#include "runtime/arm_port.h"
#include "tests/faults/storm/judge.h"
#include "tests/faults/storm/notes.h"

namespace nightshift::storm {
namespace {

constexpr runtime::RemoteArm::Waits kWaits{.exchange = io::Wait{400}, .acknowledge = io::Wait{400}};
constexpr io::Wait kSpareWait{100};
constexpr std::uint64_t kDeadSequence = std::uint64_t{1} << 40;  // Far above every valid one.
constexpr std::uint64_t kFloodSequence = std::uint64_t{1} << 41;
constexpr core::Duration kDeadline = std::chrono::milliseconds(300);
constexpr core::Duration kFar = std::chrono::hours(1);
constexpr double kSwingRad = 0.25;    // Of lift, elbow and wrist about home.
constexpr double kPanSwingRad = 1.0;  // Farther out are obstacles.
constexpr double kLeadRad = 0.4;      // Of a hasty target before the command: at full speed a servo lags soon too far.
constexpr double kSlowScale = 0.3;    // Of the speed to a far target, two seconds away: only a stop ends that in time.
constexpr double kRaiseRad = 0.2;
constexpr double kArrivedRad = 0.05;  // Then another goal.
constexpr int kFloodMax = 64;         // Commands to a monitor that does not answer, in one go.
constexpr int kPatienceMax = 4;       // Periods before a stop is cleared.
constexpr double kHarassShare = 0.5, kWithdrawShare = 0.02, kStopShare = 0.01, kDeadClearShare = 0.5;

enum class Dead { kEpoch, kReplay, kLate, kShort, kNotFinite, kUnheardEpoch };
constexpr int kDeadKinds = 6;

class StandIn {
 public:
  struct Links {
    runtime::RemoteArm arm;
    io::Requester spare;
    io::cell::CellControl cell;
  };
  StandIn(Links links, Notes& notes, std::uint64_t seed)
      : links_(std::move(links)), notes_(notes), random_(seed), goal_(io::cell::kHomeRad) {}

  /// One exchange with the safety process, and what is sent beside it.
  void Round() {
    if (report_.joints.axes == 0) return Learn(links_.arm.Exchange(std::nullopt));
    if (random_.Chance(kHarassShare)) Harass(static_cast<Dead>(random_.Index(kDeadKinds)));
    if (report_.latch.latched()) return BearStop();
    if (random_.Chance(kStopShare)) return StopAndGoOn();
    if (random_.Chance(kWithdrawShare)) return Learn(links_.arm.Exchange(std::nullopt));
    Move();
  }

 private:
  void Learn(const core::Result<core::PeriodReport>& report) {
    if (!report) return;
    report_ = *report;
    CheckInForce();
    const std::uint64_t count = notes_.stops;
    const Notes::Stop& newest = notes_.stop[(count + Notes::kStops - 1) % Notes::kStops];
    const core::LatchReport& latch = report_.latch;
    if (newest.epoch == latch.epoch && newest.nonce == latch.nonce) return;
    if (newest.epoch != latch.epoch && IsKnown(latch.epoch)) ++notes_.epochs_back;
    Notes::Stop& stop = notes_.stop[count % Notes::kStops];
    stop.epoch = latch.epoch, stop.id = latch.id, stop.nonce = latch.nonce;
    notes_.stops = count + 1;
    patience_ = random_.Index(kPatienceMax + 1);
  }

  /// A tick that was under way when the monitor was stopped may take what was sent meanwhile: to the drives it is late,
  /// and the next look at the clock must end it, so that the report tells both. What it may not do, to turn the roll
  /// axis, the record shows.
  void CheckInForce() {
    if (report_.sequence < kDeadSequence) return;
    const bool ended = report_.sequence >= kFloodSequence && report_.latch.latched();
    ++(ended ? notes_.late_ticks : notes_.dead_commands_in_force);
  }

  /// Those that are remembered are enough: a process that begins where another began is there within a few stops.
  bool IsKnown(core::Epoch epoch) const {
    const auto end =
        notes_.stop.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(notes_.stops, Notes::kStops));
    return std::any_of(notes_.stop.begin(), end, [epoch](const Notes::Stop& stop) { return stop.epoch == epoch; });
  }

  const Notes::Stop* AnyStop() {
    const std::uint64_t known = std::min<std::uint64_t>(notes_.stops, Notes::kStops);
    return known == 0 ? nullptr : &notes_.stop[static_cast<std::size_t>(random_.Index(static_cast<int>(known)))];
  }

  core::ProposedAction Command(std::uint64_t sequence) const {
    return {.epoch = report_.latch.epoch,
            .sequence = sequence,
            .deadline = report_.joints.time + kDeadline,
            .axes = core::kArmAxes,
            .target_q_rad = report_.commanded_q_rad};
  }

  /// Would be seen for sure if it were carried out.
  core::ProposedAction DeadCommand() {
    core::ProposedAction dead = Command(kDeadSequence + ++dead_count_);
    dead.deadline = report_.joints.time + kFar;
    dead.target_q_rad[core::kRoll] = random_.Chance(0.5) ? kForbiddenRollRad : -kForbiddenRollRad;
    return dead;
  }

  void Harass(Dead kind) {
    core::ProposedAction dead = DeadCommand();
    switch (kind) {
      case Dead::kEpoch: {
        const Notes::Stop* const stop = AnyStop();
        if (stop == nullptr || stop->epoch == report_.latch.epoch) return;
        dead.epoch = stop->epoch;
        break;
      }
      case Dead::kReplay:  // Of one that was in force: another that was sent may have been lost, and its number is new,
        // as are all numbers in an epoch in which nothing has moved yet.
        if (report_.sequence == 0 || moved_epoch_ != report_.latch.epoch) return;
        dead.sequence = report_.sequence;
        break;
      case Dead::kLate: dead.deadline = report_.joints.time - std::chrono::milliseconds(1); break;
      case Dead::kShort: dead.axes = core::kJaw; break;
      case Dead::kNotFinite: dead.target_q_rad[core::kWrist] = std::numeric_limits<double>::quiet_NaN(); break;
      case Dead::kUnheardEpoch: dead.epoch += 1000; break;
    }
    SendBeside(dead);
  }

  /// On the second socket, and without waiting for an answer; those of before are taken away.
  bool SendBeside(const core::ProposedAction& dead) {
    if (spare_id_) (void)links_.spare.Receive(*spare_id_, io::Wait{0});
    wire::SafetyRequest request;
    request.set_protocol(io::kProtocol);
    io::Encode(dead, request.mutable_exchange()->mutable_proposal());
    const auto sent = links_.spare.Send(request.SerializeAsString(), io::Wait{0});
    spare_id_ = sent ? std::optional(*sent) : std::nullopt;
    notes_.dead_commands_sent += sent.has_value();
    return sent.has_value();
  }

  void BearStop() {
    const Notes::Stop* const old = AnyStop();
    if (random_.Chance(kDeadClearShare) && old != nullptr && old->nonce != 0 && old->nonce != report_.latch.nonce) {
      ++notes_.dead_clears_sent;
      notes_.dead_clears_taken += Clear({.id = old->id, .nonce = old->nonce}, random_.Chance(0.5));
    }
    if (patience_-- > 0) {
      ++notes_.dead_commands_sent;
      return Learn(links_.arm.Exchange(DeadCommand()));
    }
    const bool restarted = report_.latch.first == core::StopCause::kRestarted;
    // After hundreds of kills the supervisor's clears of the hour are used up, and a person has to come.
    const bool cleared = (!report_.latch.needs_person && Clear(report_.latch, false)) || Clear(report_.latch, true);
    if (cleared) notes_.restarts_cleared += restarted;
    Learn(links_.arm.Exchange(std::nullopt));
  }

  bool Clear(const core::LatchReport& latch, bool by_person) {
    wire::SafetyRequest request;
    request.set_protocol(io::kProtocol);
    request.mutable_acknowledge()->set_latch_id(latch.id);
    request.mutable_acknowledge()->set_nonce(latch.nonce);
    request.mutable_acknowledge()->set_by_person(by_person);
    const auto body = links_.spare.Call(request.SerializeAsString(), kWaits.acknowledge);
    const auto reply = body ? io::Parse<wire::SafetyReply>(*body) : tl::make_unexpected(body.error());
    return reply && reply->has_done();
  }

  /// A person says stop, and the sender of commands goes on as if it had not heard.
  void StopAndGoOn() {
    wire::SafetyRequest request;
    request.set_protocol(io::kProtocol);
    request.mutable_stop();
    if (!links_.spare.Call(request.SerializeAsString(), kSpareWait)) return;
    ++notes_.dead_commands_sent;
    Learn(links_.arm.Exchange(DeadCommand()));
  }

  void Move() {
    ChooseGoal();
    core::ProposedAction command = Command(++sequence_);
    command.target_q_rad = goal_;
    if (!hasty_) command.risk_scale = kSlowScale;
    for (std::size_t i = 0; hasty_ && i < core::kArmAxes; ++i) {
      const double from = report_.commanded_q_rad[i];
      command.target_q_rad[i] = std::clamp(goal_[i], from - kLeadRad, from + kLeadRad);
    }
    if (report_.verdict == core::Verdict::kRefused && report_.limit == core::LimitId::kObstacle) {
      // Without power the arm sinks onto the table and its own base, from where only one joint leads away.
      command.target_q_rad = report_.commanded_q_rad;
      command.target_q_rad[core::kLift] -= kRaiseRad;
    }
    const core::Instant begun = report_.joints.time;
    notes_.last_sent_ns = core::ToNanoseconds(begun);
    Notes::Period& period = notes_.period[notes_.periods % Notes::kPeriods];
    period.begun_ns = core::ToNanoseconds(begun);
    period.ended_ns = 0;
    ++notes_.periods;
    const auto answer = links_.arm.Exchange(command);
    if (!answer) return Flood();
    Learn(answer);
    if (report_.latch.latched() || report_.verdict == core::Verdict::kStopped || report_.sequence != command.sequence)
      return;
    moved_epoch_ = command.epoch;
    period.ended_ns = core::ToNanoseconds(report_.joints.time);
  }

  void ChooseGoal() {
    if (std::abs(report_.commanded_q_rad[core::kPan] - goal_[core::kPan]) > kArrivedRad) return;
    hasty_ = random_.Chance(0.5);
    const double side = goal_[core::kPan] > 0 ? -1 : 1;
    goal_ = io::cell::kHomeRad;
    goal_[core::kPan] += side * random_.Uniform(kPanSwingRad / 2, kPanSwingRad);
    for (const int axis : {core::kLift, core::kElbow, core::kWrist})
      goal_[static_cast<std::size_t>(axis)] += random_.Uniform(-kSwingRad, kSwingRad);
  }

  /// No answer. Once the cell's clock has passed the deadline of everything in force, what waits in the monitor's
  /// sockets is of a time that is over, whatever deadline it bears.
  void Flood() {
    const auto truth = links_.cell.AskTruth();
    if (!truth || truth->time <= report_.joints.time + kDeadline || moved_epoch_ != report_.latch.epoch) return;
    for (int i = 0; i < kFloodMax; ++i) {
      core::ProposedAction dead = DeadCommand();
      dead.sequence += kFloodSequence;
      if (!SendBeside(dead)) return;
    }
  }

  Links links_;
  Notes& notes_;
  core::Random random_;
  core::PeriodReport report_;
  core::AxisArray goal_;
  bool hasty_ = true;
  core::Epoch moved_epoch_ = 0;  // In which a command of ours was in force.
  std::uint64_t sequence_ = 0, dead_count_ = 0;
  std::optional<std::uint64_t> spare_id_;
  int patience_ = 0;
};

int Fail(const core::Fault& fault) {
  std::fprintf(stderr, "storm_stand_in: %s\n", fault.detail.c_str());
  return 1;
}

int Main(const std::string& data, std::uint64_t seed) {
  const auto endpoints = io::EndpointsIn(data + "/run");
  if (!endpoints) return Fail(endpoints.error());
  auto notes = MapNotes(data + "/notes");
  auto arm = runtime::RemoteArm::Connect(endpoints->safety_command, kWaits);
  auto spare = io::Requester::Connect(endpoints->safety_command);
  auto cell = io::cell::CellControl::Connect(endpoints->cell_control, kSpareWait);
  if (!notes) return Fail(notes.error());
  if (!arm) return Fail(arm.error());
  if (!spare) return Fail(spare.error());
  if (!cell) return Fail(cell.error());
  StandIn stand_in({std::move(*arm), std::move(*spare), std::move(*cell)}, **notes, seed);
  for (;;) stand_in.Round();  // Until somebody kills it: the only way it ends.
}

}  // namespace
}  // namespace nightshift::storm

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: storm_stand_in DATA SEED\n");
    return 2;
  }
  return nightshift::storm::Main(argv[1], std::strtoull(argv[2], nullptr, 10));
}
