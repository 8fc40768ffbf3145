// SPDX-License-Identifier: Apache-2.0
#include "safety/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace nightshift::safety {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
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
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.temperature_c_min = nan; }), HasSubstr("temperature_c_min"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.current_a_continuous[1] = nan; }), HasSubstr("current_a_continuous[lift]"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.current_tau_s = nan; }), HasSubstr("current_tau_s"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.current_clear_share = nan; }), HasSubstr("current_clear_share"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.wear_starts_per_day_max[0] = nan; }), HasSubstr("wear_starts"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.wear_travel_rad_per_day_max[2] = nan; }), HasSubstr("wear_travel"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.wear_impacts_per_day_max[5] = nan; }), HasSubstr("wear_impacts"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.impact_rad_s[4] = nan; }), HasSubstr("impact_rad_s[roll]"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.wear_clear_share = nan; }), HasSubstr("wear_clear_share"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.reseed_error_rad_max[0] = nan; }), HasSubstr("reseed"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.rest_speed_rad_s_max = nan; }), HasSubstr("rest_speed"));
  EXPECT_THAT(FaultAfter([&](Limits& l) { l.risk_scale_min = nan; }), HasSubstr("risk_scale_min"));
}

/// The default limits of an arm with as many axes as there may be.
Limits EightAxes() {
  Limits limits;
  limits.axes = core::kAxesMax;
  for (const auto field :
       {&Limits::q_rad_min, &Limits::q_rad_max, &Limits::speed_rad_s_max, &Limits::acceleration_rad_s2_max,
        &Limits::jerk_rad_s3_max, &Limits::tracking_error_rad_max, &Limits::stall_free_nm_rad,
        &Limits::stall_nm_rad_s_max, &Limits::reseed_error_rad_max, &Limits::inspection_error_rad_max,
        &Limits::torque_nm_max, &Limits::current_a_continuous, &Limits::wear_starts_per_day_max,
        &Limits::wear_travel_rad_per_day_max, &Limits::wear_impacts_per_day_max, &Limits::impact_rad_s})
    (limits.*field)[6] = (limits.*field)[7] = (limits.*field)[5];
  return limits;
}

/// Does the fault come of the numbers together (safety/admissible.h), not of a single one?
bool IsOfTheWhole(const std::string& fault) { return fault.find("must be ") == std::string::npos; }

/// A key, what sets it, its lowest and highest value, and the nearest ones that are refused.
struct Edges {
  const char* key;
  std::function<void(Limits&, double)> set;
  double below, lowest, highest, above;
};

/// A number that may be so large or small by itself may still be too much with others: then its own range is not why.
void ExpectEdges(const Edges& edges) {
  const std::string refusal = "safety." + std::string(edges.key) + " = ";
  for (const double value : {edges.lowest, edges.highest}) {
    const std::string fault = FaultAfter([&](Limits& l) { edges.set(l, value); });
    EXPECT_TRUE(fault.empty() || IsOfTheWhole(fault)) << edges.key << " = " << value << ": " << fault;
  }
  for (const double value : {edges.below, edges.above})
    EXPECT_THAT(FaultAfter([&](Limits& l) { edges.set(l, value); }), AllOf(HasSubstr(refusal), HasSubstr("must be ")))
        << value;
}

core::Duration Ms(double ms) { return core::Seconds(ms / 1e3); }

TEST(SafetyLimits, EachNumberMayBeAsLowAndAsHighAsItSaysAndNoMore) {
  const Edges each[] = {
      {"axes", [](Limits& l, double v) { (l = EightAxes()).axes = static_cast<int>(v); }, 0, 1, 8, 9},
      {"escape_speed_rad_s_max", [](Limits& l, double v) { l.escape_speed_rad_s_max = v; }, 0, 1e-9, 1, 1.001},
      {"passing_speed_rad_s", [](Limits& l, double v) { l.passing_speed_rad_s = v; }, -1e-9, 0, 20, 20.1},
      {"rest_speed_rad_s_max", [](Limits& l, double v) { l.rest_speed_rad_s_max = v; }, 0, 1e-9, 1, 1.001},
      {"risk_scale_min", [](Limits& l, double v) { l.risk_scale_min = v; }, 0, 1e-9, 1, 1.001},
      {"clearance_m", [](Limits& l, double v) { l.clearance_m = v; }, 0, 1e-9, 0.05, 0.0501},
      {"clearance_looks_max", [](Limits& l, double v) { l.clearance_looks_max = static_cast<int>(v); }, 9, 10, 1000,
       1001},
      {"temperature_c_max", [](Limits& l, double v) { (l.temperature_c_clear = 10, l.temperature_c_max = v); }, 20,
       20.1, 90, 90.1},
      {"temperature_c_clear", [](Limits& l, double v) { l.temperature_c_clear = v; }, 5, 5.001, 69.9, 70},
      {"temperature_c_min", [](Limits& l, double v) { l.temperature_c_min = v; }, -20.1, -20, 40, 40.1},
      {"current_tau_s", [](Limits& l, double v) { l.current_tau_s = v; }, 0.999, 1, 3600, 3600.1},
      {"current_clear_share", [](Limits& l, double v) { l.current_clear_share = v; }, 0, 1e-9, 0.999, 1},
      {"wear_clear_share", [](Limits& l, double v) { l.wear_clear_share = v; }, 0, 1e-9, 0.999, 1},
      {"control_period", [](Limits& l, double v) { l.control_period = Ms(v); }, 0.5, 1, 10, 12.5},
      {"policy_period", [](Limits& l, double v) { (l.command_deadline_max = Ms(24), l.policy_period = Ms(v)); }, 4, 8,
       1000, 1004},
      {"command_deadline_max",
       [](Limits& l, double v) { l.command_deadline_max = std::chrono::nanoseconds(std::llround(v)); }, 0, 1, 300e6,
       300e6 + 1},
      {"peer_wait_max", [](Limits& l, double v) { l.peer_wait_max = Ms(v); }, 0.999, 1, 10000, 10000.001},
      {"drive_timeout", [](Limits& l, double v) { (l.overrun_max = Ms(4), l.drive_timeout = Ms(v)); }, 19.999, 20, 1000,
       1000.001},
      {"overrun_s_max",
       [](Limits& l, double v) {
         l.tracking_error_rad_max.fill(2);
         l.drive_timeout = Ms(1000);
         l.overrun_max = Ms(v);
       },
       3.999, 4, 200, 200.001},
      {"reading_age_s_max", [](Limits& l, double v) { l.reading_age_max = Ms(v); }, 3.999, 4, 1000, 1000.001},
      {"blind_ticks_max", [](Limits& l, double v) { l.blind_ticks_max = static_cast<int>(v); }, 0, 1, 100, 101},
      {"power_up_ticks_max", [](Limits& l, double v) { l.power_up_ticks_max = static_cast<int>(v); }, 0, 1, 10000,
       10001},
      {"inspections_failed_max", [](Limits& l, double v) { l.inspections_failed_max = static_cast<int>(v); }, 0, 1, 100,
       101},
      {"inspection_speed_share", [](Limits& l, double v) { l.inspection_speed_share = v; }, 0, 1e-9, 1, 1.001},
      {"inspection_travel_rad", [](Limits& l, double v) { l.inspection_travel_rad = v; }, 0, 1e-9, 6.3, 6.301},
      {"astray_free_rad", [](Limits& l, double v) { l.astray_free_rad = v; }, 0, 1e-9, 6.3, 6.301},
      {"servo_lag_s", [](Limits& l, double v) { l.servo_lag_s = v; }, 0, 1e-9, 1, 1.001},
      {"astray_rad_s_max", [](Limits& l, double v) { l.astray_rad_s_max = v; }, 0, 1e-9, 6.3, 6.301},
      {"reading_speed_rad_s_max", [](Limits& l, double v) { l.reading_speed_rad_s_max = v; }, 0, 1e-9, 1000, 1001},
      {"reading_jump_rad_max", [](Limits& l, double v) { l.reading_jump_rad_max = v; }, 0, 1e-9, 6.3, 6.301},
      {"clears_per_hour_max", [](Limits& l, double v) { l.clears_per_hour_max = static_cast<int>(v); }, 0, 1, 256, 257},
  };
  for (const Edges& edges : each) ExpectEdges(edges);
}

TEST(SafetyLimits, EachAxisMayHaveWhatItsKeySaysAndNoMore) {
  struct Field {
    const char* key;
    core::AxisArray Limits::*values;
    double lowest, highest;
  };
  // With the shortest overrun_max, so that neither speed nor tracking error meets its bound first.
  const Field fields[] = {{"speed_rad_s_max", &Limits::speed_rad_s_max, 1e-9, 20},
                          {"acceleration_rad_s2_max", &Limits::acceleration_rad_s2_max, 1e-9, 500},
                          {"jerk_rad_s3_max", &Limits::jerk_rad_s3_max, 1e-9, 100'000},
                          {"tracking_error_rad_max", &Limits::tracking_error_rad_max, 0.025, 6.3},
                          {"inspection_error_rad_max", &Limits::inspection_error_rad_max, 1e-9, 6.3},
                          {"stall_free_nm_rad", &Limits::stall_free_nm_rad, 1e-9, 20},
                          {"stall_nm_rad_s_max", &Limits::stall_nm_rad_s_max, 1e-9, 20},
                          {"current_a_continuous", &Limits::current_a_continuous, 1e-9, 30},
                          {"wear_starts_per_day_max", &Limits::wear_starts_per_day_max, 1e-9, 1e9},
                          {"wear_travel_rad_per_day_max", &Limits::wear_travel_rad_per_day_max, 1e-9, 1e9},
                          {"wear_impacts_per_day_max", &Limits::wear_impacts_per_day_max, 1e-9, 1e9},
                          {"impact_rad_s", &Limits::impact_rad_s, 1e-9, 20},
                          {"reseed_error_rad_max", &Limits::reseed_error_rad_max, 1e-9, 6.3},
                          {"torque_nm_max", &Limits::torque_nm_max, 1e-9, 100}};
  for (const auto& [key, values, lowest, highest] : fields)
    for (const auto& [axis, name] : {std::pair<std::size_t, std::string>{0, "[pan]"}, {5, "[jaw]"}}) {
      const auto set = [&](Limits& l, double v) {
        l.overrun_max = l.control_period;
        (l.*values)[axis] = v;
      };
      ExpectEdges({(key + name).c_str(), set, 0, lowest, highest, highest * 1.000001});
    }
}

TEST(SafetyLimits, FrictionRotorsAndWhatSpeedAddsToContactMayBeNone) {
  const std::pair<const char*, core::AxisArray Limits::*> fields[] = {
      {"rotor_kg_m2[lift]", &Limits::rotor_kg_m2},
      {"viscous_nm_s_rad[lift]", &Limits::viscous_nm_s_rad},
      {"coulomb_nm[lift]", &Limits::coulomb_nm},
      {"contact_nm_s_rad[lift]", &Limits::contact_nm_s_rad}};
  for (const auto& [key, values] : fields) {
    const double highest = values == &Limits::rotor_kg_m2 ? 10 : 100;
    ExpectEdges({key, [&](Limits& l, double v) { (l.*values)[core::kLift] = v; }, -1e-9, 0, highest, highest * 1.001});
  }
}

TEST(SafetyLimits, RefusesThresholdsThatADrivesTorqueNeverReaches) {
  ExpectEdges({"contact_nm_max[roll]", [](Limits& l, double v) { l.contact_nm_max[4] = v; }, 0, 1e-9, 100, 100.1});
  ExpectEdges({"grip_torque_nm_max", [](Limits& l, double v) { l.grip_torque_nm_max = v; }, 0, 1e-9, 100, 100.1});
  EXPECT_EQ(FaultAfter([](Limits& l) { l.contact_nm_max[0] = 2.5; }), "");
  EXPECT_THAT(FaultAfter([](Limits& l) { l.contact_nm_max[0] = 2.6; }),
              HasSubstr("safety.contact_nm_max[pan] = 2.6: torque_nm_max[pan] = 2.5, so that it would never act"));
  EXPECT_THAT(FaultAfter([](Limits& l) { l.grip_torque_nm_max = 0.3; }),
              HasSubstr("safety.grip_torque_nm_max = 0.3: torque_nm_max[jaw] = 0.25"));
}

TEST(SafetyLimits, AMassHasAPlaceAndMovesWithAJoint) {
  const auto set = [](auto MassPart::*member) { return [=](Limits& l, double v) { l.masses.front().*member = v; }; };
  ExpectEdges({"masses \"pan\".mass_kg", set(&MassPart::mass_kg), 0, 1e-9, 20, 20.01});
  for (double core::Vec3::*along : {&core::Vec3::x, &core::Vec3::y, &core::Vec3::z}) {
    const auto centre = [=](Limits& l, double v) { l.masses.front().centre_m.*along = v; };
    const auto inertia = [=](Limits& l, double v) { l.masses.front().inertia_kg_m2.*along = v; };
    ExpectEdges({"masses \"pan\".centre_m", centre, -2.001, -2, 2, 2.001});
    ExpectEdges({"masses \"pan\".inertia_kg_m2", inertia, -1e-9, 0, 10, 10.01});
  }
  const auto moved_by = [](Limits& l, double v) { l.masses.front().moved_by = static_cast<core::ArmAxis>(v); };
  ExpectEdges({"masses \"pan\".moved_by", moved_by, 7, 0, 5, 6});
  ExpectEdges({"masses", [](Limits& l, double v) { l.masses.resize(static_cast<std::size_t>(v), l.masses.front()); }, 0,
               1, 32, 33});
}

TEST(SafetyLimits, ContactHasBoundsOfItsOwn) {
  ExpectEdges({"payload_kg_max", [](Limits& l, double v) { l.payload_kg_max = v; }, -1e-9, 0, 20, 20.01});
  ExpectEdges({"contact_force_n_max", [](Limits& l, double v) { l.contact_force_n_max = v; }, 0, 1e-9, 1000, 1000.1});
  ExpectEdges({"contact_time_constant", [](Limits& l, double v) { l.contact_time_constant = Ms(v); }, -1, 0, 500, 501});
}

TEST(SafetyLimits, AContactZoneIsABoxAndNotEmpty) {
  for (double core::Vec3::*along : {&core::Vec3::x, &core::Vec3::y, &core::Vec3::z}) {
    const auto set = [=](core::Vec3 ContactZone::*corner) {
      return [=](Limits& l, double v) {
        l.contact_zones = {{"tray", {-1, -1, -1}, {1, 1, 1}}};
        (l.contact_zones.front().*corner).*along = v;
      };
    };
    ExpectEdges({"contact_zones \"tray\"", set(&ContactZone::min_m), -2.001, -2, 0.999, 1});
    ExpectEdges({"contact_zones \"tray\"", set(&ContactZone::max_m), -1, -0.999, 2, 2.001});
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

TEST(SafetyLimits, RefusesALoopThatMayStandStillForSoLongThatTheSetpointLeapsBeyondItsTrackingError) {
  EXPECT_THAT(
      FaultAfter([](Limits& l) { l.overrun_max = milliseconds(125); }),
      HasSubstr("safety.overrun_s_max = 0.125: must be so short that at 4 rad/s the setpoint of pan leaps by less "
                "than its tracking_error_rad_max = 0.5 (now 0.5 rad)"));
  EXPECT_EQ(FaultAfter([](Limits& l) { l.overrun_max = milliseconds(124); }), "");
  EXPECT_THAT(
      FaultAfter([](Limits& l) { l.speed_rad_s_max[core::kJaw] = 20, l.tracking_error_rad_max[core::kJaw] = 0.8; }),
      HasSubstr("of jaw"));
}

TEST(SafetyLimits, RefusesCountsThatWouldSwitchACheckOff) {
  EXPECT_THAT(FaultAfter([](Limits& l) { l.blind_ticks_max = 0; }), HasSubstr("blind_ticks_max = 0"));
  EXPECT_THAT(FaultAfter([](Limits& l) { l.clears_per_hour_max = 100000; }), HasSubstr("clears_per_hour_max"));
  EXPECT_THAT(FaultAfter([](Limits& l) { l.axes = 9; }), HasSubstr("axes = 9: must be in [1, 8]"));
}

TEST(SafetyLimits, EachNumberOfThePresenceSensorMayBeWhatItSaysAndNoMore) {
  struct Field {
    const char* key;
    double PresenceConfig::*value;
    double below, lowest, highest;
  };
  using P = PresenceConfig;
  const Field fields[] = {{"poll_s", &P::poll_s, 0, 1e-9, 1},
                          {"switch_distance_m", &P::switch_distance_m, 0, 1e-9, 100},
                          {"report_every_s", &P::report_every_s, 0, 1e-9, 2},
                          {"age_s_max", &P::age_s_max, 0, 1e-9, 2},
                          {"sensor_delay_s", &P::sensor_delay_s, -1e-9, 0, 2},
                          {"person_speed_m_s", &P::person_speed_m_s, 0, 1e-9, 10},
                          {"arm_lag_s", &P::arm_lag_s, -1e-9, 0, 1},
                          {"intrusion_m", &P::intrusion_m, -1e-9, 0, 2},
                          {"sensor_error_m", &P::sensor_error_m, -1e-9, 0, 100},
                          {"arm_error_m", &P::arm_error_m, -1e-9, 0, 1},
                          {"speed_scale_min", &P::speed_scale_min, 0, 1e-9, 1},
                          {"rise_s", &P::rise_s, 0, 1e-9, 60},
                          {"clear_margin_m", &P::clear_margin_m, -1e-9, 0, 100},
                          {"clear_s", &P::clear_s, -1e-9, 0, 3600}};
  for (const auto& [key, value, below, lowest, highest] : fields) {
    const auto set = [value = value](Limits& l, double v) { l.presence.*value = v; };
    ExpectEdges({("presence." + std::string(key)).c_str(), set, below, lowest, highest, highest * 1.000001});
    EXPECT_THAT(FaultAfter([&](Limits& l) { set(l, std::nan("")); }), HasSubstr(key));
  }
}

TEST(SafetyLimits, APresenceSensorIsNotSilentBeforeItsNextReportIsDue) {
  const auto with = [](PresenceSource source, double every_s, double age_s) {
    return FaultAfter([&](Limits& l) {
      l.presence.source = source;
      l.presence.value_file = "value";
      (source == PresenceSource::kTopic ? l.presence.report_every_s : l.presence.poll_s) = every_s;
      l.presence.age_s_max = age_s;
    });
  };
  EXPECT_EQ(with(PresenceSource::kTopic, 0.1, 0.101), "");
  EXPECT_THAT(
      with(PresenceSource::kTopic, 0.1, 0.1),
      HasSubstr("safety.presence.age_s_max = 0.1: must be above report_every_s = 0.1, or each report is too old "
                "before the next comes"));
  EXPECT_EQ(with(PresenceSource::kGpio, 0.02, 0.021), "");
  EXPECT_THAT(with(PresenceSource::kGpio, 0.02, 0.02),
              HasSubstr("safety.presence.age_s_max = 0.02: must be above poll_s = 0.02, or each look at the switch is "
                        "too old before the next comes"));
  EXPECT_EQ(with(PresenceSource::kNone, 0.1, 0.05), "");
}

TEST(SafetyLimits, DrivesWaitForLongerThanTheLoopMayStandStill) {
  const auto with = [](int overrun_ms, int timeout_ms) {
    return FaultAfter([&](Limits& l) {
      l.tracking_error_rad_max.fill(2);
      l.overrun_max = milliseconds(overrun_ms);
      l.drive_timeout = milliseconds(timeout_ms);
    });
  };
  EXPECT_EQ(with(40, 45), "");
  EXPECT_THAT(with(40, 44),
              HasSubstr("safety.drive_timeout = 44 ms: must be more than a tick longer than overrun_s_max "
                        "= 40 ms, after which the motion goes on as if the drives had not stopped it"));
  EXPECT_THAT(with(200, 200), HasSubstr("safety.drive_timeout = 200 ms"));
}

TEST(SafetyLimits, ASwitchNeedsAFileAndASightThatLetsTheArmMoveAtAll) {
  const auto with = [](const std::string& file, double distance_m) {
    return FaultAfter([&](Limits& l) {
      l.presence.source = PresenceSource::kGpio;
      l.presence.value_file = file;
      l.presence.switch_distance_m = distance_m;
    });
  };
  EXPECT_EQ(with("value", 2.5), "");
  EXPECT_THAT(with("", 2.5), HasSubstr("safety.presence.value_file = \"\": must be the file"));
  EXPECT_THAT(with("value", 1.5), HasSubstr("safety.presence.switch_distance_m = 1.5: must be at least 1.648"));
}

}  // namespace
}  // namespace nightshift::safety
