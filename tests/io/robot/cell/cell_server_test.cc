// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/kinematics.h"
#include "io/robot/cell/cell_camera.h"
#include "io/robot/cell/cell_control.h"
#include "io/robot/cell/cell_driver.h"
#include "io/robot/cell/cell_geometry.h"
#include "io/robot/cell/cell_recorder.h"
#include "io/wire/convert.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

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
      run_ = server->Run(stop_, listener_);
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

  /// The ticks after `from`, up to `until` at least. Lets time pass for as long as that takes.
  std::vector<CellControl::Moment> RecordUntil(core::Instant until, core::Instant from) {
    CellControl control = Control();
    CellControl::Record record;
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while ((record.moments.empty() || record.moments.back().time < until) &&
           std::chrono::steady_clock::now() < give_up) {
      const auto asked = control.AskRecord(static_cast<std::uint64_t>(core::ToNanoseconds(from) / kTickNs));
      if (asked) record = *asked;
    }
    EXPECT_FALSE(record.moments.empty());
    EXPECT_FALSE(record.incomplete);
    return record.moments;
  }

  std::string directory_;
  Endpoints endpoints_;
  CellServerConfig config_;
  std::optional<core::Fault> start_fault_;
  CellServer::Listener listener_;
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

TEST_F(CellServerTest, DoesNotMakeUpForTimeInWhichItStoodStillItself) {
  config_.cell.silence_ms = 20;
  std::atomic<int> looks = 0;
  listener_ = [&looks](const CellCounts&) {
    ++looks;
    pollfd nothing{-1, POLLIN, 0};
    poll(&nothing, 1, 1000);  // The whole server waits for it, as if the process had been stopped.
  };
  PowerOn();
  CellControl control = *CellControl::Connect(endpoints_.cell_control, Wait{5000});
  const auto begin = control.AskTruth();
  ASSERT_TRUE(begin);
  while (looks < 2) std::this_thread::yield();
  const auto end = control.AskTruth();
  ASSERT_TRUE(end);
  EXPECT_LE(end->time - begin->time, milliseconds(1500)) << "of two seconds it slept one";
}

TEST_F(CellServerTest, WhoOnlyReadsItsStateDoesNotKeepTimeFromGoingOn) {
  config_.cell.silence_ms = 50;
  PowerOn();
  CellDriver driver = Driver();
  ASSERT_TRUE(driver.Read());
  const auto last = Tick(driver);
  ASSERT_TRUE(last);
  auto now = last;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (now && now->time <= last->time && std::chrono::steady_clock::now() < give_up) now = driver.Read();
  ASSERT_TRUE(now);
  EXPECT_GT(now->time, last->time);
}

TEST_F(CellServerTest, ItsDrivesHoldAfterTheTimeoutThatTheDriverArmedAlsoAfterAPowerCut) {
  config_.cell.silence_ms = 100;
  PowerOn();
  for (const int timeout_ms : {100, 60}) {
    CellDriver driver = *CellDriver::Connect(
        endpoints_.cell_bus,
        {.answer_wait = Wait{2000}, .send_wait = Wait{2000}, .command_timeout = milliseconds(timeout_ms)});
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(Tick(driver));
    core::AxisArray far = kHomeRad;
    far[core::kRoll] += 0.5;  // More than it can do in the time: it is under way when it is cut off.
    ASSERT_TRUE(Tick(driver, far));
    const auto last = Tick(driver, far);  // Again: on a busy machine the cell had gone on alone before the first.
    ASSERT_TRUE(last);
    const auto record = RecordUntil(last->time + milliseconds(timeout_ms + 200), last->time);
    const auto moment_after = [&](int ms) { return record[static_cast<std::size_t>(ms / 4) - 1]; };
    EXPECT_TRUE(moment_after(timeout_ms - 4).following);
    EXPECT_FALSE(moment_after(timeout_ms + 4).following);
    EXPECT_GT(moment_after(timeout_ms - 20).dq_rad_s[core::kRoll], 0.3) << timeout_ms << " ms: still on its way";
    EXPECT_LT(std::abs(moment_after(timeout_ms + 190).dq_rad_s[core::kRoll]), 0.05) << timeout_ms << " ms";
    EXPECT_LT(moment_after(timeout_ms + 190).q_rad[core::kRoll], far[core::kRoll] - 0.02) << timeout_ms << " ms";
    PowerOff();
    PowerOn();
  }
}

TEST_F(CellServerTest, ADriverTrustsNoDrivesThatTakeNoTimeout) {
  auto deaf = Replier::Bind(endpoints_.cell_bus);  // Answers like a cell, and arms nothing.
  ASSERT_TRUE(deaf);
  CellDriver driver = *CellDriver::Connect(endpoints_.cell_bus, {.answer_wait = Wait{2000}, .send_wait = Wait{2000}});
  std::thread answering([&deaf] {
    for (int i = 0; i < 2; ++i) {
      const auto request = deaf->Receive(Wait{2000});
      ASSERT_TRUE(request);
      wire::BusReply reply;
      reply.set_tick(7);
      Encode(core::JointState{.sequence = 7, .axes = kAxes, .q_rad = kHomeRad}, reply.mutable_joints());
      deaf->Reply(*request, reply.SerializeAsString());
    }
  });
  EXPECT_TRUE(driver.Read()) << "before its first command a driver cannot know";
  const auto state = Tick(driver);
  answering.join();
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, FaultCode::kRefused);
  EXPECT_THAT(state.error().detail, HasSubstr("command timeout is 0 ms: must be 200 ms"));
}

TEST_F(CellServerTest, RecordsWhatItsDrivesWereToldAndDidInEachTick) {
  PowerOn();
  CellDriver driver = Driver();
  ASSERT_TRUE(driver.Read());
  const std::uint64_t begin = driver.tick();
  core::AxisArray told = kHomeRad;
  told[core::kPan] += 0.01;
  auto host = Requester::Connect(endpoints_.cell_bus);
  ASSERT_TRUE(host);
  wire::BusRequest step;  // The two commands before it got lost.
  step.set_protocol(kProtocol);
  step.set_tick(begin + 3);
  step.mutable_q_rad()->Add(told.begin(), told.begin() + kAxes);
  ASSERT_TRUE(host->Call(step.SerializeAsString(), Wait{2000}));
  const auto last = driver.Read();
  const auto record = Control().AskRecord(begin);
  ASSERT_TRUE(last && record);
  ASSERT_EQ(record->moments.size(), 3u) << "each tick is there once";
  EXPECT_FALSE(record->moments[0].told_q_rad || record->moments[1].told_q_rad) << "nobody said anything in these";
  const CellControl::Moment& heard = record->moments[2];
  EXPECT_EQ(heard.time, last->time);
  ASSERT_TRUE(heard.told_q_rad);
  EXPECT_EQ(*heard.told_q_rad, told);
  EXPECT_EQ(heard.told_power, core::PowerMode::kHold);
  EXPECT_EQ(heard.q_rad, last->q_rad);
  EXPECT_EQ(heard.dq_rad_s, last->dq_rad_s);
  EXPECT_TRUE(heard.following);
}

TEST_F(CellServerTest, SaysWhenItsRecordNoLongerReachesBackSoFar) {
  PowerOn();
  CellDriver driver = Driver();
  ASSERT_TRUE(driver.Read());
  const std::uint64_t begin = driver.tick();
  for (std::size_t i = 0; i < CellRecorder::kMoments; ++i) ASSERT_TRUE(Tick(driver));
  EXPECT_FALSE(Control().AskRecord(begin)->incomplete);
  ASSERT_TRUE(Tick(driver));
  const auto record = Control().AskRecord(begin);
  ASSERT_TRUE(record);
  EXPECT_TRUE(record->incomplete);
  EXPECT_EQ(record->moments.size(), 4096u);
  EXPECT_EQ(record->moments.front().tick, begin + 2);
  EXPECT_FALSE(Control().AskRecord(begin + 1)->incomplete);
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
