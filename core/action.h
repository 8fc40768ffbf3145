// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "core/observation.h"
#include "core/time.h"

namespace nightshift::safety {
class Filter;
}

namespace nightshift::core {

/// What a policy says, in the policy's units: dx, dy, dz as shares of the largest Cartesian step, then the gripper
/// (positive: close). Each in [-1, 1].
inline constexpr int kActionSize = 4;
using PolicyAction = std::array<float, kActionSize>;

/// Bumped by every stop; a command of an older epoch is dead.
using Epoch = std::uint64_t;

/// What a policy wants of the arm, as joint targets to be reached at the end of the policy period.
struct ProposedAction {
  Epoch epoch = 0;
  std::uint64_t sequence = 0;  // Strictly increasing within an epoch.
  Instant deadline;            // Not to be used after this, on the safety process's clock.
  int axes = 0;
  AxisArray target_q_rad{};
  double risk_scale = 1;  // The risk critic's wish: slower, or 0: not at all. It can never speed anything up.
};

/// Further down wins when several limits act in one period.
enum class Verdict { kPass, kLimited, kRefused, kStopped };
std::string_view Name(Verdict verdict);

/// The limit that acted. A closed set: also a metric label and a column of the audit.
enum class LimitId {
  kNone,
  kPosition,
  kVelocity,
  kAcceleration,
  kWorkspace,
  kNotFinite,
  kWrongSize,
  kWrongEpoch,
  kReplayed,
  kLate,
  kNoCommand,
  kNoState,
  kTrackingError,
  kLatched,
  kObstacle,
  kGripForce,    // The jaw presses as hard as it may.
  kContact,      // Torque that neither weight nor motion explains, where nothing may be touched.
  kCurrent,      // Current squared times time.
  kTemperature,  // As measured.
  kWear,         // A day's share of starts, travel or impacts.
  kPersonNear,   // Speed and separation.
  kRisk,         // The learned critic's wish. It only ever slows or refuses.
};
std::string_view Name(LimitId limit);
/// All, in order. Journals hold their numbers: new ones are added at the end.
inline constexpr std::array kLimitIds{
    LimitId::kNone,       LimitId::kPosition,  LimitId::kVelocity,      LimitId::kAcceleration, LimitId::kWorkspace,
    LimitId::kNotFinite,  LimitId::kWrongSize, LimitId::kWrongEpoch,    LimitId::kReplayed,     LimitId::kLate,
    LimitId::kNoCommand,  LimitId::kNoState,   LimitId::kTrackingError, LimitId::kLatched,      LimitId::kObstacle,
    LimitId::kGripForce,  LimitId::kContact,   LimitId::kCurrent,       LimitId::kTemperature,  LimitId::kWear,
    LimitId::kPersonNear, LimitId::kRisk};

enum class PowerMode { kHold, kOff };

/// What may reach the motors. Only safety::Filter can make one, and a driver accepts nothing else.
class SafeAction {
 public:
  int axes() const { return axes_; }
  const AxisArray& q_rad() const { return q_rad_; }
  PowerMode power() const { return power_; }

 private:
  friend class nightshift::safety::Filter;
  SafeAction(int axes, const AxisArray& q_rad, PowerMode power) : axes_(axes), q_rad_(q_rad), power_(power) {}

  int axes_;
  AxisArray q_rad_;
  PowerMode power_;
};

/// Why the robot is stopped. Further down is worse; the first is kept for the record, the worst decides what clears it.
enum class StopCause {
  kNone,
  kNoCommand,      // Proposals ceased. Cleared by the supervisor, which then proposes afresh.
  kPersonNear,     // A person is too near, or the sensor that would say so is lost. Clears by itself.
  kOverrun,        // The control loop stood still for too long. Cleared by the supervisor.
  kStall,          // An axis pushed without moving for too long. Cleared by the supervisor.
  kTrackingError,  // The arm is not where it was told to be. Cleared by the supervisor.
  kHot,            // A motor is too warm, or will be. Clears by itself when it has cooled.
  kWorn,           // The day's wear is used up. Clears by itself as the day passes.
  kDriverLost,     // The bus is silent or says nonsense. Cleared by the supervisor when readings are back.
  kRestarted,      // The safety process began. Cleared by the supervisor.
  kContact,        // The arm touches what it should not. Cleared by a person.
  kOperator,       // A person said stop. Cleared by a person.
};
std::string_view Name(StopCause cause);
inline constexpr std::array kStopCauses{StopCause::kNoCommand, StopCause::kPersonNear,    StopCause::kOverrun,
                                        StopCause::kStall,     StopCause::kTrackingError, StopCause::kHot,
                                        StopCause::kWorn,      StopCause::kDriverLost,    StopCause::kRestarted,
                                        StopCause::kContact,   StopCause::kOperator};

/// The latch as the supervisor and operators see it.
struct LatchReport {
  StopCause first = StopCause::kNone;
  StopCause worst = StopCause::kNone;
  std::uint64_t id = 0;     // Names this latch.
  std::uint64_t nonce = 0;  // Must be quoted to clear it; issued after the latch.
  Epoch epoch = 0;
  bool needs_person = false;  // Nobody else may clear it.
  bool inspecting =
      false;  // Not latched: the last stop was cleared, and speeds are lowered until the arm has followed.

  bool latched() const { return worst != StopCause::kNone; }
};

/// What is known of people around the arm.
enum class Presence {
  kUnwatched,  // There is no sensor: nobody is seen.
  kSilent,     // The sensor says nothing, which counts as a person at the arm.
  kSeen,
};
struct PersonReport {
  Presence presence = Presence::kUnwatched;
  double distance_m = 0;   // As the sensor said last; 0 while it is silent.
  double speed_scale = 1;  // The share of its speed that the arm may have.
};

/// What one policy period came to, as safety saw it.
struct PeriodReport {
  JointState joints;            // At the end of the period.
  AxisArray commanded_q_rad{};  // What was last sent to the drives.
  Verdict verdict = Verdict::kPass;
  LimitId limit = LimitId::kNone;  // The limit that acted hardest.
  double margin = 0;               // Distance left to that limit, in the limit's unit; negative: wanted beyond it.
  std::uint64_t ticks_limited = 0;
  std::uint64_t sequence = 0;  // Of the proposal in force during the period; 0: none.
  LatchReport latch;
  PersonReport person;  // At the end of the period.
  // How near the arm came to a stop of its own doing: the share used of the nearest such budget, at most 1.
  double strain = 0;
};

}  // namespace nightshift::core
