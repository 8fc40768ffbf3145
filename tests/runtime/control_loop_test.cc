// SPDX-License-Identifier: Apache-2.0
#include "runtime/control_loop.h"

#include <gtest/gtest.h>

#include "tests/runtime/loop_rig.h"

namespace nightshift::runtime {
namespace {

using core::StopCause;
using core::Verdict;

TEST(ControlLoop, SendsAnActionInEveryTickWithoutAnySupervisor) {
  Rig rig;
  rig.Ticks(100);
  EXPECT_EQ(rig.robot.applied, 100);
  EXPECT_EQ(rig.loop.counters().ticks, 100u);
}

TEST(ControlLoop, AtTheEndOfEachPeriodItLeavesWhatALaterLifeHasToKnow) {
  Rig rig;
  rig.Ticks(1);  // Robot time begins with the end of a period.
  rig.state.Take();
  rig.Ticks(24);
  EXPECT_EQ(rig.state.Take(), nullptr) << "the period is not over";
  rig.Ticks(1);
  const safety::SafetyState* first = rig.state.Take();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->clears.count, 1u) << "the restart's, in advance";
  rig.Arm();
  const safety::SafetyState* armed = rig.state.Take();
  ASSERT_NE(armed, nullptr);
  EXPECT_EQ(armed->clears.count, 1u);
  EXPECT_GT(armed->clears.ago[0], core::Duration(0));
}

TEST(ControlLoop, WhatItLeavesAtItsEndIsTheNewest) {
  Rig rig;
  rig.Ticks(26);
  rig.state.Take();
  rig.loop.Stop();
  rig.loop.Run();
  EXPECT_NE(rig.state.Take(), nullptr);
}

TEST(ControlLoop, WithoutASupervisorASimulatedClockRunsInRealTime) {
  Rig rig;
  rig.Ticks(250);
  EXPECT_NEAR(std::chrono::duration<double>(rig.wall.slept).count(), 1.0, 0.01);
  EXPECT_EQ(rig.wall.waited.count(), 0);
}

TEST(ControlLoop, AnswersAnExchangeAtTheEndOfThePolicyPeriodItWasInForce) {
  Rig rig;
  rig.Arm();
  const auto proposal = rig.Propose(0.1);
  rig.Exchange(proposal);
  rig.Ticks(25);
  EXPECT_FALSE(rig.Report()) << "the period is not over";
  rig.wall.peer.push_back([&] { rig.Exchange(); });
  rig.Ticks(1);
  const auto report = rig.Report();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->sequence, proposal.sequence);
  EXPECT_EQ(report->verdict, Verdict::kPass);
  EXPECT_NEAR(report->commanded_q_rad[core::kPan], proposal.target_q_rad[core::kPan], 1e-3);
  EXPECT_EQ(report->joints.time, core::Instant(milliseconds(300)));
}

TEST(ControlLoop, InLockStepRunsAsFastAsItsPeersAndTimeStandsStillWhileItWaits) {
  Rig rig;
  rig.Arm();
  rig.wall.slept = {};
  rig.wall.thinking = milliseconds(300);  // A slow supervisor, within the bounded wait.
  rig.Exchange(rig.Propose(0.05));
  for (int period = 0; period < 10; ++period) {
    rig.wall.peer.push_back([&] { rig.Exchange(rig.Propose(0.05)); });
    rig.Ticks(25);
  }
  EXPECT_LT(rig.wall.slept, milliseconds(5)) << "no sleep between ticks";
  EXPECT_FALSE(rig.filter.latch().latched()) << "no deadline may pass while time stands still";
  EXPECT_EQ(rig.robot.applied, 50 + 250);
}

TEST(ControlLoop, AtSpeedOneASimulatedClockKeepsToWallTimeInLockStepToo) {
  Rig rig(core::Pacing::kLockStep, LoopSpeed::kRealTime);
  rig.Arm();
  const auto begin = rig.wall.now;
  rig.Exchange(rig.Propose(0.02));
  for (int period = 0; period < 10; ++period) {
    rig.wall.peer.push_back([&] { rig.Exchange(rig.Propose(0.02)); });
    rig.Ticks(25);
  }
  EXPECT_NEAR(std::chrono::duration<double>(rig.wall.now - begin).count(), 1.0, 0.02);
}

TEST(ControlLoop, ADeadSupervisorDoesNotFreezeTimeSoThatTheDeadlineFires) {
  Rig rig;
  rig.Arm();
  rig.Exchange(rig.Propose(0.1));
  rig.Ticks(26);  // The last waits for a supervisor that is dead, and goes on.
  EXPECT_EQ(rig.wall.waited, rig.limits.peer_wait_max);
  EXPECT_FALSE(rig.filter.latch().latched());
  const auto slept = rig.wall.slept;
  rig.Ticks(30);
  EXPECT_EQ(rig.filter.latch().worst, StopCause::kNoCommand);
  EXPECT_GE(rig.wall.slept - slept, 29 * kTick) << "alone, time runs at the wall's rate";
  rig.Ticks(50);
  EXPECT_EQ(rig.wall.waited, rig.limits.peer_wait_max) << "it waits once, not at every boundary";
}

TEST(ControlLoop, GoesBackToLockStepWhenASupervisorReturns) {
  Rig rig;
  rig.Arm();
  rig.Exchange(rig.Propose(0.1));
  rig.Ticks(26 + 74);
  rig.Report();
  rig.Exchange();
  rig.Ticks(25);
  rig.wall.peer.push_back([&] { rig.Exchange(); });
  rig.Ticks(1);
  const auto report = rig.Report();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->latch.worst, StopCause::kNoCommand);
  const auto slept = rig.wall.slept;
  rig.Ticks(20);
  EXPECT_EQ(rig.wall.slept, slept);
}

TEST(ControlLoop, StopsAndAcknowledgementsAreAnsweredAlsoWhileTimeStandsStill) {
  Rig rig;
  rig.Arm();
  rig.Exchange(rig.Propose(0.0));
  rig.Ticks(25);
  rig.wall.peer.push_back([&] { rig.mailbox.Post(StopMail{77}); });
  rig.wall.peer.push_back([&] {
    const auto latch = rig.filter.latch();
    EXPECT_EQ(latch.worst, StopCause::kOperator);
    rig.mailbox.Post(AcknowledgeMail{78, {.latch_id = latch.id, .nonce = latch.nonce}});
  });
  rig.wall.peer.push_back([&] { rig.Exchange(); });
  rig.Ticks(1);
  bool stopped = false, refused = false;
  while (const auto answer = rig.answers.Take()) {
    if (const auto* stop = std::get_if<StopAnswer>(&*answer)) stopped = stop->ticket == 77;
    if (const auto* ack = std::get_if<AcknowledgeAnswer>(&*answer))
      refused = ack->ticket == 78 && ack->clearance == safety::Clearance::kNeedsPerson;
  }
  EXPECT_TRUE(stopped);
  EXPECT_TRUE(refused);
}

TEST(ControlLoop, ASilentDriverGetsTheStoredStopAndIsLatchedAsLost) {
  Rig rig;
  rig.Arm();
  rig.Exchange(rig.Propose(0.2));
  rig.Ticks(10);
  rig.robot.silent = true;
  const int applied = rig.robot.applied;
  rig.Ticks(10);
  EXPECT_EQ(rig.robot.applied, applied + 10) << "still an action in every tick";
  EXPECT_EQ(rig.filter.latch().worst, StopCause::kDriverLost);
  EXPECT_EQ(rig.loop.counters().driver_timeouts, 10u);
}

TEST(ControlLoop, ADriverThatFailsAtOnceDoesNotMakeTheLoopSpin) {
  Rig rig;
  rig.Arm();
  rig.Exchange(rig.Propose(0.0));
  rig.Ticks(2);
  rig.robot.silent = rig.robot.deaf = true;
  const auto slept = rig.wall.slept;
  rig.Ticks(20);
  EXPECT_GE(rig.wall.slept - slept, 18 * kTick);
  EXPECT_EQ(rig.loop.counters().driver_losses, 20u);
}

TEST(ControlLoop, TimeGoesOnWithoutReadingsAndNeverBack) {
  Rig rig;
  rig.Arm();
  rig.robot.silent = true;
  rig.Ticks(10);
  rig.robot.silent = false;
  rig.robot.applied -= 5;  // The device began anew, and its clock is a little behind.
  rig.Ticks(30);
  core::Instant last{};
  while (const auto answer = rig.answers.Take())
    if (const auto* period = std::get_if<PeriodAnswer>(&*answer)) {
      EXPECT_GE(period->report.joints.time, last);
      last = period->report.joints.time;
    }
  EXPECT_EQ(last, core::Instant(milliseconds(300)));
}

/// Whoever wants a picture of now asks the device for it: for a clock of ours that is ahead it would wait for ever.
TEST(ControlLoop, ADeviceThatLivesThroughLostRequestsWithTheNextOneLeavesTheClocksTogether) {
  Rig rig;
  rig.Arm();
  for (int loss = 0; loss < 10; ++loss) {
    rig.robot.silent = true;
    rig.robot.ahead -= 3 * kTick;
    rig.Ticks(3);
    rig.robot.silent = false;
    rig.Ticks(1);
    rig.robot.ahead += 3 * kTick;
    rig.Ticks(1);
  }
  EXPECT_EQ(rig.loop.now() + kTick, core::Instant(rig.robot.applied * kTick)) << "the last action is for the next tick";
}

TEST(ControlLoop, AReadingFromATimeThatNoClockComesToIsGarbledAndLeavesTheClockAsItWas) {
  Rig rig;
  rig.Arm();
  rig.robot.clock = core::Instant::max();
  rig.Ticks(1);
  EXPECT_EQ(rig.loop.counters().driver_garbled, 1u);
  rig.Ticks(10);
  EXPECT_EQ(rig.filter.latch().worst, StopCause::kDriverLost);
  rig.robot.clock.reset();
  rig.Exchange();
  rig.Ticks(60);
  const auto report = rig.Report();
  ASSERT_TRUE(report);
  EXPECT_LT(report->joints.time, core::Instant(std::chrono::seconds(1)));
}

TEST(ControlLoop, AMonotonicClockSleepsToEachTickAndDoesNotWaitForAnyone) {
  Rig rig(core::Pacing::kMonotonic);
  rig.Arm();
  rig.Exchange(rig.Propose(0.1));
  rig.Ticks(100);
  EXPECT_EQ(rig.wall.waited.count(), 0);
  EXPECT_NEAR(std::chrono::duration<double>(rig.wall.slept).count(), 0.6, 0.01);
  EXPECT_EQ(rig.filter.latch().worst, StopCause::kNoCommand);
}

TEST(ControlLoop, AnExchangeLateInAPeriodIsCarriedOutOverTheNextAndAnsweredAtItsEnd) {
  Rig rig(core::Pacing::kMonotonic);
  rig.Arm();
  rig.Ticks(20);
  const auto proposal = rig.Propose(0.1);
  rig.Exchange(proposal);
  rig.Ticks(10);
  EXPECT_FALSE(rig.Report());
  rig.Ticks(21);
  const auto report = rig.Report();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->sequence, proposal.sequence);
  EXPECT_NEAR(report->commanded_q_rad[core::kPan], proposal.target_q_rad[core::kPan], 1e-3);
}

safety::Limits WatchedBy(safety::PresenceSource source) {
  safety::Limits limits;
  limits.presence.source = source;
  return Rig::Uninspected(limits);
}

/// What a presence sensor's report is answered with, at once; it may have waited until it was taken up.
std::optional<PresenceAnswer::Heard> Tell(Rig& rig, const safety::PresenceReport& report,
                                          milliseconds waited = milliseconds(0)) {
  rig.Report();
  NIGHTSHIFT_CHECK(rig.mailbox.Post(PresenceMail{++rig.tickets, report, rig.wall.now - waited}));
  rig.Ticks(1);
  while (const auto answer = rig.answers.Take())
    if (const auto* heard = std::get_if<PresenceAnswer>(&*answer); heard && heard->ticket == rig.tickets)
      return heard->heard;
  return std::nullopt;
}

TEST(ControlLoop, HandsOnWhatAPresenceSensorSays) {
  Rig rig(core::Pacing::kLockStep, LoopSpeed::kMax, nullptr, {}, WatchedBy(safety::PresenceSource::kTopic));
  EXPECT_EQ(Tell(rig, {.distance_m = 2.5, .sequence = 1}), PresenceAnswer::Heard::kYes);
  EXPECT_EQ(rig.filter.person().presence, core::Presence::kSeen);
  EXPECT_EQ(rig.filter.person().distance_m, 2.5);
  rig.Exchange();
  rig.Ticks(26);
  EXPECT_EQ(rig.Report()->person.distance_m, 2.5);
}

TEST(ControlLoop, WhatAPresenceSensorSaidLongBeforeItIsHeardCountsForNothing) {
  Rig rig(core::Pacing::kLockStep, LoopSpeed::kMax, nullptr, {}, WatchedBy(safety::PresenceSource::kTopic));
  EXPECT_EQ(Tell(rig, {.distance_m = 2.5, .sequence = 1}, milliseconds(101)), PresenceAnswer::Heard::kYes);
  EXPECT_EQ(rig.filter.person().presence, core::Presence::kSilent);
  EXPECT_EQ(Tell(rig, {.distance_m = 2.5, .sequence = 2}, milliseconds(90)), PresenceAnswer::Heard::kYes);
  EXPECT_EQ(rig.filter.person().presence, core::Presence::kSeen);
}

TEST(ControlLoop, ReportsThatLayThereWhileTheLoopStoodStillAreNoSignThatNobodyIsThere) {
  Rig rig(core::Pacing::kMonotonic, LoopSpeed::kMax, nullptr, {}, WatchedBy(safety::PresenceSource::kTopic));
  std::uint64_t sequence = 0;
  Tell(rig, {.distance_m = 2.5, .sequence = ++sequence});
  ASSERT_EQ(rig.filter.person().presence, core::Presence::kSeen);
  rig.mailbox.Post(PresenceMail{++rig.tickets, {.distance_m = 2.5, .sequence = ++sequence}, rig.wall.now});
  rig.wall.now += milliseconds(500);
  rig.Ticks(1);
  EXPECT_EQ(rig.filter.person().presence, core::Presence::kSilent);
  Tell(rig, {.distance_m = 2.5, .sequence = ++sequence});
  EXPECT_EQ(rig.filter.person().presence, core::Presence::kSeen);
}

TEST(ControlLoop, WhatASwitchSawBeforeTheLoopStoodStillIsNoSignThatNobodyIsThere) {
  Rig rig(core::Pacing::kMonotonic, LoopSpeed::kMax, nullptr, {}, WatchedBy(safety::PresenceSource::kGpio));
  rig.presence_switch.Put(SwitchBox::Reading::kNobody);
  rig.Ticks(1);
  rig.presence_switch.Put(SwitchBox::Reading::kNobody);  // Then the whole process was stopped.
  rig.wall.now += milliseconds(500);
  rig.Ticks(5);
  EXPECT_EQ(rig.filter.person().presence, core::Presence::kSilent);
  rig.presence_switch.Put(SwitchBox::Reading::kNobody);
  rig.Ticks(1);
  EXPECT_EQ(rig.filter.person().presence, core::Presence::kSeen);
}

TEST(ControlLoop, ReportsOfASensorThatIsNotConfiguredAreRefusedAndCountForNothing) {
  for (const auto source : {safety::PresenceSource::kNone, safety::PresenceSource::kGpio}) {
    Rig rig(core::Pacing::kLockStep, LoopSpeed::kMax, nullptr, {}, WatchedBy(source));
    const auto before = rig.filter.person();
    EXPECT_EQ(Tell(rig, {.distance_m = 5, .sequence = 1}), PresenceAnswer::Heard::kNoSuchSensor);
    EXPECT_EQ(rig.filter.person().presence, before.presence);
  }
}

TEST(ControlLoop, ASwitchThatSeesNobodyMeansThatNobodyIsNearerThanItSees) {
  Rig rig(core::Pacing::kLockStep, LoopSpeed::kMax, nullptr, {}, WatchedBy(safety::PresenceSource::kGpio));
  rig.Ticks(1);
  EXPECT_EQ(rig.filter.person().presence, core::Presence::kSilent);
  for (int i = 0; i < 300; ++i) {
    rig.presence_switch.Put(SwitchBox::Reading::kNobody);
    rig.Ticks(1);
  }
  EXPECT_EQ(rig.filter.person().distance_m, rig.limits.presence.switch_distance_m);
  rig.Arm();
  rig.presence_switch.Put(SwitchBox::Reading::kSomebody);
  rig.Ticks(1);
  EXPECT_EQ(rig.filter.latch().worst, StopCause::kPersonNear);
  EXPECT_EQ(rig.filter.person().distance_m, 0);
}

TEST(ControlLoop, ASwitchWhoseReaderHangsIsAPersonAtTheArm) {
  Rig rig(core::Pacing::kLockStep, LoopSpeed::kMax, nullptr, {}, WatchedBy(safety::PresenceSource::kGpio));
  rig.presence_switch.Put(SwitchBox::Reading::kNobody);
  rig.Ticks(70);
  EXPECT_EQ(rig.filter.person().presence, core::Presence::kSeen);
  rig.Ticks(10);
  EXPECT_EQ(rig.filter.person().presence, core::Presence::kSilent);
  EXPECT_EQ(rig.filter.person().speed_scale, 0);
}

TEST(ControlLoop, AskedToEndItComesToRestWhoeverWantsMore) {
  Rig rig;
  rig.Arm();
  rig.Exchange(rig.Propose(0.8));
  rig.Ticks(10);
  rig.Exchange(rig.Propose(0.8));
  rig.loop.Stop();
  rig.loop.Run();
  EXPECT_TRUE(rig.filter.Rests());
}

TEST(ControlLoop, MoreOpenExchangesThanItHoldsAreCountedAndDropped) {
  Rig rig(core::Pacing::kMonotonic);
  rig.Arm();
  for (int i = 0; i < 20; ++i) rig.Exchange();
  rig.Ticks(1);
  EXPECT_EQ(rig.loop.counters().answers_dropped, 12u);
}

TEST(ControlLoop, BrakesToRestBeforeItEnds) {
  Rig rig;
  rig.Arm();
  rig.Exchange(rig.Propose(0.3));
  rig.Ticks(10);
  ASSERT_NE(rig.filter.commanded_v_rad_s()[core::kPan], 0);
  rig.loop.Stop();
  rig.loop.Run();
  for (const double v : rig.filter.commanded_v_rad_s()) EXPECT_EQ(v, 0);
}

TEST(ControlLoop, CountsProgressAlsoWhileItWaits) {
  Rig rig;
  rig.Arm();
  rig.Exchange(rig.Propose(0));
  rig.Ticks(25);
  const auto before = rig.loop.counters().progress.load();
  rig.Ticks(1);
  EXPECT_GE(rig.loop.counters().progress - before, 20u) << "a sign of life at least each 50 ms of a second's wait";
}

/// Runs the loop; the driver is silent for so long. What happens meanwhile: at each try to read, with the time since.
void RunWithALateDriver(Rig& rig, std::chrono::seconds silence, std::chrono::seconds lasts,
                        const std::function<void(std::chrono::nanoseconds)>& at_each_read = {}) {
  const auto begin = rig.wall.now;
  rig.robot.silent = true;
  rig.robot.on_read = [&rig, begin, silence, lasts, at_each_read] {
    const auto since = rig.wall.now - begin;
    if (at_each_read) at_each_read(since);
    rig.robot.silent = since < silence;
    if (since >= lasts) rig.loop.Stop();
  };
  rig.loop.Run();
}

TEST(ADriverThatIsLate, IsNamedAfterASecondUntilItSpeaks) {
  for (const core::Pacing pacing : {core::Pacing::kLockStep, core::Pacing::kMonotonic}) {
    Rig rig(pacing);
    RunWithALateDriver(rig, std::chrono::seconds(5), std::chrono::seconds(6), [&rig](auto since) {
      const bool unheard = rig.loop.counters().driver_unheard;
      const auto between = [since](int from_ms, int to_ms) {
        return since > milliseconds(from_ms) && since < milliseconds(to_ms);
      };
      const bool at_an_edge = between(950, 1050) || between(4950, 5050);
      EXPECT_TRUE(at_an_edge || unheard == between(1000, 5000)) << since.count();
    });
  }
}

TEST(ADriverThatIsLate, LeavesTheArmAlone) {
  Rig rig;
  RunWithALateDriver(rig, std::chrono::seconds(5), std::chrono::seconds(4));
  EXPECT_EQ(rig.robot.applied, 0);
}

TEST(ADriverThatIsLate, LeavesNobodyWithoutWordOfTheStop) {
  Rig rig;
  int reports = 0;
  RunWithALateDriver(rig, std::chrono::seconds(5), std::chrono::seconds(4), [&](auto) {
    while (const auto answer = rig.answers.Take()) {
      const auto* period = std::get_if<PeriodAnswer>(&*answer);
      ASSERT_TRUE(period);
      ++reports;
      EXPECT_EQ(period->report.verdict, Verdict::kStopped);
      EXPECT_EQ(period->report.limit, core::LimitId::kNoState);
      EXPECT_EQ(period->report.latch.worst, StopCause::kRestarted);
      EXPECT_EQ(period->report.joints.axes, 0) << "nothing was seen";
    }
  });
  EXPECT_NEAR(reports, 40, 8) << "ten a second";
}

TEST(ADriverThatIsLate, IsWhatWhoAsksHearsOfAfterASecond) {
  Rig rig;
  std::optional<Ticket> asked;
  int refused = 0;
  RunWithALateDriver(rig, std::chrono::seconds(5), std::chrono::seconds(4), [&](auto since) {
    while (const auto answer = rig.answers.Take())
      if (const auto* unseen = std::get_if<UnseenAnswer>(&*answer)) {
        EXPECT_GE(since, std::chrono::seconds(1)) << "it may be about to speak";
        EXPECT_EQ(unseen->ticket, asked);
        asked.reset();
        ++refused;
      }
    if (!asked) asked = rig.Exchange(core::ProposedAction{.epoch = 10, .sequence = 1, .axes = core::kArmAxes});
  });
  EXPECT_NEAR(refused, 30, 6);
}

TEST(ADriverThatIsLate, IsArmedAsAnyOtherOnceItSpeaks) {
  Rig rig;
  std::optional<safety::Clearance> early, later;
  RunWithALateDriver(rig, std::chrono::seconds(5), std::chrono::seconds(7), [&](auto since) {
    while (const auto answer = rig.answers.Take())
      if (const auto* ack = std::get_if<AcknowledgeAnswer>(&*answer))
        (since < std::chrono::seconds(5) ? early : later) = ack->clearance;
    const auto latch = rig.filter.latch();
    const bool asks = since < std::chrono::seconds(4) ? !early : since > std::chrono::seconds(6) && !later;
    if (asks) rig.mailbox.Post(AcknowledgeMail{1, {.latch_id = latch.id, .nonce = latch.nonce, .arms_only = true}});
  });
  EXPECT_EQ(early, safety::Clearance::kNoReading);
  EXPECT_EQ(later, safety::Clearance::kCleared) << "nothing but the restart held it";
}

}  // namespace
}  // namespace nightshift::runtime
