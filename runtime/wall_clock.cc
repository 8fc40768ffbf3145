// SPDX-License-Identifier: Apache-2.0
#include "runtime/wall_clock.h"

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace nightshift::runtime {

WallClock::Instant SteadyWallClock::Now() { return std::chrono::steady_clock::now(); }

void SteadyWallClock::SleepUntil(Instant at) {
  const auto since = at.time_since_epoch();
  const auto whole = std::chrono::floor<std::chrono::seconds>(since);
  const timespec until{whole.count(), std::chrono::nanoseconds(since - whole).count()};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {}
}

void SteadyWallClock::AwaitMail(Mailbox& mailbox, Instant until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Now());
  mailbox.Await(std::max(std::chrono::milliseconds(0), left));
}

}  // namespace nightshift::runtime
