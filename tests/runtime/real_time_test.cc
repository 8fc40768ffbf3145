// SPDX-License-Identifier: Apache-2.0
#include "runtime/real_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

namespace nightshift::runtime {
namespace {

using testing::HasSubstr;

constexpr core::Pacing kMonotonic = core::Pacing::kMonotonic, kLockStep = core::Pacing::kLockStep;

/// What holds in a process of its own, so that this one stays as it is.
bool InAnotherProcess(const std::function<bool()>& holds) {
  const pid_t child = fork();
  if (child == 0) _exit(holds() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// As a user whom nobody granted anything.
void LoseAllRights() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_MEMLOCK, &none);
  setrlimit(RLIMIT_RTPRIO, &none);
  constexpr uid_t kNobody = 65534;
  if (geteuid() == 0 && setuid(kNobody) != 0) _exit(2);
}

bool Has(const std::vector<Denied>& denied, DegradedMode mode) {
  return std::any_of(denied.begin(), denied.end(), [mode](const Denied& one) { return one.mode == mode; });
}

#ifdef __SANITIZE_ADDRESS__
constexpr bool kLocksNoMemory = true;  // The address sanitizer makes mlockall do nothing and succeed.
#else
constexpr bool kLocksNoMemory = false;
#endif

TEST(RealTime, NamesWhatWasNotPermittedAndSaysHowToPermitIt) {
  EXPECT_TRUE(InAnotherProcess([] {
    LoseAllRights();
    const auto denied = ClaimRealTime({}, kMonotonic);
    const auto says = [&denied](DegradedMode mode, const char* text) {
      return std::any_of(denied.begin(), denied.end(), [=](const Denied& one) {
        return one.mode == mode && one.warning.find(text) != std::string::npos;
      });
    };
    const bool memory = kLocksNoMemory || says(DegradedMode::kMemoryNotLocked, "LimitMEMLOCK=infinity");
    return memory && says(DegradedMode::kNoRealTimePriority, "LimitRTPRIO=50") && denied.size() <= 2;
  }));
}

TEST(RealTime, EachThingIsEitherInForceOrDeniedByName) {
  EXPECT_TRUE(InAnotherProcess([] {
    const auto denied = ClaimRealTime({}, kMonotonic);
    const bool has_priority = sched_getscheduler(0) == SCHED_FIFO;
    return has_priority != Has(denied, DegradedMode::kNoRealTimePriority);
  }));
}

TEST(RealTime, InLockStepNothingIsAskedForSinceTimeWaits) {
  EXPECT_TRUE(InAnotherProcess([] {
    LoseAllRights();
    return ClaimRealTime({}, kLockStep).empty() && sched_getscheduler(0) == SCHED_OTHER;
  }));
}

TEST(RealTime, TheThreadStaysOnTheProcessorThatWasConfigured) {
  EXPECT_TRUE(InAnotherProcess([] {
    cpu_set_t before, after;
    sched_getaffinity(0, sizeof before, &before);
    int last = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &before)) last = cpu;
    const auto denied = ClaimRealTime({.cpu = last}, kLockStep);
    sched_getaffinity(0, sizeof after, &after);
    return denied.empty() && CPU_COUNT(&after) == 1 && CPU_ISSET(last, &after);
  }));
}

TEST(RealTime, AProcessorThatTheMachineDoesNotHaveIsRefusedByName) {
  const auto denied = ClaimRealTime({.cpu = 1023}, kLockStep);
  ASSERT_EQ(denied.size(), 1u);
  EXPECT_EQ(denied[0].mode, DegradedMode::kCpuRefused);
  EXPECT_THAT(denied[0].warning, HasSubstr("safety.cpu = 1023"));
}

}  // namespace
}  // namespace nightshift::runtime
