// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <vector>

#include "tests/faults/whole_robot.h"

/// The failure matrix as data: each way to fail (SAFETY.md, T4) of each channel in each phase, and what must come of
/// it.
namespace nightshift::tests {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using core::StopCause;
using enum core::StopCause;
using enum core::FrameHealth;

enum class Channel { kReadings, kTorque, kTemperature, kCommands, kPower, kCamera, kProposals, kLearner };
enum class Mode { kOk, kOff, kStuck, kGarbage, kWrong, kSlow, kDelayed, kIntermittent };
using enum Channel;
using enum Mode;
inline constexpr std::array kChannels{"Readings", "Torque", "Temperature", "Commands",
                                      "Power",    "Camera", "Proposals",   "Learner"};
inline constexpr std::array kModes{"Ok", "Off", "Stuck", "Garbage", "Wrong", "Slow", "Delayed", "Intermittent"};
inline constexpr std::array kPhaseNames{"Idle", "Practising", "Recovering", "Stopping"};

enum class End { kGoesOn, kWaits, kStops, kStopsThenOff, kRecovers, kSenseless };

/// What must come of one row. Deadlines: from the beginning of the trouble until the arm is at rest, in robot time.
struct Expected {
  End end = End::kSenseless;
  StopCause cause = StopCause::kNone;
  int rest_ms = 0;
  const char* reason = "";
};
/// No stop, and practice goes on.
inline constexpr Expected GoesOn() { return {End::kGoesOn}; }
/// No stop; nothing is proposed, and the arm is at rest by then.
inline constexpr Expected Waits(int rest_ms) { return {End::kWaits, StopCause::kNone, rest_ms}; }
/// Nothing moves, and nothing new happens: idle, and during a person's stop.
inline constexpr Expected Holds(int rest_ms) { return Waits(rest_ms); }
/// Latched, power held; the supervisor clears it. During a person's stop: this cause joins it.
inline constexpr Expected Stops(StopCause cause, int rest_ms) { return {End::kStops, cause, rest_ms}; }
/// The same, and power goes when the arm is at rest.
inline constexpr Expected StopsThenOff(StopCause cause, int rest_ms) { return {End::kStopsThenOff, cause, rest_ms}; }
/// Latched, power goes when at rest, and the latch goes by itself with its cause.
inline constexpr Expected Recovers(StopCause cause, int rest_ms) { return {End::kRecovers, cause, rest_ms}; }
/// The combination makes no sense, because:
inline constexpr Expected No(const char* reason) { return {End::kSenseless, StopCause::kNone, 0, reason}; }

inline constexpr const char* kNothingMoves = "nothing moves, so that nothing can be missed";
inline constexpr const char* kNothingPushes = "nothing pushes: the command rests where the arm is";
inline constexpr const char* kWithReadings = "torque comes with each reading: slow readings stand there";
inline constexpr const char* kOneBit = "torque is on or off: there is no third state to garble";
inline constexpr const char* kNoObject = "there is no object to be seen";

using Phases = std::array<Expected, kPhases>;
/// The same in each phase.
inline constexpr Phases All(Expected all) { return {all, all, all, all}; }
/// This while it moves; else nothing happens, or something else.
inline constexpr Phases Moving(Expected moving, Expected else_) { return {else_, moving, moving, else_}; }
inline constexpr Phases Moving(Expected moving) { return {Holds(50), moving, moving, Holds(250)}; }
inline constexpr Phases NotIdle(Expected other, Expected idle) { return {idle, other, other, other}; }
inline constexpr Phases Untouched() { return Moving(GoesOn()); }

/// One way to fail, and what must come of it in each phase: idle, practising, recovering, stopping.
struct Line {
  Channel channel;
  Mode mode;
  const char* how;
  Trouble trouble;
  Phases phases;
};

// clang-format off
inline const std::vector<Line> kMatrix{
    // channel, mode, how, trouble, {idle, practising, recovering, stopping}
    {kReadings, kOk, "nothing fails", {}, Untouched()},
    {kReadings, kOff, "no reading comes", {.reads_lost = kAll}, All(Stops(kDriverLost, 200))},
    {kReadings, kStuck, "the same reading comes again and again", {.reading_repeats = true},
     All(Stops(kDriverLost, 200))},
    {kReadings, kStuck, "positions, speeds and torques freeze, readings are counted on", {.positions_freeze = true},
     Moving(Stops(kDriverLost, 1500), No(kNothingMoves))},
    {kReadings, kGarbage, "a position that is no number", {.reading_nan = true}, All(Stops(kDriverLost, 200))},
    {kReadings, kGarbage, "positions anywhere for 0.3 s", {.lasts = 300ms, .positions_random = true},
     All(Stops(kDriverLost, 300))},
    {kReadings, kWrong, "the pan reads 0.8 rad off for 0.3 s", {.lasts = 300ms, .pan_reads_off_rad = 0.8},
     All(Stops(kDriverLost, 300))},
    {kReadings, kWrong, "the pan reads 0.8 rad off for 2 s", {.pan_reads_off_rad = 0.8},
     All(Stops(kDriverLost, 300))},
    {kReadings, kWrong, "the pan reads 0.3 rad off", {.pan_reads_off_rad = 0.3}, All(Stops(kDriverLost, 300))},
    {kReadings, kSlow, "each reading takes 30 ms", {.read_takes = 30ms}, Untouched()},
    {kReadings, kDelayed, "readings are 40 ms old", {.reading_late_ticks = 10}, Untouched()},
    {kReadings, kDelayed, "readings are 400 ms old", {.reading_late_ticks = 100},
     All(Stops(kDriverLost, 200))},
    {kReadings, kIntermittent, "every third reading is lost", {.reads_lost = {1, 3}}, Untouched()},
    {kReadings, kIntermittent, "eight of fifty readings are lost", {.reads_lost = {8, 50}},
     All(Stops(kDriverLost, 300))},

    {kTorque, kOk, "the arm is blocked", {.lasts = 8s, .arm_blocked = true},
     Moving(Stops(kStall, 6000), No(kNothingPushes))},
    {kTorque, kOff, "torque reads zero", {.torque_reads = 0}, Untouched()},
    {kTorque, kOff, "torque reads zero, the arm is blocked", {.lasts = 8s, .arm_blocked = true, .torque_reads = 0},
     Moving(Stops(kDriverLost, 500), No(kNothingPushes))},
    {kTorque, kStuck, "torque stands at 0.3 Nm", {.torque_reads = 0.3}, Untouched()},
    {kTorque, kStuck, "torque stands at 0.3 Nm, the arm is blocked",
     {.lasts = 8s, .arm_blocked = true, .torque_reads = 0.3}, Moving(Stops(kDriverLost, 500), No(kNothingPushes))},
    {kTorque, kGarbage, "torque is no number", {.torque_reads = kNaN}, All(Stops(kDriverLost, 200))},
    {kTorque, kGarbage, "torque of a million Nm", {.torque_reads = 1e6},
     All(Stops(kDriverLost, 200))},
    {kTorque, kWrong, "torque reads 2.5 Nm everywhere", {.torque_reads = 2.5}, Untouched()},
    {kTorque, kSlow, "", {}, All(No(kWithReadings))},
    {kTorque, kDelayed, "torque is 200 ms old", {.torque_late_ticks = 50}, Untouched()},
    {kTorque, kDelayed, "torque is 200 ms old, the arm is blocked",
     {.lasts = 8s, .arm_blocked = true, .torque_late_ticks = 50}, Moving(Stops(kStall, 6000), No(kNothingPushes))},
    {kTorque, kIntermittent, "a million Nm in every fiftieth reading", {.torque_spikes = {1, 50}},
     Untouched()},

    {kTemperature, kOk, "a motor gets hot", {.heats_to_c = 80}, All(Recovers(kHot, 500))},
    {kTemperature, kOff, "temperatures read zero", {.temperature_reads = 0}, All(Stops(kDriverLost, 200))},
    {kTemperature, kStuck, "temperatures stand at 30 while 2.5 A heat a motor",
     {.lasts = 60s, .heats_to_c = 80, .temperature_reads = 30, .current_a = 2.5}, All(Recovers(kHot, 60000))},
    {kTemperature, kGarbage, "temperatures are no numbers", {.temperature_reads = kNaN}, All(Stops(kDriverLost, 200))},
    {kTemperature, kGarbage, "temperatures of a million degrees", {.temperature_reads = 1e6}, All(Recovers(kHot, 500))},
    {kTemperature, kWrong, "cool motors read 75", {.temperature_reads = 75}, All(Recovers(kHot, 500))},
    {kTemperature, kSlow, "the sensor follows with half a second's lag", {.heats_to_c = 80, .temperature_tau_s = 0.5},
     All(Recovers(kHot, 1400))},
    {kTemperature, kDelayed, "heat shows half a second late", {.heats_to_c = 80, .temperature_late_ticks = 125},
     All(Recovers(kHot, 1000))},
    {kTemperature, kIntermittent, "every fiftieth reading is hot", {.hot_flickers = {1, 50}}, All(Recovers(kHot, 300))},

    {kCommands, kOk, "nothing fails", {}, Untouched()},
    {kCommands, kOff, "the bus takes no command, and says so", {.commands_fail = kAll}, All(Stops(kDriverLost, 200))},
    {kCommands, kStuck, "commands are taken and never carried out", {.lasts = 6s, .commands_vanish = kAll},
     Moving(Stops(kDriverLost, 5000), No(kNothingMoves))},
    {kCommands, kGarbage, "drives go anywhere for 0.3 s", {.lasts = 300ms, .commands_random = true},
     All(StopsThenOff(kTrackingError, 700))},
    {kCommands, kWrong, "the elbow is driven 0.8 rad outwards", {.lasts = 300ms, .elbow_driven_off_rad = -0.8},
     All(StopsThenOff(kTrackingError, 700))},
    {kCommands, kWrong, "the elbow is driven 0.8 rad inwards", {.lasts = 300ms, .elbow_driven_off_rad = 0.8},
     All(StopsThenOff(kTrackingError, 700))},
    {kCommands, kWrong, "the elbow is driven 0.8 rad off for 2 s", {.elbow_driven_off_rad = 0.8},
     All(StopsThenOff(kTrackingError, 700))},
    {kCommands, kWrong, "the elbow is driven 0.3 rad off", {.lasts = 6s, .elbow_driven_off_rad = 0.3},
     {Stops(kStall, 6000), Stops(kStall, 6000), Stops(kStall, 6000), StopsThenOff(kTrackingError, 4000)}},
    {kCommands, kSlow, "drives follow at 0.5 rad/s", {.follow_speed_rad_s = 0.5},
     {Holds(50), GoesOn(), GoesOn(), Holds(1000)}},
    {kCommands, kDelayed, "commands take effect 100 ms late", {.command_late_ticks = 25},
     {Holds(50), GoesOn(), GoesOn(), Holds(300)}},
    {kCommands, kIntermittent, "every third command fails", {.commands_fail = {1, 3}}, Untouched()},

    {kPower, kOk, "nothing fails", {}, Untouched()},
    {kPower, kOff, "drives let go", {.power_drops = kAll}, All(Stops(kDriverLost, 500))},
    {kPower, kStuck, "after a heat stop drives take no torque", {.after_heat = true, .power_up_ticks = 10000},
     All(Stops(kDriverLost, 1100))},
    {kPower, kGarbage, "", {}, All(No(kOneBit))},
    {kPower, kWrong, "drives hold, and say that they do not", {.power_reads_off = true}, All(Stops(kDriverLost, 200))},
    {kPower, kSlow, "after a heat stop torque comes back within 0.5 s", {.after_heat = true, .power_up_ticks = 125},
     {Holds(400), GoesOn(), GoesOn(), Holds(400)}},
    {kPower, kDelayed, "after a heat stop torque comes back within 1.6 s", {.after_heat = true, .power_up_ticks = 400},
     All(Stops(kDriverLost, 1100))},
    {kPower, kIntermittent, "torque is gone for a tick, five times a second", {.power_drops = {1, 50}},
     All(Stops(kDriverLost, 300))},

    {kCamera, kOk, "nothing fails", {}, Untouched()},
    {kCamera, kOff, "no picture comes for 2 s", {.picture = kAbsent}, Untouched()},
    {kCamera, kOff, "no picture comes for 6 s", {.lasts = 6s, .picture = kAbsent}, Moving(Waits(2500))},
    {kCamera, kStuck, "the same picture, and it is noticed for 2 s", {.picture = kFrozen}, Untouched()},
    {kCamera, kStuck, "the same picture, and it is noticed for 6 s", {.lasts = 6s, .picture = kFrozen},
     Moving(Waits(2500))},
    {kCamera, kStuck, "the same picture, and nobody notices", {.sight_freezes = true}, Untouched()},
    {kCamera, kGarbage, "pictures that show nothing for 2 s", {.picture = kBlind}, Untouched()},
    {kCamera, kGarbage, "pictures that show nothing for 6 s", {.lasts = 6s, .picture = kBlind}, Moving(Waits(2500))},
    {kCamera, kGarbage, "an object at no number", {.lasts = 6s, .object_nan = true}, Moving(Waits(2500))},
    {kCamera, kWrong, "objects are seen 50 mm beside", {.object_off_m = 0.05},
     {No(kNoObject), GoesOn(), GoesOn(), Holds(250)}},
    {kCamera, kSlow, "a look takes 40 ms", {.look_takes = 40ms}, Untouched()},
    {kCamera, kSlow, "a look takes 300 ms", {.look_takes = 300ms}, Moving(Stops(kNoCommand, 500))},
    {kCamera, kDelayed, "what is seen is half a second old", {.sight_late_looks = 5}, Untouched()},
    {kCamera, kIntermittent, "every third look shows nothing", {.looks_lost = {1, 3}}, Untouched()},

    {kProposals, kOk, "nothing fails", {}, Untouched()},
    {kProposals, kOff, "the supervisor is silent", {.proposals_lost = kAll}, Moving(Stops(kNoCommand, 300))},
    {kProposals, kStuck, "the same proposal comes again and again", {.proposal_repeats = true},
     Moving(Stops(kNoCommand, 400))},
    {kProposals, kGarbage, "targets that are no numbers", {.proposal_nan = true}, Moving(Stops(kNoCommand, 300))},
    {kProposals, kWrong, "targets anywhere", {.proposal_wild = true}, Untouched()},
    {kProposals, kWrong, "a second supervisor wants nothing, all the time", {.flood = 1}, Untouched()},
    {kProposals, kSlow, "the supervisor takes 40 ms", {.proposal_late = 40ms}, Untouched()},
    {kProposals, kSlow, "the supervisor takes 100 ms", {.proposal_late = 100ms}, Moving(Stops(kNoCommand, 500))},
    {kProposals, kDelayed, "proposals arrive 240 ms late", {.proposal_late = 240ms}, Moving(Stops(kNoCommand, 300))},
    {kProposals, kIntermittent, "every fifth proposal is lost", {.proposals_lost = {1, 5}},
     Moving(Stops(kNoCommand, 900))},

    {kLearner, kOk, "a good snapshot comes", {.snapshot_after_looks = 0}, Untouched()},
    {kLearner, kOff, "no snapshot ever comes", {}, Untouched()},
    {kLearner, kStuck, "the same snapshot comes again and again", {.snapshot_repeats = true}, Untouched()},
    {kLearner, kGarbage, "weights that are no numbers", {.snapshot_nan = true}, Untouched()},
    {kLearner, kWrong, "a policy that dives as fast as it can", {.snapshot_wild = true}, Untouched()},
    {kLearner, kWrong, "a snapshot for a task that nobody knows", {.snapshot_of_no_task = true}, Untouched()},
    {kLearner, kSlow, "the learner is behind", {.lasts = 14s, .learner_behind = true}, Moving(Waits(12000))},
    {kLearner, kDelayed, "a snapshot comes some episodes late", {.snapshot_after_looks = 4}, Untouched()},
    {kLearner, kIntermittent, "every third snapshot is corrupt", {.snapshots_bad = {1, 3}}, Untouched()},
};
// clang-format on

}  // namespace nightshift::tests
