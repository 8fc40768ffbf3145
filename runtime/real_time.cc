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

void LockMemory(std::vector<Denied>& denied) {
  if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) return;
  denied.push_back({DegradedMode::kMemoryNotLocked,
                    std::string("mlockall: ") + std::strerror(errno) +
                        "; ticks may wait for the disk. Set LimitMEMLOCK=infinity, as the systemd unit does"});
}

void RaisePriority(std::vector<Denied>& denied) {
  const sched_param priority{.sched_priority = kPriority};
  const int failed = pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
  if (failed == 0) return;
  denied.push_back({DegradedMode::kNoRealTimePriority,
                    std::string("SCHED_FIFO: ") + std::strerror(failed) +
                        "; other programs may delay ticks. Set LimitRTPRIO=50, as the systemd unit does"});
}

void StayOn(int cpu, std::vector<Denied>& denied) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(static_cast<std::size_t>(cpu), &only);
  const int failed = pthread_setaffinity_np(pthread_self(), sizeof only, &only);
  if (failed == 0) return;
  denied.push_back(
      {DegradedMode::kCpuRefused,
       "safety.cpu = " + std::to_string(cpu) + ": " + std::strerror(failed) +
           "; ticks run on any processor. Name one that `nproc` counts and the unit's AllowedCPUs= holds"});
}

}  // namespace

std::vector<Denied> ClaimRealTime(const RealTimeConfig& config, core::Pacing pacing) {
  std::vector<Denied> denied;
  if (pacing == core::Pacing::kMonotonic) {
    LockMemory(denied);
    RaisePriority(denied);
  }
  if (config.cpu >= 0) StayOn(config.cpu, denied);
  return denied;
}

}  // namespace nightshift::runtime
