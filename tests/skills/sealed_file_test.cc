// SPDX-License-Identifier: Apache-2.0
#include "skills/sealed_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace nightshift::skills {
namespace {

using core::FaultCode;

class SealedFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / ("sealed_" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = (folder_ / "file").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(SealedFile, IsReadBackAsWritten) {
  ASSERT_TRUE(WriteSealed(path_, "content"));
  EXPECT_EQ(ReadSealed(path_, FaultCode::kCorruptState).value(), "content");
}

TEST_F(SealedFile, OfMoreThanIsReadBackIsNotWrittenOverTheOneThatIsThere) {
  ASSERT_TRUE(WriteSealed(path_, "old"));
  const auto written = WriteSealed(path_, std::string(kSealedFileBytesMax, 'x'));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, FaultCode::kIoFailed);
  EXPECT_THAT(written.error().detail, testing::HasSubstr("at most"));
  EXPECT_EQ(ReadSealed(path_, FaultCode::kCorruptState).value(), "old");
}

}  // namespace
}  // namespace nightshift::skills
