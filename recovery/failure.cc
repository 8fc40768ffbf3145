// SPDX-License-Identifier: Apache-2.0
#include "recovery/failure.h"

#include <algorithm>

namespace nightshift::recovery {
namespace {

using skills::Fact;

constexpr double kTouchingWallM = 0.006;  // With the camera's error of one to three millimetres.
constexpr double kCrowdedM = 0.045;       // Centre to centre: less than an object and a finger.
constexpr int kStuckAfter = 3;            // The third failure in a row is no longer bad luck.
constexpr double kLostAgeS = 1.5;         // After the arm has stepped back, nothing hides an object this long.

std::string_view PlaceOf(const skills::Facts& facts) {
  if (Get(facts, Fact::kInTray) != 0) return "in_tray";
  if (Get(facts, Fact::kInBin) != 0) return "in_bin";
  return "outside";
}

bool IsFailed(core::Outcome outcome) {
  return outcome == core::Outcome::kFailure || outcome == core::Outcome::kTimeout;
}

std::string Dashed(std::string text) {
  std::replace(text.begin(), text.end(), '/', '-');
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

}  // namespace

std::string_view Name(FailureKind kind) {
  switch (kind) {
    case FailureKind::kCameraBad: return "camera_bad";
    case FailureKind::kStall: return "stall";
    case FailureKind::kSafetyStop: return "safety_stop";
    case FailureKind::kLost: return "lost";
    case FailureKind::kUnreachable: return "unreachable";
    case FailureKind::kDropped: return "dropped";
    case FailureKind::kOutside: return "outside";
    case FailureKind::kCrowded: return "crowded";
    case FailureKind::kWedged: return "wedged";
    case FailureKind::kStuck: return "stuck";
  }
  return "?";
}

std::vector<FailureKind> AllFailureKinds() {
  return {FailureKind::kCameraBad,   FailureKind::kStall,   FailureKind::kSafetyStop, FailureKind::kLost,
          FailureKind::kUnreachable, FailureKind::kDropped, FailureKind::kOutside,    FailureKind::kCrowded,
          FailureKind::kWedged,      FailureKind::kStuck};
}

std::optional<FailureKind> FailureKindFrom(std::string_view name) {
  for (const FailureKind kind : AllFailureKinds())
    if (Name(kind) == name) return kind;
  return std::nullopt;
}

std::optional<FailureKind> FailureIn(const Aftermath& after) {
  const auto is = [&after](Fact fact) { return Get(after.facts, fact) != 0; };
  if (!is(Fact::kFrameGood)) return FailureKind::kCameraBad;
  if (after.stop == core::StopCause::kStall) return FailureKind::kStall;
  if (after.stop == core::StopCause::kPersonNear) return std::nullopt;  // Nothing failed: somebody came by.
  if (after.stop != core::StopCause::kNone) return FailureKind::kSafetyStop;
  if (Get(after.facts, Fact::kObjectAge) > kLostAgeS) return FailureKind::kLost;
  if (is(Fact::kHeld)) return std::nullopt;
  if (!is(Fact::kReachable)) return FailureKind::kUnreachable;
  if (after.was_held && IsFailed(after.outcome) && !is(Fact::kInBin)) return FailureKind::kDropped;
  if (is(Fact::kOutside)) return FailureKind::kOutside;
  if (!IsFailed(after.outcome) || !is(Fact::kInTray)) return std::nullopt;
  if (Get(after.facts, Fact::kOtherGap) < kCrowdedM) return FailureKind::kCrowded;
  if (Get(after.facts, Fact::kWallGap) < kTouchingWallM) return FailureKind::kWedged;
  if (after.failed_in_a_row >= kStuckAfter) return FailureKind::kStuck;
  return std::nullopt;
}

std::string SignatureOf(FailureKind kind, const skills::Facts& facts) {
  switch (kind) {
    case FailureKind::kDropped:
    case FailureKind::kCrowded: return std::string(Name(kind)) + "/" + std::string(PlaceOf(facts));
    case FailureKind::kCameraBad:
    case FailureKind::kStall:
    case FailureKind::kSafetyStop:
    case FailureKind::kLost:
    case FailureKind::kUnreachable:
    case FailureKind::kOutside:
    case FailureKind::kWedged:
    case FailureKind::kStuck: return std::string(Name(kind));
  }
  return "?";
}

std::optional<core::TaskSpec> RecoveryTaskFor(FailureKind kind, const std::string& signature) {
  core::TaskSpec task;
  task.failure_kind = Name(kind);
  task.signature = signature;
  const std::string regained = "held && object_z > 0.05";
  switch (kind) {
    case FailureKind::kUnreachable: return std::nullopt;
    case FailureKind::kCameraBad:
      task.name = "wait-for-a-picture";
      task.start = "!frame_good";
      task.success = "frame_good";
      task.script = "retreat";
      break;
    case FailureKind::kStall:
    case FailureKind::kSafetyStop:
      task.name = "retreat-after-" + Dashed(signature);
      task.start = "tip_z < 0.11";
      task.success = "tip_z > 0.13";
      task.script = "retreat";
      break;
    case FailureKind::kLost:
      task.name = "look-again";
      task.start = "!object_seen";
      task.success = "object_seen && object_age < 0.3";
      task.script = "retreat";
      break;
    case FailureKind::kDropped:
    case FailureKind::kOutside:
      task.name = "regain-" + Dashed(signature);
      task.start = "!held && object_seen && reachable";
      task.success = regained;
      task.script = "pick";
      task.inherits_from = "pick";
      break;
    case FailureKind::kCrowded:
      task.name = "separate-" + Dashed(signature);
      task.start = "!held && object_seen && reachable && other_gap < 0.045";
      task.success = "(!held && in_tray && other_gap > 0.06) || (" + regained + ")";
      task.script = "separate";
      task.inherits_from = "pick";
      break;
    case FailureKind::kWedged:
      task.name = "free-wedged";
      task.start = "!held && object_seen && in_tray && wall_gap < 0.006";
      task.success = "(!held && in_tray && wall_gap > 0.015) || (" + regained + ")";
      task.script = "unwedge";
      task.inherits_from = "pick";
      break;
    case FailureKind::kStuck:  // The goal of a task without one is where its object was at the start.
      task.name = "free-stuck";
      task.start = "!held && object_seen && in_tray";
      task.success = "(!held && in_tray && goal_distance > 0.025) || (" + regained + ")";
      task.script = "unwedge";
      task.inherits_from = "pick";
      break;
  }
  return task;
}

}  // namespace nightshift::recovery
