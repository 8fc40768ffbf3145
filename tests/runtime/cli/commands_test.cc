// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/commands.h"

#include <gtest/gtest.h>

#include <future>

#include <sys/stat.h>
#include <unistd.h>

#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

namespace nightshift::runtime::cli {
namespace {

constexpr std::chrono::milliseconds kWait{5000}, kNobodyWait{50};

io::Endpoints FreshEndpoints() {
  static int count = 0;
  return io::EndpointsIn(testing::TempDir() + "ns-commands-" + std::to_string(getpid()) + "-" + std::to_string(count++))
      .value();
}

/// Answers one request with `reply`, and tells what was asked.
template <typename Request>
std::future<Request> AnswerOnce(const std::string& endpoint, const std::string& reply) {
  auto replier = std::make_shared<io::Replier>(io::Replier::Bind(endpoint).value());
  return std::async(std::launch::async, [replier, reply] {
    const auto request = replier->Receive(kWait);
    if (!request) return Request();
    replier->Reply(*request, reply);
    return io::Parse<Request>(request->body).value();
  });
}

std::string Done() {
  wire::CellReply reply;
  reply.mutable_done();
  return reply.SerializeAsString();
}

class Commands : public testing::Test {
 protected:
  void SetUp() override { ::mkdir(Folder().c_str(), 0700); }
  std::string Folder() const {
    const std::string path = endpoints_.cell_control.substr(std::string("ipc://").size());
    return path.substr(0, path.rfind('/'));
  }
  io::Endpoints endpoints_ = FreshEndpoints();
};

TEST_F(Commands, InjectNamesFaultIndexAndDuration) {
  auto asked = AnswerOnce<wire::CellRequest>(endpoints_.cell_control, Done());
  ASSERT_TRUE(Inject(endpoints_, {.fault = "stall", .index = 2, .duration_s = 1.5}, kWait));
  const wire::CellRequest request = asked.get();
  EXPECT_EQ(request.protocol(), io::kProtocol);
  EXPECT_EQ(request.inject().fault(), "stall");
  EXPECT_EQ(request.inject().index(), 2u);
  EXPECT_EQ(request.inject().duration_s(), 1.5);
}

TEST_F(Commands, ARefusalReachesThePersonWithItsReason) {
  wire::CellReply reply;
  reply.mutable_refused()->set_code("refused");
  reply.mutable_refused()->set_detail("no fault is called boom; those that exist: drop");
  auto asked = AnswerOnce<wire::CellRequest>(endpoints_.cell_control, reply.SerializeAsString());
  const auto injected = Inject(endpoints_, {.fault = "boom"}, kWait);
  ASSERT_FALSE(injected);
  EXPECT_EQ(injected.error().code, core::FaultCode::kRefused);
  EXPECT_NE(injected.error().detail.find("those that exist: drop"), std::string::npos);
}

TEST_F(Commands, NobodyThereIsAPeerTimeout) {
  EXPECT_EQ(FinishSupervisor(endpoints_, kNobodyWait).error().code, core::FaultCode::kPeerTimeout);
  EXPECT_EQ(ClearStop(endpoints_, kNobodyWait).error().code, core::FaultCode::kPeerTimeout);
}

TEST_F(Commands, PauseResumeAndFinishAreWhatTheSupervisorHears) {
  auto pause = AnswerOnce<wire::SupervisorRequest>(endpoints_.supervisor_control, Done());
  EXPECT_TRUE(PauseSupervisor(endpoints_, kWait));
  EXPECT_TRUE(pause.get().has_pause());
  auto resume = AnswerOnce<wire::SupervisorRequest>(endpoints_.supervisor_control, Done());
  EXPECT_TRUE(ResumeSupervisor(endpoints_, kWait));
  EXPECT_TRUE(resume.get().has_resume());
  auto finish = AnswerOnce<wire::SupervisorRequest>(endpoints_.supervisor_control, Done());
  EXPECT_TRUE(FinishSupervisor(endpoints_, kWait));
  EXPECT_TRUE(finish.get().has_finish());
}

}  // namespace
}  // namespace nightshift::runtime::cli
