// SPDX-License-Identifier: Apache-2.0
#include "safety/state_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace nightshift::safety {
namespace {

namespace fs = std::filesystem;
using core::FaultCode;
using testing::HasSubstr;

class StateFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("state-" + std::to_string(getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Path() const { return (folder_ / "state").string(); }
  void Fill(const std::string& bytes) const { std::ofstream(Path(), std::ios::binary) << bytes; }
  static StoredState At(std::int64_t utc_ns) { return {.at = {.boot_id = "b", .utc_ns = utc_ns}, .state = {}}; }

  fs::path folder_;
};

TEST_F(StateFile, IsNotThereBeforeTheFirstStart) {
  const auto read = ReadStateFile(Path());
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_FALSE(*read);
}

TEST_F(StateFile, HoldsWhatWasWrittenLast) {
  ASSERT_TRUE(WriteStateFile(Path(), At(1)));
  ASSERT_TRUE(WriteStateFile(Path(), At(2)));
  const auto read = ReadStateFile(Path());
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->at.utc_ns, 2);
}

TEST_F(StateFile, ATornOneIsNamedWithWhatIsDoneWithoutIt) {
  const std::string whole = Encode(At(1));
  for (const std::string& bytes : {std::string(), whole.substr(0, whole.size() / 2), std::string(200'000, 'x')}) {
    Fill(bytes);
    const auto read = ReadStateFile(Path());
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, FaultCode::kCorruptState);
    EXPECT_THAT(read.error().detail, HasSubstr(Path()));
    EXPECT_THAT(read.error().detail, HasSubstr("first start after a boot"));
  }
}

TEST_F(StateFile, WhoeverDiesWhileWritingLeavesTheOldOne) {
  ASSERT_TRUE(WriteStateFile(Path(), At(1)));
  std::ofstream(Path() + ".new") << "half a st";
  EXPECT_EQ((*ReadStateFile(Path()))->at.utc_ns, 1);
  ASSERT_TRUE(WriteStateFile(Path(), At(2))) << "and what lies about is in nobody's way";
  EXPECT_EQ((*ReadStateFile(Path()))->at.utc_ns, 2);
}

/// The process lives for weeks and writes each second.
TEST_F(StateFile, NoDescriptorStaysOpenAndNobodyElseMayReadIt) {
  const auto open_ones = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  const mode_t mask = umask(0);
  const auto before = open_ones();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(WriteStateFile(Path(), At(i)));
    ASSERT_TRUE(ReadStateFile(Path()));
  }
  umask(mask);
  EXPECT_EQ(open_ones(), before);
  EXPECT_EQ(fs::status(Path()).permissions(), fs::perms(0640));
}

TEST_F(StateFile, WhatCannotBeSyncedIsNotWritten) {
  ASSERT_TRUE(WriteStateFile(Path(), At(1)));
  fs::create_symlink("/dev/null", Path() + ".new");
  const auto written = WriteStateFile(Path(), At(2));
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().detail, HasSubstr("cannot sync " + Path() + ".new"));
  EXPECT_EQ((*ReadStateFile(Path()))->at.utc_ns, 1);
}

TEST_F(StateFile, OneThatCannotBeOpenedIsNamedWithTheReason) {
  fs::create_symlink("state", Path());
  const auto read = ReadStateFile(Path());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, FaultCode::kIoFailed);
  EXPECT_THAT(read.error().detail, HasSubstr("cannot read " + Path() + ": Too many levels of symbolic links"));
}

TEST_F(StateFile, OneThatCannotBeReadOrReplacedIsNamed) {
  fs::create_directories(Path() + "/inside");
  EXPECT_EQ(ReadStateFile(Path()).error().code, FaultCode::kIoFailed);
  const auto written = WriteStateFile(Path(), At(1));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, FaultCode::kIoFailed);
  EXPECT_THAT(written.error().detail, HasSubstr("cannot replace " + Path()));
}

TEST_F(StateFile, OneThatCannotBeCreatedIsNamedToo) {
  const auto written = WriteStateFile((folder_ / "nowhere" / "state").string(), At(1));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, FaultCode::kIoFailed);
  EXPECT_THAT(written.error().detail, HasSubstr("cannot create"));
}

TEST_F(StateFile, AFullDiskIsCalledSoAndLeavesTheOldOne) {
  ASSERT_TRUE(WriteStateFile(Path(), At(1)));
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit little = before;
  little.rlim_cur = 100;  // Bytes a file may have: the write is cut short, as on a full disk.
  setrlimit(RLIMIT_FSIZE, &little);
  const auto written = WriteStateFile(Path(), At(2));
  setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, FaultCode::kDiskFull);
  EXPECT_EQ((*ReadStateFile(Path()))->at.utc_ns, 1);
}

}  // namespace
}  // namespace nightshift::safety
