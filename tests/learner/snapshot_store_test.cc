// SPDX-License-Identifier: Apache-2.0
#include "learner/snapshot_store.h"

#include <gtest/gtest.h>

#include "learner/agent.h"

namespace nightshift::learner {
namespace {

class Snapshots : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("snapshots_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::int64_t Write(SnapshotStore& store, const std::string& task) {
    AgentConfig config;
    config.width = 8;
    return store.Write(task, 5, Agent(config, 1).Weights()).value();
  }

  std::filesystem::path folder_;
};

TEST_F(Snapshots, AreReadBackAsWritten) {
  auto store = SnapshotStore::Open(folder_, 0);
  ASSERT_TRUE(store);
  const auto version = Write(*store, "pick");
  const auto snapshot = skills::ReadSnapshot(store->PathOf("pick", version).string());
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->task, "pick");
  EXPECT_EQ(snapshot->version, version);
  EXPECT_EQ(snapshot->updates, 5);
}

TEST_F(Snapshots, NeverReuseAVersionOverTasksAndRestarts) {
  {
    auto store = SnapshotStore::Open(folder_, 0);
    EXPECT_EQ(Write(*store, "pick"), 1);
    EXPECT_EQ(Write(*store, "recover-dropped"), 2);
  }
  auto again = SnapshotStore::Open(folder_, 0);
  EXPECT_EQ(Write(*again, "pick"), 3);
  auto remembered = SnapshotStore::Open(folder_, 40);
  EXPECT_EQ(Write(*remembered, "pick"), 41);
}

TEST_F(Snapshots, GoOldestFirstExceptThoseThatAreNeeded) {
  auto store = SnapshotStore::Open(folder_, 0);
  for (int i = 0; i < 6; ++i) Write(*store, "pick");
  Write(*store, "place");
  EXPECT_EQ(store->Prune("pick", 2, {1}), 3);
  for (const std::int64_t left : {1, 5, 6}) EXPECT_TRUE(std::filesystem::exists(store->PathOf("pick", left))) << left;
  EXPECT_FALSE(std::filesystem::exists(store->PathOf("pick", 4)));
  EXPECT_TRUE(std::filesystem::exists(store->PathOf("place", 7)));
}

TEST_F(Snapshots, CannotBeKeptWhereAFileIsInTheWay) {
  std::filesystem::create_directories(folder_.parent_path());
  {
    std::FILE* file = std::fopen(folder_.c_str(), "w");
    std::fclose(file);
  }
  const auto store = SnapshotStore::Open(folder_, 0);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, core::FaultCode::kIoFailed);
}

}  // namespace
}  // namespace nightshift::learner
