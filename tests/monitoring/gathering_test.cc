// SPDX-License-Identifier: Apache-2.0
#include "monitoring/gathering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/monitoring/everything.h"

namespace nightshift::monitoring {
namespace {

using core::FaultCode;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr char kCounter[] = "# HELP nightshift_x_total X.\n# TYPE nightshift_x_total counter\nnightshift_x_total 3\n";
const WallInstant kStart{seconds(1000)};

TEST(Gathering, AnExpectedProcessIsDownUntilItReports) {
  Gathering gathering({"safety", "learner"});
  ASSERT_TRUE(gathering.Take("safety", kCounter, kStart));
  EXPECT_THAT(gathering.Exposition(kStart), HasSubstr(R"(nightshift_up{process="learner"} 0)"));
  EXPECT_THAT(gathering.Exposition(kStart), HasSubstr(R"(nightshift_up{process="safety"} 1)"));
}

TEST(Gathering, ASilentProcessIsDownAfterSecondsAndItsFiguresGoLater) {
  Gathering gathering({});
  ASSERT_TRUE(gathering.Take("supervisor", kCounter, kStart));
  const auto silent = gathering.Exposition(kStart + kSilentAfter + seconds(1));
  EXPECT_THAT(silent, HasSubstr(R"(nightshift_up{process="supervisor"} 0)"));
  EXPECT_THAT(silent, HasSubstr("nightshift_x_total 3"));
  const auto forgotten = gathering.Exposition(kStart + kForgetAfter + seconds(1));
  EXPECT_THAT(forgotten, HasSubstr(R"(nightshift_up{process="supervisor"} 0)"));
  EXPECT_THAT(forgotten, HasSubstr(R"(nightshift_report_age_seconds{process="supervisor"} 31)"));
  EXPECT_THAT(forgotten, Not(HasSubstr("nightshift_x_total")));
}

TEST(Gathering, TheUnionHasEachFamilyOnceWithTheSamplesOfAllProcesses) {
  const auto everything = TouchEverything();
  Gathering gathering({});
  ASSERT_TRUE(gathering.Take("safety", everything.safety, kStart));
  ASSERT_TRUE(gathering.Take("supervisor", everything.supervisor, kStart));
  ASSERT_TRUE(gathering.Take("learner", everything.learner, kStart));
  const auto text = gathering.Exposition(kStart);
  const auto type = text.find("# TYPE nightshift_build_info gauge");
  ASSERT_NE(type, std::string::npos);
  EXPECT_EQ(text.find("# TYPE nightshift_build_info gauge", type + 1), std::string::npos);
  for (const char* process : {"safety", "supervisor", "learner"})
    EXPECT_THAT(text, HasSubstr(std::string("process=\"") + process + "\",version=\"1.2.3\"} 1"));
}

TEST(Gathering, ReadingAnExpositionAndWritingItAgainChangesNoSample) {
  const auto everything = TouchEverything();
  for (const auto* exposition : {&everything.safety, &everything.supervisor, &everything.learner}) {
    Gathering gathering({});
    ASSERT_TRUE(gathering.Take("it", *exposition, kStart));
    const auto text = gathering.Exposition(kStart);
    std::size_t begin = 0;
    for (auto end = exposition->find('\n'); end != std::string::npos; end = exposition->find('\n', begin)) {
      EXPECT_THAT(text, HasSubstr(exposition->substr(begin, end - begin + 1)));
      begin = end + 1;
    }
  }
}

TEST(Gathering, LabelValuesWithQuotesBackslashesAndBracesSurvive) {
  const std::string odd =
      "# HELP nightshift_y Y.\n# TYPE nightshift_y gauge\n"
      "nightshift_y{a=\"q\\\"u}o,te\",b=\"back\\\\slash\\nline\"} 1.5\n";
  Gathering gathering({});
  ASSERT_TRUE(gathering.Take("it", odd, kStart));
  EXPECT_THAT(gathering.Exposition(kStart), HasSubstr(odd));
}

TEST(Gathering, WhatIsNoExpositionIsRefusedAndTheOneBeforeStays) {
  Gathering gathering({});
  ASSERT_TRUE(gathering.Take("it", kCounter, kStart));
  for (const char* bad : {"no type before me 1\n", "# TYPE x counter\nx{a=\"open 1\n", "# TYPE x counter\nx one\n",
                          "# TYPE x counter\ny 1\n", "# TYPE x balloon\nx 1\n", "# TYPE x histogram\nx 1\n",
                          "# TYPE x counter\nx{a} 1\n", "\x01\xff\n"}) {
    const auto taken = gathering.Take("it", bad, kStart);
    ASSERT_FALSE(taken) << bad;
    EXPECT_EQ(taken.error().code, FaultCode::kMalformedMessage) << bad;
  }
  EXPECT_THAT(gathering.Exposition(kStart), HasSubstr("nightshift_x_total 3"));
}

TEST(Gathering, AFamilyWhoseTypeContradictsTheFirstIsLeftOut) {
  Gathering gathering({});
  ASSERT_TRUE(gathering.Take("a", kCounter, kStart));
  ASSERT_TRUE(gathering.Take("b", "# TYPE nightshift_x_total gauge\nnightshift_x_total{of=\"b\"} 9\n", kStart));
  EXPECT_THAT(gathering.Exposition(kStart), Not(HasSubstr("of=\"b\"")));
}

TEST(Gathering, MoreProcessesThanThereCanBeAreRefused) {
  Gathering gathering({});
  for (std::size_t i = 0; i < kProcessesMax; ++i)
    ASSERT_TRUE(gathering.Take("process " + std::to_string(i), kCounter, kStart));
  EXPECT_EQ(gathering.Take("one more", kCounter, kStart).error().code, FaultCode::kRefused);
  EXPECT_TRUE(gathering.Take("process 3", kCounter, kStart)) << "those that are known go on";
}

TEST(MetricsServer, ABadAddressAndATakenPortAreRefusedWithWhatIsAllowed) {
  const Gathering gathering({});
  for (const char* bad : {"", "9465", ":9465", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:x"}) {
    const auto refused = MetricsServer::Listen(bad, gathering);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, FaultCode::kInvalidConfig) << bad;
  }
  const auto first = MetricsServer::Listen("127.0.0.1:0", gathering);
  ASSERT_TRUE(first);
  ASSERT_GT(first->port(), 0);
  const auto second = MetricsServer::Listen("127.0.0.1:" + std::to_string(first->port()), gathering);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, FaultCode::kAlreadyRunning);
}

}  // namespace
}  // namespace nightshift::monitoring
