// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

#include "tests/fakes/source_tree.h"

namespace nightshift::runtime::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kEndWait{30000}, kLookEvery{20};

/// A folder with the real `nightshift` and actors for the programs that it starts: each writes down when it is told to
/// end.
class Theatre : public testing::Test {
 protected:
  void SetUp() override {
    static int count = 0;
    folder_ = "/tmp/ns-run-" + std::to_string(getpid()) + "-" + std::to_string(count++);
    fs::create_directories(folder_);
    fs::create_hard_link(NIGHTSHIFT_PROGRAM, folder_ + "/nightshift", trouble_);
    if (trouble_) fs::copy_file(NIGHTSHIFT_PROGRAM, folder_ + "/nightshift");
    for (const char* role : {"cell", "safety", "metrics", "learner", "supervisor"}) Plays(role, Patient(role));
  }
  void TearDown() override { fs::remove_all(folder_, trouble_); }

  /// Runs until it is told to end, and writes its name down then.
  std::string Patient(const std::string& role) const {
    return "echo \"$@\" >" + folder_ + "/" + role + ".arguments\n" + "trap 'echo " + role + " >>" + folder_ +
           "/ended; exit 0' TERM\n" + "echo x >>" + folder_ + "/" + role + ".started\nwhile :; do sleep 0.05; done\n";
  }

  void Plays(const std::string& role, const std::string& script) const {
    const std::string file = folder_ + "/nightshift-" + role;
    std::ofstream(file) << "#!/bin/sh\n" << script;
    fs::permissions(file, fs::perms::owner_all);
  }

  Child Nightshift(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"run", "--config", tests::SourceTree() + "/configs/tabletop.toml", "--data",
                                       folder_ + "/data"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Child(
        {.role = "nightshift", .path = folder_ + "/nightshift", .arguments = arguments, .log_file = folder_ + "/said"});
  }

  /// True when every actor is on stage, while the run lives.
  bool AwaitStarted(Child& run) const {
    const auto end = Wall::now() + kEndWait;
    while (Wall::now() < end && !run.AwaitEnd(kLookEvery))
      if (Lines("cell.started").size() + Lines("safety.started").size() + Lines("metrics.started").size() +
              Lines("learner.started").size() + Lines("supervisor.started").size() >=
          5)
        return true;
    return false;
  }

  std::string Read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_ + "/" + name).rdbuf();
    return text.str();
  }
  std::vector<std::string> Lines(const std::string& name) const {
    std::ifstream stream(folder_ + "/" + name);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  std::string folder_;
  std::error_code trouble_;
};

TEST_F(Theatre, EndsByItselfWhenTheSupervisorIsDoneAndStopsTheOthersInOrder) {
  Plays("supervisor", "sleep 0.5; exit 0\n");
  Child run = Nightshift({"--robot-time", "2h", "--seed", "7"});
  ASSERT_TRUE(run.Start(Wall::now()));
  ASSERT_TRUE(run.AwaitEnd(kEndWait));
  EXPECT_EQ(run.exit_code(), 0) << Read("said");
  EXPECT_THAT(Lines("ended"), ElementsAre("learner", "safety", "cell", "metrics"));
  EXPECT_THAT(Read("said"), HasSubstr("what was learned"));
}

TEST_F(Theatre, ASignalStopsEverybodyBeginningWithTheSupervisorAndExitsZero) {
  Child run = Nightshift();
  ASSERT_TRUE(run.Start(Wall::now()));
  ASSERT_TRUE(AwaitStarted(run));
  run.Signal(SIGTERM);
  ASSERT_TRUE(run.AwaitEnd(kEndWait));
  EXPECT_EQ(run.exit_code(), 0) << Read("said");
  EXPECT_THAT(Lines("ended"), ElementsAre("supervisor", "learner", "safety", "cell", "metrics"));
}

TEST_F(Theatre, GivesEachProgramItsArguments) {
  Child run = Nightshift({"--robot-time", "2h", "--seed", "7", "--speed", "1"});
  ASSERT_TRUE(run.Start(Wall::now()));
  ASSERT_TRUE(AwaitStarted(run));
  run.Signal(SIGTERM);
  ASSERT_TRUE(run.AwaitEnd(kEndWait));
  EXPECT_THAT(Read("supervisor.arguments"), HasSubstr("--seed 7 --robot-time 7200.000"));
  EXPECT_THAT(Read("cell.arguments"), HasSubstr("--seed 7 --speed 1"));
  EXPECT_THAT(Read("safety.arguments"), HasSubstr("--data " + folder_ + "/data --speed 1"));
}

TEST_F(Theatre, AProgramThatCrashesIsStartedAgain) {
  Plays("learner",
        "echo x >>" + folder_ + "/tries\n[ $(wc -l <" + folder_ + "/tries) -lt 2 ] && exit 9\n" + Patient("learner"));
  Child run = Nightshift();
  ASSERT_TRUE(run.Start(Wall::now()));
  ASSERT_TRUE(AwaitStarted(run));
  run.Signal(SIGTERM);
  ASSERT_TRUE(run.AwaitEnd(kEndWait));
  EXPECT_EQ(run.exit_code(), 0);
  EXPECT_EQ(Lines("tries").size(), 2u);
}

TEST_F(Theatre, AProgramThatRefusesEndsTheRunWithItsLogNamed) {
  Plays("safety", "echo 'safety.speed_rad_s_max: impossible'; exit 78\n");
  Child run = Nightshift();
  ASSERT_TRUE(run.Start(Wall::now()));
  ASSERT_TRUE(run.AwaitEnd(kEndWait));
  EXPECT_EQ(run.exit_code(), 1);
  EXPECT_THAT(Read("said"), HasSubstr("safety refused to start"));
  EXPECT_THAT(Read("data/log/safety.log"), HasSubstr("impossible"));
}

TEST_F(Theatre, ASecondRunOnTheSameDataIsRefusedAndTheFirstGoesOn) {
  Child first = Nightshift();
  ASSERT_TRUE(first.Start(Wall::now()));
  ASSERT_TRUE(AwaitStarted(first));
  Child second = Nightshift();
  ASSERT_TRUE(second.Start(Wall::now()));
  ASSERT_TRUE(second.AwaitEnd(kEndWait));
  EXPECT_EQ(second.exit_code(), 78);
  EXPECT_THAT(Read("said"), HasSubstr("already_running"));
  EXPECT_THAT(Read("said"), HasSubstr(std::to_string(first.pid())));
  EXPECT_TRUE(Lines("ended").empty());
  first.Signal(SIGTERM);
  EXPECT_TRUE(first.AwaitEnd(kEndWait));
}

}  // namespace
}  // namespace nightshift::runtime::cli
