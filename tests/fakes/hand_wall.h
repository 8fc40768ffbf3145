// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <chrono>

#include "runtime/wall_clock.h"

namespace nightshift::tests {

/// Wall time passes only where somebody sleeps, waits, or is slow; and where the machine takes the processor away.
class HandWall : public runtime::WallClock {
 public:
  Instant Now() override { return Look(), now; }
  void SleepUntil(Instant at) override { now = std::max(now, at), Look(); }
  void AwaitMail(runtime::Mailbox&, Instant until) override { now = std::max(now, until); }

  /// After so many more looks at this clock, or at a device that calls Look, the processor is gone for a while.
  void StallAfter(int looks, std::chrono::nanoseconds length) { looks_left_ = looks, stall_ = length; }
  void Look() {
    if (looks_left_ >= 0 && looks_left_-- == 0) now += stall_;
  }
  Instant now{};

 private:
  int looks_left_ = -1;  // None is coming.
  std::chrono::nanoseconds stall_{0};
};

}  // namespace nightshift::tests
