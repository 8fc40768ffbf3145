// SPDX-License-Identifier: Apache-2.0
#include "safety/safety_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace nightshift::safety {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr std::int64_t kSecondNs = 1'000'000'000;

/// One state with a different number in every place.
StoredState Some() {
  StoredState stored{.at = {.boot_id = "c5f1", .since_boot_ns = 700 * kSecondNs, .utc_ns = 9'000 * kSecondNs}};
  stored.state.clears.Add(minutes(50));
  stored.state.clears.Add(minutes(2) + std::chrono::nanoseconds(1));
  stored.state.spent.wear.into_hour = minutes(7);
  double next = 0.1;
  for (double& heat : stored.state.spent.heat) heat = next += 0.1;
  for (WearHour& hour : stored.state.spent.wear.hours)
    for (auto field : {&WearHour::starts, &WearHour::travel_rad, &WearHour::impacts})
      for (double& value : hour.*field) value = next += 1.0 / 3;
  return stored;
}

Moment Later(const Moment& at, core::Duration by) {
  return {.boot_id = at.boot_id, .since_boot_ns = at.since_boot_ns + by.count(), .utc_ns = at.utc_ns + by.count()};
}

std::vector<core::Duration> Agos(const RecentClears& clears) {
  return {clears.ago.begin(), clears.ago.begin() + static_cast<std::ptrdiff_t>(clears.count)};
}

TEST(StateText, ComesBackAsItWas) {
  const StoredState some = Some();
  const auto read = Decode(Encode(some));
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->at.boot_id, "c5f1");
  EXPECT_EQ(read->at.since_boot_ns, some.at.since_boot_ns);
  EXPECT_EQ(read->at.utc_ns, some.at.utc_ns);
  EXPECT_EQ(Agos(read->state.clears), Agos(some.state.clears));
  EXPECT_EQ(read->state.spent.heat, some.state.spent.heat);
  EXPECT_EQ(read->state.spent.wear.into_hour, minutes(7));
  for (std::size_t i = 0; i < WearDay::kHours; ++i)
    for (auto field : {&WearHour::starts, &WearHour::travel_rad, &WearHour::impacts})
      EXPECT_EQ(read->state.spent.wear.hours[i].*field, some.state.spent.wear.hours[i].*field) << "hour " << i;
}

TEST(StateText, ComesBackWithoutABootAndWithAsManyClearsAsThereMayBe) {
  StoredState full;
  for (int i = 0; i < kClearsPerHourMax; ++i) full.state.clears.Add(seconds(i));
  const auto read = Decode(Encode(full));
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->at.boot_id, "");
  EXPECT_EQ(Agos(read->state.clears), Agos(full.state.clears));
}

TEST(StateText, AnyCutOrChangeIsSeen) {
  const std::string text = Encode(Some());
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto read = Decode(text.substr(0, size));
    ASSERT_FALSE(read) << size << " of " << text.size() << " bytes";
    ASSERT_EQ(read.error().code, core::FaultCode::kCorruptState);
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] ^= 1;
    ASSERT_FALSE(Decode(changed)) << "byte " << at;
  }
  EXPECT_FALSE(Decode(text + "x"));
}

/// What a page of another program's code can rely on: docs/wire.md.
TEST(StateText, IsLinesOfAKeyAndItsNumbersClosedByA128BitHash) {
  StoredState stored{.at = {.boot_id = "c5f1", .since_boot_ns = 5, .utc_ns = 6}, .state = {}};
  stored.state.clears.Add(seconds(2));
  stored.state.spent.heat[1] = 0.5;
  const std::string text = Encode(stored);
  EXPECT_THAT(text, testing::StartsWith("nightshift-safety-state 1\nboot c5f1\nsince_boot_ns 5\nutc_ns 6\n"
                                        "clears_ago_ns 1 2000000000\nheat 0 0.5 0 0 0 0 0 0\ninto_hour_ns 0\n"
                                        "starts 0 0 0 0 0 0 0 0\ntravel_rad 0 0 0 0 0 0 0 0\nimpacts "));
  const std::string hash = text.substr(text.rfind("hash ") + 5);
  EXPECT_EQ(hash.size(), 33u) << hash;
}

TEST(StateText, TheLargestThatMayBeComesBack) {
  StoredState large = Some();
  large.at.boot_id = std::string(64, 'b');
  large.state.spent.wear.into_hour = hours(1) - std::chrono::nanoseconds(1);
  const auto read = Decode(Encode(large));
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->at.boot_id, large.at.boot_id);
  EXPECT_EQ(read->state.spent.wear.into_hour, large.state.spent.wear.into_hour);
}

TEST(StateText, OfAnotherVersionIsRefusedByName) {
  std::string text = Encode(Some());
  text[text.find("state 1") + 6] = '2';
  EXPECT_THAT(Decode(text).error().detail, HasSubstr("as a state of this version"));
}

/// A file that somebody wrote on purpose, hash and all.
std::string Forged(void (*change)(StoredState&)) {
  StoredState stored = Some();
  change(stored);
  return Encode(stored);
}

TEST(StateText, NumbersThatCannotBeAreRefusedByTheirLine) {
  EXPECT_THAT(Decode(Forged([](StoredState& s) { s.state.spent.heat[2] = std::nan(""); })).error().detail,
              HasSubstr("\"heat\""));
  EXPECT_THAT(Decode(Forged([](StoredState& s) { s.state.spent.heat[0] = -1; })).error().detail, HasSubstr("\"heat\""));
  EXPECT_THAT(Decode(Forged([](StoredState& s) { s.state.spent.wear.hours[23].impacts[7] = HUGE_VAL; })).error().detail,
              HasSubstr("\"impacts\""));
  EXPECT_THAT(Decode(Forged([](StoredState& s) { s.state.clears.ago[0] = hours(2); })).error().detail,
              HasSubstr("\"clears_ago_ns\""));
  EXPECT_THAT(Decode(Forged([](StoredState& s) { s.state.clears.ago[0] = -seconds(1); })).error().detail,
              HasSubstr("\"clears_ago_ns\""));
  EXPECT_THAT(Decode(Forged([](StoredState& s) { s.state.spent.wear.into_hour = hours(1); })).error().detail,
              HasSubstr("\"into_hour_ns\""));
  EXPECT_THAT(Decode(Forged([](StoredState& s) { s.at.utc_ns = -1; })).error().detail, HasSubstr("\"utc_ns\""));
  EXPECT_THAT(Decode(Forged([](StoredState& s) { s.at.boot_id = "b\nheat 5"; })).error().detail,
              HasSubstr("\"since_boot_ns\""))
      << "another line stands there";
  EXPECT_THAT(Decode(Forged([](StoredState& s) { s.at.boot_id = std::string(65, 'b'); })).error().detail,
              HasSubstr("\"boot\""));
}

TEST(Resuming, OnTheSameBootIsARestartAndOnAnotherAReboot) {
  const StoredState stored = Some();
  EXPECT_FALSE(Resume(stored, Later(stored.at, seconds(1)), {}).after_reboot);
  Moment other = Later(stored.at, seconds(1));
  other.boot_id = "0aa2";
  EXPECT_TRUE(Resume(stored, other, {}).after_reboot);
}

TEST(Resuming, WhereTheBootCannotBeReadCountsAsAReboot) {
  StoredState stored = Some();
  stored.at.boot_id = "";
  EXPECT_TRUE(Resume(stored, Later(stored.at, seconds(1)), {}).after_reboot);
}

TEST(Resuming, FromNothingIsARebootWithMotorsJustCoolEnoughAndNothingElseSpent) {
  const Limits limits;
  const Resumption resumed = Resume(std::nullopt, {.boot_id = "c5f1"}, limits);
  EXPECT_TRUE(resumed.after_reboot);
  EXPECT_EQ(resumed.state.clears.count, 0u);
  EXPECT_EQ(resumed.state.spent.heat[core::kLift], limits.current_clear_share);
  EXPECT_EQ(resumed.state.spent.wear.Sum().starts[0], 0);
}

TEST(Resuming, EverythingIsAsMuchOlderAsTimeHasPassed) {
  const Limits limits;
  const StoredState stored = Some();
  const Resumption resumed = Resume(stored, Later(stored.at, minutes(5)), limits);
  EXPECT_EQ(Agos(resumed.state.clears),
            (std::vector<core::Duration>{minutes(55), minutes(7) + std::chrono::nanoseconds(1)}));
  EXPECT_NEAR(resumed.state.spent.heat[1], stored.state.spent.heat[1] * std::exp(-300 / limits.current_tau_s), 1e-12);
  EXPECT_EQ(resumed.state.spent.wear.into_hour, minutes(12));
  EXPECT_EQ(resumed.state.spent.wear.hours[0].starts, stored.state.spent.wear.hours[0].starts);
}

TEST(Resuming, AfterADayOfRestNothingIsLeft) {
  const StoredState stored = Some();
  const Resumption resumed = Resume(stored, Later(stored.at, hours(24)), {});
  EXPECT_EQ(resumed.state.clears.count, 0u);
  EXPECT_LT(resumed.state.spent.heat[0], 1e-6);
  EXPECT_EQ(resumed.state.spent.wear.Sum().travel_rad[0], 0);
}

TEST(Resuming, AClearIsForgottenWhenItIsMoreThanAnHourOld) {
  const StoredState stored = Some();
  EXPECT_EQ(Resume(stored, Later(stored.at, minutes(10)), {}).state.clears.count, 2u);
  EXPECT_EQ(Resume(stored, Later(stored.at, minutes(10) + std::chrono::nanoseconds(1)), {}).state.clears.count, 1u);
}

TEST(Resuming, OnTheSameBootAClockThatIsSetMakesNothingOlderOrYounger) {
  const StoredState stored = Some();
  Moment set = Later(stored.at, minutes(5));
  for (const auto by : {hours(5), -hours(5)}) {
    set.utc_ns = stored.at.utc_ns + core::Duration(by).count();
    EXPECT_EQ(Agos(Resume(stored, set, {}).state.clears)[0], minutes(55));
  }
}

TEST(Resuming, OnAnotherBootUtcSaysHowLongItWasOffAndNeverLessThanNothing) {
  const StoredState stored = Some();
  Moment other{.boot_id = "0aa2", .since_boot_ns = kSecondNs};
  other.utc_ns = stored.at.utc_ns + core::Duration(minutes(5)).count();
  EXPECT_EQ(Agos(Resume(stored, other, {}).state.clears)[0], minutes(55));
  other.utc_ns = 0;  // A machine whose clock lost its battery.
  EXPECT_EQ(Agos(Resume(stored, other, {}).state.clears)[0], minutes(50));
}

TEST(Uses, AreTheShareOfEachBudgetOfEachAxis) {
  Limits limits;
  limits.wear_travel_rad_per_day_max[core::kRoll] = 8;
  SpentBudgets spent;
  spent.heat[core::kRoll] = 0.75;
  spent.wear.hours[0].travel_rad[core::kRoll] = 1;
  spent.wear.hours[23].travel_rad[core::kRoll] = 3;
  const auto uses = UsesOf(spent, limits);
  EXPECT_EQ(uses.size(), core::kArmAxes * core::kBudgets.size());
  for (const core::BudgetUse& use : uses) {
    const bool warm = use.budget == core::Budget::kCurrent, far = use.budget == core::Budget::kTravel;
    EXPECT_EQ(use.share, use.axis != core::kRoll ? 0
                         : warm                  ? 0.75
                         : far                   ? 0.5
                                                 : 0)
        << Name(use.budget) << " of axis " << use.axis;
  }
}

}  // namespace
}  // namespace nightshift::safety
