// SPDX-License-Identifier: Apache-2.0
#include "runtime/learner_ear.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "io/wire/nightshift.pb.h"

namespace nightshift::runtime {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr io::Wait kLook{200};
constexpr int kLooksMax = 50;  // A subscriber that has just connected misses what is said before.

class Ear : public testing::Test {
 protected:
  Ear() : folder_(fs::temp_directory_path() / ("ear-" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
    const std::string endpoint = io::EndpointsIn(folder_.string())->learner_state;
    learner_.emplace(std::move(*io::Publisher::Bind(endpoint)));
    ear_.emplace(std::move(*io::Subscriber::Connect(endpoint)), seconds(30), begin_);
  }
  ~Ear() override { fs::remove_all(folder_); }

  void Say(double backlog, std::int64_t cursor) {
    wire::LearnerStatus status;
    status.set_backlog(backlog);
    status.set_cursor(cursor);
    learner_->Publish(status.SerializeAsString());
  }
  void SayUntilHeard(double backlog, std::int64_t cursor) {
    for (int i = 0; i < kLooksMax && ear_->cursor() != cursor; ++i) {
      Say(backlog, cursor);
      ear_->Hear(kLook);
    }
    ASSERT_EQ(ear_->cursor(), cursor);
  }

  const LearnerEar::Instant begin_ = std::chrono::steady_clock::now();
  fs::path folder_;
  std::optional<io::Publisher> learner_;
  std::optional<LearnerEar> ear_;
};

TEST_F(Ear, EveryStatusThatIsWaitedForCounts) {
  SayUntilHeard(5000, 1);
  EXPECT_TRUE(ear_->Behind(1000, begin_));
  Say(0, 2);
  ear_->Hear(io::Wait(5000));  // The wait itself brings the news: nothing is said twice.
  EXPECT_EQ(ear_->cursor(), 2);
  EXPECT_FALSE(ear_->Behind(1000, begin_));
}

TEST_F(Ear, SilenceLeavesWhatWasSaid) {
  SayUntilHeard(5000, 1);
  ear_->Hear(io::Wait(0));
  EXPECT_EQ(ear_->backlog_updates(), 5000);
}

TEST_F(Ear, ALearnerThatWasSilentForLongIsDeadAndIsNotWaitedFor) {
  SayUntilHeard(5000, 1);
  const auto now = std::chrono::steady_clock::now();
  EXPECT_FALSE(ear_->Dead(now));
  EXPECT_TRUE(ear_->Dead(now + seconds(31)));
  EXPECT_FALSE(ear_->Behind(1000, now + seconds(31)));
}

TEST_F(Ear, WhatIsNotAStatusIsIgnored) {
  SayUntilHeard(5000, 1);
  learner_->Publish("\xff\xff\xff not protobuf");
  ear_->Hear(kLook);
  EXPECT_EQ(ear_->backlog_updates(), 5000);
}

}  // namespace
}  // namespace nightshift::runtime
