// SPDX-License-Identifier: Apache-2.0
#include "safety/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
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
            .ticks = 7,
            .sequence = 42,
            .input_hash = 0xff,
            .latch = {}};
  }
  void WriteThreeFiles() const {
    auto audit = Audit::Open(Options(100));
    for (int i = 0; i < 3; ++i) {
      audit->Push(Limited());
      ASSERT_TRUE(audit->Flush());
    }
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

TEST_F(AuditTest, WritesEveryFieldAndAHashThatOthersCanWorkOut) {
  auto audit = Audit::Open(Options());
  ASSERT_TRUE(audit);
  AuditRecord record = Limited();
  record.axis = 3;
  record.allowed = -2.5;
  record.latch = {.first = core::StopCause::kStall, .worst = core::StopCause::kHot, .id = 6, .nonce = 1, .epoch = 5};
  audit->Push(record);
  audit->Push(record);
  ASSERT_TRUE(audit->Flush());
  const std::string content =
      R"({"utc_ns":1234,"robot_ns":2500000000,"verdict":"limited","limit":"workspace","axis":3,"wanted":0.01,)"
      R"("allowed":-2.5,"margin":-2.51,"ticks":7,"sequence":42,"input":"00000000000000ff","epoch":5,"latch":6,)"
      R"("first":"stall","worst":"hot","dropped":0)";
  // BLAKE2b of 16 bytes over the chain before, 32 zeros at first, and the content; by Python's hashlib.
  EXPECT_EQ(Text(), content + ",\"chain\":\"8930f3250432b6a6f1ac7b01a5e9e5c5\"}\n" + content +
                        ",\"chain\":\"502c1d30de49ced5e142035525c45453\"}\n");
}

TEST_F(AuditTest, GoesOnInTheNewestFile) {
  {
    auto audit = Audit::Open(Options(100));
    for (int i = 0; i < 12; ++i) {
      audit->Push(Limited());
      ASSERT_TRUE(audit->Flush());
    }
  }
  auto audit = Audit::Open(Options());
  ASSERT_TRUE(audit);
  audit->Push(Limited());
  ASSERT_TRUE(audit->Flush());
  const std::string newest = Text("audit-000012.jsonl");
  EXPECT_EQ(std::count(newest.begin(), newest.end(), '\n'), 2);
  EXPECT_FALSE(fs::exists(folder_ / "audit-000013.jsonl"));
  const auto lines = VerifyAudit(folder_.string());
  ASSERT_TRUE(lines) << lines.error().detail;
  EXPECT_EQ(*lines, 13u);
}

TEST_F(AuditTest, MayBeReadByItsGroupAndByNobodyElse) {
  const mode_t before = umask(0);
  const auto audit = Audit::Open(Options());
  umask(before);
  ASSERT_TRUE(audit);
  for (const char* file : {"lock", "audit-000001.jsonl"})
    EXPECT_EQ(fs::status(folder_ / file).permissions(),
              fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read)
        << file;
}

TEST_F(AuditTest, KeepsOneFileOpenAndNoneAfterItsEnd) {
  const auto open_files = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  const auto before = open_files();
  {
    auto audit = Audit::Open(Options(100));
    ASSERT_TRUE(audit);
    EXPECT_EQ(open_files(), before + 2) << "and its lock";
    for (int i = 0; i < 5; ++i) {
      audit->Push(Limited());
      ASSERT_TRUE(audit->Flush());
    }
    EXPECT_EQ(open_files(), before + 2);
  }
  EXPECT_EQ(open_files(), before);
}

TEST_F(AuditTest, DeletesAllFilesThatAreTooMany) {
  fs::create_directories(folder_);
  for (int i = 101; i < 101 + Audit::kFilesMax + 5; ++i) Write("", "audit-000" + std::to_string(i) + ".jsonl");
  ASSERT_TRUE(Audit::Open(Options()));
  EXPECT_FALSE(fs::exists(folder_ / "audit-000105.jsonl"));
  EXPECT_TRUE(fs::exists(folder_ / "audit-000106.jsonl"));
}

TEST_F(AuditTest, AFileIsFullBeyond16MiB) {
  for (const bool full : {false, true}) {
    fs::create_directories(folder_);
    Write(std::string((16u << 20) + full, '\n'));
    auto audit = Audit::Open(Options());
    ASSERT_TRUE(audit);
    audit->Push(Limited());
    ASSERT_TRUE(audit->Flush());
    EXPECT_EQ(fs::exists(folder_ / "audit-000002.jsonl"), full);
    fs::remove_all(folder_);
  }
}

TEST_F(AuditTest, FillsAFileBeforeItBeginsANewOne) {
  auto audit = Audit::Open(Options(700));
  ASSERT_TRUE(audit);
  for (int i = 0; i < 4; ++i) {
    audit->Push(Limited());
    ASSERT_TRUE(audit->Flush());
  }
  const std::string first = Text();
  EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), 3) << "lines of about 300 bytes";
}

TEST_F(AuditTest, GoesOnWithItsChainBehindAFileThatIsStillEmpty) {
  {
    auto audit = Audit::Open(Options());
    audit->Push(Limited());
    ASSERT_TRUE(audit->Flush());
  }
  Write("", "audit-000002.jsonl");
  auto audit = Audit::Open(Options());
  ASSERT_TRUE(audit);
  audit->Push(Limited());
  ASSERT_TRUE(audit->Flush());
  EXPECT_FALSE(Text("audit-000002.jsonl").empty());
  const auto lines = VerifyAudit(folder_.string());
  ASSERT_TRUE(lines) << lines.error().detail;
  EXPECT_EQ(*lines, 2u);
}

TEST_F(AuditTest, DropsATornFirstLine) {
  fs::create_directories(folder_);
  Write("{\"utc_ns\":12");
  auto audit = Audit::Open(Options());
  ASSERT_TRUE(audit);
  audit->Push(Limited());
  ASSERT_TRUE(audit->Flush());
  EXPECT_EQ(*VerifyAudit(folder_.string()), 1u);
}

TEST_F(AuditTest, OverlooksWhatIsNoneOfItsFiles) {
  fs::create_directories(folder_);
  Write("no line of ours\n", "audit-000009.json");
  Write("no line of ours\n", "notes.jsonl");
  auto audit = Audit::Open(Options());
  ASSERT_TRUE(audit);
  audit->Push(Limited());
  ASSERT_TRUE(audit->Flush());
  EXPECT_EQ(*VerifyAudit(folder_.string()), 1u);
}

TEST_F(AuditTest, ShowsWhichLineOfWhichFileIsWrong) {
  {
    auto audit = Audit::Open(Options());
    for (int i = 0; i < 3; ++i) audit->Push(Limited());
    ASSERT_TRUE(audit->Flush());
  }
  const std::string whole = Text();
  const auto second = whole.find('\n') + 1, third = whole.find('\n', second) + 1;
  const auto fault_with = [&](std::size_t at, const std::string& text) {
    std::string changed = whole;
    changed.replace(at, text.size(), text);
    Write(changed);
    const auto verified = VerifyAudit(folder_.string());
    return verified ? std::string() : verified.error().detail;
  };
  EXPECT_EQ(fault_with(0, "{"), "");
  EXPECT_THAT(fault_with(0, "["), HasSubstr("audit-000001.jsonl line 1 does not"));
  EXPECT_THAT(fault_with(second, "["), HasSubstr("line 2 does not"));
  EXPECT_THAT(fault_with(third - 2, "]"), HasSubstr("line 2 does not")) << "no end of ours";
  EXPECT_THAT(fault_with(whole.size() - 4, "!"), HasSubstr("line 3 does not")) << "another hash";
  EXPECT_THAT(fault_with(whole.size() - 1, "!"), HasSubstr("line 3 does not")) << "no line's end";
  EXPECT_THAT(fault_with(whole.size() - 1, "\"}\n"), HasSubstr("line 3 does not")) << "something behind its end";
  EXPECT_THAT(fault_with(whole.size() - 45, "!"), HasSubstr("line 3 does not")) << "no chain";
}

TEST_F(AuditTest, ShowsAFileThatWasTakenFromTheMiddle) {
  WriteThreeFiles();
  fs::remove(folder_ / "audit-000002.jsonl");
  EXPECT_THAT(VerifyAudit(folder_.string()).error().detail, HasSubstr("audit-000003.jsonl line 1"));
  fs::remove(folder_ / "audit-000001.jsonl");
  EXPECT_EQ(*VerifyAudit(folder_.string()), 1u) << "the oldest may be gone";
}

TEST_F(AuditTest, ShowsAChangeAlsoWhereTheOldestFilesAreGone) {
  WriteThreeFiles();
  fs::remove(folder_ / "audit-000001.jsonl");
  std::string third = Text("audit-000003.jsonl");
  Write(third.replace(third.find("0.01"), 4, "0.00"), "audit-000003.jsonl");
  EXPECT_THAT(VerifyAudit(folder_.string()).error().detail, HasSubstr("audit-000003.jsonl line 1"));
}

TEST_F(AuditTest, GoesOnWithItsChainOverFiles) {
  WriteThreeFiles();
  std::string second = Text("audit-000002.jsonl");
  Write(second.replace(second.find("0.01"), 4, "0.00"), "audit-000002.jsonl");
  EXPECT_THAT(VerifyAudit(folder_.string()).error().detail, HasSubstr("audit-000002.jsonl line 1"));
}

/// No file of this process may become larger, as on a full disk. Its tests run in one thread.
class FilesNoLargerThan {
 public:
  explicit FilesNoLargerThan(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FilesNoLargerThan() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = std::signal(SIGXFSZ, SIG_IGN);  // The write fails instead.
};

TEST_F(AuditTest, KeepsRecordsThatItCouldNotWriteAndWritesEachOnce) {
  auto audit = Audit::Open(Options());
  ASSERT_TRUE(audit);
  audit->Push(Limited());
  ASSERT_TRUE(audit->Flush());
  const auto size = Text().size();
  audit->Push(Limited());
  {
    const FilesNoLargerThan full(size + 100);  // A part of the line arrives.
    const auto flushed = audit->Flush();
    ASSERT_FALSE(flushed);
    EXPECT_EQ(flushed.error().code, core::FaultCode::kDiskFull);
    EXPECT_THAT(flushed.error().detail, HasSubstr("No space left"));
    EXPECT_EQ(Text().size(), size) << "and is taken back";
  }
  {
    const FilesNoLargerThan full(size);
    const auto flushed = audit->Flush();
    ASSERT_FALSE(flushed);
    EXPECT_EQ(flushed.error().code, core::FaultCode::kIoFailed);
    EXPECT_THAT(flushed.error().detail, HasSubstr("cannot append to audit-000001.jsonl: File too large"));
  }
  EXPECT_EQ(audit->written(), 1u);
  audit->Push(Limited());
  ASSERT_TRUE(audit->Flush());
  EXPECT_EQ(audit->written(), 3u);
  EXPECT_EQ(*VerifyAudit(folder_.string()), 3u);
}

TEST_F(AuditTest, TakesNothingBackOfWhatAnEarlierStartWrote) {
  for (int start = 0; start < 2; ++start) {
    auto audit = Audit::Open(Options());
    ASSERT_TRUE(audit);
    audit->Push(Limited());
    const FilesNoLargerThan full(start == 0 ? RLIM_INFINITY : Text().size() + 100);
    EXPECT_EQ(audit->Flush().has_value(), start == 0);
  }
  EXPECT_EQ(*VerifyAudit(folder_.string()), 1u);
}

TEST_F(AuditTest, SaysWhichFileItCannotRead) {
  fs::create_directories(folder_ / "audit-000001.jsonl");  // A folder where a file should be: reading it fails.
  const auto opened = Audit::Open(Options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, core::FaultCode::kIoFailed);
  EXPECT_THAT(opened.error().detail, HasSubstr("audit-000001.jsonl"));
  const auto verified = VerifyAudit(folder_.string());
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, core::FaultCode::kIoFailed);
  EXPECT_THAT(verified.error().detail, HasSubstr("Is a directory"));
  Write("", "audit-000002.jsonl");
  EXPECT_FALSE(Audit::Open(Options())) << "what its next line follows from cannot be read";
}

TEST_F(AuditTest, FailsWhereItCannotBeginANewFile) {
  auto audit = Audit::Open(Options(100));
  ASSERT_TRUE(audit);
  audit->Push(Limited());
  ASSERT_TRUE(audit->Flush());
  fs::create_symlink("audit-000002.jsonl", folder_ / "audit-000002.jsonl");  // To itself.
  audit->Push(Limited());
  const auto flushed = audit->Flush();
  ASSERT_FALSE(flushed);
  EXPECT_THAT(flushed.error().detail, HasSubstr("cannot open"));
  fs::remove(folder_ / "audit-000002.jsonl");
  EXPECT_TRUE(audit->Flush());
  EXPECT_EQ(*VerifyAudit(folder_.string()), 2u);
}

TEST_F(AuditTest, KeepsAsManyRecordsAsItsQueueTwiceHoldsAndSaysHowManyItDropped) {
  auto audit = Audit::Open(Options());
  ASSERT_TRUE(audit);
  {
    const FilesNoLargerThan full(0);
    for (int i = 0; i < 8192; ++i) audit->Push(Limited());
    EXPECT_EQ(audit->dropped(), 0u);
    EXPECT_FALSE(audit->Flush());  // These lines wait, and the queue is free again.
    for (int i = 0; i < 8192; ++i) audit->Push(Limited());
    EXPECT_EQ(audit->dropped(), 0u);
    EXPECT_FALSE(audit->Flush());
    audit->Push(Limited());
    EXPECT_EQ(audit->dropped(), 1u);
  }
  ASSERT_TRUE(audit->Flush());
  EXPECT_EQ(audit->written(), 8192u);
  ASSERT_TRUE(audit->Flush());
  EXPECT_EQ(audit->written(), 16384u);
  EXPECT_EQ(*VerifyAudit(folder_.string()), 16384u);
  EXPECT_THAT(Text(), HasSubstr("\"dropped\":1,"));
}

TEST_F(AuditTest, SaysWhichFileOrFolderItCannotUse) {
  fs::create_directories(folder_);
  fs::create_symlink("audit-000001.jsonl", folder_ / "audit-000001.jsonl");  // To itself.
  const auto opened = Audit::Open(Options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, core::FaultCode::kIoFailed);
  EXPECT_THAT(opened.error().detail, HasSubstr("cannot read " + folder_.string() + "/audit-000001.jsonl"));
  fs::remove_all(folder_);
  fs::create_directories(folder_ / "lock");
  const auto locked = Audit::Open(Options());
  ASSERT_FALSE(locked);
  EXPECT_THAT(locked.error().detail, HasSubstr("cannot create " + folder_.string() + "/lock"));
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
  for (int i = 0; i < 20000; ++i) audit->Push(Limited());
  EXPECT_GT(audit->dropped(), 0u);
  ASSERT_TRUE(audit->Flush());
  EXPECT_EQ(audit->written() + audit->dropped(), 20000u);
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
  EXPECT_THAT(audit.error().detail, HasSubstr("cannot create /proc/nightshift-audit: "));
}

}  // namespace
}  // namespace nightshift::safety
