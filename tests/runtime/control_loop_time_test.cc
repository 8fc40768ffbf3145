// SPDX-License-Identifier: Apache-2.0
// Robot time, and what comes of a loop, a bus or a device that does not keep it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/runtime/loop_rig.h"

namespace nightshift::runtime {
namespace {

using core::StopCause;
using core::Verdict;
using testing::HasSubstr;

constexpr core::Pacing kMonotonic = core::Pacing::kMonotonic, kLockStep = core::Pacing::kLockStep;

/// Robot time since `from`.
milliseconds Passed(const Rig& rig, core::Instant from) {
  return std::chrono::duration_cast<milliseconds>(rig.loop.now() - from);
}

/// Under way as fast as the acceleration brings it there.
void Hurry(Rig& rig) {
  rig.Arm();
  rig.Exchange(rig.Propose(1.2));
  rig.Ticks(15);
  ASSERT_GT(rig.filter.commanded_v_rad_s()[core::kPan], 1.0);
}

TEST(RobotTime, GoesOnByAsManyPeriodsAsPassedOnTheWall) {
  Rig rig(kMonotonic);
  rig.Arm();
  const auto begin = rig.loop.now();
  const auto wall = rig.wall.now;
  rig.wall.now += milliseconds(23);  // The processor was taken away between two ticks.
  rig.Ticks(1);
  EXPECT_EQ(Passed(rig, begin), milliseconds(20)) << "whole periods only";
  rig.Ticks(1);
  EXPECT_EQ(Passed(rig, begin), milliseconds(24)) << "then on the grid again";
  EXPECT_EQ(rig.wall.now - wall, milliseconds(24));
  EXPECT_EQ(rig.loop.counters().ticks_missed, 4u);
}

TEST(RobotTime, DoesNotFallBehindABusThatIsSlow) {
  Rig rig(kMonotonic);
  rig.Arm();
  const auto begin = rig.loop.now();
  const auto wall = rig.wall.now;
  rig.robot.takes = milliseconds(30);
  rig.Ticks(50);
  EXPECT_GE(Passed(rig, begin) + 2 * milliseconds(30), rig.wall.now - wall);
  EXPECT_LE(Passed(rig, begin), rig.wall.now - wall);
  EXPECT_FALSE(rig.filter.latch().latched());
}

TEST(RobotTime, LatenessIsWhatATickBeganBehindItsTime) {
  std::vector<std::chrono::nanoseconds> late;
  Rig rig(kMonotonic, LoopSpeed::kMax, nullptr, [&](const TickFacts& tick) {
    if (!tick.missed) late.push_back(tick.late);
  });
  rig.Ticks(3);
  rig.wall.now += milliseconds(10);
  rig.Ticks(1);
  constexpr int kLookAfterTheSleep = 1;
  rig.wall.StallAfter(kLookAfterTheSleep, std::chrono::microseconds(700));  // Woken late.
  rig.Ticks(1);
  ASSERT_EQ(late.size(), 5u);
  EXPECT_EQ(late[2], milliseconds(0));
  EXPECT_EQ(late[3], milliseconds(6));
  EXPECT_EQ(late[4], std::chrono::microseconds(700));
}

TEST(RobotTime, TheDeadlineFiresInRealTimeHoweverSlowTheTicksAre) {
  Rig rig(kMonotonic);
  rig.Arm();
  rig.Exchange(rig.Propose(0.1));
  rig.Ticks(1);
  const auto wall = rig.wall.now;
  rig.robot.takes = milliseconds(25);
  while (!rig.filter.latch().latched()) rig.Ticks(1);
  EXPECT_EQ(rig.filter.latch().worst, StopCause::kNoCommand);
  EXPECT_LT(rig.wall.now - wall, milliseconds(200 + 2 * 28));
}

TEST(RobotTime, APeriodThatEndedInAMissedTickIsAnsweredAllTheSame) {
  Rig rig(kMonotonic);
  rig.Arm();
  const auto proposal = rig.Propose(0.05);
  rig.Exchange(proposal);
  rig.Ticks(22);
  EXPECT_FALSE(rig.Report());
  rig.wall.now += milliseconds(30);
  rig.Ticks(1);
  const auto report = rig.Report();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->sequence, proposal.sequence);
}

TEST(MissedTicks, TheCommandIsWhereItWouldBeHadNoneBeenMissed) {
  Rig punctual(kMonotonic), late(kMonotonic);
  Hurry(punctual);
  Hurry(late);
  punctual.Ticks(10);
  late.wall.now += milliseconds(40);
  const int applied = late.robot.applied;
  late.Ticks(1);
  EXPECT_EQ(late.robot.applied, applied + 1) << "the drives are told the last";
  EXPECT_EQ(late.filter.commanded_q_rad(), punctual.filter.commanded_q_rad());
  EXPECT_FALSE(late.filter.latch().latched());
}

TEST(MissedTicks, AStopThatCameMeanwhileStopsInThem) {
  Rig rig(kMonotonic);
  Hurry(rig);
  const double speed = rig.filter.commanded_v_rad_s()[core::kPan];
  rig.mailbox.Post(StopMail{5});
  rig.wall.now += milliseconds(40);
  rig.Ticks(1);
  EXPECT_EQ(rig.filter.latch().worst, StopCause::kOperator);
  EXPECT_LT(rig.filter.commanded_v_rad_s()[core::kPan], 0.7 * speed) << "it brakes since then";
}

TEST(Overrun, AfterALoopThatStoodStillTheCommandRestsWhereItWasLastAndIsLatched) {
  Rig rig(kMonotonic);
  Hurry(rig);
  const auto epoch = rig.filter.latch().epoch;
  const auto last = rig.filter.commanded_q_rad();
  rig.wall.now += rig.limits.overrun_max + kTick + kTick;
  rig.Ticks(1);
  EXPECT_EQ(rig.filter.latch().worst, StopCause::kOverrun);
  EXPECT_GT(rig.filter.latch().epoch, epoch);
  EXPECT_EQ(rig.filter.commanded_q_rad(), last);
  EXPECT_TRUE(rig.filter.Rests());
}

TEST(Overrun, AStallInTheMiddleOfATickIsOneTooAndThatTickGoesNoFurther) {
  Rig rig(kMonotonic);
  Hurry(rig);
  const auto last = rig.filter.commanded_q_rad();
  rig.robot.takes = milliseconds(500);
  rig.Ticks(1);
  EXPECT_EQ(rig.filter.latch().worst, StopCause::kOverrun);
  EXPECT_EQ(rig.filter.commanded_q_rad(), last);
  rig.robot.takes = milliseconds(0);
}

TEST(Overrun, HoweverLongItWasRobotTimeIsRealAgain) {
  Rig rig(kMonotonic);
  Hurry(rig);
  const auto begin = rig.loop.now();
  rig.wall.now += milliseconds(7000);
  rig.Ticks(1);
  EXPECT_EQ(Passed(rig, begin), milliseconds(7000));
  rig.Ticks(25);
  EXPECT_EQ(Passed(rig, begin), milliseconds(7100));
}

TEST(Overrun, ItsSupervisorHearsOfItAndClearsIt) {
  Rig rig(kMonotonic);
  Hurry(rig);
  rig.wall.now += milliseconds(200);
  rig.Ticks(1);
  const auto report = rig.Report();
  ASSERT_TRUE(report) << "its period has ended meanwhile";
  EXPECT_EQ(report->latch.worst, StopCause::kOverrun);
  rig.Ticks(5);
  rig.mailbox.Post(AcknowledgeMail{99, {.latch_id = report->latch.id, .nonce = report->latch.nonce}});
  rig.Ticks(1);
  EXPECT_FALSE(rig.filter.latch().latched());
}

TEST(Overrun, ADeviceThatWentOnAloneIsOneInLockStep) {
  Rig rig(kLockStep);
  Hurry(rig);
  const auto last = rig.filter.commanded_q_rad();
  const auto begin = rig.loop.now();
  rig.robot.ahead += milliseconds(300);
  rig.Ticks(1);
  EXPECT_EQ(Passed(rig, begin), milliseconds(304));
  EXPECT_EQ(rig.filter.latch().worst, StopCause::kOverrun);
  EXPECT_EQ(rig.filter.commanded_q_rad(), last);
}

TEST(Overrun, ADeviceThatWentOnAloneForLittleIsFollowed) {
  Rig punctual(kLockStep), late(kLockStep);
  Hurry(punctual);
  Hurry(late);
  punctual.Ticks(6);
  late.robot.ahead += milliseconds(20);
  late.Ticks(1);
  EXPECT_EQ(late.filter.commanded_q_rad(), punctual.filter.commanded_q_rad());
  EXPECT_FALSE(late.filter.latch().latched());
}

TEST(Overrun, ADeviceThatWentOnAloneForLongIsBelievedAtItsSecondReading) {
  Rig rig(kLockStep);
  Hurry(rig);
  const auto last = rig.filter.commanded_q_rad();
  const auto begin = rig.loop.now();
  rig.robot.ahead += std::chrono::hours(3);
  rig.Ticks(1);
  EXPECT_EQ(rig.filter.latch().worst, StopCause::kOverrun) << "that it stood still is sure by then";
  EXPECT_EQ(rig.filter.commanded_q_rad(), last);
  EXPECT_EQ(Passed(rig, begin), kTick);
  rig.Ticks(1);
  EXPECT_EQ(rig.filter.commanded_q_rad(), last);
  EXPECT_EQ(Passed(rig, begin), std::chrono::hours(3) + 2 * kTick);
  EXPECT_EQ(rig.loop.counters().driver_garbled, 1u);
}

TEST(Overrun, OneReadingThatSaysItIsHoursLaterIsGarbledAndTheClockStaysAsItWas) {
  Rig rig(kLockStep);
  Hurry(rig);
  const auto last = rig.filter.commanded_q_rad();
  const auto begin = rig.loop.now();
  rig.robot.clock = begin + std::chrono::hours(3);
  rig.Ticks(1);
  EXPECT_EQ(rig.filter.commanded_q_rad(), last) << "nothing goes on if it were true";
  rig.robot.clock.reset();
  rig.Ticks(10);
  EXPECT_EQ(Passed(rig, begin), 11 * kTick);
  EXPECT_EQ(rig.loop.counters().driver_garbled, 1u);
  EXPECT_EQ(rig.loop.counters().readings_old, 0u);
  const auto latch = rig.filter.latch();
  EXPECT_EQ(latch.worst, StopCause::kOverrun);
  rig.mailbox.Post(AcknowledgeMail{99, {.latch_id = latch.id, .nonce = latch.nonce}});
  rig.Ticks(1);
  EXPECT_FALSE(rig.filter.latch().latched()) << "it goes on as after any overrun";
}

TEST(Overrun, WrongClocksThatContradictEachOtherAreAllGarbled) {
  Rig rig(kLockStep);
  Hurry(rig);
  const auto begin = rig.loop.now();
  for (int hours = 1; hours <= 4; ++hours) {
    rig.robot.clock = begin + std::chrono::hours(hours % 2 == 0 ? hours : 10 - hours);
    rig.Ticks(1);
  }
  rig.robot.clock = begin + std::chrono::hours(20);
  rig.Ticks(3);  // One that hangs agrees with nobody: a clock goes on.
  EXPECT_EQ(Passed(rig, begin), 7 * kTick);
  EXPECT_EQ(rig.loop.counters().driver_garbled, 7u);
}

TEST(Overrun, ASupervisorThatIsWaitedForInLockStepIsNone) {
  Rig rig(kLockStep);
  rig.Arm();
  rig.wall.thinking = milliseconds(700);
  rig.Exchange(rig.Propose(0.05));
  for (int period = 0; period < 3; ++period) {
    rig.wall.peer.push_back([&] { rig.Exchange(rig.Propose(0.05)); });
    rig.Ticks(25);
  }
  EXPECT_FALSE(rig.filter.latch().latched());
}

class ReadingsOfAge : public testing::TestWithParam<core::Pacing> {};
INSTANTIATE_TEST_SUITE_P(Each, ReadingsOfAge, testing::Values(kMonotonic, kLockStep));

TEST_P(ReadingsOfAge, UpToTheLimitAreBelieved) {
  Rig rig(GetParam());
  rig.Arm();
  rig.robot.old = milliseconds(56);
  rig.Ticks(50);
  EXPECT_FALSE(rig.filter.latch().latched());
  EXPECT_EQ(rig.loop.counters().readings_old, 0u);
}

TEST_P(ReadingsOfAge, BeyondItAreNoneAndTheDriverIsLost) {
  Rig rig(GetParam());
  rig.Arm();
  rig.robot.old = milliseconds(68);
  rig.Ticks(rig.limits.blind_ticks_max);
  EXPECT_FALSE(rig.filter.latch().latched());
  rig.Ticks(1);
  EXPECT_EQ(rig.filter.latch().worst, StopCause::kDriverLost);
  EXPECT_EQ(rig.loop.counters().readings_old, 6u);
}

TEST(ReadingsOfAgeMonotonic, FromTheFutureAreNone) {
  Rig rig(kMonotonic);
  rig.Arm();
  rig.robot.old = milliseconds(-8);
  rig.Ticks(10);
  EXPECT_EQ(rig.filter.latch().worst, StopCause::kDriverLost);
}

TEST(ReadingsOfAgeMonotonic, AreOnesOfRobotTimeForEverybodyElse) {
  Rig rig(kMonotonic);
  rig.wall.now += std::chrono::hours(50);  // Since the machine was started.
  rig.Arm();
  rig.Exchange();
  rig.Ticks(30);
  const auto report = rig.Report();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->joints.time, core::Instant(milliseconds(300)));
}

/// A loop whose judgements go to a real audit.
class AuditedLoop : public testing::Test {
 protected:
  AuditedLoop()
      : folder_(std::filesystem::path(testing::TempDir()) /
                (std::string("audited-") + testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(folder_);
    audit_.emplace(*safety::Audit::Open({.folder = folder_.string(), .utc_ns = [] { return std::int64_t{0}; }}));
    rig_.emplace(kMonotonic, LoopSpeed::kMax, &*audit_, [this](const TickFacts& tick) {
      if (tick.verdict != Verdict::kPass) ++not_passed;
      if (tick.verdict != Verdict::kPass && tick.missed) ++missed;
    });
  }
  ~AuditedLoop() override { std::filesystem::remove_all(folder_); }
  std::string Text() {
    EXPECT_TRUE(audit_->Flush());
    std::ifstream in(folder_ / "audit-000001.jsonl");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Ticks that the audit has of a verdict.
  std::uint64_t TicksOf(const std::string& verdict) {
    std::uint64_t ticks = 0;
    std::istringstream lines(Text());
    for (std::string line; std::getline(lines, line);)
      if (line.find("\"verdict\":\"" + verdict + "\"") != std::string::npos)
        ticks += std::stoull(line.substr(line.find("\"ticks\":") + 8));
    return ticks;
  }

  std::uint64_t not_passed = 0, missed = 0;
  std::filesystem::path folder_;
  std::optional<safety::Audit> audit_;
  std::optional<Rig> rig_;
};

TEST_F(AuditedLoop, HasEveryTickThatDidNotPassOnce) {
  Rig& rig = *rig_;
  rig.Arm();
  rig.Exchange(rig.Propose(1.2));
  rig.Ticks(26);
  rig.mailbox.Post(StopMail{5});
  rig.Ticks(30);
  rig.loop.Stop();
  rig.loop.Run();
  EXPECT_GT(not_passed, 50u);
  EXPECT_EQ(TicksOf("limited") + TicksOf("refused") + TicksOf("stopped"), not_passed);
  EXPECT_EQ(TicksOf("pass"), 1u) << "which ended the stop of the start";
}

TEST_F(AuditedLoop, HasTicksThatTheLoopMissedToo) {
  Rig& rig = *rig_;
  rig.Arm();
  rig.Exchange(rig.Propose(1.2));
  rig.Ticks(5);
  rig.wall.now += milliseconds(40);
  rig.Ticks(1);
  rig.loop.Stop();
  rig.loop.Run();
  EXPECT_GT(missed, 5u);
  EXPECT_EQ(TicksOf("limited") + TicksOf("refused") + TicksOf("stopped"), not_passed);
}

TEST_F(AuditedLoop, HasTheBeginningOfAStopAsSoonAsItsPeriodEnds) {
  Rig& rig = *rig_;
  rig.Arm();
  rig.mailbox.Post(StopMail{5});
  rig.Ticks(26);
  EXPECT_THAT(Text(), HasSubstr("\"first\":\"operator\""));
}

}  // namespace
}  // namespace nightshift::runtime
