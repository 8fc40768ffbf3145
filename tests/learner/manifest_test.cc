// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "learner/trainer.h"
#include "skills/sealed_file.h"
#include "tests/learner/point_world.h"
#include "tests/learner/risk_world.h"

namespace nightshift::learner {
namespace {

using testing::HasSubstr;
using tests::PointWorld;
using tests::SmallConfig;

class Manifest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("manifest_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = (folder_ / "manifest").string();
    PointWorld world(1);
    for (int i = 0; i < 25; ++i) episodes_.push_back(world.Script());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Trainer Fresh() const { return Trainer(SmallConfig(), {}); }

  static void Update(Trainer& trainer, int updates) {
    for (int i = 0; i < updates; ++i) trainer.UpdateOnce();
  }

  /// Has cloned, warmed up and learned a little.
  Trainer Trained() const {
    Trainer trainer = Fresh();
    EXPECT_TRUE(trainer.Know({PointWorld::Reach()}));
    for (const auto& episode : episodes_) trainer.Ingest(episode);
    Update(trainer, 600);
    return trainer;
  }

  void Refill(Trainer& trainer) const {
    ASSERT_TRUE(trainer.Know({PointWorld::Reach()}));
    for (const auto& episode : episodes_) trainer.Ingest(episode);
  }

  static void Damage(const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(2000);
    const char byte = static_cast<char>(file.get());
    file.seekp(2000);
    file.put(static_cast<char>(byte ^ 1));
  }

  static auto WeightsOf(const Trainer& trainer) { return trainer.Weights("reach", Actor::kRaw)->layers[1].weights; }

  std::filesystem::path folder_;
  std::string path_;
  std::vector<core::Episode> episodes_;
};

TEST_F(Manifest, ResumesBitForBitWhereItWasSaved) {
  Trainer straight = Trained();
  ASSERT_TRUE(straight.Save(path_));
  Trainer resumed = Fresh();
  ASSERT_TRUE(resumed.Load(path_));
  Refill(resumed);
  EXPECT_EQ(resumed.updates(), straight.updates());
  EXPECT_EQ(resumed.steps(), straight.steps()) << "re-read episodes must not count twice";
  EXPECT_EQ(resumed.Backlog(), straight.Backlog());
  EXPECT_EQ(WeightsOf(resumed), WeightsOf(straight));
  Update(straight, 100);
  Update(resumed, 100);
  EXPECT_EQ(WeightsOf(resumed), WeightsOf(straight));
}

/// What the risk critic knows of: the world of the manifest's other tests has nothing to foresee.
class RiskInManifest : public Manifest {
 protected:
  static Config WithRisk() {
    Config config = SmallConfig();
    config.risk.horizon_steps = 5;
    return config;
  }
  static void Take(Trainer& trainer, std::uint64_t seed, int episodes) {
    tests::RiskWorld world(seed);
    for (int i = 0; i < episodes; ++i) trainer.Ingest(world.Practise());
  }
  static void UpdateRisk(Trainer& trainer, int updates) {
    for (int i = 0; i < updates; ++i) trainer.risk().Update();
  }
};

TEST_F(RiskInManifest, TheCriticResumesBitForBitWhereItWasSaved) {
  Trainer straight(WithRisk(), {});
  Take(straight, 1, 200);
  UpdateRisk(straight, 150);
  ASSERT_TRUE(straight.Save(path_));
  Trainer resumed(WithRisk(), {});
  ASSERT_TRUE(resumed.Load(path_));
  Take(resumed, 1, 200);
  EXPECT_EQ(resumed.risk().Backlog(), straight.risk().Backlog()) << "re-read episodes must not count twice";
  for (const int updates : {0, 100}) {
    UpdateRisk(straight, updates);
    UpdateRisk(resumed, updates);
    EXPECT_EQ(resumed.risk().state().parameters, straight.risk().state().parameters);
    EXPECT_EQ(resumed.risk().state().adam.second, straight.risk().state().adam.second);
    EXPECT_EQ(InWords(resumed.risk().Snapshot().report), InWords(straight.risk().Snapshot().report));
    EXPECT_EQ(resumed.risk().Snapshot().log_odds_shift, straight.risk().Snapshot().log_odds_shift);
  }
}

/// What the journal no longer keeps is not forgotten: a critic that did harm does not begin anew.
TEST_F(RiskInManifest, TheCriticsTrialOutlivesTheEpisodesItWasMadeOf) {
  Trainer straight(WithRisk(), {});
  tests::RiskWorld world(1);
  for (int i = 0; i < 40; ++i) {
    core::Episode episode = world.Practise();
    if (!skills::IsRiskControl(episode.id)) episode.steps[0].risk_scale = 1.0f;
    straight.Ingest(episode);
  }
  ASSERT_TRUE(straight.Save(path_));
  Trainer resumed(WithRisk(), {});
  ASSERT_TRUE(resumed.Load(path_));
  const RiskState &before = straight.risk().state(), &after = resumed.risk().state();
  ASSERT_GT(before.control.episodes, 3);
  ASSERT_GT(before.advised.near_misses, 3);
  EXPECT_EQ(after.advised, before.advised);
  EXPECT_EQ(after.control, before.control);
  EXPECT_TRUE(after.advises);
  Take(resumed, 1, 40);
  EXPECT_EQ(after.control, before.control) << "read again, nothing counts twice";
}

TEST_F(RiskInManifest, ACriticOfAnotherSizeIsRefusedNamingTheKey) {
  ASSERT_TRUE(Trainer(WithRisk(), {}).Save(path_));
  Config wider = WithRisk();
  wider.risk.width = 40;
  Trainer trainer(wider, {});
  const auto loaded = trainer.Load(path_);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, core::FaultCode::kCorruptState);
  EXPECT_THAT(loaded.error().detail, HasSubstr("learner.risk.width = 40"));
}

TEST_F(RiskInManifest, AManifestFromBeforeThereWasACriticBeginsWithAFreshOne) {
  const std::string header = R"({"cursor": 5, "steps": 100, "agents": []})";
  std::string content = "NSLEARNR" + std::string("\x01\0\0\0", 4);
  content += static_cast<char>(header.size()) + std::string("\0\0\0", 3) + header;
  ASSERT_TRUE(skills::WriteSealed(path_, content));
  Trainer trainer(WithRisk(), {});
  const auto loaded = trainer.Load(path_);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(trainer.counted_cursor(), 5);
  EXPECT_EQ(trainer.risk().state().parameters, Trainer(WithRisk(), {}).risk().state().parameters);
}

TEST_F(Manifest, CountsEpisodesThatCameAfterTheSave) {
  Trainer trainer = Trained();
  ASSERT_TRUE(trainer.Save(path_));
  Trainer resumed = Fresh();
  ASSERT_TRUE(resumed.Load(path_));
  Refill(resumed);
  PointWorld world(2);
  auto later = world.Script();
  later.id = episodes_.back().id + 1;
  resumed.Ingest(later);
  EXPECT_EQ(resumed.steps(), trainer.steps() + static_cast<std::int64_t>(later.steps.size()));
}

TEST_F(Manifest, UsesItsPredecessorWhenDamagedAndSaysWhy) {
  Trainer trainer = Trained();
  ASSERT_TRUE(trainer.Save(path_));
  const auto first = WeightsOf(trainer);
  Update(trainer, 50);
  ASSERT_TRUE(trainer.Save(path_));
  Damage(path_);
  Trainer resumed = Fresh();
  const auto loaded = resumed.Load(path_);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_THAT(*loaded, HasSubstr("checksum"));
  Refill(resumed);
  EXPECT_EQ(WeightsOf(resumed), first);
}

TEST_F(Manifest, ThatIsDamagedNeverTakesTheGoodOnesPlace) {
  Trainer trainer = Trained();
  ASSERT_TRUE(trainer.Save(path_));
  ASSERT_TRUE(trainer.Save(path_));
  Damage(path_);
  Trainer resumed = Fresh();
  ASSERT_TRUE(resumed.Load(path_));
  std::filesystem::create_directory(path_ + ".tmp");  // The next save fails, as on a full disk.
  EXPECT_FALSE(resumed.Save(path_));
  EXPECT_TRUE(Fresh().Load(path_)) << "the predecessor is still there";
  std::filesystem::remove(path_ + ".tmp");
  ASSERT_TRUE(resumed.Save(path_));
  ASSERT_TRUE(resumed.Save(path_));
  Damage(path_);
  EXPECT_TRUE(Fresh().Load(path_)) << "what was saved since is kept as before";
}

TEST_F(Manifest, IsRefusedWithAReasonWhenBothAreDamaged) {
  Trainer trainer = Trained();
  ASSERT_TRUE(trainer.Save(path_));
  ASSERT_TRUE(trainer.Save(path_));
  Damage(path_);
  Damage(path_ + ".previous");
  Trainer resumed = Fresh();
  const auto loaded = resumed.Load(path_);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, core::FaultCode::kCorruptState);
  EXPECT_THAT(loaded.error().detail, HasSubstr(path_));
}

TEST_F(Manifest, IsMissingOnTheFirstStart) {
  Trainer trainer = Fresh();
  const auto loaded = trainer.Load(path_);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, core::FaultCode::kMissingFile);
}

TEST_F(Manifest, OfALaterVersionIsRefused) {
  std::string content = "NSLEARNR";
  content += std::string("\x04\0\0\0\0\0\0\0", 8);
  ASSERT_TRUE(skills::WriteSealed(path_, content));
  Trainer trainer = Fresh();
  const auto loaded = trainer.Load(path_);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, core::FaultCode::kSchemaTooNew);
}

TEST_F(Manifest, KeepsAgentsOfTasksThatAreNotKnownYet) {
  Trainer trainer = Trained();
  ASSERT_TRUE(trainer.Save(path_));
  Trainer passing = Fresh();
  ASSERT_TRUE(passing.Load(path_));
  ASSERT_TRUE(passing.Save(path_));  // Before its tasks were made known.
  Trainer resumed = Fresh();
  ASSERT_TRUE(resumed.Load(path_));
  Refill(resumed);
  EXPECT_EQ(WeightsOf(resumed), WeightsOf(trainer));
}

TEST_F(Manifest, OfOtherNetworkSizesIsRefusedNamingTheKey) {
  ASSERT_TRUE(Trained().Save(path_));
  Config wider = SmallConfig();
  wider.agent.width = 96;
  Trainer trainer(wider, {});
  const auto loaded = trainer.Load(path_);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().detail, HasSubstr("learner.agent.width = 96"));
}

TEST_F(Manifest, ThatCannotBeWrittenLeavesTheOldOne) {
  Trainer trainer = Trained();
  ASSERT_TRUE(trainer.Save(path_));
  std::filesystem::create_directory(path_ + ".tmp");  // In the way of the temporary file.
  EXPECT_FALSE(trainer.Save(path_));
  EXPECT_TRUE(Fresh().Load(path_));
}

}  // namespace
}  // namespace nightshift::learner
