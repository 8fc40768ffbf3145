// SPDX-License-Identifier: Apache-2.0
#include "runtime/audit_writer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <future>

namespace nightshift::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kWait{20};  // Bounds a test that fails.

class AuditWriterTest : public testing::Test {
 protected:
  AuditWriterTest() : folder_(fs::path(testing::TempDir()) / "audit-writer") { fs::remove_all(folder_); }
  ~AuditWriterTest() override { fs::remove_all(folder_); }
  safety::Audit Open() const {
    return *safety::Audit::Open(
        {.folder = folder_.string(), .utc_ns = [] { return std::int64_t{0}; }, .file_bytes_max = 100});
  }

  fs::path folder_;
};

TEST_F(AuditWriterTest, WritesWhatIsPushedWithoutBeingAsked) {
  safety::Audit audit = Open();
  std::promise<void> written;
  bool told = false;
  const AuditWriter writer(audit, [&](const core::Result<void>& flushed) {
    if (!flushed || audit.written() == 0 || std::exchange(told, true)) return;
    written.set_value();
  });
  audit.Push({});
  EXPECT_EQ(written.get_future().wait_for(kWait), std::future_status::ready);
}

TEST_F(AuditWriterTest, WritesWhatIsLeftBeforeItEnds) {
  safety::Audit audit = Open();
  {
    const AuditWriter writer(audit, [](const core::Result<void>&) {});
    for (int i = 0; i < 500; ++i) audit.Push({});
  }
  EXPECT_EQ(audit.written(), 500u);
  EXPECT_EQ(*safety::VerifyAudit(folder_.string()), 500u);
}

TEST_F(AuditWriterTest, TellsOfTriesThatFailedAndGoesOn) {
  safety::Audit audit = Open();
  audit.Push({});
  ASSERT_TRUE(audit.Flush());
  fs::create_symlink("audit-000002.jsonl", folder_ / "audit-000002.jsonl");  // To itself: the next file cannot be made.
  std::promise<void> failed;
  bool told = false;
  {
    const AuditWriter writer(audit, [&](const core::Result<void>& flushed) {
      if (!flushed && !std::exchange(told, true)) failed.set_value();
    });
    audit.Push({});
    EXPECT_EQ(failed.get_future().wait_for(kWait), std::future_status::ready);
    fs::remove(folder_ / "audit-000002.jsonl");
  }
  EXPECT_EQ(audit.written(), 2u);
}

}  // namespace
}  // namespace nightshift::runtime
