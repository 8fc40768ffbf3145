// SPDX-License-Identifier: Apache-2.0
// The control thread's discipline: no tick allocates, locks or calls the kernel beyond the bus, the clock, and the bell
// that tells the other thread of an answer. Real loop, filter, audit and metrics; the robot and the clock are in
// memory, so that nothing at all is left for the kernel to do.
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <filesystem>
#include <limits>
#include <mutex>

#include "monitoring/metrics.h"
#include "monitoring/safety_metrics.h"
#include "tests/runtime/loop_rig.h"
#include "tests/runtime/tick_guard.h"

namespace nightshift::runtime {
namespace {

using core::LimitId;
using core::StopCause;
using core::Verdict;
using tests::ChildResults;
using tests::InChild;
using tests::Misdeeds;
using tests::TickGuard;

// ---- The guard itself ----

int* g_kept = nullptr;  // Or the compiler leaves the allocation out.

TEST(TickGuard, SeesAllocationsOfWhatItWatchesAndOfNothingElse) {
  Misdeeds misdeeds;
  {
    const TickGuard guard(misdeeds);
    g_kept = new int(1);
  }
  EXPECT_EQ(misdeeds.allocations, 1);
  delete g_kept;
  EXPECT_EQ(misdeeds.allocations, 1);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(TickGuard, SeesLocksAlsoOfWhatIsFree) {
  Misdeeds misdeeds;
  std::mutex mutex;
  {
    const TickGuard guard(misdeeds);
    const std::lock_guard lock(mutex);
  }
  EXPECT_EQ(misdeeds.locks, 1);
}

TEST(TickGuard, SeesSystemCalls) {
  const auto child = InChild([](ChildResults& results) {
    if (!tests::ForbidSystemCalls(results.misdeeds, {}, {})) return;
    syscall(SYS_getppid);
    syscall(SYS_write, 1, "x", 1);
  });
  ASSERT_TRUE(child);
  EXPECT_EQ(child->misdeeds.system_calls, 2);
  EXPECT_EQ(child->misdeeds.numbers[0], SYS_getppid);
  EXPECT_EQ(child->misdeeds.numbers[1], SYS_write);
}
#endif

// ---- The tick ----

enum Seen { kPassed, kLimited, kRefused, kStopped, kMissed, kOldReading, kLostAnswer, kRecords, kCauses };

/// Everything that a tick can meet, one after the other. The peer's side is not watched, and may ring the bell.
class EverythingThatHappens {
 public:
  EverythingThatHappens(ChildResults& results, Rig& rig, const safety::Audit& audit)
      : results_(results), rig_(rig), audit_(audit) {}

  void Happens() {
    Starts();
    IsProposedTo();
    IsLate();
    LosesReadings();
    IsStopped();
    SuffersFromTheArm();
    HasMoreThanItHolds();
  }

 private:
  void Ticks(int count) {
    for (int i = 0; i < count; ++i) {
      const TickGuard guard(results_.misdeeds);
      rig_.loop.Tick();
    }
    NoteCauses();
    while (rig_.answers.Take()) {}
  }
  void NoteCauses() {
    const auto worst = rig_.filter.latch().worst;
    if (worst != StopCause::kNone) results_.seen[kCauses] |= 1 << static_cast<int>(worst);
  }
  void Acknowledge(safety::ClearedBy by, std::uint64_t off = 0) {
    const auto latch = rig_.filter.latch();
    rig_.mailbox.Post(AcknowledgeMail{++rig_.tickets, {latch.id, latch.nonce + off, by}});
    Ticks(1);
  }
  void Clear() {
    Ticks(50);
    Acknowledge(safety::ClearedBy::kPerson);
    Ticks(25);
  }
  void Propose(double pan_step_rad, const std::function<void(core::ProposedAction&)>& spoil = {}) {
    auto proposal = rig_.Propose(pan_step_rad);
    if (spoil) spoil(proposal);
    rig_.mailbox.Post(ExchangeMail{++rig_.tickets, proposal});
  }

  void Starts() {
    Ticks(25);
    Acknowledge(safety::ClearedBy::kSupervisor, 1);
    Acknowledge(safety::ClearedBy::kSupervisor);
    Ticks(25);
  }
  void IsProposedTo() {
    Propose(0.02);
    Ticks(30);
    Propose(1.5);
    Ticks(30);
    Propose(-1.0, [](auto& p) { p.target_q_rad[core::kLift] = 1.7; });  // Into the table.
    Ticks(40);
    Propose(0.1, [](auto& p) { p.epoch = 1; });
    Ticks(1);
    Propose(0.1, [](auto& p) { p.target_q_rad[0] = std::numeric_limits<double>::quiet_NaN(); });
    Ticks(1);
    Propose(0.1, [](auto& p) { p.deadline = core::Instant{}; });
    Ticks(1);
    Propose(0.1, [](auto& p) { p.sequence = 1; });
    Ticks(1);
    Propose(0.1, [](auto& p) { p.axes = 77; });
    Ticks(1);
    Propose(0.3);
    Ticks(200);  // Then nobody wants anything: the deadline.
    rig_.Exchange();
    Clear();
  }
  void IsLate() {
    Propose(0.8);
    Ticks(10);
    rig_.wall.now += milliseconds(30);
    Ticks(5);
    rig_.wall.now += milliseconds(700);
    Ticks(5);
    Clear();
  }
  void LosesReadings() {
    Propose(0.3);
    Ticks(5);
    rig_.robot.old = milliseconds(500);
    Ticks(3);
    rig_.robot.old = milliseconds(0);
    rig_.robot.silent = true;
    Ticks(10);
    rig_.robot.silent = false;
    rig_.robot.deaf = true;
    Ticks(10);
    rig_.robot.deaf = false;
    Clear();
  }
  void IsStopped() {
    Propose(0.3);
    Ticks(5);
    rig_.mailbox.Post(StopMail{++rig_.tickets});
    Ticks(40);
    Acknowledge(safety::ClearedBy::kSupervisor);
    Clear();
  }
  void SuffersFromTheArm() {
    rig_.robot.state.temperature_c[core::kLift] = 80;
    Ticks(60);
    rig_.robot.state.temperature_c[core::kLift] = 30;
    Ticks(60);
    for (const double step_rad : {0.1, -0.1})  // Pushed away and let go.
      for (int tick = 0; tick < 10; ++tick) {
        rig_.robot.moved_rad += step_rad;
        Ticks(1);
      }
    rig_.robot.moved_rad = 1;  // No arm moves like that.
    Ticks(10);
    rig_.robot.moved_rad = 0;
    Clear();
  }
  void HasMoreThanItHolds() {
    for (int i = 0; i < 20; ++i) rig_.Exchange();
    Ticks(200);
    for (int i = 0; i < 20'000 && audit_.dropped() == 0; ++i) {  // Records: each is of another proposal.
      Propose(i % 20 < 10 ? 1.5 : -1.5);
      Ticks(3);
    }
  }

  ChildResults& results_;
  Rig& rig_;
  const safety::Audit& audit_;
};

/// The product's own parts around a loop, as nightshift-safety has them.
struct Process {
  Process(const std::filesystem::path& folder, ChildResults& results)
      : audit(*safety::Audit::Open({.folder = folder.string(), .utc_ns = [] { return std::int64_t{0}; }})),
        rig(core::Pacing::kMonotonic, LoopSpeed::kMax, &audit, [this, &results](const TickFacts& tick) {
          figures.CountTick({tick.verdict, tick.limit, tick.took, tick.late, tick.missed});
          ++results.seen[static_cast<std::size_t>(tick.verdict)];
          if (tick.missed) ++results.seen[kMissed];
        }) {}
  monitoring::Metrics metrics{"safety", "test"};
  monitoring::SafetyMetrics figures{metrics};
  safety::Audit audit;
  Rig rig;
};

TEST(Tick, NeitherAllocatesNorLocksNorCallsTheKernelWhateverHappens) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "tick-audit";
  std::filesystem::remove_all(folder);
  const auto child = InChild([&folder](ChildResults& results) {
    Process& process = *new Process(folder, results);  // Its end would call the kernel.
    const std::array bells{process.rig.mailbox.descriptor(), process.rig.answers.descriptor()};
    if (!tests::ForbidSystemCalls(results.misdeeds, {}, bells)) return void(results.misdeeds.system_calls = -1);
    EverythingThatHappens(results, process.rig, process.audit).Happens();
    results.seen[kOldReading] = static_cast<int>(process.rig.loop.counters().readings_old);
    results.seen[kLostAnswer] = static_cast<int>(process.rig.loop.counters().answers_dropped);
    results.seen[kRecords] = static_cast<int>(process.audit.dropped());
  });
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(child) << "the ticks did not come to their end";
  EXPECT_EQ(child->misdeeds.allocations, 0);
  EXPECT_EQ(child->misdeeds.locks, 0);
  EXPECT_EQ(child->misdeeds.system_calls, 0) << "the first is number " << child->misdeeds.numbers[0];
  for (const Seen what : {kPassed, kLimited, kRefused, kStopped, kMissed, kOldReading, kLostAnswer, kRecords})
    EXPECT_GT(child->seen[what], 0) << "nothing of the kind happened: " << what;
  for (const StopCause cause : {StopCause::kNoCommand, StopCause::kOverrun, StopCause::kTrackingError, StopCause::kHot,
                                StopCause::kDriverLost, StopCause::kRestarted, StopCause::kOperator})
    EXPECT_TRUE(child->seen[kCauses] & 1 << static_cast<int>(cause)) << Name(cause) << " never stopped it";
}

TEST(Tick, TheProductsOwnClockAsksTheKernelForTheTimeAndForSleepAlone) {
  const auto child = InChild([](ChildResults& results) {
    SteadyWallClock wall;
    constexpr std::array clock{static_cast<int>(SYS_clock_gettime), static_cast<int>(SYS_clock_nanosleep)};
    if (!tests::ForbidSystemCalls(results.misdeeds, clock, {})) return void(results.misdeeds.system_calls = -1);
    const TickGuard guard(results.misdeeds);
    for (int i = 0; i < 20; ++i) wall.SleepUntil(wall.Now() + std::chrono::microseconds(200));
  });
  ASSERT_TRUE(child);
  EXPECT_TRUE(child->misdeeds.none()) << child->misdeeds.allocations << ' ' << child->misdeeds.locks << ' '
                                      << child->misdeeds.system_calls << ' ' << child->misdeeds.numbers[0];
}

}  // namespace
}  // namespace nightshift::runtime
