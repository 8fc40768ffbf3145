// SPDX-License-Identifier: Apache-2.0
#include "runtime/safety_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "core/kinematics.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"
#include "runtime/arm_port.h"

namespace nightshift::runtime {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// An arm that is where it was told to be; its clock is the number of commands it got.
class FakeRobot final : public core::RobotDriver {
 public:
  FakeRobot() {
    state_.axes = core::kArmAxes;
    state_.q_rad = *core::InverseKinematics({}, {0.2, 0, 0.1}, 0);
    state_.temperature_c.fill(30);
  }
  core::Pacing pacing() const override { return core::Pacing::kLockStep; }
  core::Result<core::JointState> Read() override {
    ++state_.sequence;
    return state_;
  }
  core::Result<void> Apply(const core::SafeAction& action) override {
    state_.time += std::chrono::milliseconds(4);
    state_.q_rad = action.q_rad();
    state_.powered = action.power() == core::PowerMode::kHold;
    return {};
  }

 private:
  core::JointState state_;
};

/// The safety process without its main: control thread and service thread, over real sockets.
class SafetyServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("service-" + std::to_string(getpid()));
    fs::create_directories(folder_);
    endpoints_ = *io::EndpointsIn(folder_.string());
    SafetyService::Hooks hooks;
    hooks.on_progress = [this] { ++strokes_; };
    hooks.degraded = [] { return std::vector<std::string>{"no_real_time_priority"}; };
    hooks.on_beat = [this] { service_->Tell({{core::Budget::kTravel, 2, 0.875}}); };
    service_ = std::make_unique<SafetyService>(std::move(*io::Replier::Bind(endpoints_.safety_command)),
                                               std::move(*io::Publisher::Bind(endpoints_.safety_state)), mailbox_,
                                               answers_, loop_.counters(), std::move(hooks));
    talking_ = std::thread([this] { service_->Run(); });
    controlling_ = std::thread([this] { loop_.Run(); });
  }
  void TearDown() override {
    loop_.Stop();
    controlling_.join();
    service_->Stop();
    talking_.join();
    fs::remove_all(folder_);
  }

  RemoteArm Arm() { return std::move(*RemoteArm::Connect(endpoints_.safety_command)); }
  /// An arm past the latch of the start; the newest report goes to `report`.
  RemoteArm ReadyArm(core::PeriodReport* report) {
    RemoteArm arm = Arm();
    *report = *arm.Exchange(std::nullopt);
    EXPECT_TRUE(arm.Clear(report->latch));
    *report = *arm.Exchange(std::nullopt);
    return arm;
  }
  static core::ProposedAction Propose(const core::PeriodReport& last, std::uint64_t sequence, double pan_step_rad) {
    core::ProposedAction proposal{.epoch = last.latch.epoch,
                                  .sequence = sequence,
                                  .deadline = last.joints.time + std::chrono::milliseconds(200),
                                  .axes = core::kArmAxes,
                                  .target_q_rad = last.commanded_q_rad};
    proposal.target_q_rad[core::kPan] += pan_step_rad;
    return proposal;
  }

  fs::path folder_;
  io::Endpoints endpoints_;
  safety::Limits limits_;
  safety::Filter filter_{limits_, {.epoch = 10, .nonce_source = 3}};
  Mailbox mailbox_;
  AnswerBox answers_;
  FakeRobot robot_;
  SteadyWallClock wall_;
  ControlLoop loop_{{robot_, filter_, mailbox_, answers_, wall_, nullptr, {}}, limits_, LoopSpeed::kMax};
  std::atomic<int> strokes_{0};
  std::unique_ptr<SafetyService> service_;
  std::thread talking_, controlling_;
};

TEST_F(SafetyServiceTest, AProposalMovesTheArmAndTheReportSaysWhere) {
  core::PeriodReport report;
  RemoteArm arm = ReadyArm(&report);
  ASSERT_FALSE(report.latch.latched());
  const double begin = report.joints.q_rad[core::kPan];
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) {
    const auto next = arm.Exchange(Propose(report, sequence, 0.05));
    ASSERT_TRUE(next) << next.error().detail;
    EXPECT_EQ(next->sequence, sequence);
    EXPECT_EQ(next->verdict, core::Verdict::kPass);
    EXPECT_EQ(next->joints.time - report.joints.time, limits_.policy_period);
    report = *next;
  }
  EXPECT_NEAR(report.joints.q_rad[core::kPan] - begin, 0.25, 0.01);
}

TEST_F(SafetyServiceTest, AProposalOfAnOldEpochIsRefusedAndReportedSo) {
  core::PeriodReport report;
  RemoteArm arm = ReadyArm(&report);
  auto stale = Propose(report, 1, 0.05);
  --stale.epoch;
  const auto next = arm.Exchange(stale);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->verdict, core::Verdict::kRefused);
  EXPECT_EQ(next->limit, core::LimitId::kWrongEpoch);
}

TEST_F(SafetyServiceTest, AClearOfAnotherStopIsRefusedWithTheReasonAndWhatToDo) {
  RemoteArm arm = Arm();
  const auto report = arm.Exchange(std::nullopt);
  ASSERT_TRUE(report);
  auto other = report->latch;
  ++other.nonce;
  const auto cleared = arm.Clear(other);
  ASSERT_FALSE(cleared);
  EXPECT_EQ(cleared.error().code, core::FaultCode::kRefused);
  EXPECT_THAT(cleared.error().detail, HasSubstr("read the latest report"));
}

TEST_F(SafetyServiceTest, APersonsStopHoldsUntilAPersonClearsIt) {
  core::PeriodReport report;
  RemoteArm arm = ReadyArm(&report);
  auto person = io::Requester::Connect(endpoints_.safety_command);
  ASSERT_TRUE(person);
  wire::SafetyRequest stop;
  stop.set_protocol(io::kProtocol);
  stop.mutable_stop();
  const auto done = io::Parse<wire::SafetyReply>(*person->Call(stop.SerializeAsString(), io::Wait(3000)));
  EXPECT_TRUE(done->has_done());
  report = *arm.Exchange(std::nullopt);
  EXPECT_EQ(report.latch.worst, core::StopCause::kOperator);
  EXPECT_THAT(arm.Clear(report.latch).error().detail, HasSubstr("nightshift clear"));
  wire::SafetyRequest clear;
  clear.set_protocol(io::kProtocol);
  clear.mutable_acknowledge()->set_latch_id(report.latch.id);
  clear.mutable_acknowledge()->set_nonce(report.latch.nonce);
  clear.mutable_acknowledge()->set_by_person(true);
  const auto cleared = io::Parse<wire::SafetyReply>(*person->Call(clear.SerializeAsString(), io::Wait(3000)));
  EXPECT_TRUE(cleared->has_done());
  EXPECT_FALSE(arm.Exchange(std::nullopt)->latch.latched());
}

TEST_F(SafetyServiceTest, MalformedRequestsAreRefusedCountedAndHarmless) {
  auto stranger = io::Requester::Connect(endpoints_.safety_command);
  ASSERT_TRUE(stranger);
  wire::SafetyRequest empty;
  empty.set_protocol(io::kProtocol);
  wire::SafetyRequest other_version;
  other_version.set_protocol(99);
  other_version.mutable_stop();
  for (const std::string& body :
       {std::string("\xff\xff garbage"), empty.SerializeAsString(), other_version.SerializeAsString()}) {
    const auto reply = io::Parse<wire::SafetyReply>(*stranger->Call(body, io::Wait(3000)));
    ASSERT_TRUE(reply->has_refused());
    EXPECT_EQ(reply->refused().code(), "malformed_message");
  }
  const auto report = Arm().Exchange(std::nullopt);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->latch.worst, core::StopCause::kRestarted) << "the stop of another version must not have counted";
}

TEST_F(SafetyServiceTest, TellsItsStateToWhoeverListens) {
  auto listener = io::Subscriber::Connect(endpoints_.safety_state);
  ASSERT_TRUE(listener);
  const auto bytes = listener->Latest(io::Wait(3000));
  ASSERT_TRUE(bytes);
  const auto status = io::Parse<wire::SafetyStatus>(*bytes);
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->state() == "stopped" || status->state() == "holding");
  ASSERT_EQ(status->degraded_size(), 1);
  EXPECT_EQ(status->degraded(0), "no_real_time_priority");
}

TEST_F(SafetyServiceTest, SaysInItsStateWhatOfEachBudgetIsUsed) {
  auto listener = io::Subscriber::Connect(endpoints_.safety_state);
  ASSERT_TRUE(listener);
  wire::SafetyStatus status;
  for (int beat = 0; beat < 40 && status.budgets_size() == 0; ++beat)
    if (const auto bytes = listener->Latest(io::Wait(1000))) status = *io::Parse<wire::SafetyStatus>(*bytes);
  ASSERT_EQ(status.budgets_size(), 1);
  EXPECT_EQ(status.budgets(0).budget(), "travel");
  EXPECT_EQ(status.budgets(0).axis(), 2u);
  EXPECT_EQ(status.budgets(0).share(), 0.875);
}

TEST_F(SafetyServiceTest, StrokesTheWatchdogWhileTheControlThreadMakesProgress) {
  auto listener = io::Subscriber::Connect(endpoints_.safety_state);
  for (int beat = 0; beat < 40 && strokes_ < 3; ++beat) listener->Latest(io::Wait(1000));
  EXPECT_GE(strokes_, 3);
}

/// The service alone, round by round, on a clock of the test's.
class ServiceRounds : public testing::Test {
 protected:
  ServiceRounds() {
    fs::create_directories(folder_);
    const auto endpoints = *io::EndpointsIn(folder_.string());
    service_ =
        std::make_unique<SafetyService>(std::move(*io::Replier::Bind(endpoints.safety_command)),
                                        std::move(*io::Publisher::Bind(endpoints.safety_state)), mailbox_, answers_,
                                        counters_, SafetyService::Hooks{.now = [this] { return now_; }});
    sensor_.emplace(std::move(*io::Requester::Connect(endpoints.safety_command)));
    service_->Round(kWait);
  }
  ~ServiceRounds() override { fs::remove_all(folder_); }

  void Report() {
    wire::SafetyRequest request;
    request.set_protocol(io::kProtocol);
    request.mutable_presence()->set_distance_m(2);
    ASSERT_TRUE(sensor_->Send(request.SerializeAsString(), io::Wait(3000)));
  }
  /// Rounds until the report is there; when it came at the earliest, from now. Time stands still meanwhile.
  std::chrono::nanoseconds CameFromNow() {
    for (int round = 0; round < 1000; ++round) {
      service_->Round(kWait);
      if (const auto mail = mailbox_.Take()) return std::get<PresenceMail>(*mail).came - now_;
    }
    ADD_FAILURE() << "no report came";
    return {};
  }

  static constexpr std::chrono::milliseconds kWait{5};
  fs::path folder_ = fs::temp_directory_path() / ("rounds-" + std::to_string(getpid()));
  Mailbox mailbox_;
  AnswerBox answers_;
  ControlLoop::Counters counters_;
  WallClock::Instant now_{std::chrono::hours(1)};
  std::unique_ptr<SafetyService> service_;
  std::optional<io::Requester> sensor_;
};

TEST_F(ServiceRounds, AReportIsOfTheMomentInWhichItIsTakenUp) {
  Report();
  EXPECT_EQ(CameFromNow(), std::chrono::nanoseconds(0));
}

TEST_F(ServiceRounds, AReportFoundAfterALateRoundMayBeAsOldAsTheRoundBefore) {
  Report();
  now_ += std::chrono::milliseconds(300);
  EXPECT_EQ(CameFromNow(), -std::chrono::milliseconds(300));
  Report();
  now_ += std::chrono::milliseconds(50);
  EXPECT_EQ(CameFromNow(), -std::chrono::milliseconds(350)) << "the sockets' own thread may have been late, too";
}

TEST_F(ServiceRounds, ARoundThatIsALittleLateIsNone) {
  Report();
  now_ += kWait + SafetyService::kLateRound;
  EXPECT_EQ(CameFromNow(), std::chrono::nanoseconds(0));
}

TEST_F(ServiceRounds, SoonAfterALateRoundReportsAreNewAgain) {
  now_ += std::chrono::milliseconds(300);
  service_->Round(kWait);
  for (int round = 0; round < 20; ++round) {
    now_ += kWait;
    service_->Round(kWait);
  }
  Report();
  EXPECT_EQ(CameFromNow(), std::chrono::nanoseconds(0));
}

TEST(RemoteArm, WaitsABoundedTimeForADeadSafetyProcess) {
  const std::string nobody = "ipc://" + (fs::temp_directory_path() / "nobody-here.sock").string();
  auto arm = RemoteArm::Connect(nobody, {.exchange = io::Wait(20), .acknowledge = io::Wait(20)});
  ASSERT_TRUE(arm);
  EXPECT_EQ(arm->Exchange(std::nullopt).error().code, core::FaultCode::kPeerTimeout);
  EXPECT_EQ(arm->Clear({}).error().code, core::FaultCode::kPeerTimeout);
}

}  // namespace
}  // namespace nightshift::runtime
