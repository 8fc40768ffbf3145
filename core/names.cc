// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/action.h"
#include "core/budget.h"
#include "core/catalogue.h"
#include "core/check.h"
#include "core/fault.h"
#include "core/observation.h"
#include "core/transition.h"

namespace nightshift::core {

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
  std::abort();
}

bool IsFinite(const AxisArray& values, int axes) {
  for (int i = 0; i < axes; ++i)
    if (!std::isfinite(values[static_cast<std::size_t>(i)])) return false;
  return true;
}

std::string_view Name(FaultCode code) {
  switch (code) {
    case FaultCode::kInvalidConfig: return "invalid_config";
    case FaultCode::kMissingFile: return "missing_file";
    case FaultCode::kDriverTimeout: return "driver_timeout";
    case FaultCode::kDriverLost: return "driver_lost";
    case FaultCode::kCameraTimeout: return "camera_timeout";
    case FaultCode::kPeerTimeout: return "peer_timeout";
    case FaultCode::kMalformedMessage: return "malformed_message";
    case FaultCode::kNotFinite: return "not_finite";
    case FaultCode::kOutOfReach: return "out_of_reach";
    case FaultCode::kRefused: return "refused";
    case FaultCode::kCorruptSnapshot: return "corrupt_snapshot";
    case FaultCode::kCorruptState: return "corrupt_state";
    case FaultCode::kSchemaTooNew: return "schema_too_new";
    case FaultCode::kDiskFull: return "disk_full";
    case FaultCode::kIoFailed: return "io_failed";
    case FaultCode::kAlreadyRunning: return "already_running";
  }
  return "?";
}

std::string_view Name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass: return "pass";
    case Verdict::kLimited: return "limited";
    case Verdict::kRefused: return "refused";
    case Verdict::kStopped: return "stopped";
  }
  return "?";
}

std::string_view Name(LimitId limit) {
  switch (limit) {
    case LimitId::kNone: return "none";
    case LimitId::kPosition: return "position";
    case LimitId::kVelocity: return "velocity";
    case LimitId::kAcceleration: return "acceleration";
    case LimitId::kWorkspace: return "workspace";
    case LimitId::kNotFinite: return "not_finite";
    case LimitId::kWrongSize: return "wrong_size";
    case LimitId::kWrongEpoch: return "wrong_epoch";
    case LimitId::kReplayed: return "replayed";
    case LimitId::kLate: return "late";
    case LimitId::kNoCommand: return "no_command";
    case LimitId::kNoState: return "no_state";
    case LimitId::kTrackingError: return "tracking_error";
    case LimitId::kLatched: return "latched";
    case LimitId::kObstacle: return "obstacle";
    case LimitId::kGripForce: return "grip_force";
    case LimitId::kContact: return "contact";
    case LimitId::kCurrent: return "current";
    case LimitId::kTemperature: return "temperature";
    case LimitId::kWear: return "wear";
    case LimitId::kPersonNear: return "person_near";
    case LimitId::kRisk: return "risk";
  }
  return "?";
}

std::string_view Name(StopCause cause) {
  switch (cause) {
    case StopCause::kNone: return "none";
    case StopCause::kNoCommand: return "no_command";
    case StopCause::kPersonNear: return "person_near";
    case StopCause::kOverrun: return "overrun";
    case StopCause::kStall: return "stall";
    case StopCause::kTrackingError: return "tracking_error";
    case StopCause::kHot: return "hot";
    case StopCause::kWorn: return "worn";
    case StopCause::kDriverLost: return "driver_lost";
    case StopCause::kRestarted: return "restarted";
    case StopCause::kContact: return "contact";
    case StopCause::kOperator: return "operator";
  }
  return "?";
}

std::string_view Name(Budget budget) {
  switch (budget) {
    case Budget::kCurrent: return "current";
    case Budget::kStarts: return "starts";
    case Budget::kTravel: return "travel";
    case Budget::kImpacts: return "impacts";
  }
  return "?";
}

std::string_view Name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kRunning: return "running";
    case Outcome::kSuccess: return "success";
    case Outcome::kFailure: return "failure";
    case Outcome::kTimeout: return "timeout";
    case Outcome::kInterrupted: return "interrupted";
  }
  return "?";
}

std::string_view Name(SkillKind kind) {
  switch (kind) {
    case SkillKind::kScripted: return "scripted";
    case SkillKind::kLearned: return "learned";
  }
  return "?";
}

std::string_view Name(GoalKind kind) {
  switch (kind) {
    case GoalKind::kNone: return "none";
    case GoalKind::kBin: return "bin";
    case GoalKind::kTraySpot: return "tray_spot";
  }
  return "?";
}

}  // namespace nightshift::core
