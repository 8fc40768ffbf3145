// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/presence.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <future>
#include <vector>

#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

namespace nightshift::runtime::cli {
namespace {

constexpr std::chrono::milliseconds kWait{5000}, kNobodyWait{50};

class TellPresenceTest : public testing::Test {
 protected:
  void SetUp() override { ::mkdir(folder_.c_str(), 0700); }

  /// A safety process that hears so many reports and answers each.
  std::future<std::vector<wire::SafetyRequest::Presence>> Hears(int count, const wire::SafetyReply& reply) {
    auto replier = std::make_shared<io::Replier>(io::Replier::Bind(endpoints_.safety_command).value());
    return std::async(std::launch::async, [replier, count, body = reply.SerializeAsString()] {
      std::vector<wire::SafetyRequest::Presence> heard;
      for (int i = 0; i < count; ++i) {
        const auto request = replier->Receive(kWait);
        if (!request) break;
        replier->Reply(*request, body);
        heard.push_back(io::Parse<wire::SafetyRequest>(request->body).value().presence());
      }
      return heard;
    });
  }

  std::string folder_ = testing::TempDir() + "ns-presence-" + std::to_string(getpid());
  io::Endpoints endpoints_ = io::EndpointsIn(folder_).value();
};

TEST_F(TellPresenceTest, TellsTheDistanceAgainAndAgainWithARisingCount) {
  wire::SafetyReply done;
  done.mutable_done();
  auto hears = Hears(4, done);
  ASSERT_TRUE(TellPresence(endpoints_, {.distance_m = 1.25, .lasts_s = 0.15}, kWait));
  const auto heard = hears.get();
  ASSERT_EQ(heard.size(), 4u);
  for (std::size_t i = 0; i < heard.size(); ++i) {
    EXPECT_EQ(heard[i].distance_m(), 1.25);
    EXPECT_GT(heard[i].sequence(), i == 0 ? 0 : heard[i - 1].sequence());
  }
}

TEST_F(TellPresenceTest, EndsWithTheReasonWhenItIsRefused) {
  wire::SafetyReply refused;
  refused.mutable_refused()->set_code("refused");
  refused.mutable_refused()->set_detail("no program tells this robot where people are");
  auto hears = Hears(1, refused);
  const auto told = TellPresence(endpoints_, {.distance_m = 1}, kWait);
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().detail, "no program tells this robot where people are");
}

TEST_F(TellPresenceTest, NobodyThereIsAPeerTimeout) {
  EXPECT_EQ(TellPresence(endpoints_, {.distance_m = 1}, kNobodyWait).error().code, core::FaultCode::kPeerTimeout);
}

}  // namespace
}  // namespace nightshift::runtime::cli
