// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/devices.h"
#include "io/link/link.h"

namespace nightshift::wire {
class BusReply;
}

namespace nightshift::io::cell {

struct CellDriverConfig {
  int axes = 6;           // Five joints and the jaw.
  Wait answer_wait{100};  // Wall time for one answer: the cell may be rendering or saving.
  Wait send_wait{20};     // Wall time to hand a request over: longer means that nobody listens.
  /// Robot time; armed in the drives with each command, since a power cut makes them forget it.
  std::chrono::milliseconds command_timeout{200};
};

/// The simulated cell's bus as a robot driver, in lock-step: Apply sends the next tick's targets and does not wait,
/// Read waits for that tick's state. Read without an Apply before it asks for the state without a step.
///
/// The tick number is the clock: it goes on by one per Apply whether or not the message arrived, starts where the
/// cell's clock is, and jumps forward when the cell had to go on alone. It never goes back, also over a restart of the
/// cell. Thread: the control thread only.
class CellDriver final : public core::RobotDriver {
 public:
  /// Does not wait for the cell to be there. Faults: those of Requester::Connect.
  static core::Result<CellDriver> Connect(const std::string& cell_bus, const CellDriverConfig& config);

  core::Pacing pacing() const override { return core::Pacing::kLockStep; }

  /// Faults: kDriverTimeout (no answer in time: the next Apply goes on), kDriverLost (the last request found nobody),
  /// kMalformedMessage, kRefused (the drives did not take the command timeout: they would not stop without us).
  core::Result<core::JointState> Read() override;

  /// Faults: kDriverLost (nobody took the request), kRefused (an action of another arm).
  core::Result<void> Apply(const core::SafeAction& action) override;

  /// The clock's tick: of the newest request, 0 before the first answer.
  std::uint64_t tick() const { return tick_; }

 private:
  CellDriver(Requester bus, const CellDriverConfig& config);
  core::Result<void> Send(const std::string& body);
  core::Result<void> CheckTimeout(const wire::BusReply& reply) const;

  Requester bus_;
  CellDriverConfig config_;
  std::uint64_t tick_ = 0;
  std::optional<std::uint64_t> awaited_;  // Id of the request whose answer Read waits for.
  bool armed_ = false;                    // That request armed the drives.
};

}  // namespace nightshift::io::cell
