// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "core/devices.h"
#include "io/link/link.h"

namespace nightshift::wire {
class SafetyReply;
class SafetyRequest;
}  // namespace nightshift::wire

namespace nightshift::runtime {

/// The arm as the supervisor has it: across the process boundary, behind the safety process. Every wait is bounded.
/// Thread: one at a time.
class RemoteArm final : public core::ArmPort {
 public:
  struct Waits {
    io::Wait exchange{3000};  // Two policy periods in real time, and a busy machine.
    io::Wait acknowledge{1000};
  };
  /// Does not wait for the safety process to be there. Faults: those of io::Requester::Connect.
  static core::Result<RemoteArm> Connect(const std::string& safety_command, Waits waits);
  static core::Result<RemoteArm> Connect(const std::string& safety_command) { return Connect(safety_command, Waits{}); }

  core::Result<core::PeriodReport> Exchange(const std::optional<core::ProposedAction>& proposal) override;
  core::Result<void> Clear(const core::LatchReport& report) override;

 private:
  RemoteArm(io::Requester requester, Waits waits);
  core::Result<wire::SafetyReply> Ask(const wire::SafetyRequest& request, io::Wait wait);

  io::Requester requester_;
  Waits waits_;
};

}  // namespace nightshift::runtime
