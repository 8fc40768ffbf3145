// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/storm/storm.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace nightshift::storm {
namespace {

using std::chrono::milliseconds;
using Wall = std::chrono::steady_clock;

constexpr std::chrono::seconds kAwaitMax{90};  // Wall time until what must come has come, on a busy machine.
constexpr milliseconds kLookEvery{4};          // Also how fast a death is noticed at most.
constexpr milliseconds kInFlight{20};          // Wall time until the last command of a dead process has arrived.
// After the command rests: a servo that turns at 2.5 rad/s at most catches up with up to tracking_error_rad_max, and
// its loop settles to 0.15 rad/s.
constexpr core::Duration kSettle = milliseconds(350);
constexpr core::Duration kWatchOn = milliseconds(300);    // After the arm must rest: does it stay there?
constexpr core::Duration kMomentMax = milliseconds(500);  // Until the blow, from the first motion on.
constexpr double kMovingRadS = 0.5;
constexpr double kStillRad = 0.05;   // An arm sags when its setpoint is taken from where it is: 0.02 was seen.
constexpr double kLongShare = 0.75;  // Of events in which the victim stays away until the arm must have come to rest.

}  // namespace

std::string Name(Kind kind) {
  static constexpr std::array kNames{"kill supervisor", "stop supervisor", "kill learner",
                                     "stop learner",    "kill safety",     "stop safety"};
  return kNames[static_cast<std::size_t>(NumberOf(kind))];
}

Storm::Storm(Parts parts, std::uint64_t seed) : parts_(std::move(parts)), random_(seed), judge_(parts_.bounds) {}

void Storm::Break(const std::string& what) const { throw Broken(what); }

Process& Storm::ProcessOf(Victim victim) {
  static constexpr std::array kRoles{"supervisor", "learner", "safety"};
  const std::string role = kRoles[static_cast<std::size_t>(victim)];
  const auto found = std::find_if(parts_.processes.begin(), parts_.processes.end(),
                                  [&role](const Process& process) { return process.role() == role; });
  if (found == parts_.processes.end()) Break("there is no " + role + " in this crew");
  return *found;
}

// ---- Watching ----

/// Takes in what the cell has recorded and what is told.
void Storm::Pump() {
  for (std::size_t more = 1; more > 0;) {
    const auto record = parts_.cell.AskRecord(seen_tick_);
    if (!record) Break("the cell: " + record.error().detail);
    if (record->incomplete && seen_tick_ > 0) Break("the cell's record has a gap: the storm looked too late");
    more = record->moments.size();
    for (const Moment& moment : record->moments) judge_.See(moment);
    if (more > 0) seen_tick_ = record->moments.back().tick;
  }
  parts_.view->Look();
  if (!judge_.complaints().empty()) Break(judge_.complaints().front());
  if (const std::string complaint = parts_.view->Complaint(); !complaint.empty()) Break(complaint);
  for (Process& process : parts_.processes)
    if (&process != down_ && process.Died()) Break(process.role() + " ended by itself; see " + process.log_file());
}

/// Lets wall time pass; a death ends it.
void Storm::Breathe() const {
  std::vector<pollfd> lives;
  for (const Process& process : parts_.processes)
    if (&process != down_) lives.push_back({process.descriptor(), POLLIN, 0});
  poll(lives.data(), lives.size(), static_cast<int>(kLookEvery.count()));
}

void Storm::Await(const std::string& what, const std::function<bool()>& condition) {
  const auto until = Wall::now() + kAwaitMax;
  for (Pump(); !condition(); Pump()) {
    if (Wall::now() > until) Break("not within " + std::to_string(kAwaitMax.count()) + " s: " + what);
    Breathe();
  }
}

void Storm::AwaitRobotTime(core::Instant until) {
  Await("robot time goes on", [&] { return !judge_.empty() && judge_.now() >= until; });
}

void Storm::AwaitWall(milliseconds wall) {
  const auto until = Wall::now() + wall;
  Await("wall time goes on", [until] { return Wall::now() >= until; });
}

void Storm::AwaitMotion() {
  Await("the cell speaks", [this] { return !judge_.empty(); });
  const core::Instant from = judge_.now();
  parts_.view->Begin();
  Await("the arm moves", [&] { return parts_.view->StillUntil(from).has_value(); });
}

/// The longest commanded stop, and what the arm takes to follow it.
core::Duration Storm::Braking() const {
  double longest_s = 0;
  for (std::size_t i = 0; i < core::kJaw; ++i)
    longest_s = std::max(longest_s, parts_.limits.speed_rad_s_max[i] / parts_.limits.acceleration_rad_s2_max[i] +
                                        parts_.limits.acceleration_rad_s2_max[i] / parts_.limits.jerk_rad_s3_max[i]);
  return core::Seconds(longest_s) + kSettle;
}

// ---- Events ----

void Storm::Strike(Kind kind) {
  judge_.Forget();
  const core::Instant begin = judge_.now();
  Await("the arm is under way", [&] { return judge_.FastestRadS(begin, judge_.now()) > kMovingRadS; });
  AwaitRobotTime(judge_.now() + core::Seconds(random_.Uniform(0, core::ToSeconds(kMomentMax))));
  parts_.view->Begin();
  switch (kind.victim) {
    case Victim::kSupervisor: StrikeSupervisor(kind); break;
    case Victim::kLearner: StrikeLearner(kind); break;
    case Victim::kSafety: StrikeSafety(kind); break;
  }
  ++TallyOf(kind).events;
}

void Storm::Hit(Kind kind) {
  Process& process = ProcessOf(kind.victim);
  down_ = &process;
  if (kind.blow == Blow::kKill) return process.Kill();
  if (!process.Stop()) Break(process.role() + " ended by itself; see " + process.log_file());
}

void Storm::Revive(Kind kind) {
  Process& process = ProcessOf(kind.victim);
  if (kind.blow == Blow::kStop) {
    process.Continue();
  } else if (const auto started = process.Start(); !started) {
    Break(started.error().detail);
  }
  down_ = nullptr;
}

/// The monitor lives: it stops the arm when the last command's deadline has passed.
void Storm::StrikeSupervisor(Kind kind) {
  Hit(kind);
  Pump();
  const core::Instant sent = parts_.view->LastSent().value_or(judge_.now());
  const core::Duration allowed = parts_.limits.command_deadline_max + Braking();
  const bool long_away = random_.Chance(kLongShare);
  if (long_away) {
    AwaitRobotTime(sent + allowed + kWatchOn);
    CheckRest(kind, sent, allowed);
  } else {
    AwaitWall(milliseconds(random_.Index(static_cast<int>(parts_.silence / milliseconds(1)))));
  }
  Revive(kind);
  std::optional<core::Instant> still_until;
  Await("motion goes on after " + Name(kind),
        [&] { return (still_until = parts_.view->StillUntil(sent)).has_value(); });
  if (long_away) CheckStill(kind, sent + allowed, *still_until);
}

/// Nobody waits for the learner: motion goes on, dead or alive.
void Storm::StrikeLearner(Kind kind) {
  Hit(kind);
  Pump();
  const core::Instant from = judge_.now();
  AwaitWall(milliseconds(random_.Index(1000)));
  const bool before = random_.Chance(0.5);  // Must motion go on while it is away?
  if (!before) Revive(kind);
  Await("motion goes on after " + Name(kind), [&] { return parts_.view->StillUntil(from).has_value(); });
  if (before) Revive(kind);
}

/// Nobody commands the drives: their own timeout holds the arm. What comes back moves nothing that nobody cleared.
void Storm::StrikeSafety(Kind kind) {
  const core::Duration timeout = parts_.limits.drive_timeout;
  Hit(kind);
  AwaitWall(kInFlight);
  const core::Instant cut = *judge_.LastHeard();
  const bool long_away = random_.Chance(kLongShare);
  if (long_away) {
    AwaitRobotTime(cut + timeout + Braking() + kWatchOn);
    CheckRest(kind, cut, timeout + Braking());
    CheckHolding(kind, cut);
    if (judge_.HeardAfter(cut)) Break("the drives heard something while nobody lived who may speak to them");
  } else {
    AwaitWall(milliseconds(random_.Index(static_cast<int>(parts_.silence / milliseconds(1)))));
  }
  Revive(kind);
  Await("commands reach the drives after " + Name(kind), [&] { return judge_.HeardAfter(cut).has_value(); });
  const core::Instant back = *judge_.HeardAfter(cut);
  const bool was_cut_off = kind.blow == Blow::kKill || back - cut > timeout;
  std::optional<core::Instant> still_until;
  Await("motion goes on after " + Name(kind),
        [&] { return (still_until = parts_.view->StillUntil(was_cut_off ? back : cut)).has_value(); });
  if (!was_cut_off) return;
  CheckStill(kind, long_away ? cut + timeout + Braking() : back + Braking(), *still_until);
  if (parts_.view->CarriedAcross(cut, back)) Break("a command from before the monitor stood still was carried out");
  if (kind.blow == Blow::kKill)
    Await("the restart is cleared before motion", [this] { return parts_.view->RestartCleared(); });
}

/// The drives' own timeout, to the tick: it is what stops an arm that nobody commands.
void Storm::CheckHolding(Kind kind, core::Instant cut) const {
  const core::Duration took = judge_.LastFollowing(cut, judge_.now()) - cut;
  if (took > parts_.limits.drive_timeout)
    Break(fmt::format("{}: the drives still acted on a command {:.0f} ms after the last; their timeout is {:.0f} ms",
                      Name(kind), core::ToSeconds(took) * 1e3, core::ToSeconds(parts_.limits.drive_timeout) * 1e3));
}

void Storm::CheckRest(Kind kind, core::Instant from, core::Duration allowed) {
  Tally& tally = TallyOf(kind);
  if (judge_.LetGo(from, judge_.now())) {  // The last command was to let go, for a cause that asks for it.
    ++tally.let_go;
    return;
  }
  const core::Duration took = judge_.LastMoving(from, judge_.now()) - from;
  ++tally.rests;
  tally.rest_allowed = allowed;
  tally.rest_max = std::max(tally.rest_max, took);
  tally.rest_sum += took;
  if (took > allowed)
    Break(fmt::format("{}: the arm still moved {:.0f} ms after the last command, {:.0f} ms are allowed", Name(kind),
                      core::ToSeconds(took) * 1e3, core::ToSeconds(allowed) * 1e3));
}

void Storm::CheckStill(Kind kind, core::Instant from, core::Instant until) {
  if (until <= from) return;              // It was never held: no command had been in force.
  if (judge_.LetGo(from, until)) return;  // Without power it sinks, which nobody commanded.
  const double travel = judge_.TravelRad(from, until);
  Tally& tally = TallyOf(kind);
  ++tally.stills;
  tally.travel_rad_max = std::max(tally.travel_rad_max, travel);
  if (travel > kStillRad)
    Break(
        fmt::format("{}: a joint moved by {:.3f} rad between its rest and the first motion that was allowed, {} s of "
                    "robot time later; {:.3f} rad are allowed",
                    Name(kind), travel, core::ToSeconds(until - from), kStillRad));
}

}  // namespace nightshift::storm
