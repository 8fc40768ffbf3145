// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "io/robot/cell/cell_camera.h"
#include "io/robot/cell/cell_control.h"
#include "io/robot/cell/cell_driver.h"
#include "io/robot/cell/cell_geometry.h"

namespace nightshift::safety {

/// Stands in for the real filter, which is above io: makes what it is asked for.
class Filter {
 public:
  static core::SafeAction Make(const core::AxisArray& q_rad, core::PowerMode power = core::PowerMode::kHold) {
    return core::SafeAction(io::cell::kAxes, q_rad, power);
  }
};

}  // namespace nightshift::safety

namespace nightshift::io::cell {
namespace {

using core::FaultCode;
using std::chrono::milliseconds;
using testing::HasSubstr;

/// A cell in a thread, its run directory, and clients for it.
class CellServerTest : public testing::Test {
 protected:
  CellServerTest() {
    std::string pattern = "/tmp/nightshift-cell-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    endpoints_ = *EndpointsIn(directory_);
    config_.cell.model_file = CELL_MODEL_FILE;
    config_.cell.mess = *MessNamed("clean");
    config_.cell.silence_ms = 60000;
    config_.state_file = directory_ + "/cell.state";
    config_.camera = CellCamera::kAbsent;
  }
  ~CellServerTest() override {
    PowerOff();
    std::filesystem::remove_all(directory_);
  }

  /// OpenGL wants one thread for a renderer's whole life: start, run and end in it.
  void PowerOn() {
    stop_ = false;
    std::atomic<bool> started = false;
    thread_ = std::thread([this, &started] {
      auto server = CellServer::Start(config_, endpoints_);
      start_fault_ = server ? std::nullopt : std::optional(server.error());
      started = true;
      if (!server) return;
      run_ = server->Run(stop_);
      counts_ = server->counts();
    });
    while (!started) std::this_thread::yield();
  }
  void PowerOff() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  CellDriver Driver() {
    return *CellDriver::Connect(endpoints_.cell_bus,
                                CellDriverConfig{.answer_wait = Wait{2000}, .send_wait = Wait{2000}});
  }
  CellControl Control() { return *CellControl::Connect(endpoints_.cell_control, Wait{2000}); }

  static core::Result<core::JointState> Tick(CellDriver& driver, const core::AxisArray& q_rad = kHomeRad) {
    if (auto applied = driver.Apply(safety::Filter::Make(q_rad)); !applied) return tl::make_unexpected(applied.error());
    return driver.Read();
  }

  std::string directory_;
  Endpoints endpoints_;
  CellServerConfig config_;
  std::optional<core::Fault> start_fault_;
  core::Result<void> run_;
  CellCounts counts_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

TEST_F(CellServerTest, AdvancesExactlyOneTickPerAppliedAction) {
  PowerOn();
  CellDriver driver = Driver();
  const auto first = driver.Read();
  ASSERT_TRUE(first) << first.error().detail;
  for (int i = 1; i <= 100; ++i) {
    const auto state = Tick(driver);
    ASSERT_TRUE(state) << state.error().detail;
    ASSERT_EQ(state->time - first->time, std::chrono::milliseconds(4 * i));
    ASSERT_TRUE(state->powered);
  }
  EXPECT_EQ(driver.pacing(), core::Pacing::kLockStep);
}

TEST_F(CellServerTest, ReadsTheStateWithoutAStep) {
  PowerOn();
  CellDriver driver = Driver();
  const auto first = driver.Read(), second = driver.Read();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->time, second->time);
  EXPECT_FALSE(first->powered);
}

TEST_F(CellServerTest, GoesOnAloneInRealTimeAndItsDrivesStopWhenNobodyAsks) {
  config_.cell.silence_ms = 50;
  PowerOn();
  CellDriver driver = Driver();
  ASSERT_TRUE(driver.Read());
  const auto last = Tick(driver);
  ASSERT_TRUE(last);
  const auto from = std::chrono::steady_clock::now();
  CellControl person = Control();
  core::Instant alone = last->time;
  while (alone - last->time < milliseconds(10) && std::chrono::steady_clock::now() - from < std::chrono::seconds(30)) {
    const auto truth = person.AskTruth();  // Not a bus request: the drives hear nothing.
    ASSERT_TRUE(truth);
    alone = truth->time;
  }
  const auto later = driver.Read();
  ASSERT_TRUE(later);
  EXPECT_GE(later->time - last->time, milliseconds(10));
  const auto wall = std::chrono::steady_clock::now() - from;
  EXPECT_LE(later->time - last->time, wall);
  const auto next = Tick(driver);  // The clock went on; the driver goes on from there.
  ASSERT_TRUE(next);
  EXPECT_GT(next->time, later->time);
}

TEST_F(CellServerTest, KeepsObjectsAndClockOverAPowerCutAndComesBackUnpowered) {
  PowerOn();
  CellDriver driver = Driver();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(Tick(driver));
  const auto before = Control().AskTruth();
  ASSERT_TRUE(before);
  PowerOff();
  ASSERT_TRUE(run_);
  PowerOn();
  ASSERT_FALSE(start_fault_);
  const auto after = Control().AskTruth();
  ASSERT_TRUE(after);
  EXPECT_EQ(after->time, before->time);
  for (std::size_t i = 0; i < kObjects; ++i) EXPECT_LT(core::Norm(after->objects_m[i] - before->objects_m[i]), 1e-6);
  EXPECT_FALSE(Driver().Read()->powered);
  const auto next = Tick(driver);
  ASSERT_TRUE(next) << next.error().detail;
  EXPECT_GT(next->time, before->time);
}

TEST_F(CellServerTest, RefusesADamagedStateFileByName) {
  PowerOn();
  PowerOff();
  std::filesystem::resize_file(config_.state_file, 20);
  PowerOn();
  ASSERT_TRUE(start_fault_);
  EXPECT_EQ(start_fault_->code, FaultCode::kCorruptState);
  EXPECT_THAT(start_fault_->detail, HasSubstr(config_.state_file));
}

TEST_F(CellServerTest, ReportsAStateFileThatCannotBeWritten) {
  config_.state_file = directory_ + "/no-such-folder/cell.state";
  PowerOn();
  PowerOff();
  ASSERT_FALSE(run_);
  EXPECT_EQ(run_.error().code, FaultCode::kIoFailed);
}

TEST_F(CellServerTest, GoesOnWhileItsStateCannotBeWrittenAndKeepsItAgainOnceItCan) {
  const std::string folder = directory_ + "/elsewhere";
  config_.state_file = folder + "/cell.state";
  PowerOn();
  CellDriver driver = Driver();
  const int several_saves = static_cast<int>(3 * config_.cell.save_every_s / 0.004);
  for (int i = 0; i < several_saves; ++i) ASSERT_TRUE(Tick(driver));
  std::filesystem::create_directory(folder);
  for (int i = 0; i < several_saves; ++i) ASSERT_TRUE(Tick(driver));
  EXPECT_TRUE(std::filesystem::exists(config_.state_file));
  PowerOff();
  EXPECT_TRUE(run_);
  EXPECT_FALSE(counts_.save_fault);
}

TEST_F(CellServerTest, SaysThatItsStateCannotBeWritten) {
  config_.state_file = directory_ + "/no-such-folder/cell.state";
  PowerOn();
  CellDriver driver = Driver();
  for (int i = 0; i < static_cast<int>(2 * config_.cell.save_every_s / 0.004); ++i) ASSERT_TRUE(Tick(driver));
  PowerOff();
  ASSERT_TRUE(counts_.save_fault);
  EXPECT_EQ(counts_.save_fault->code, FaultCode::kIoFailed);
}

TEST_F(CellServerTest, RefusesASecondCellOnTheSameRunDirectory) {
  PowerOn();
  ASSERT_FALSE(start_fault_);
  const auto second = CellServer::Start(config_, endpoints_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, FaultCode::kAlreadyRunning);
}

TEST_F(CellServerTest, StepsThroughRequestsThatWereLost) {
  PowerOn();
  CellDriver driver = Driver();
  ASSERT_TRUE(Tick(driver));
  const auto before = driver.Read();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(driver.Apply(safety::Filter::Make(kHomeRad)));  // Answers left unread.
  const auto after = driver.Read();
  ASSERT_TRUE(after);
  EXPECT_EQ(after->time - before->time, milliseconds(12));
}

TEST_F(CellServerTest, TimesOutWhenNobodyIsThereAndGoesOnWhenTheCellIsBack) {
  CellDriver driver = *CellDriver::Connect(endpoints_.cell_bus, CellDriverConfig{});
  const auto nobody = driver.Read();
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, FaultCode::kDriverLost);
  PowerOn();
  core::Result<core::JointState> state;
  for (int i = 0; i < 100 && !(state = driver.Read()); ++i) std::this_thread::yield();
  EXPECT_TRUE(state);
}

TEST_F(CellServerTest, LosesAndDelaysBusMessagesOnRequest) {
  PowerOn();
  CellDriver driver = *CellDriver::Connect(endpoints_.cell_bus, CellDriverConfig{.answer_wait = Wait{40}});
  while (!driver.Read()) std::this_thread::yield();
  for (const char* fault : {"lose_bus", "delay_bus"}) {
    ASSERT_TRUE(Control().Inject(fault, 0, core::Seconds(0.2)));
    int timeouts = 0;
    for (int i = 0; i < 50; ++i) {
      const auto state = Tick(driver);
      if (state) continue;
      EXPECT_EQ(state.error().code, FaultCode::kDriverTimeout);
      ++timeouts;
    }
    EXPECT_GT(timeouts, 0) << fault;
    EXPECT_LT(timeouts, 30) << fault;
  }
  for (int i = 0; i < 10; ++i) Tick(driver);
  EXPECT_TRUE(Tick(driver));
}

TEST_F(CellServerTest, CountsAndDropsMalformedRequests) {
  PowerOn();
  auto stranger = Requester::Connect(endpoints_.cell_bus);
  ASSERT_TRUE(stranger);
  EXPECT_FALSE(stranger->Call("not protobuf \xff\xff", Wait{300}));
  CellDriver driver = Driver();
  EXPECT_TRUE(Tick(driver));
  PowerOff();
  EXPECT_GE(counts_.malformed, 1u);
  EXPECT_GE(counts_.ticks, 1u);
}

TEST_F(CellServerTest, StagesPutsBackInjectsAndTellsTheTruthOnRequest) {
  PowerOn();
  CellControl control = Control();
  ASSERT_TRUE(control.Stage(5));
  const auto staged = control.AskTruth();
  ASSERT_TRUE(staged);
  ASSERT_EQ(staged->objects_m.size(), static_cast<std::size_t>(kObjects));
  ASSERT_TRUE(control.PutBack(1));
  EXPECT_GT(core::Norm(control.AskTruth()->objects_m[1] - staged->objects_m[1]), 1e-4);
  ASSERT_TRUE(control.Inject("stall", 2, core::Seconds(1)));
  ASSERT_TRUE(control.SetSpeed(5));
}

TEST_F(CellServerTest, RefusesOrdersThatMakeNoSenseInWords) {
  PowerOn();
  CellControl control = Control();
  const auto fault = control.Inject("earthquake", 0, core::Seconds(1));
  ASSERT_FALSE(fault);
  EXPECT_EQ(fault.error().code, FaultCode::kRefused);
  EXPECT_THAT(fault.error().detail, testing::AllOf(HasSubstr("earthquake"), HasSubstr("freeze_camera")));
  EXPECT_FALSE(control.PutBack(7));
  EXPECT_FALSE(control.SetSpeed(-1));
}

TEST_F(CellServerTest, RunsNoFasterThanItsSpeed) {
  config_.speed = 2;
  PowerOn();
  CellDriver driver = Driver();
  const auto from = std::chrono::steady_clock::now();  // Before the first: what it is late, the next may make up for.
  for (int i = 0; i < 51; ++i) ASSERT_TRUE(Tick(driver));
  EXPECT_GE(std::chrono::steady_clock::now() - from, milliseconds(95));  // 0.2 s of robot time at twice real time.
}

TEST_F(CellServerTest, SendsFramesOfTheAskedTimeOrLater) {
  config_.camera = CellCamera::kRendered;
  PowerOn();
  ASSERT_FALSE(start_fault_) << start_fault_->detail;
  CellDriver driver = Driver();
  auto camera = CellCameraClient::Connect(endpoints_.cell_camera, Wait{3000});
  ASSERT_TRUE(camera && Tick(driver));
  const auto now = camera->Grab(core::Instant{});
  ASSERT_TRUE(now) << now.error().detail;
  EXPECT_EQ(now->rgb.size(), std::size_t{160} * 120 * 3);
  const core::Instant wanted = now->captured + milliseconds(40);
  std::thread ticking([&] {
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(Tick(driver));
  });
  const auto later = camera->Grab(wanted);
  ticking.join();
  ASSERT_TRUE(later) << later.error().detail;
  EXPECT_GE(later->captured, wanted);
  EXPECT_GT(later->sequence, now->sequence);
}

TEST_F(CellServerTest, CameraTimesOutWithoutFrames) {
  PowerOn();
  auto camera = CellCameraClient::Connect(endpoints_.cell_camera, Wait{100});
  ASSERT_TRUE(camera);
  const auto frame = camera->Grab(core::Instant{});
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, FaultCode::kCameraTimeout);
}

TEST(CellServerConfig, RefusesASpeedOutOfRange) {
  CellServerConfig config;
  config.speed = -1;
  const auto valid = Validate(config);
  ASSERT_FALSE(valid);
  EXPECT_THAT(valid.error().detail, HasSubstr("[0, 1000]"));
}

}  // namespace
}  // namespace nightshift::io::cell
