// SPDX-License-Identifier: Apache-2.0
// The filter beside persons: what stops it, what lets it go on, and that nobody is reached by a moving arm.
#include <gtest/gtest.h>

#include <cmath>
#include <deque>

#include "safety/filter.h"
#include "safety/period.h"
#include "tests/safety/counting_allocator.h"
#include "tests/safety/hostile_arm.h"
#include "tests/safety/person.h"

namespace nightshift::safety {
namespace {

using core::LimitId;
using core::StopCause;
using core::Verdict;
using std::chrono::milliseconds;

constexpr double kFarM = 10, kNearM = 0.3;
constexpr core::Vec3 kNear = IdealArm::kNear;

/// Of each joint's range one end or the other.
core::AxisArray AnyEnds(core::Random& random, const Limits& limits) {
  core::AxisArray target_q_rad{};
  for (std::size_t i = 0; i < static_cast<std::size_t>(limits.axes); ++i)
    target_q_rad[i] = random.Chance(0.5) ? limits.q_rad_min[i] : limits.q_rad_max[i];
  return target_q_rad;
}

/// An arm whose sensor speaks in each tick.
class WatchedArm : public IdealArm {
 public:
  explicit WatchedArm(const Limits& given = WatchedLimits()) : IdealArm(given) {
    before_tick = [this](Filter& f) {
      if (speaks) f.HearPresence({person_m, ++reports});
    };
  }

  void Passes(milliseconds lasts) {
    for (const auto end = now + lasts; now < end;) Tick();
  }
  /// Nobody is near and nothing is stopped.
  void Arm() {
    Passes(milliseconds(1600));
    NIGHTSHIFT_CHECK(Clear(ClearedBy::kSupervisor) == Clearance::kCleared);
    Passes(milliseconds(1000));
    while (now.time_since_epoch() % limits.policy_period != core::Duration(0)) Tick();
  }

  double person_m = kFarM;
  bool speaks = true;
  std::uint64_t reports = 0;
};

TEST(FilterBesideAPerson, StopsAndHoldsBumpsTheEpochAndSaysHowNear) {
  WatchedArm arm;
  arm.Arm();
  const auto epoch = arm.filter.latch().epoch;
  arm.Tick(arm.ProposeTip(kNear));
  arm.Passes(milliseconds(20));
  ASSERT_FALSE(arm.filter.Rests());
  arm.person_m = kNearM;
  const Judgement judged = arm.Tick();
  EXPECT_EQ(judged.verdict, Verdict::kStopped);
  EXPECT_EQ(judged.limit, LimitId::kPersonNear);
  EXPECT_NEAR(judged.wanted, Separation(arm.limits).NeededM(0.1), 1e-12);
  EXPECT_LT(judged.allowed, kNearM);
  EXPECT_LT(judged.margin(), 0);
  EXPECT_EQ(judged.action.power(), core::PowerMode::kHold);
  EXPECT_EQ(judged.sequence, 0u) << "nothing is in force any more";
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kPersonNear);
  EXPECT_GT(arm.filter.latch().epoch, epoch);
  arm.Passes(milliseconds(200));
  EXPECT_TRUE(arm.filter.Rests());
}

TEST(FilterBesideAPerson, BeginsStoppedUntilTheSensorSpeaks) {
  WatchedArm arm;
  arm.speaks = false;
  arm.Passes(milliseconds(2000));
  EXPECT_EQ(arm.Clear(ClearedBy::kPerson), Clearance::kStillThere);
  EXPECT_EQ(arm.filter.person().presence, core::Presence::kSilent);
}

TEST(FilterBesideAPerson, GoesOnByItselfWhenThePersonHasGoneForAWhileAndOnlyWithAFreshCommand) {
  WatchedArm arm;
  arm.Arm();
  const auto old = arm.ProposeTip(kNear);
  arm.person_m = kNearM;
  arm.Tick();
  arm.person_m = kFarM;
  arm.Passes(milliseconds(900));
  EXPECT_TRUE(arm.filter.latch().latched());
  EXPECT_EQ(arm.Tick(arm.ProposeTip(kNear)).verdict, Verdict::kStopped) << "still";
  arm.Passes(milliseconds(120));
  ASSERT_FALSE(arm.filter.latch().latched());
  const Judgement judged = arm.Tick(old);
  EXPECT_EQ(judged.verdict, Verdict::kRefused);
  EXPECT_EQ(judged.limit, LimitId::kWrongEpoch) << "what was said before the stop is dead";
  EXPECT_TRUE(arm.filter.Rests());
  arm.Tick(arm.ProposeTip(kNear));
  arm.Passes(milliseconds(20));
  EXPECT_FALSE(arm.filter.Rests());
}

TEST(FilterBesideAPerson, NobodysAcknowledgementClearsIt) {
  WatchedArm arm;
  arm.Arm();
  arm.person_m = kNearM;
  arm.Passes(milliseconds(500));
  EXPECT_EQ(arm.Clear(ClearedBy::kSupervisor), Clearance::kStillThere);
  EXPECT_EQ(arm.Clear(ClearedBy::kPerson), Clearance::kStillThere);
}

TEST(FilterBesideAPerson, AnotherCauseOutlastsThePerson) {
  WatchedArm arm;
  arm.Arm();
  arm.person_m = kNearM;
  arm.Tick();
  arm.filter.Stop();
  arm.person_m = kFarM;
  arm.Passes(milliseconds(1500));
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kOperator);
  EXPECT_EQ(arm.Clear(ClearedBy::kPerson), Clearance::kCleared);
}

TEST(FilterBesideAPerson, StaysWhileTheArmStillMoves) {
  WatchedArm arm;
  arm.Arm();
  arm.person_m = kNearM;
  arm.Tick();
  arm.person_m = kFarM;
  arm.stuck = true;
  arm.drift_rad_s[core::kPan] = 0.2;  // Somebody turns it.
  arm.Passes(milliseconds(1500));
  EXPECT_TRUE(arm.filter.latch().latched());
  arm.drift_rad_s = {};
  arm.Passes(milliseconds(8));
  EXPECT_FALSE(arm.filter.latch().latched());
}

TEST(FilterBesideAPerson, WhatWasPushedAsideMeanwhileDoesNotSpringBack) {
  WatchedArm arm;
  arm.Arm();
  arm.person_m = kNearM;
  arm.Tick();
  arm.stuck = true;
  arm.seen.q_rad[core::kPan] += 0.2;
  arm.person_m = kFarM;
  arm.Passes(milliseconds(1100));
  ASSERT_FALSE(arm.filter.latch().latched());
  EXPECT_EQ(arm.filter.commanded_q_rad()[core::kPan], arm.seen.q_rad[core::kPan]);
}

TEST(FilterBesideAPerson, ASilentSensorStopsItAlsoWhileReadingsAreMissing) {
  Limits limits = WatchedLimits();
  limits.blind_ticks_max = 100;
  WatchedArm arm(limits);
  arm.Arm();
  for (int i = 0; i < 78; ++i) arm.TickBlind();
  EXPECT_EQ(arm.filter.latch().worst, StopCause::kPersonNear);
}

TEST(FilterBesideAPerson, GoesOnSlowlyWhereThereIsRoomForThat) {
  const auto top_speed = [](double person_m) {
    WatchedArm arm;
    arm.Arm();
    arm.person_m = person_m;
    arm.Passes(milliseconds(400));
    auto target = arm.seen.q_rad;
    target[core::kPan] += 1.5;
    double top = 0;
    PeriodTally tally;
    tally.Add(arm.Tick(arm.Propose(target)));
    for (int tick = 1; tick < 25; ++tick) {
      tally.Add(arm.Tick());
      top = std::max(top, std::abs(arm.filter.commanded_v_rad_s()[core::kPan]));
    }
    const auto report = tally.Close(arm.seen, arm.filter);
    EXPECT_EQ(report.person.presence, core::Presence::kSeen);
    EXPECT_EQ(report.person.distance_m, person_m);
    EXPECT_FALSE(report.latch.latched());
    EXPECT_NEAR(std::min(4 * report.person.speed_scale, top), std::abs(arm.filter.commanded_v_rad_s()[core::kPan]),
                0.1);
    return top;
  };
  EXPECT_GT(top_speed(kFarM), 3.7) << "all that it gains in one period";
  EXPECT_NEAR(top_speed(2.0), 2.9, 0.5);
  EXPECT_NEAR(top_speed(1.7), 1.3, 0.5);
}

TEST(FilterBesideAPerson, TellsTheSpeedThatAPersonTakesFromAMotion) {
  WatchedArm arm;
  arm.Arm();
  arm.person_m = 1.75;
  arm.Passes(milliseconds(400));
  const double scale = arm.filter.person().speed_scale;
  auto target = arm.seen.q_rad;
  target[core::kPan] += 0.35;
  const Judgement judged = arm.Tick(arm.Propose(target));
  EXPECT_EQ(judged.verdict, Verdict::kLimited);
  EXPECT_EQ(judged.limit, LimitId::kPersonNear);
  EXPECT_EQ(judged.axis, core::kPan);
  EXPECT_NEAR(judged.wanted, 3.5, 1e-9);
  EXPECT_NEAR(judged.allowed, 4 * scale, 0.1);
}

TEST(FilterBesideAPerson, ATickWithAReportAllocatesNothing) {
  WatchedArm arm;
  arm.Arm();
  const std::size_t before = AllocationsSoFar();
  for (int period = 0; period < 20; ++period) {
    arm.person_m = period == 10 ? kNearM : 1.2 + 0.05 * period;
    arm.Tick(arm.ProposeTip(kNear));
    arm.Passes(milliseconds(96));
  }
  EXPECT_EQ(AllocationsSoFar(), before);
}

/// Persons anywhere from tick to tick, so that the share jumps as it likes.
TEST(FilterBesideAPerson, AShareThatJumpsInEachTickTakesTheArmPastNoLimit) {
  Limits limits = CrowdedLimits();
  limits.presence = WatchedLimits().presence;
  limits.presence.sensor_delay_s = limits.presence.arm_lag_s = limits.presence.clear_s =
      limits.presence.clear_margin_m = 0;
  limits.presence.rise_s = limits.presence.report_every_s = 1e-3;
  const Separation separation(limits);
  Tally tally;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    core::Random random(seed);
    std::uint64_t reports = 0;
    Adversary adversary(seed, limits, [&](Filter& filter) {
      filter.HearPresence({separation.NeededM(random.Uniform(0.12, 1.2)), ++reports});
    });
    for (int period = 0; period < 60; ++period) adversary.Period(kProposalKinds[seed % kProposalKinds.size()]);
    EXPECT_EQ(adversary.tally().violations(), 0) << "seed " << seed << " " << adversary.tally().Text();
    tally.Add(adversary.tally());
  }
  EXPECT_GT(tally.speed_share_max(), 0.9);
}

/// A person who stays, told now and then; an arm that does its worst all the time.
TEST(FilterBesideAPerson, WhoStaysWhereTheArmCanWorkDoesNotMakeItGoAndStopInTurns) {
  double slowest = 1;
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    core::Random random(seed);
    Limits limits = AnyMovingLimits(random);
    if (seed % 2 == 0) {  // As they are by default.
      limits.speed_rad_s_max = Limits{}.speed_rad_s_max;
      limits.acceleration_rad_s2_max = Limits{}.acceleration_rad_s2_max;
      limits.jerk_rad_s3_max = Limits{}.jerk_rad_s3_max;
      limits.presence = WatchedLimits().presence;
    }
    const Separation separation(limits);
    const double least = limits.presence.speed_scale_min, full_m_s = separation.full_speed_m_s();
    const double stops_m = separation.NeededM(least) + separation.UnseenM(least * full_m_s);
    const core::Duration report_every = core::Seconds(limits.presence.report_every_s);
    WatchedArm arm(limits);
    arm.Arm();
    arm.speaks = false;
    arm.person_m = stops_m + random.Uniform(0.03, 1);
    core::Instant next_report = arm.now;
    core::AxisArray target_q_rad{};
    for (int tick = 0; tick < 2000; ++tick) {
      if (arm.now + limits.control_period > next_report) {
        arm.filter.HearPresence({arm.person_m, ++arm.reports});
        next_report = arm.now + report_every;
      }
      if (tick % 100 == 0) target_q_rad = AnyEnds(random, limits);
      arm.Tick(tick % 25 == 0 ? std::optional(arm.Propose(target_q_rad)) : std::nullopt);
      slowest = std::min(slowest, arm.filter.person().speed_scale);
      ASSERT_FALSE(arm.filter.latch().latched()) << "seed " << seed << " tick " << tick;
    }
  }
  EXPECT_LT(slowest, 0.2) << "it must have come near to stopping";
}

/// A person walks up to an arm that does its worst, and does not stop at it. Nobody knows where the person is, so all
/// joints count as if they moved towards them; the drives follow their commands after a while; the sensor is late and
/// errs as far as it may. It may fall silent on the way, or somebody may stop the arm: from wherever it is by then, its
/// stop must end in time.
class WalkUp {
 public:
  WalkUp(std::uint64_t seed, const Limits& limits) : random_(seed), arm_(limits), separation_(limits) {
    arm_.speaks = false;
    ends_ = random_.Chance(0.6) ? Ends::kWithAStop : random_.Chance(0.5) ? Ends::kInSilence : Ends::kAtTheArm;
    sensor_ = random_.Chance(0.5) ? Sensor::kAtItsWorst : Sensor::kAnyhow;
    report_every_ = milliseconds(1 + random_.Index(60));
    away_m_ = separation_.NeededM(1) + random_.Uniform(2, 4);
    ends_at_m_ = separation_.NeededM(random_.Uniform(0.1, 1)) + random_.Uniform(0, 0.5);
    const auto begin = arm_.now;
    while (arm_.now - begin < milliseconds(3000)) Tick(Walks::kNo);
    NIGHTSHIFT_CHECK(arm_.Clear(ClearedBy::kSupervisor) == Clearance::kCleared);
    for (int i = 0; i < 400; ++i) Tick(Walks::kNo);
  }

  /// Until the person touches the arm, or would.
  void Run() {
    while (away_m_ > 0) {
      Tick(Walks::kYes);
      fastest_share = std::max(fastest_share, ClosingMS() / separation_.ArmSpeedMS(arm_.limits.speed_rad_s_max));
      if (ClosingMS() > 0) rests_at_m = away_m_;
      if (!stopped_at_m && arm_.filter.latch().latched()) stopped_at_m = away_m_;
    }
  }

  double rests_at_m = kInfinity;  // How far the person was when the arm moved last.
  std::optional<double> stopped_at_m;
  double fastest_share = 0;

 private:
  enum class Walks { kNo, kYes };
  enum class Ends { kAtTheArm, kInSilence, kWithAStop };
  enum class Sensor { kAnyhow, kAtItsWorst };

  void Tick(Walks walks) {
    const auto& limits = arm_.limits;
    const bool ended = walks == Walks::kYes && away_m_ < ends_at_m_;
    if (ended && ends_ == Ends::kWithAStop) arm_.filter.Stop();
    if (arm_.now >= next_look_ && !(ended && ends_ == Ends::kInSilence)) {
      const double share = sensor_ == Sensor::kAtItsWorst ? 1 : random_.Uniform(-1, 1);
      const core::Duration delay = core::Seconds((0.75 + share / 4) * limits.presence.sensor_delay_s);
      on_the_way_.push_back({away_m_ + share * limits.presence.sensor_error_m, arm_.now + delay});
      next_look_ = arm_.now + report_every_;
    }
    while (!on_the_way_.empty() && on_the_way_.front().arrives <= arm_.now) {
      arm_.filter.HearPresence({on_the_way_.front().distance_m, ++arm_.reports});
      on_the_way_.pop_front();
    }
    arm_.Tick(Proposal());
    const double tick_s = core::ToSeconds(limits.control_period);
    commanded_m_s_.push_front(separation_.ArmSpeedMS(arm_.filter.commanded_v_rad_s()));
    away_m_ -= ClosingMS() * tick_s;
    if (walks == Walks::kYes) away_m_ -= limits.presence.person_speed_m_s * tick_s;
  }

  /// What the drives do now: what was commanded before their lag.
  double ClosingMS() const {
    const auto lag =
        static_cast<std::size_t>(arm_.limits.presence.arm_lag_s / core::ToSeconds(arm_.limits.control_period));
    return lag < commanded_m_s_.size() ? commanded_m_s_[lag] : 0;
  }

  /// Far away targets, now and then another.
  std::optional<core::ProposedAction> Proposal() {
    if (random_.Chance(0.01)) target_q_rad_ = AnyEnds(random_, arm_.limits);
    if (++ticks_ % 10 != 0) return std::nullopt;
    return arm_.Propose(target_q_rad_);
  }

  struct Report {
    double distance_m;
    core::Instant arrives;
  };

  core::Random random_;
  WatchedArm arm_;
  Separation separation_;
  Ends ends_;
  Sensor sensor_;
  double ends_at_m_;
  milliseconds report_every_{20};
  double away_m_ = 0;
  core::Instant next_look_{};
  std::deque<Report> on_the_way_;
  std::deque<double> commanded_m_s_;
  core::AxisArray target_q_rad_{};
  int ticks_ = 0;
};

TEST(FilterBesideAPerson, TheArmIsAtRestBeforeAPersonWhoWalksUpToItIsThere) {
  double fastest_share = 0, least_spare_m = kInfinity;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    core::Random random(seed);
    const Limits limits = AnyMovingLimits(random);
    WalkUp walk(seed, limits);
    walk.Run();
    const double spare_m = walk.rests_at_m - limits.presence.intrusion_m - limits.presence.arm_error_m;
    EXPECT_GE(spare_m, 0) << "seed " << seed;
    EXPECT_TRUE(walk.stopped_at_m) << "seed " << seed;
    fastest_share = std::max(fastest_share, walk.fastest_share);
    least_spare_m = std::min(least_spare_m, spare_m);
  }
  RecordProperty("least_spare_m", std::to_string(least_spare_m));
  RecordProperty("fastest_share", std::to_string(fastest_share));
  EXPECT_GT(fastest_share, 0.9) << "it must have been as fast as it may";
  EXPECT_LT(least_spare_m, 0.15) << "and have stopped no earlier than it must";
}

}  // namespace
}  // namespace nightshift::safety
