// SPDX-License-Identifier: Apache-2.0
#include "safety/audit_runs.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <bit>
#include <vector>

#include "core/random.h"
#include "tests/safety/counting_allocator.h"
#include "tests/safety/ideal_arm.h"

namespace nightshift::safety {
namespace {

using core::LimitId;
using core::StopCause;
using core::Verdict;
using std::chrono::milliseconds;

constexpr core::LatchReport kNoLatch{.epoch = 3};
constexpr core::LatchReport kLatch{.first = StopCause::kStall, .worst = StopCause::kStall, .id = 5, .epoch = 4};

/// Judgements as a filter could give them, on a clock of 4 ms.
class Runs : public testing::Test {
 protected:
  Runs() {
    Filter filter({}, {});
    judged_.emplace(filter.JudgeBlind({}));
  }
  /// One tick: verdict, limit, and by how much the wanted value lay beyond what was allowed.
  void Tick(Verdict verdict, LimitId limit = LimitId::kNone, double excess = 0,
            const core::LatchReport& latch = kNoLatch) {
    judged_->verdict = verdict;
    judged_->limit = limit;
    judged_->axis = axis;
    judged_->wanted = 2 + excess;
    judged_->allowed = 2;
    judged_->sequence = sequence;
    Keep(runs.Add(*judged_, {.now = now}, latch));
    now += milliseconds(4);
  }
  void Keep(const std::optional<AuditRecord>& record) {
    if (record) told.push_back(*record);
  }

  AuditRuns runs;
  std::vector<AuditRecord> told;
  core::Instant now{};
  int axis = 1;
  std::uint64_t sequence = 7;

 private:
  std::optional<Judgement> judged_;
};

TEST_F(Runs, SayNothingOfTicksThatPassed) {
  for (int i = 0; i < 100; ++i) Tick(Verdict::kPass);
  Keep(runs.EndPeriod());
  Keep(runs.Finish());
  EXPECT_TRUE(told.empty());
}

TEST_F(Runs, JoinTicksThatSayTheSameAndKeepTheLargestExcess) {
  for (const double excess : {0.1, 0.4, 0.2}) Tick(Verdict::kLimited, LimitId::kVelocity, excess);
  EXPECT_TRUE(told.empty()) << "it may go on";
  Tick(Verdict::kPass);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].verdict, Verdict::kLimited);
  EXPECT_EQ(told[0].limit, LimitId::kVelocity);
  EXPECT_EQ(told[0].axis, 1);
  EXPECT_EQ(told[0].ticks, 3u);
  EXPECT_EQ(told[0].at, core::Instant(milliseconds(8))) << "the last of them";
  EXPECT_EQ(told[0].sequence, 7u);
  EXPECT_DOUBLE_EQ(told[0].wanted, 2.4);
  EXPECT_NEAR(told[0].margin(), -0.4, 1e-9);
}

TEST_F(Runs, EndWhereVerdictLimitAxisProposalOrLatchIsAnother) {
  Tick(Verdict::kLimited, LimitId::kVelocity);
  Tick(Verdict::kRefused, LimitId::kVelocity);
  Tick(Verdict::kRefused, LimitId::kPosition);
  axis = 2;
  Tick(Verdict::kRefused, LimitId::kPosition);
  sequence = 8;
  Tick(Verdict::kRefused, LimitId::kPosition);
  Tick(Verdict::kRefused, LimitId::kPosition, 0, kLatch);
  Keep(runs.Finish());
  ASSERT_EQ(told.size(), 6u);
  for (const AuditRecord& record : told) EXPECT_EQ(record.ticks, 1u);
}

TEST_F(Runs, LoseNoTickWhateverComes) {
  core::Random dice(3);
  std::uint64_t not_passed = 0;
  for (int i = 0; i < 5000; ++i) {
    const bool passes = dice.Chance(0.3);
    not_passed += passes ? 0 : 1;
    Tick(passes ? Verdict::kPass : Verdict::kLimited, passes ? LimitId::kNone : LimitId::kVelocity, 0.1);
    if (i % 25 == 24) Keep(runs.EndPeriod());
  }
  Keep(runs.Finish());
  std::uint64_t ticks = 0;
  for (const AuditRecord& record : told) ticks += record.ticks;
  EXPECT_EQ(ticks, not_passed);
}

TEST_F(Runs, TellOfALongStopWhenItsFirstPeriodEndsThenEachMinuteThenAtItsEnd) {
  constexpr int kMinuteTicks = static_cast<int>(AuditRuns::kTicksMax), kPeriodTicks = 25;
  for (int tick = 1; tick <= 2 * kMinuteTicks + 100; ++tick) {
    Tick(Verdict::kStopped, LimitId::kLatched, 0, kLatch);
    if (tick % kPeriodTicks == 0) Keep(runs.EndPeriod());
  }
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0].ticks, 25u);
  EXPECT_EQ(told[1].ticks, AuditRuns::kTicksMax);
  EXPECT_EQ(told[2].ticks, AuditRuns::kTicksMax);
  Tick(Verdict::kPass);
  ASSERT_EQ(told.size(), 4u);
  EXPECT_EQ(told[3].ticks, 75u);
}

TEST_F(Runs, BeginTheirNumbersAnewAfterTheyWereTold) {
  Tick(Verdict::kLimited, LimitId::kVelocity, 0.9);
  Keep(runs.EndPeriod());
  Tick(Verdict::kLimited, LimitId::kVelocity, 0.1);
  Keep(runs.Finish());
  ASSERT_EQ(told.size(), 2u);
  EXPECT_NEAR(told[0].margin(), -0.9, 1e-9);
  EXPECT_NEAR(told[1].margin(), -0.1, 1e-9);
}

TEST_F(Runs, SayWhenAStopEnded) {
  Tick(Verdict::kStopped, LimitId::kLatched, 0, kLatch);
  Tick(Verdict::kPass);
  Tick(Verdict::kPass);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].latch.id, 5u);
  EXPECT_EQ(told[1].verdict, Verdict::kPass);
  EXPECT_FALSE(told[1].latch.latched());
  EXPECT_EQ(told[1].at, core::Instant(milliseconds(4)));
  Keep(runs.Finish());
  EXPECT_EQ(told.size(), 2u);
}

TEST_F(Runs, HoldTheHashOverTheInputsOfAllTheirTicksAlsoOfThoseThatWereTold) {
  Tick(Verdict::kStopped, LimitId::kLatched, 0, kLatch);
  Keep(runs.EndPeriod());
  Tick(Verdict::kStopped, LimitId::kLatched, 0, kLatch);
  Keep(runs.Finish());
  ASSERT_EQ(told.size(), 2u);
  const std::uint64_t first = HashOf({.now = core::Instant(milliseconds(0))}, 0);
  EXPECT_EQ(told[0].input_hash, first);
  EXPECT_EQ(told[1].input_hash, HashOf({.now = core::Instant(milliseconds(4))}, first));
}

TickInput Whole() {
  core::JointState seen{.sequence = 9, .axes = 2, .powered = true};
  seen.q_rad = {0.5, -0.25};
  seen.dq_rad_s = {1, 2};
  seen.torque_nm = {0.125, 3};
  seen.current_a = {0.5, 0.75};
  seen.temperature_c = {30, 31};
  core::ProposedAction wanted{.epoch = 4, .sequence = 11, .deadline = core::FromNanoseconds(900), .axes = 2};
  wanted.target_q_rad = {0.75, 0};
  return {.now = core::FromNanoseconds(700),
          .seen = seen,
          .wanted = wanted,
          .person = {.presence = core::Presence::kSeen, .distance_m = 1.5, .speed_scale = 0.25}};
}

TEST(InputHash, IsWhatOthersCanWorkOut) {
  // SipHash-2-4 with the layout that the header describes; by a Python implementation of its own.
  EXPECT_EQ(HashOf(Whole(), 0), 0x25036f9b4d653e47u);
  EXPECT_EQ(HashOf({.now = core::FromNanoseconds(700)}, 1), 0x68a9d55fe53f2931u);
}

TEST(InputHash, IsOverEveryAxisOfAReadingAndAProposalThatHaveAsManyAsThereAre) {
  TickInput input = Whole();
  core::JointState& seen = *input.seen;
  core::ProposedAction& wanted = *input.wanted;
  seen.axes = wanted.axes = core::kAxesMax;
  std::vector<std::uint64_t> words{5, 700, core::kAxesMax, seen.sequence, 1};
  const auto add = [&words](double& value) {
    value = 0.5 * static_cast<double>(words.size());
    words.push_back(std::bit_cast<std::uint64_t>(value));
  };
  for (std::size_t i = 0; i < core::kAxesMax; ++i)
    for (const auto field : {&core::JointState::q_rad, &core::JointState::dq_rad_s, &core::JointState::torque_nm,
                             &core::JointState::current_a, &core::JointState::temperature_c})
      add((seen.*field)[i]);
  words.insert(words.end(), {core::kAxesMax, wanted.epoch, wanted.sequence, 900});
  add(wanted.risk_scale);
  for (double& target : wanted.target_q_rad) add(target);
  words.push_back(static_cast<std::uint64_t>(input.person.presence));
  add(input.person.distance_m);
  add(input.person.speed_scale);
  std::uint64_t hash = 0;
  crypto_shorthash(reinterpret_cast<unsigned char*>(&hash), reinterpret_cast<const unsigned char*>(words.data()),
                   words.size() * sizeof words[0], reinterpret_cast<const unsigned char*>("nightshift-audit"));
  EXPECT_EQ(HashOf(input, 5), hash);
}

TEST(InputHash, ChangesWithEverythingThatAJudgementIsMadeOf) {
  const std::uint64_t whole = HashOf(Whole(), 0);
  EXPECT_NE(HashOf(Whole(), 1), whole) << "what came before";
  const auto differs = [whole](const auto& change) {
    TickInput input = Whole();
    change(input);
    return HashOf(input, 0) != whole;
  };
  EXPECT_TRUE(differs([](TickInput& i) { i.now += core::Duration(1); }));
  EXPECT_TRUE(differs([](TickInput& i) { i.seen.reset(); }));
  EXPECT_TRUE(differs([](TickInput& i) { ++i.seen->sequence; }));
  EXPECT_TRUE(differs([](TickInput& i) { i.seen->powered = false; }));
  for (const auto field : {&core::JointState::q_rad, &core::JointState::dq_rad_s, &core::JointState::torque_nm,
                           &core::JointState::current_a, &core::JointState::temperature_c})
    EXPECT_TRUE(differs([field](TickInput& i) { ((*i.seen).*field)[1] += 1e-9; }));
  EXPECT_TRUE(differs([](TickInput& i) { i.wanted.reset(); }));
  EXPECT_TRUE(differs([](TickInput& i) { ++i.wanted->epoch; }));
  EXPECT_TRUE(differs([](TickInput& i) { ++i.wanted->sequence; }));
  EXPECT_TRUE(differs([](TickInput& i) { i.wanted->deadline += core::Duration(1); }));
  EXPECT_TRUE(differs([](TickInput& i) { i.wanted->risk_scale = 0.5; }));
  EXPECT_TRUE(differs([](TickInput& i) { i.wanted->target_q_rad[1] = 1e-9; }));
  EXPECT_TRUE(differs([](TickInput& i) { i.person.presence = core::Presence::kSilent; }));
  EXPECT_TRUE(differs([](TickInput& i) { i.person.distance_m += 1e-9; }));
  EXPECT_TRUE(differs([](TickInput& i) { i.person.speed_scale = 0.5; }));
}

TEST(InputHash, TakesAProposalThatClaimsAnyNumberOfAxes) {
  TickInput input = Whole();
  for (const int axes : {-1, 0, core::kAxesMax, 1'000'000}) {
    input.wanted->axes = input.seen->axes = axes;
    EXPECT_NE(HashOf(input, 0), 0u);
  }
}

TEST(InputHash, AllocatesNothing) {
  const TickInput input = Whole();
  const std::size_t before = AllocationsSoFar();
  HashOf(input, 0);
  EXPECT_EQ(AllocationsSoFar(), before);
}

}  // namespace
}  // namespace nightshift::safety
