// SPDX-License-Identifier: Apache-2.0
#include "runtime/presence_switch.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

namespace nightshift::runtime {
namespace {

namespace fs = std::filesystem;
using Reading = SwitchBox::Reading;

constexpr safety::PresenceConfig kActiveLow{.active_low = true}, kActiveHigh{.active_low = false};

TEST(SwitchReading, OnlyThePlainLevelOfNobodyIsNobody) {
  EXPECT_EQ(SwitchReading("1\n", kActiveLow), Reading::kNobody);
  EXPECT_EQ(SwitchReading("1", kActiveLow), Reading::kNobody);
  EXPECT_EQ(SwitchReading("0\n", kActiveHigh), Reading::kNobody);
  for (const auto& config : {kActiveLow, kActiveHigh})
    for (const char* text : {"", "\n", "2\n", "01\n", "10\n", "1\n\n", "0\n\n", " 1", "high", "1\n0\n"})
      EXPECT_EQ(SwitchReading(text, config), Reading::kSomebody) << text;
  EXPECT_EQ(SwitchReading("0\n", kActiveLow), Reading::kSomebody);
  EXPECT_EQ(SwitchReading("1\n", kActiveHigh), Reading::kSomebody);
}

TEST(SwitchBox, HoldsTheNewestAndHowManyThereWere) {
  SwitchBox box;
  EXPECT_FALSE(box.newest());
  box.Put(Reading::kNobody);
  ASSERT_TRUE(box.newest());
  EXPECT_EQ(box.newest()->reading, Reading::kNobody);
  EXPECT_EQ(box.newest()->count, 1u);
  box.Put(Reading::kSomebody);
  EXPECT_EQ(box.newest()->reading, Reading::kSomebody);
  EXPECT_EQ(box.newest()->count, 2u);
}

class PresenceSwitchTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  /// What one look finds.
  Reading Look() {
    const auto before = switch_.box().newest();
    switch_.Look();
    EXPECT_GT(switch_.box().newest()->count, before ? before->count : 0) << "each look is news";
    return switch_.box().newest()->reading;
  }
  void Write(const std::string& text) { std::ofstream(value_) << text; }

  fs::path folder_ = fs::temp_directory_path() / ("presence-switch-" + std::to_string(getpid()));
  fs::path value_ = folder_ / "value";
  PresenceSwitch switch_{{.source = safety::PresenceSource::kGpio, .value_file = value_.string()}};
};

TEST_F(PresenceSwitchTest, SaysWhatTheFileSaysNow) {
  Write("1\n");
  EXPECT_EQ(Look(), Reading::kNobody);
  Write("0\n");
  EXPECT_EQ(Look(), Reading::kSomebody);
  Write("1\n");
  EXPECT_EQ(Look(), Reading::kNobody);
}

TEST_F(PresenceSwitchTest, WhatCannotBeReadIsSomebody) {
  EXPECT_EQ(Look(), Reading::kSomebody) << "no file";
  fs::create_directory(value_);
  EXPECT_EQ(Look(), Reading::kSomebody) << "a folder";
  fs::remove(value_);
  Write("");
  EXPECT_EQ(Look(), Reading::kSomebody) << "an empty file";
  fs::remove(value_);
  ASSERT_EQ(mkfifo(value_.c_str(), 0600), 0);
  EXPECT_EQ(Look(), Reading::kSomebody) << "a pipe into which nobody writes";
}

TEST_F(PresenceSwitchTest, AThreadLooksAgainAndAgainUntilItIsStopped) {
  Write("1\n");
  pollfd opened{inotify_init1(IN_CLOEXEC), POLLIN, 0};
  ASSERT_GE(inotify_add_watch(opened.fd, value_.c_str(), IN_OPEN), 0);
  switch_.Start();
  for (int looks = 0; looks < 3; ++looks) {
    ASSERT_EQ(poll(&opened, 1, 20'000), 1) << looks;
    std::array<char, 4096> events;
    ASSERT_GT(read(opened.fd, events.data(), events.size()), 0);
  }
  switch_.Stop();
  EXPECT_EQ(switch_.box().newest()->reading, Reading::kNobody);
  EXPECT_GE(switch_.box().newest()->count, 3u);
  switch_.Stop();
  close(opened.fd);
}

}  // namespace
}  // namespace nightshift::runtime
