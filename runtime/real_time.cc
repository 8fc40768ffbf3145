// SPDX-License-Identifier: Apache-2.0
#include "runtime/real_time.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

namespace nightshift::runtime {
namespace {

constexpr int kPriority = 50;  // Above everything of ours; below the kernel's interrupt threads.

}  // namespace

std::vector<std::string> LockMemory() {
  if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) return {};
  return {std::string("mlockall: ") + std::strerror(errno) +
          "; ticks may wait for the disk. Set LimitMEMLOCK=infinity, as the systemd unit does"};
}

std::vector<std::string> RaisePriority() {
  const sched_param priority{.sched_priority = kPriority};
  const int failed = pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
  if (failed == 0) return {};
  return {std::string("SCHED_FIFO: ") + std::strerror(failed) +
          "; other programs may delay ticks. Set LimitRTPRIO=50, as the systemd unit does"};
}

}  // namespace nightshift::runtime
