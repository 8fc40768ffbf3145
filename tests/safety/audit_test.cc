// SPDX-License-Identifier: Apache-2.0
#include "safety/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace nightshift::safety {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class AuditTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("audit-") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  Audit::Options Options(std::size_t file_bytes_max = Audit::kFileBytesMax) const {
    return {.folder = folder_.string(), .utc_ns = [] { return std::int64_t{1234}; }, .file_bytes_max = file_bytes_max};
  }
  static AuditRecord Limited() {
    return {.at = core::Instant(core::Seconds(2.5)),
            .verdict = core::Verdict::kLimited,
            .limit = core::LimitId::kWorkspace,
            .axis = 0,
            .wanted = 0.01,
            .allowed = 0,
            .ticks_limited = 7,
            .sequence = 42,
            .latch = {}};
  }
  std::string Text(const std::string& file = "audit-000001.jsonl") const {
    std::ifstream in(folder_ / file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void Write(const std::string& text, const std::string& file = "audit-000001.jsonl") const {
    std::ofstream(folder_ / file, std::ios::trunc) << text;
  }

  fs::path folder_;
};

TEST_F(AuditTest, WritesOneLineForEachRecordWithLimitWantedAndAllowed) {
  auto audit = Audit::Open(Options());
  ASSERT_TRUE(audit) << audit.error().detail;
  audit->Push(Limited());
  ASSERT_TRUE(audit->Flush());
  EXPECT_THAT(Text(), HasSubstr(R"("verdict":"limited","limit":"workspace","axis":0,"wanted":0.01,"allowed":0)"));
  EXPECT_EQ(audit->written(), 1u);
  EXPECT_EQ(*VerifyAudit(folder_.string()), 1u);
}

TEST_F(AuditTest, GoesOnWithItsChainAfterARestart) {
  for (int start = 0; start < 3; ++start) {
    auto audit = Audit::Open(Options());
    ASSERT_TRUE(audit);
    audit->Push(Limited());
    ASSERT_TRUE(audit->Flush());
  }
  const auto lines = VerifyAudit(folder_.string());
  ASSERT_TRUE(lines) << lines.error().detail;
  EXPECT_EQ(*lines, 3u);
}

TEST_F(AuditTest, ShowsAChangedAndARemovedLine) {
  {
    auto audit = Audit::Open(Options());
    for (int i = 0; i < 3; ++i) audit->Push(Limited());
    ASSERT_TRUE(audit->Flush());
  }
  const std::string whole = Text();
  std::string changed = whole;
  changed.replace(changed.find("0.01"), 4, "0.00");
  Write(changed);
  EXPECT_EQ(VerifyAudit(folder_.string()).error().code, core::FaultCode::kCorruptState);
  const auto first_end = whole.find('\n') + 1;
  Write(whole.substr(first_end));
  EXPECT_FALSE(VerifyAudit(folder_.string()));
}

TEST_F(AuditTest, DropsALineThatACrashTore) {
  {
    auto audit = Audit::Open(Options());
    audit->Push(Limited());
    audit->Push(Limited());
    ASSERT_TRUE(audit->Flush());
  }
  const std::string whole = Text();
  Write(whole.substr(0, whole.size() - 20));
  auto audit = Audit::Open(Options());
  ASSERT_TRUE(audit);
  audit->Push(Limited());
  ASSERT_TRUE(audit->Flush());
  EXPECT_EQ(*VerifyAudit(folder_.string()), 2u);
}

TEST_F(AuditTest, BeginsANewFileWhenOneIsFullAndKeepsABoundedNumber) {
  auto audit = Audit::Open(Options(100));
  ASSERT_TRUE(audit);
  for (int i = 0; i < Audit::kFilesMax + 20; ++i) {
    audit->Push(Limited());
    ASSERT_TRUE(audit->Flush());
  }
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder_)) files += entry.path().extension() == ".jsonl" ? 1 : 0;
  EXPECT_EQ(files, Audit::kFilesMax);
  const auto lines = VerifyAudit(folder_.string());
  EXPECT_TRUE(lines) << lines.error().detail;
}

TEST_F(AuditTest, CountsWhatDoesNotFitIntoItsQueue) {
  auto audit = Audit::Open(Options());
  for (int i = 0; i < 5000; ++i) audit->Push(Limited());
  EXPECT_GT(audit->dropped(), 0u);
  ASSERT_TRUE(audit->Flush());
  EXPECT_EQ(audit->written() + audit->dropped(), 5000u);
}

TEST_F(AuditTest, BelongsToOneProcess) {
  auto first = Audit::Open(Options());
  ASSERT_TRUE(first);
  const auto second = Audit::Open(Options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, core::FaultCode::kAlreadyRunning);
}

TEST_F(AuditTest, SaysWhereItCannotWrite) {
  auto options = Options();
  options.folder = "/proc/nightshift-audit";
  const auto audit = Audit::Open(options);
  ASSERT_FALSE(audit);
  EXPECT_EQ(audit.error().code, core::FaultCode::kIoFailed);
  EXPECT_THAT(audit.error().detail, HasSubstr("/proc/nightshift-audit"));
}

}  // namespace
}  // namespace nightshift::safety
