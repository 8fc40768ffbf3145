// SPDX-License-Identifier: Apache-2.0
// Persons beside the real programs: nightshift-cell and nightshift-safety, a sensor, and a supervisor's proposals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "core/check.h"
#include "core/kinematics.h"
#include "io/link/link.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"
#include "runtime/arm_port.h"
#include "runtime/exit_codes.h"
#include "tests/runtime/child_process.h"

namespace nightshift::runtime {
namespace {

namespace fs = std::filesystem;
using core::Presence;
using core::StopCause;
using testing::HasSubstr;

constexpr double kFarM = 10, kNearM = 0.3;

std::string Replaced(std::string text, const std::string& old, const std::string& by) {
  const auto at = text.find(old);
  NIGHTSHIFT_CHECK(at != std::string::npos);
  return text.replace(at, old.size(), by);
}

class BesideAPerson : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(data_);
    fs::create_directories(data_);
  }
  void TearDown() override {
    safety_.reset();
    cell_.reset();
    fs::remove_all(data_);
  }

  /// The robot of configs/tabletop.toml with a presence sensor.
  void Start(const std::string& presence, const std::string& speed) {
    const std::string configs = NIGHTSHIFT_SOURCE_DIR "/configs/";
    std::ifstream tree(configs + "tabletop.toml");
    std::string text{std::istreambuf_iterator<char>(tree), {}};
    text = Replaced(text, "cell/tabletop.xml", configs + "cell/tabletop.xml");
    text = Replaced(text, "\"camera\"", "\"ground_truth\"");
    text = Replaced(text, "[safety]\n", "[safety]\npeer_wait_s_max = 10\n");
    std::ofstream(config_) << text << "\n[safety.presence]\n" << presence;
    const auto program = [&](const char* path, const char* log) {
      return std::make_unique<Child>(
          std::vector<std::string>{path, "--config", config_.string(), "--data", data_.string(), "--speed", speed},
          data_ / log);
    };
    cell_ = program(NIGHTSHIFT_CELL_PROGRAM, "cell.log");
    safety_ = program(NIGHTSHIFT_SAFETY_PROGRAM, "safety.log");
    const auto endpoints = io::EndpointsIn((data_ / "run").string());
    arm_ = std::make_unique<RemoteArm>(*RemoteArm::Connect(
        endpoints->safety_command, {.exchange = io::Wait(kWaitMs), .acknowledge = io::Wait(kWaitMs)}));
    sensor_ = std::make_unique<io::Requester>(*io::Requester::Connect(endpoints->safety_command));
  }

  void Tell(double distance_m) {
    if (HasFatalFailure()) return;  // What is dead need not be waited for again and again.
    wire::SafetyRequest request;
    request.set_protocol(io::kProtocol);
    request.mutable_presence()->set_distance_m(distance_m);
    request.mutable_presence()->set_sequence(++told_);
    const auto bytes = sensor_->Call(request.SerializeAsString(), io::Wait(kWaitMs));
    ASSERT_TRUE(bytes) << bytes.error().detail << Log();
    EXPECT_TRUE(io::Parse<wire::SafetyReply>(*bytes)->has_done());
  }

  /// One policy period; the newest report.
  void Period(const std::optional<core::ProposedAction>& proposal = std::nullopt) {
    if (HasFatalFailure()) return;
    const auto report = arm_->Exchange(proposal);
    ASSERT_TRUE(report) << report.error().detail << Log();
    report_ = *report;
  }
  void Periods(int count, double distance_m) {
    for (int i = 0; i < count; ++i) {
      Tell(distance_m);
      Period();
    }
  }
  core::ProposedAction Turn(double pan_rad) {
    core::ProposedAction proposal{.epoch = report_.latch.epoch,
                                  .sequence = ++sequence_,
                                  .deadline = report_.joints.time + std::chrono::milliseconds(250),
                                  .axes = core::kArmAxes,
                                  .target_q_rad = report_.commanded_q_rad};
    proposal.target_q_rad[core::kPan] += pan_rad;
    return proposal;
  }
  /// How far the command turns in so many periods, with a person at a distance.
  double Turned(int periods, double distance_m, double pan_rad) {
    const double from = report_.commanded_q_rad[core::kPan];
    for (int i = 0; i < periods; ++i) {
      Tell(distance_m);
      Period(Turn(pan_rad));
    }
    return report_.commanded_q_rad[core::kPan] - from;
  }
  /// Until the latch is as wanted; a bounded number of periods.
  bool Await(const std::function<bool()>& wanted, int periods_max) {
    for (int i = 0; i < periods_max && !wanted(); ++i) Period();
    return wanted();
  }
  bool AtRest() const {
    return std::all_of(report_.joints.dq_rad_s.begin(), report_.joints.dq_rad_s.begin() + core::kArmAxes,
                       [](double speed) { return std::abs(speed) < 0.15; });
  }
  std::string Log() const {
    std::ifstream in(data_ / "safety.log");
    return "\n" + std::string{std::istreambuf_iterator<char>(in), {}};
  }

  fs::path data_ = fs::temp_directory_path() / ("person-" + std::to_string(getpid()));
  fs::path config_ = data_ / "robot.toml";
  std::unique_ptr<Child> cell_, safety_;
  std::unique_ptr<RemoteArm> arm_;
  std::unique_ptr<io::Requester> sensor_;
  core::PeriodReport report_;
  std::uint64_t sequence_ = 0, told_ = 0;
};

TEST_F(BesideAPerson, WhomAProgramTellsOfTheArmSlowsStopsAndGoesOn) {
  Start("source = \"topic\"\n", "max");
  Period();
  EXPECT_EQ(report_.person.presence, Presence::kSilent);
  EXPECT_THAT(arm_->Clear(report_.latch).error().detail, HasSubstr("still_there"));
  Periods(13, kFarM);
  const auto cleared = arm_->Clear(report_.latch);
  ASSERT_TRUE(cleared) << cleared.error().detail;
  Periods(10, kFarM);
  ASSERT_FALSE(report_.latch.latched());

  for (int there_and_back = 0; there_and_back < 4 && report_.latch.inspecting; ++there_and_back)
    for (const double step_rad : {0.3, -0.3}) Turned(4, kFarM, step_rad);
  ASSERT_FALSE(report_.latch.inspecting);
  Periods(3, kFarM);
  const double free_rad = Turned(4, kFarM, 0.3);
  Periods(3, kFarM);
  const double beside_rad = -Turned(4, 1.8, -0.3);
  EXPECT_EQ(report_.verdict, core::Verdict::kLimited);
  EXPECT_EQ(report_.limit, core::LimitId::kPersonNear);
  EXPECT_LT(report_.person.speed_scale, 0.7);
  EXPECT_GT(free_rad, 0.7);
  EXPECT_LT(beside_rad, 0.8 * free_rad);
  EXPECT_GT(beside_rad, 0.3 * free_rad);
  ASSERT_FALSE(report_.latch.latched());

  auto old = Turn(0.3);
  old.deadline += std::chrono::hours(1);
  Tell(kNearM);
  Period(Turn(0.3));
  EXPECT_EQ(report_.latch.worst, StopCause::kPersonNear);
  EXPECT_EQ(report_.verdict, core::Verdict::kStopped);
  Periods(3, kNearM);
  EXPECT_TRUE(AtRest());
  Periods(13, kFarM);
  EXPECT_FALSE(report_.latch.latched()) << "it clears by itself";
  Tell(kFarM);
  Period(old);
  EXPECT_EQ(report_.limit, core::LimitId::kWrongEpoch) << "what was said before is dead";
  EXPECT_GT(Turned(3, kFarM, 0.2), 0.2);

  Period(Turn(0.2));
  Period(Turn(0.2));
  ASSERT_FALSE(report_.latch.latched());
  Period(Turn(0.2));
  Period(Turn(0.2));
  EXPECT_EQ(report_.latch.worst, StopCause::kPersonNear) << "the sensor has been silent for more than 0.3 s";
  EXPECT_EQ(report_.person.presence, Presence::kSilent);
}

TEST_F(BesideAPerson, TheCommandLineTellsInASensorsPlace) {
  Start("source = \"topic\"\n", "max");
  Period();
  Child tells({NIGHTSHIFT_PROGRAM, "presence", "2.5", "--seconds", "0", "--data", data_.string()}, data_ / "tells");
  EXPECT_EQ(tells.Ended(), kExitDone);
  Period();
  EXPECT_EQ(report_.person.presence, Presence::kSeen);
  EXPECT_EQ(report_.person.distance_m, 2.5);
}

TEST_F(BesideAPerson, NobodySpeaksForASensorThatIsNotConfigured) {
  Start("source = \"none\"\n", "max");
  Period();
  EXPECT_EQ(report_.person.presence, Presence::kUnwatched);
  EXPECT_THAT(Log(), HasSubstr("no presence sensor: nobody is seen"));
  Child tells({NIGHTSHIFT_PROGRAM, "presence", "2.5", "--seconds", "0", "--data", data_.string()}, data_ / "tells");
  EXPECT_EQ(tells.Ended(), kExitFault);
  std::ifstream why(data_ / "tells");
  EXPECT_THAT((std::string{std::istreambuf_iterator<char>(why), {}}), HasSubstr("safety.presence.source = \"topic\""));
}

TEST_F(BesideAPerson, ASwitchStopsTheArmAndSoDoesAFileThatCannotBeRead) {
  const fs::path value = data_ / "value";
  const auto says = [&](const char* text) { std::ofstream(value) << text; };
  const auto stopped = [this] { return report_.latch.worst == StopCause::kPersonNear; };
  const auto free = [this] { return !report_.latch.latched(); };
  says("1\n");
  Start("source = \"gpio\"\nvalue_file = \"" + value.string() + "\"\nage_s_max = 2\n", "1");  // 2 s: a busy machine.
  Period();
  ASSERT_TRUE(Await([this] { return report_.person.speed_scale > 0; }, 100)) << Log();
  EXPECT_EQ(report_.person.distance_m, 2.5);
  ASSERT_TRUE(arm_->Clear(report_.latch));
  ASSERT_TRUE(Await(free, 100));
  says("0\n");
  EXPECT_TRUE(Await(stopped, 100)) << "somebody is there";
  says("1\n");
  EXPECT_TRUE(Await(free, 100)) << "and has gone";
  fs::remove(value);
  EXPECT_TRUE(Await(stopped, 100)) << "the line is gone";
  says("1\n");
  EXPECT_TRUE(Await(free, 100));
  says("no level\n");
  EXPECT_TRUE(Await(stopped, 100));
}

}  // namespace
}  // namespace nightshift::runtime
