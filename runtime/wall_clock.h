// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>

#include "runtime/safety_mail.h"

namespace nightshift::runtime {

/// CLOCK_MONOTONIC, for pacing and for bounded waits on other processes; tests bring their own.
class WallClock {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  virtual ~WallClock() = default;
  virtual Instant Now() = 0;
  virtual void SleepUntil(Instant at) = 0;
  /// Returns when mail was posted since the last call, or at `until`.
  virtual void AwaitMail(Mailbox& mailbox, Instant until) = 0;
};

class SteadyWallClock final : public WallClock {
 public:
  Instant Now() override;
  void SleepUntil(Instant at) override;
  void AwaitMail(Mailbox& mailbox, Instant until) override;
};

}  // namespace nightshift::runtime
