// SPDX-License-Identifier: Apache-2.0
#include "runtime/state_keeper.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <vector>

#include "safety/state_file.h"

namespace nightshift::runtime {
namespace {

namespace fs = std::filesystem;

/// A keeper on a fresh folder, and what it said.
class StateKeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("keeper-" + std::to_string(getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Path() const { return (folder_ / "state").string(); }
  StateKeeper::Parts Parts(const std::string& path) {
    return {.path = path,
            .now = [this] { return safety::Moment{.boot_id = "b", .since_boot_ns = 5, .utc_ns = ++clock_}; },
            .written =
                [this](const core::Result<void>& written) {
                  const std::lock_guard lock(mutex_);
                  said_.push_back(written);
                  heard_.notify_all();
                }};
  }
  static safety::SafetyState Heat(double heat) {
    safety::SafetyState state;
    state.spent.heat[0] = heat;
    return state;
  }
  void AwaitWrites(std::size_t count) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(heard_.wait_for(lock, std::chrono::seconds(20), [&] { return said_.size() >= count; }));
  }

  fs::path folder_;
  std::int64_t clock_ = 100;
  std::mutex mutex_;
  std::condition_variable heard_;
  std::vector<core::Result<void>> said_;  // Guarded by mutex_.
};

TEST_F(StateKeeperTest, WritesByItselfWhatIsKeptWithTheMomentItWasKept) {
  StateKeeper keeper(Parts(Path()));
  keeper.Keep(Heat(0.25));
  AwaitWrites(1);
  const auto stored = safety::ReadStateFile(Path());
  ASSERT_TRUE(stored && *stored);
  EXPECT_EQ((*stored)->state.spent.heat[0], 0.25);
  EXPECT_EQ((*stored)->at.utc_ns, 101);
  EXPECT_EQ((*stored)->at.boot_id, "b");
}

TEST_F(StateKeeperTest, WritesTheNewestAtTheEndAndNothingWhereNothingWasKept) {
  { StateKeeper keeper(Parts(Path())); }
  EXPECT_FALSE(fs::exists(Path()));
  {
    StateKeeper keeper(Parts(Path()));
    keeper.Keep(Heat(0.5));
    keeper.Keep(Heat(0.75));
  }
  EXPECT_EQ((*safety::ReadStateFile(Path()))->state.spent.heat[0], 0.75);
}

TEST_F(StateKeeperTest, SaysSoWhenItCannotWriteAndTriesAgain) {
  const fs::path later = folder_ / "later";
  StateKeeper keeper(Parts((later / "state").string()));
  keeper.Keep(Heat(0.5));
  AwaitWrites(1);
  EXPECT_EQ(said_.at(0).error().code, core::FaultCode::kIoFailed);
  fs::create_directories(later);
  keeper.Keep(Heat(0.5));
  AwaitWrites(2);
  EXPECT_TRUE(said_.at(1));
}

TEST(BootId, IsTheFilesWordAndEmptyWhereThereIsNone) {
  const fs::path file = fs::temp_directory_path() / ("boot-" + std::to_string(getpid()));
  std::ofstream(file) << "0f1e-22\n";
  EXPECT_EQ(ReadBootId(file), "0f1e-22");
  fs::remove(file);
  EXPECT_EQ(ReadBootId(file), "");
  EXPECT_EQ(ReadBootId(kBootIdFile).size(), 36u) << "of this machine";
}

}  // namespace
}  // namespace nightshift::runtime
