// SPDX-License-Identifier: Apache-2.0
#include "runtime/snapshot_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/fakes/constant_policy.h"
#include "tests/fakes/constant_risk.h"

namespace nightshift::runtime {
namespace {

using core::FaultCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SnapshotFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path = std::filesystem::path(testing::TempDir()) / (std::string("snapshots-") + test->name());
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  void TearDown() override { std::filesystem::remove_all(path); }

  std::string File(const std::string& task, std::int64_t version) const {
    return (path / (task + "-" + std::to_string(version) + ".nspolicy")).string();
  }
  void Publishes(const std::string& task, std::int64_t version) {
    ASSERT_TRUE(WriteSnapshot(File(task, version), tests::ConstantPolicy(task, version, 1)));
  }
  void Damages(const std::string& file) {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(40);
    bytes.put('\x7f');
  }
  std::vector<std::pair<std::string, std::int64_t>> New() {
    std::vector<std::pair<std::string, std::int64_t>> fresh;
    for (const auto& snapshot : folder().New()) fresh.emplace_back(snapshot.task, snapshot.version);
    return fresh;
  }
  SnapshotFolder& folder() {
    if (!folder_) folder_.emplace(path, [this](const core::Fault& fault) { faults.push_back(fault); });
    return *folder_;
  }

  std::filesystem::path path;
  std::vector<core::Fault> faults;

 private:
  std::optional<SnapshotFolder> folder_;
};

TEST_F(SnapshotFolderTest, TellsTheNewestOfEachTaskOnce) {
  Publishes("pick", 9);
  Publishes("pick", 10);
  Publishes("place", 4);
  EXPECT_THAT(New(), ElementsAre(std::pair("pick", 10), std::pair("place", 4)));
  EXPECT_THAT(New(), IsEmpty());
  Publishes("pick", 11);
  EXPECT_THAT(New(), ElementsAre(std::pair("pick", 11)));
}

TEST_F(SnapshotFolderTest, UnderstandsTaskNamesWithDashes) {
  Publishes("regain-dropped-in-tray", 3);
  EXPECT_THAT(New(), ElementsAre(std::pair("regain-dropped-in-tray", 3)));
}

TEST_F(SnapshotFolderTest, OverlooksWhatIsNotASnapshot) {
  for (const char* name : {"notes.txt", "pick.nspolicy", "pick-x.nspolicy", "pick-3.nspolicy.tmp"})
    std::ofstream(path / name) << "anything";
  EXPECT_THAT(New(), IsEmpty());
  EXPECT_THAT(faults, IsEmpty());
}

TEST_F(SnapshotFolderTest, TellsOfACorruptFileOnceAndGoesOnWithTheNextVersion) {
  Publishes("pick", 1);
  Damages(File("pick", 1));
  EXPECT_THAT(New(), IsEmpty());
  EXPECT_THAT(New(), IsEmpty());
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].code, FaultCode::kCorruptSnapshot);
  Publishes("pick", 2);
  EXPECT_THAT(New(), ElementsAre(std::pair("pick", 2)));
}

TEST_F(SnapshotFolderTest, RefusesAFileThatIsNotWhatItsNameSays) {
  ASSERT_TRUE(WriteSnapshot(File("pick", 5), tests::ConstantPolicy("place", 5, 1)));
  EXPECT_THAT(New(), IsEmpty());
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_THAT(faults[0].detail, HasSubstr("task place"));
}

TEST_F(SnapshotFolderTest, AFolderThatIsNotThereYetIsEmpty) {
  std::filesystem::remove_all(path);
  EXPECT_THAT(New(), IsEmpty());
  EXPECT_THAT(faults, IsEmpty());
}

TEST_F(SnapshotFolderTest, FindsAVersionByName) {
  Publishes("pick", 2);
  const auto found = folder().Find("pick", 2);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->version, 2);
}

TEST_F(SnapshotFolderTest, FindsNothingInAFileThatIsNotWhatItsNameSays) {
  ASSERT_TRUE(WriteSnapshot(File("pick", 5), tests::ConstantPolicy("pick", 4, 1)));
  EXPECT_FALSE(folder().Find("pick", 5)) << "what is deployed after a restart must be what was promoted";
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].code, FaultCode::kCorruptSnapshot);
  EXPECT_THAT(faults[0].detail, HasSubstr("says it is version 4"));
}

TEST_F(SnapshotFolderTest, SaysThatAVersionIsGone) {
  EXPECT_FALSE(folder().Find("pick", 7));
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].code, FaultCode::kMissingFile);
}

TEST_F(SnapshotFolderTest, TellsTheRiskCriticOnceAndAgainWhenItWasReplaced) {
  const std::string file = (path / skills::kRiskFileName).string();
  EXPECT_FALSE(folder().NewRisk()) << "there is none yet";
  const auto publishes = [&](std::int64_t updates, int seconds) {
    auto snapshot = tests::ConstantRisk(0.5);
    snapshot.report.updates = updates;
    ASSERT_TRUE(WriteRiskSnapshot(file, snapshot));
    std::filesystem::last_write_time(file, std::filesystem::file_time_type{} + std::chrono::seconds(seconds));
  };
  publishes(100, 1000);
  const auto first = folder().NewRisk();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->report.updates, 100);
  EXPECT_FALSE(folder().NewRisk());
  publishes(200, 1001);
  EXPECT_EQ(folder().NewRisk()->report.updates, 200);
  EXPECT_THAT(New(), IsEmpty()) << "it is no policy";
}

TEST_F(SnapshotFolderTest, TellsOfACorruptRiskCriticOnce) {
  const std::string file = (path / skills::kRiskFileName).string();
  ASSERT_TRUE(WriteRiskSnapshot(file, tests::ConstantRisk(0.5)));
  Damages(file);
  EXPECT_FALSE(folder().NewRisk());
  EXPECT_FALSE(folder().NewRisk());
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].code, FaultCode::kCorruptSnapshot);
}

}  // namespace
}  // namespace nightshift::runtime
