// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/children.h"

#include <gtest/gtest.h>

#include <csignal>

namespace nightshift::runtime::cli {
namespace {

constexpr std::chrono::milliseconds kEndWait{10000};

Child Shell(const std::string& script) {
  return Child(
      {.role = "actor", .path = "/bin/sh", .arguments = {"-c", script}, .log_file = testing::TempDir() + "actor.log"});
}

TEST(BackOff, DoublesUpToItsMaximum) {
  EXPECT_EQ(BackOff(1), kBackOffMin);
  EXPECT_EQ(BackOff(2), 2 * kBackOffMin);
  EXPECT_EQ(BackOff(100), kBackOffMax);
}

TEST(Child, ThatCrashesIsRestartedAfterItsBackOffAndNotBefore) {
  Child child = Shell("exit 3");
  const Wall::time_point begin;
  ASSERT_TRUE(child.Start(begin));
  ASSERT_TRUE(child.AwaitEnd(kEndWait));
  EXPECT_EQ(child.exit_code(), 3);
  ASSERT_TRUE(child.Tend(begin));
  ASSERT_TRUE(child.Tend(begin + kBackOffMin / 2));
  EXPECT_EQ(child.restarts(), 0);
  ASSERT_TRUE(child.Tend(begin + kBackOffMin));
  EXPECT_EQ(child.restarts(), 1);
}

TEST(Child, ThatDiesQuicklyTooOftenInARowIsGivenUpWithItsLogNamed) {
  Child child = Shell("exit 3");
  Wall::time_point now;
  ASSERT_TRUE(child.Start(now));
  core::Result<void> tended;
  int deaths = 0;
  while (tended && deaths <= kQuickDeathsMax) {
    ASSERT_TRUE(child.AwaitEnd(kEndWait));
    tended = child.Tend(now);
    ++deaths;
    now += kBackOffMax;
    if (tended) tended = child.Tend(now);
  }
  EXPECT_EQ(deaths, kQuickDeathsMax + 1);
  ASSERT_FALSE(tended);
  EXPECT_EQ(tended.error().code, core::FaultCode::kRefused);
  EXPECT_NE(tended.error().detail.find("actor.log"), std::string::npos);
}

TEST(Child, ThatLivesLongBeforeEachDeathIsRestartedForEver) {
  Child child = Shell("exit 3");
  Wall::time_point now;
  ASSERT_TRUE(child.Start(now));
  for (int i = 0; i < 3 * kQuickDeathsMax; ++i) {
    ASSERT_TRUE(child.AwaitEnd(kEndWait));
    now += kLivedLong;
    ASSERT_TRUE(child.Tend(now));
    now += kBackOffMax;
    ASSERT_TRUE(child.Tend(now));
  }
  EXPECT_EQ(child.restarts(), 3 * kQuickDeathsMax);
}

TEST(Child, ThatIsKilledIsRestarted) {
  Child child = Shell("while :; do sleep 1; done");
  const Wall::time_point begin;
  ASSERT_TRUE(child.Start(begin));
  child.Signal(SIGKILL);
  ASSERT_TRUE(child.AwaitEnd(kEndWait));
  EXPECT_EQ(child.exit_code(), 128 + SIGKILL);
  ASSERT_TRUE(child.Tend(begin));
  ASSERT_TRUE(child.Tend(begin + kBackOffMin));
  EXPECT_TRUE(child.running());
}

TEST(Child, ThatRefusedIsNotStartedAgain) {
  Child child = Shell("exit 78");
  const Wall::time_point begin;
  ASSERT_TRUE(child.Start(begin));
  ASSERT_TRUE(child.AwaitEnd(kEndWait));
  const auto tended = child.Tend(begin);
  ASSERT_FALSE(tended);
  EXPECT_NE(tended.error().detail.find("actor refused to start"), std::string::npos);
}

TEST(Child, ThatIsDoneOrLetGoStaysEnded) {
  Child done = Shell("exit 0"), let_go = Shell("exit 3");
  const Wall::time_point begin;
  for (Child* child : {&done, &let_go}) {
    ASSERT_TRUE(child->Start(begin));
    ASSERT_TRUE(child->AwaitEnd(kEndWait));
  }
  let_go.LetGo();
  for (Child* child : {&done, &let_go}) {
    ASSERT_TRUE(child->Tend(begin));
    ASSERT_TRUE(child->Tend(begin + kBackOffMax));
    EXPECT_EQ(child->restarts(), 0);
  }
}

TEST(Child, ThatDoesNotExistIsAMissingFileWithTheRemedy) {
  Child child({.role = "ghost", .path = "/nowhere/nightshift-ghost", .arguments = {}, .log_file = "/dev/null"});
  const auto started = child.Start({});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, core::FaultCode::kMissingFile);
  EXPECT_NE(started.error().detail.find("script/build"), std::string::npos);
}

}  // namespace
}  // namespace nightshift::runtime::cli
