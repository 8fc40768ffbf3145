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
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.risk_scale_min = nan; }), HasSubstr("risk_scale_min"));
}

/// The default limits of an arm with as many axes as there may be.
Limits EightAxes() {
  Limits limits;
  limits.axes = core::kAxesMax;
  for (const auto field : {&Limits::q_rad_min, &Limits::q_rad_max, &Limits::speed_rad_s_max,
                           &Limits::acceleration_rad_s2_max, &Limits::jerk_rad_s3_max, &Limits::tracking_error_rad_max,
                           &Limits::stall_free_nm_rad, &Limits::stall_nm_rad_s_max, &Limits::reseed_error_rad_max})
    (limits.*field)[6] = (limits.*field)[7] = (limits.*field)[5];
  return limits;
}

/// A key, what sets it, its lowest and highest value, and the nearest ones that are refused.
struct Edges {
  const char* key;
  std::function<void(Limits&, double)> set;
  double below, lowest, highest, above;
};

void ExpectEdges(const Edges& edges) {
  for (const double value : {edges.lowest, edges.highest})
    EXPECT_EQ(FaultAfter([&](Limits& l) { edges.set(l, value); }), "") << edges.key << " = " << value;
  for (const double value : {edges.below, edges.above})
    EXPECT_THAT(FaultAfter([&](Limits& l) { edges.set(l, value); }),
                HasSubstr("safety." + std::string(edges.key) + " = "))
        << value;
}

core::Duration Ms(double ms) { return core::Seconds(ms / 1e3); }

TEST(SafetyLimits, EachNumberMayBeAsLowAndAsHighAsItSaysAndNoMore) {
  const Edges each[] = {
      {"axes", [](Limits& l, double v) { (l = EightAxes()).axes = static_cast<int>(v); }, 0, 1, 8, 9},
      {"escape_speed_rad_s_max", [](Limits& l, double v) { l.escape_speed_rad_s_max = v; }, 0, 1e-9, 1, 1.001},
      {"rest_speed_rad_s_max", [](Limits& l, double v) { l.rest_speed_rad_s_max = v; }, 0, 1e-9, 1, 1.001},
      {"risk_scale_min", [](Limits& l, double v) { l.risk_scale_min = v; }, 0, 1e-9, 1, 1.001},
      {"clearance_m", [](Limits& l, double v) { l.clearance_m = v; }, 0, 1e-9, 0.05, 0.0501},
      {"clearance_looks_max", [](Limits& l, double v) { l.clearance_looks_max = static_cast<int>(v); }, 9, 10, 1000,
       1001},
      {"temperature_c_max", [](Limits& l, double v) { (l.temperature_c_clear = 10, l.temperature_c_max = v); }, 20,
       20.1, 90, 90.1},
      {"temperature_c_clear", [](Limits& l, double v) { l.temperature_c_clear = v; }, 0, 1e-9, 69.9, 70},
      {"control_period", [](Limits& l, double v) { l.control_period = Ms(v); }, 0.5, 1, 10, 12.5},
      {"policy_period", [](Limits& l, double v) { (l.command_deadline_max = Ms(24), l.policy_period = Ms(v)); }, 4, 8,
       1000, 1004},
      {"command_deadline_max",
       [](Limits& l, double v) { l.command_deadline_max = std::chrono::nanoseconds(std::llround(v)); }, 0, 1, 300e6,
       300e6 + 1},
      {"peer_wait_max", [](Limits& l, double v) { l.peer_wait_max = Ms(v); }, 0.999, 1, 10000, 10000.001},
      {"blind_ticks_max", [](Limits& l, double v) { l.blind_ticks_max = static_cast<int>(v); }, 0, 1, 100, 101},
      {"power_up_ticks_max", [](Limits& l, double v) { l.power_up_ticks_max = static_cast<int>(v); }, 0, 1, 10000,
       10001},
      {"clears_per_hour_max", [](Limits& l, double v) { l.clears_per_hour_max = static_cast<int>(v); }, 0, 1, 256, 257},
  };
  for (const Edges& edges : each) ExpectEdges(edges);
}

TEST(SafetyLimits, EachAxisMayHaveWhatItsKeySaysAndNoMore) {
  struct Field {
    const char* key;
    core::AxisArray Limits::*values;
    double highest;
  };
  const Field fields[] = {{"speed_rad_s_max", &Limits::speed_rad_s_max, 20},
                          {"acceleration_rad_s2_max", &Limits::acceleration_rad_s2_max, 500},
                          {"jerk_rad_s3_max", &Limits::jerk_rad_s3_max, 100'000},
                          {"tracking_error_rad_max", &Limits::tracking_error_rad_max, 6.3},
                          {"stall_free_nm_rad", &Limits::stall_free_nm_rad, 20},
                          {"stall_nm_rad_s_max", &Limits::stall_nm_rad_s_max, 20},
                          {"reseed_error_rad_max", &Limits::reseed_error_rad_max, 6.3}};
  for (const auto& [key, values, highest] : fields)
    for (const auto& [axis, name] : {std::pair<std::size_t, std::string>{0, "[pan]"}, {5, "[jaw]"}}) {
      const auto set = [&](Limits& l, double v) { (l.*values)[axis] = v; };
      ExpectEdges({(key + name).c_str(), set, 0, 1e-9, highest, highest * 1.000001});
    }
}

TEST(SafetyLimits, AJointsRangeMayBeATurnEachWayAndIsNotEmpty) {
  ExpectEdges({"q_rad_min[lift]", [](Limits& l, double v) { l.q_rad_min[1] = v; }, -6.301, -6.3, 1.749, 1.75});
  ExpectEdges({"q_rad_min[jaw]", [](Limits& l, double v) { l.q_rad_max[5] = v; }, -0.1, -0.099, 6.3, 6.301});
}

TEST(SafetyLimits, TheWorkspaceLiesWithinTwoMetresAndIsNotEmpty) {
  for (double core::Vec3::*along : {&core::Vec3::x, &core::Vec3::y, &core::Vec3::z}) {
    ExpectEdges({"workspace_m_min", [&](Limits& l, double v) { l.workspace_m_min.*along = v; }, -2.001, -2,
                 Limits{}.workspace_m_max.*along - 0.001, Limits{}.workspace_m_max.*along});
    ExpectEdges({"workspace_m_min", [&](Limits& l, double v) { l.workspace_m_max.*along = v; },
                 Limits{}.workspace_m_min.*along, Limits{}.workspace_m_min.*along + 0.001, 2, 2.001});
  }
}

TEST(SafetyLimits, NamesAnObstacleThatIsNone) {
  EXPECT_THAT(FaultAfter([](Limits& l) {
                l.boxes = {{.name = "box", .centre_m = {0, 0, std::nan("")}}};
              }),
              HasSubstr("safety.boxes \"box\": clearance: obstacle 0 needs finite"));
}

TEST(SafetyLimits, RefusesACommandDeadlineOfMoreThanThreePolicyPeriods) {
  EXPECT_THAT(FaultAfter([](Limits& l) { l.command_deadline_max = milliseconds(301); }),
              HasSubstr("= 301 ms: must be above 0 and at most three policy periods (300 ms)"));
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
