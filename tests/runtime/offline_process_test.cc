// SPDX-License-Identifier: Apache-2.0
// nightshift-learner --offline as a process: what it leaves behind, what it says, how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "io/journal/instance_lock.h"
#include "io/journal/sqlite_journal.h"
#include "runtime/exit_codes.h"
#include "runtime/offline_service.h"
#include "skills/policy.h"
#include "tests/learner/point_world.h"
#include "tests/runtime/child_process.h"

namespace nightshift::runtime {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tests::PointWorld;

constexpr char kConfiguration[] = R"(
[cell]
model_file = "model.xml"
[learner.agent]
width = 64
batch = 128
learning_rate = 1e-3
clone_updates = 300
offline_updates = 200
[learner.offline.cloning]
updates = 400
[learner.offline.implicit_q]
updates = 600
learning_rate = 1e-3
[learner.offline.conservative_q]
updates = 150
[[tasks]]
name = "reach"
start = "tip_distance > 0.03"
success = "tip_distance < 0.012"
time_limit_s = 1.4
script = "pick"
)";

/// A data directory, a configuration file, and the program.
class OfflineProcess : public testing::Test {
 protected:
  void SetUp() override {
    data_ = std::filesystem::path("/tmp") / ("ns_offline_" + std::to_string(::getpid()));
    std::filesystem::remove_all(data_);
    std::filesystem::create_directories(data_);
    std::ofstream(data_ / "model.xml") << "<mujoco/>";
  }
  void TearDown() override { std::filesystem::remove_all(data_); }

  void Journal(int episodes) {
    auto journal = io::SqliteJournal::Open(data_);
    ASSERT_TRUE(journal) << journal.error().detail;
    for (int i = 0; i < episodes; ++i) {
      core::Episode episode = world_.Script();
      episode.id = (*journal)->NextEpisodeId();
      ASSERT_TRUE((*journal)->Begin(episode));
      for (std::size_t s = 0; s < episode.steps.size(); ++s)
        ASSERT_TRUE((*journal)->Append(episode.id, static_cast<int>(s), episode.steps[s]));
      ASSERT_TRUE((*journal)->Close(episode));
    }
  }

  /// The exit code, if it ends in time.
  std::optional<int> Run(const std::string& algorithm, const std::string& more = "") {
    std::ofstream(data_ / "robot.toml") << more << "\n[learner.offline]\nalgorithm = \"" << algorithm << "\"\n"
                                        << kConfiguration;
    const std::string command = std::string("exec ") + NIGHTSHIFT_LEARNER_PROGRAM + " --offline --config " +
                                (data_ / "robot.toml").string() + " --data " + data_.string() + " > " +
                                (data_ / "said").string();
    Child child({"/bin/sh", "-c", command}, data_ / "log");
    return child.Ended();
  }

  std::string TextOf(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(data_ / name).rdbuf();
    return text.str();
  }
  std::string Manifest() const { return (data_ / "learner" / "manifest").string(); }
  std::string SnapshotFile(int version) const {
    return (data_ / "snapshots" / ("reach-" + std::to_string(version) + ".nspolicy")).string();
  }

  LearnerServiceOptions Options() const {
    LearnerServiceOptions options;
    options.learner = tests::SmallConfig();
    options.scene = world_.scene();
    options.tasks = {PointWorld::Reach()};
    options.data_directory = data_;
    return options;
  }

  std::filesystem::path data_;
  PointWorld world_{1};
};

TEST_F(OfflineProcess, ExtractsAPolicyByEachAlgorithmAndSaysSo) {
  Journal(40);
  for (const std::string algorithm : {"cloning", "implicit_q", "conservative_q"}) {
    std::filesystem::remove_all(data_ / "learner");
    std::filesystem::remove_all(data_ / "snapshots");
    EXPECT_EQ(Run(algorithm), kExitDone) << TextOf("log");
    EXPECT_THAT(TextOf("said"), AllOf(HasSubstr("read 40 episodes"), HasSubstr("reach: " + algorithm + " made"),
                                      HasSubstr("reach-1.nspolicy"), HasSubstr("learner/manifest")));
    const auto snapshot = skills::ReadSnapshot(SnapshotFile(1));
    ASSERT_TRUE(snapshot) << snapshot.error().detail;
    auto policy = skills::LearnedPolicy::Make(snapshot->weights);
    ASSERT_TRUE(policy);
    const double least = algorithm == "conservative_q" ? -1 : 0.3;  // So few updates suffice the others.
    EXPECT_GT(PointWorld(1000).Evaluate(*policy, 100), least) << algorithm;
  }
}

TEST_F(OfflineProcess, PracticeGoesOnFromWhatItExtractedAndOwesNothingForTheLog) {
  Journal(40);
  ASSERT_EQ(Run("implicit_q"), kExitDone) << TextOf("log");
  LearnerServiceOptions options = Options();
  options.learner.agent.offline_updates = 200;  // As configured above.
  learner::Trainer trainer(options.learner, options.scene);
  ASSERT_TRUE(trainer.Load(Manifest()));
  ASSERT_TRUE(trainer.Know(options.tasks));
  for (int i = 0; i < 40; ++i) trainer.Ingest(world_.Script());  // What was logged fills the replay again.
  EXPECT_TRUE(trainer.HasPolicy("reach"));
  EXPECT_EQ(trainer.Backlog(), 0);
  EXPECT_EQ(trainer.Weights("reach")->layers[0].weights,
            skills::ReadSnapshot(SnapshotFile(1))->weights.layers[0].weights);
  EXPECT_EQ(trainer.updates(), 200);
}

TEST_F(OfflineProcess, EndsWithATroubleCodeAndTheReasonWhereNothingWasLogged) {
  EXPECT_EQ(Run("implicit_q"), kExitFault);
  EXPECT_THAT(TextOf("said"), HasSubstr("reach: left as it is: there are no samples to learn from"));
  EXPECT_FALSE(std::filesystem::exists(Manifest()));
}

TEST_F(OfflineProcess, LeavesATaskAloneThatHasBeenTrained) {
  Journal(40);
  ASSERT_EQ(Run("cloning"), kExitDone) << TextOf("log");
  const std::string manifest = TextOf("learner/manifest");
  EXPECT_EQ(Run("implicit_q"), kExitFault);
  EXPECT_THAT(TextOf("said"), HasSubstr("has been trained for"));
  EXPECT_EQ(TextOf("learner/manifest"), manifest);
  EXPECT_FALSE(std::filesystem::exists(SnapshotFile(2)));
}

TEST_F(OfflineProcess, SaysThatItGoesOnFromTheManifestBeforeTheDamagedOneAndWhatTheJournalLacks) {
  Journal(40);
  std::filesystem::create_directories(data_ / "learner");
  learner::Trainer trainer(Options().learner, world_.scene());
  ASSERT_TRUE(trainer.Know(Options().tasks));
  trainer.Ingest(world_.Script());
  ASSERT_TRUE(trainer.Save(Manifest()));
  std::filesystem::copy_file(Manifest(), Manifest() + ".previous");
  std::filesystem::resize_file(Manifest(), 1000);
  std::string said;
  const auto learned = LearnOffline(
      Options(), [&](const std::string& line) { said += line + "\n"; }, [] { return true; });
  EXPECT_TRUE(learned) << learned.error().detail;
  EXPECT_THAT(said, AllOf(HasSubstr("cannot be used, its predecessor is"), HasSubstr("checksum"),
                          HasSubstr("reach was given 0 samples")));
}

TEST_F(OfflineProcess, IsRefusedForGoodWhereTheConfigurationOrAnotherInstanceStandsInTheWay) {
  Journal(10);
  EXPECT_EQ(Run("magic"), kExitRefused);
  EXPECT_THAT(TextOf("log"), HasSubstr("\"cloning\", \"implicit_q\", \"conservative_q\""));
  const auto other = io::InstanceLock::Acquire(data_, "learner");
  ASSERT_TRUE(other);
  EXPECT_EQ(Run("implicit_q"), kExitRefused);
}

TEST_F(OfflineProcess, WritesNothingWhenItIsAskedToEndBeforeItIsDone) {
  Journal(40);
  std::string said;
  const auto learned = LearnOffline(
      Options(), [&](const std::string& line) { said += line + "\n"; }, [] { return true; });
  EXPECT_TRUE(learned) << learned.error().detail;
  EXPECT_THAT(said, HasSubstr("asked to end before it was done: nothing was written"));
  EXPECT_FALSE(std::filesystem::exists(Manifest()));
  EXPECT_FALSE(std::filesystem::exists(SnapshotFile(1)));
}

}  // namespace
}  // namespace nightshift::runtime
