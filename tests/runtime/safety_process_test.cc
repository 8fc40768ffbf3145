// SPDX-License-Identifier: Apache-2.0
// The program nightshift-safety itself, alone: no cell, no supervisor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/link/link.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"
#include "runtime/arm_port.h"
#include "runtime/exit_codes.h"
#include "runtime/state_keeper.h"
#include "safety/state_file.h"
#include "tests/runtime/child_process.h"

namespace nightshift::runtime {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class SafetyProcess : public testing::Test {
 protected:
  void SetUp() override {
    data_ = fs::temp_directory_path() / ("safety-" + std::to_string(getpid()));
    fs::remove_all(data_);
    fs::create_directories(data_);
  }
  void TearDown() override { fs::remove_all(data_); }

  std::vector<std::string> Arguments(const std::string& config = NIGHTSHIFT_SOURCE_DIR "/configs/tabletop.toml") const {
    return {NIGHTSHIFT_SAFETY_PROGRAM, "--config", config, "--data", data_.string()};
  }
  fs::path Log() const { return data_ / "log"; }
  std::string StateFile() const { return (data_ / "safety/state").string(); }
  static std::string Text(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Waits until the process tells its state.
  bool Speaks() const {
    auto listener = io::Subscriber::Connect(io::EndpointsIn((data_ / "run").string())->safety_state);
    return listener && listener->Latest(io::Wait(kWaitMs)).has_value();
  }

  fs::path data_;
};

TEST_F(SafetyProcess, LoadsNoLearningVisionPhysicsOrDatabase) {
  Child safety(Arguments(), Log());
  ASSERT_TRUE(Speaks()) << Text(Log());
  const std::string maps = Text("/proc/" + std::to_string(safety.pid()) + "/maps");
  EXPECT_THAT(maps, HasSubstr("libzmq"));
  for (const char* foreign : {"libtorch", "libc10", "libopencv", "libmujoco", "libsqlite", "libEGL", "libdnnl"})
    EXPECT_THAT(maps, Not(HasSubstr(foreign)));
}

TEST_F(SafetyProcess, EndsWithZeroWhenAskedTo) {
  Child safety(Arguments(), Log());
  ASSERT_TRUE(Speaks()) << Text(Log());
  safety.Signal(SIGTERM);
  EXPECT_EQ(safety.Ended(), kExitDone) << Text(Log());
}

TEST_F(SafetyProcess, ASecondOneOnTheSameDataIsRefusedAndSaysSo) {
  Child first(Arguments(), Log());
  ASSERT_TRUE(Speaks()) << Text(Log());
  Child second(Arguments(), data_ / "second");
  EXPECT_EQ(second.Ended(), kExitRefused);
  EXPECT_THAT(Text(data_ / "second"), HasSubstr("already_running"));
  EXPECT_TRUE(Speaks()) << "the first must not notice";
}

TEST_F(SafetyProcess, StartsAgainAtOnceAfterAKill) {
  for (int life = 0; life < 3; ++life) {
    Child safety(Arguments(), Log());
    ASSERT_TRUE(Speaks()) << Text(Log());
    safety.Signal(SIGKILL);
    EXPECT_EQ(safety.Ended(), -SIGKILL);
  }
}

TEST_F(SafetyProcess, EachStartIsOnTheDiskAsAClearHoweverSoonTheProcessDies) {
  for (std::size_t life = 1; life <= 3; ++life) {
    Child safety(Arguments(), Log());
    ASSERT_TRUE(Speaks()) << Text(Log());
    safety.Signal(SIGKILL);
    safety.Ended();
    const auto stored = safety::ReadStateFile(StateFile());
    ASSERT_TRUE(stored && *stored);
    EXPECT_EQ((*stored)->state.clears.count, life);
    EXPECT_EQ((*stored)->at.boot_id, ReadBootId(kBootIdFile));
  }
}

TEST_F(SafetyProcess, ADamagedStateIsNamedInTheLogAndReplaced) {
  fs::create_directories(data_ / "safety");
  std::ofstream(StateFile()) << "nightshift-safety-state 1\nboot 12";
  Child safety(Arguments(), Log());
  ASSERT_TRUE(Speaks()) << Text(Log());
  EXPECT_THAT(Text(Log()), HasSubstr("corrupt_state"));
  EXPECT_THAT(Text(Log()), HasSubstr(StateFile()));
  EXPECT_TRUE(*safety::ReadStateFile(StateFile()));
}

TEST_F(SafetyProcess, AStateThatCannotBeWrittenIsNamedAndStopsNobodyFromHoldingTheRobot) {
  fs::create_directories(StateFile() + "/inside");
  Child safety(Arguments(), Log());
  ASSERT_TRUE(Speaks()) << Text(Log());
  EXPECT_THAT(Text(Log()), HasSubstr("cannot replace " + StateFile()));
}

TEST_F(SafetyProcess, RefusesAnImpossibleLimitByName) {
  const fs::path config = data_ / "bad.toml";
  std::ofstream(config) << "[safety]\nspeed_rad_s_max = [4, 4, -1, 4, 4, 6]\n";
  Child safety(Arguments(config.string()), Log());
  EXPECT_EQ(safety.Ended(), kExitRefused);
  EXPECT_THAT(Text(Log()), HasSubstr("speed_rad_s_max"));
}

TEST_F(SafetyProcess, NamesWhatItDoesWithoutInStatusMetricsAndLog) {
  const fs::path config = data_ / "cpu.toml";
  std::string text = Text(NIGHTSHIFT_SOURCE_DIR "/configs/tabletop.toml");
  const std::string model = "model_file = \"";
  text.insert(text.find(model) + model.size(), NIGHTSHIFT_SOURCE_DIR "/configs/");
  const std::string section = "[safety]\n";
  text.insert(text.find(section) + section.size(), "cpu = 1023  # No machine has so many.\n");
  std::ofstream(config) << text;
  fs::create_directories(data_ / "run");
  auto gatherer = io::Replier::Bind(io::EndpointsIn((data_ / "run").string())->metrics);
  ASSERT_TRUE(gatherer);
  Child safety(Arguments(config.string()), Log());
  auto listener = io::Subscriber::Connect(io::EndpointsIn((data_ / "run").string())->safety_state);
  wire::SafetyStatus status;
  for (int i = 0; i < 100 && status.degraded_size() == 0; ++i)  // The first may come before the loop begins.
    if (const auto bytes = listener->Latest(io::Wait(kWaitMs))) status = *io::Parse<wire::SafetyStatus>(*bytes);
  ASSERT_GE(status.degraded_size(), 1) << Text(Log());
  EXPECT_EQ(status.degraded(0), "cpu_is_refused");
  std::string figures;
  const std::string wanted = "nightshift_degraded{mode=\"cpu_is_refused\"} 1";
  for (int i = 0; i < 100 && figures.find(wanted) == std::string::npos; ++i)
    if (const auto report = gatherer->Receive(io::Wait(kWaitMs))) {
      figures = io::Parse<wire::MetricsReport>(report->body)->exposition();
      gatherer->Reply(*report, "");
    }
  EXPECT_THAT(figures, HasSubstr(wanted));
  EXPECT_THAT(figures, HasSubstr("nightshift_degraded{mode=\"audit_loses_records\"} 0"));
  EXPECT_THAT(Text(Log()), HasSubstr("cpu_is_refused: safety.cpu = 1023"));
}

TEST_F(SafetyProcess, SaysThatItsDriverIsNotHeardToWhoListensAndToWhoAsks) {
  Child safety(Arguments(), Log());
  const auto endpoints = *io::EndpointsIn((data_ / "run").string());
  auto listener = io::Subscriber::Connect(endpoints.safety_state);
  wire::SafetyStatus status;
  for (int i = 0; i < 100 && status.degraded_size() == 0; ++i)
    if (const auto bytes = listener->Latest(io::Wait(kWaitMs))) status = *io::Parse<wire::SafetyStatus>(*bytes);
  ASSERT_EQ(status.degraded_size(), 1) << Text(Log());
  EXPECT_EQ(status.degraded(0), "driver_is_not_heard");
  EXPECT_EQ(status.state(), "stopped");
  EXPECT_EQ(status.period().latch().worst(), static_cast<unsigned>(core::StopCause::kRestarted));
  auto arm = RemoteArm::Connect(endpoints.safety_command);
  const auto report = arm->Exchange(std::nullopt);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, core::FaultCode::kDriverTimeout) << "which a supervisor waits out";
  EXPECT_THAT(report.error().detail, HasSubstr("the drives have not been heard"));
  EXPECT_THAT(Text(Log()), HasSubstr("driver_is_not_heard: no reading of the arm yet"));
}

TEST_F(SafetyProcess, TellsTheServiceManagerThatItIsReadyAndStrokesTheWatchdog) {
  const std::string path = (data_ / "notify").string();
  const int listener = socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  Child safety(Arguments(), Log(), path);
  std::string heard;
  pollfd readable{listener, POLLIN, 0};
  for (int i = 0; i < 20 && heard.find("WATCHDOG=1") == std::string::npos && poll(&readable, 1, kWaitMs) == 1; ++i) {
    char text[256];
    const auto size = recv(listener, text, sizeof text, 0);
    heard.append(text, static_cast<std::size_t>(std::max<ssize_t>(0, size))).append("\n");
  }
  close(listener);
  EXPECT_THAT(heard, HasSubstr("READY=1"));
  EXPECT_THAT(heard, HasSubstr("WATCHDOG=1"));
}

}  // namespace
}  // namespace nightshift::runtime
