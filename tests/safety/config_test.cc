// SPDX-License-Identifier: Apache-2.0
#include "safety/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace nightshift::safety {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

/// What Validate says of the default limits after one change.
std::string FaultAfter(const std::function<void(Limits&)>& change) {
  Limits limits;
  change(limits);
  const auto valid = Validate(limits);
  if (valid) return "";
  EXPECT_EQ(valid.error().code, core::FaultCode::kInvalidConfig);
  return valid.error().detail;
}

TEST(SafetyLimits, DefaultsAreValid) {
  const auto valid = Validate(Limits{});
  EXPECT_TRUE(valid) << valid.error().detail;
}

TEST(SafetyLimits, ARefusalNamesKeyAxisNumbersAndWhatIsAllowed) {
  const std::string fault = FaultAfter([](Limits& l) { l.q_rad_min[2] = 3; });
  EXPECT_THAT(fault, HasSubstr("q_rad_min[elbow] = 3, q_rad_max = 2.6"));
  EXPECT_THAT(fault, HasSubstr("must be a range inside [-6.3, 6.3]"));
}

TEST(SafetyLimits, RefusesNaNInEveryField) {
  const double nan = std::nan("");
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.q_rad_max[1] = nan; }), HasSubstr("lift"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.speed_rad_s_max[0] = nan; }), HasSubstr("speed_rad_s_max[pan]"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.acceleration_rad_s2_max[5] = nan; }), HasSubstr("[jaw]"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.escape_speed_rad_s_max = nan; }), HasSubstr("escape_speed"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.workspace_m_min.z = nan; }), HasSubstr("workspace"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.tracking_error_rad_max[3] = nan; }), HasSubstr("[wrist]"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.stall_free_nm_rad[0] = nan; }), HasSubstr("stall_free"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.stall_nm_rad_s_max[0] = nan; }), HasSubstr("stall_nm_rad_s_max"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.temperature_c_max = nan; }), HasSubstr("temperature_c_max"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.temperature_c_clear = nan; }), HasSubstr("temperature_c_clear"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.reseed_error_rad_max[0] = nan; }), HasSubstr("reseed"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.rest_speed_rad_s_max = nan; }), HasSubstr("rest_speed"));
}

TEST(SafetyLimits, RefusesACommandDeadlineOfMoreThanThreePolicyPeriods) {
  EXPECT_THAT(FaultAfter([](Limits& l) { l.command_deadline_max = milliseconds(301); }), HasSubstr("300 ms"));
}

TEST(SafetyLimits, RefusesPeriodsThatDoNotFitEachOther) {
  EXPECT_THAT(FaultAfter([](Limits& l) { l.policy_period = milliseconds(99); }),
              HasSubstr("multiple of control_period"));
  EXPECT_THAT(FaultAfter([](Limits& l) { l.control_period = milliseconds(0); }), HasSubstr("[1, 10] ms"));
}

TEST(SafetyLimits, RefusesCountsThatWouldSwitchACheckOff) {
  EXPECT_THAT(FaultAfter([](Limits& l) { l.blind_ticks_max = 0; }), HasSubstr("blind_ticks_max = 0"));
  EXPECT_THAT(FaultAfter([](Limits& l) { l.clears_per_hour_max = 100000; }), HasSubstr("clears_per_hour_max"));
  EXPECT_THAT(FaultAfter([](Limits& l) { l.axes = 9; }), HasSubstr("axes = 9: must be in [1, 8]"));
}

}  // namespace
}  // namespace nightshift::safety
