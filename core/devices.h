// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/action.h"
#include "core/fault.h"
#include "core/observation.h"

namespace nightshift::core {

/// Where the control clock comes from.
enum class Pacing {
  kMonotonic,  // The loop sleeps until its next tick.
  kLockStep,   // Time is a tick counter in the device: it advances by one period per Apply, as fast as all keep up.
};

/// One robot arm. A driver moves bytes; it never judges whether a motion is safe. It arms the drives' own command
/// timeout before or with the first command, and makes sure that they took it: that is what stops the arm when this
/// process is dead.
/// Thread: the control thread only.
class RobotDriver {
 public:
  virtual ~RobotDriver() = default;

  virtual Pacing pacing() const = 0;

  /// Newest joint state; blocks at most one bounded wait, with a clock of its own less than `overrun_max`.
  /// Its `time` says when it was taken: kMonotonic: nanoseconds of CLOCK_MONOTONIC; kLockStep: of the device's clock,
  /// which goes on, not back, when the device begins anew. What is too old counts as no reading. Faults:
  /// kDriverTimeout, kDriverLost.
  virtual Result<JointState> Read() = 0;

  /// Sends one command. An unfiltered ProposedAction does not compile here.
  virtual Result<void> Apply(const SafeAction& action) = 0;
};

struct Frame {
  Instant captured;
  std::uint64_t sequence = 0;
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;  // Row by row from the top left, 3 bytes a pixel.
};

/// One camera. Thread: that of its owner.
class Camera {
 public:
  virtual ~Camera() = default;

  /// The newest frame, captured now or later than `not_before`; bounded wait. Faults: kCameraTimeout.
  virtual Result<Frame> Grab(Instant not_before) = 0;
};

/// The supervisor's side of the safety process: propose, let one policy period pass, hear what happened.
class ArmPort {
 public:
  virtual ~ArmPort() = default;

  /// Sends a proposal (none: nothing is wanted, the arm holds still) and waits for the end of the policy period.
  /// Faults: kPeerTimeout.
  virtual Result<PeriodReport> Exchange(const std::optional<ProposedAction>& proposal) = 0;

  /// Acknowledges the latch that `report` shows. Faults: kRefused with the reason and what would clear it.
  virtual Result<void> Clear(const LatchReport& report) = 0;
};

/// How a person is asked for help.
class Attendant {
 public:
  virtual ~Attendant() = default;

  /// Asks once; returns at once. Whether help came is seen in the observations.
  /// @param object or kTheRobot, which a stop holds until a person has looked.
  virtual void Ask(const std::string& reason, int object) = 0;
};

}  // namespace nightshift::core
