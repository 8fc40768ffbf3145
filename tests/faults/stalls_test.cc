// SPDX-License-Identifier: Apache-2.0
// The machine takes the processor away from the control loop for 1 to 500 ms, at any moment of a tick, while the arm
// moves fast (SAFETY.md, section 4). Hand-driven clock: wall time passes only where it is made to.
#include <gtest/gtest.h>

#include <cmath>
#include <deque>

#include "core/random.h"
#include "tests/faults/whole_robot.h"
#include "tests/runtime/loop_rig.h"

namespace nightshift::tests {
namespace {

using core::StopCause;
using runtime::Rig;

constexpr std::array kStalls{1, 2, 5, 10, 20, 50, 100, 200, 500};  // Milliseconds.
constexpr int kLooksOfATick = 9;                                   // At the clock and the bus.

/// What the drives are told, held against the limits at the times it is for: strictly, without any exception but that
/// after a loop that stood still for too long the motion begins from rest where it was.
class Witness {
 public:
  explicit Witness(const safety::Limits& limits) : limits_(limits) {}

  void Hears(core::Instant now, const core::AxisArray& q_rad) {
    const Told told{core::ToSeconds(now), q_rad};
    if (!told_.empty() && told.at_s - told_.front().at_s > core::ToSeconds(limits_.overrun_max) + 1.5 * TickS()) {
      ++rests;
      if (q_rad != told_.front().q_rad) Tell("a leap after a stall", told.at_s);
      const Told before[] = {{told.at_s - TickS(), q_rad}, {told.at_s - 2 * TickS(), q_rad}};
      told_ = {told, before[0], before[1]};
      return;
    }
    told_.push_front(told);
    if (told_.size() > 4) told_.pop_back();
    for (std::size_t i = 0; i < core::kArmAxes; ++i) Judge(i);
  }

  std::vector<std::string> limits_left;
  int rests = 0;
  double fastest_rad_s = 0;

 private:
  struct Told {
    double at_s = 0;
    core::AxisArray q_rad{};
  };

  void Judge(std::size_t i) {
    if (told_.size() < 4) return;
    const double v = Difference(i, 0, 1), a = 2 * Difference(i, 0, 2), j = 6 * Difference(i, 0, 3);
    const double q = told_[0].q_rad[i];
    fastest_rad_s = std::max(fastest_rad_s, std::abs(v));
    constexpr double kRounding = 1e-6, kJerkRoundingRadS3 = 0.05;
    if (!(q >= limits_.q_rad_min[i] && q <= limits_.q_rad_max[i])) Tell("position", q);
    if (!(std::abs(v) <= limits_.speed_rad_s_max[i] * (1 + kRounding))) Tell("speed", v);
    if (!(std::abs(a) <= limits_.acceleration_rad_s2_max[i] * (1 + kRounding))) Tell("acceleration", a);
    if (!(std::abs(j) <= limits_.jerk_rad_s3_max[i] * (1 + kRounding) + kJerkRoundingRadS3)) Tell("jerk", j);
  }
  /// Newton's: of order n it is the mean of the n-th derivative over n!, whatever the times between.
  double Difference(std::size_t i, std::size_t from, std::size_t to) const {
    if (from == to) return told_[from].q_rad[i];
    return (Difference(i, from, to - 1) - Difference(i, from + 1, to)) / (told_[from].at_s - told_[to].at_s);
  }
  double TickS() const { return core::ToSeconds(limits_.control_period); }
  void Tell(const std::string& what, double value) { limits_left.push_back(what + " " + std::to_string(value)); }

  const safety::Limits& limits_;
  std::deque<Told> told_;  // Newest first.
};

/// A peer that sends the arm to and fro as fast as it may go, and clears what stops it.
class Hurrying {
 public:
  explicit Hurrying(std::uint64_t seed) : random_(seed) {
    rig_.robot.on_apply = [this](const core::SafeAction& action) {
      witness_.Hears(rig_.loop.now(), action.q_rad());
      const auto behind = (rig_.wall.now - wall_begin_) - rig_.loop.now().time_since_epoch();
      if (behind < core::Duration(0)) ahead_of_time_ = true;
      if (stalls_ == 0 && behind >= rig_.limits.control_period) behind_without_stall_ = true;
    };
    rig_.Arm();
  }

  /// `count` stalls of a length; the arm moves for a while between them.
  void Suffers(milliseconds stall, int count) {
    for (int i = 0; i < count; ++i) {
      Moves(40 + random_.Index(60));
      ++stalls_;
      rig_.wall.StallAfter(random_.Index(kLooksOfATick), stall);
      Moves(2);
    }
    travel_at_the_end_rad = 0;
    Moves(300);
  }

  const Witness& witness() const { return witness_; }
  const Rig& rig() const { return rig_; }
  int overruns = 0, other_stops = 0, dead_commands_carried_out = 0, deadlines_missed = 0;
  double travel_at_the_end_rad = 0;  // After the last stall.
  bool ahead_of_time_ = false, behind_without_stall_ = false;

 private:
  void Moves(int ticks) {
    for (int i = 0; i < ticks; ++i) {
      Answers();
      rig_.loop.Tick();
      Watches();
    }
  }
  /// A proposal for each period that has ended; where the loop is stopped, a dead one, and an acknowledgement.
  void Answers() {
    const auto report = rig_.Report();
    if (!report && asked_) return;
    asked_ = true;
    const auto latch = rig_.filter.latch();
    auto target = rig_.filter.commanded_q_rad();
    target[core::kPan] = ++periods_ % 20 < 10 ? 1.5 : -1.5;
    core::ProposedAction proposal{.epoch = latch.epoch,
                                  .sequence = ++rig_.sequence,
                                  .deadline = rig_.loop.now() + milliseconds(200),
                                  .axes = rig_.limits.axes,
                                  .target_q_rad = target};
    if (latch.latched()) {
      rig_.mailbox.Post(runtime::AcknowledgeMail{++rig_.tickets, {.latch_id = latch.id, .nonce = latch.nonce}});
      proposal.epoch = epoch_before_;
    } else {
      epoch_before_ = latch.epoch;
      deadline_ = proposal.deadline;
    }
    rig_.Exchange(proposal);
  }
  void Watches() {
    const auto latch = rig_.filter.latch();
    travel_at_the_end_rad +=
        std::abs(rig_.filter.commanded_v_rad_s()[core::kPan]) * core::ToSeconds(rig_.limits.control_period);
    if (latch.latched() && latch.id != latch_id_) ++(latch.first == StopCause::kOverrun ? overruns : other_stops);
    latch_id_ = latch.id;
    if (rig_.loop.now() > deadline_ && !latch.latched() && !rig_.filter.Rests()) ++deadlines_missed;
    if (latch.latched() && latch.first == StopCause::kOverrun && !rig_.filter.Rests()) ++dead_commands_carried_out;
  }

  Rig rig_{core::Pacing::kMonotonic};
  runtime::WallClock::Instant wall_begin_ = rig_.wall.now;
  Witness witness_{rig_.limits};
  core::Random random_;
  int stalls_ = 0, periods_ = 0;
  bool asked_ = false;
  core::Epoch epoch_before_ = 0;
  core::Instant deadline_{};
  std::uint64_t latch_id_ = 1;
};

class StallOf : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Milliseconds, StallOf, testing::ValuesIn(kStalls));

TEST_P(StallOf, NeverMakesTheDrivesHearWhatLeavesALimitAndEpochsAndDeadlinesHold) {
  constexpr int kStallsEach = 60, kSeeds = 4;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Hurrying arm(seed);
    arm.Suffers(milliseconds(GetParam()), kStallsEach);
    SCOPED_TRACE("seed " + std::to_string(seed));
    EXPECT_TRUE(arm.witness().limits_left.empty()) << arm.witness().limits_left.front();
    EXPECT_GT(arm.witness().fastest_rad_s, 3.0) << "it moved fast";
    EXPECT_EQ(arm.dead_commands_carried_out, 0);
    EXPECT_EQ(arm.deadlines_missed, 0);
    EXPECT_EQ(arm.other_stops, 0);
    EXPECT_FALSE(arm.ahead_of_time_) << "no command before its time";
    EXPECT_FALSE(arm.behind_without_stall_);
    const bool too_long = milliseconds(GetParam()) > arm.rig().limits.overrun_max + arm.rig().limits.control_period;
    if (too_long) {
      EXPECT_GT(arm.overruns, kStallsEach / 2) << "some fell between the last look and the bus, or into a stop";
    } else {
      EXPECT_EQ(arm.overruns, 0);
    }
    EXPECT_FALSE(arm.rig().filter.latch().latched()) << "it goes on";
    EXPECT_GT(arm.travel_at_the_end_rad, 1.0);
  }
}

TEST_P(StallOf, PracticeGoesOnAfterIt) {
  const Trouble trouble{.lasts = milliseconds(20'000), .stall = milliseconds(GetParam())};
  for (const Phase phase : {Phase::kPractising, Phase::kRecovering}) {
    const Story story = WholeRobot(trouble, phase, core::Pacing::kMonotonic).Lives();
    ASSERT_TRUE(story.began);
    EXPECT_GE(story.stalls, 10);
    EXPECT_TRUE(story.limits_left.empty()) << story.limits_left.front();
    EXPECT_TRUE(story.moves_again) << story.at_the_end;
    for (const StopCause cause : story.raised) EXPECT_EQ(cause, StopCause::kOverrun) << Name(cause);
    EXPECT_EQ(story.raised.empty(), GetParam() < 50);
    EXPECT_LT(story.wall_s, 21) << "robot time keeps up";
  }
}

TEST_P(StallOf, IsNothingToADeviceThatHasTheClock) {
  const Trouble trouble{.lasts = milliseconds(10'000), .stall = milliseconds(GetParam())};
  const Story story = WholeRobot(trouble, Phase::kPractising, core::Pacing::kLockStep).Lives();
  EXPECT_GE(story.stalls, 5);
  EXPECT_TRUE(story.raised.empty());
  EXPECT_TRUE(story.limits_left.empty());
}

}  // namespace
}  // namespace nightshift::tests
