// SPDX-License-Identifier: Apache-2.0
// A learner that is killed and comes back goes on as if it had never stopped: to the bit, or it says why not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "learner/trainer.h"
#include "skills/sealed_file.h"
#include "tests/learner/point_world.h"
#include "tests/learner/risk_world.h"

namespace nightshift::learner {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using tests::PointWorld;

/// Small enough that its rings wrap and a manifest is read thousands of times.
Config Tiny() {
  Config config = tests::SmallConfig();
  config.agent.width = 8;
  config.agent.batch = 16;
  config.agent.clone_updates = 30;
  config.agent.offline_updates = 20;
  config.agent.actor_frozen_updates = 40;
  config.agent.demonstrations_start = 3;
  config.agent.samples_max = 150;
  config.agent.demonstrations_max = 60;
  config.risk.horizon_steps = 5;
  config.risk.batch = 16;
  config.healthy_every = 64;
  config.borrowed_steps = 0;
  return config;
}

/// Made from a failure while practice goes on: it hears only of the latest episodes.
core::TaskSpec Retreat() {
  core::TaskSpec spec = PointWorld::Reach();
  spec.name = "retreat";
  spec.start = "tip_distance < 0.05";
  spec.success = "tip_distance > 0.08";
  spec.failure_kind = "wedged";
  return spec;
}

std::string ContentOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

class Resume : public testing::Test {
 protected:
  static constexpr int kEpisodes = 460;     // More than a new task is told of.
  static constexpr int kRetreatFrom = 430;  // The task appears after so many.

  static void SetUpTestSuite() {
    PointWorld world(1);
    tests::RiskWorld risky(1);
    for (int i = 0; i < kEpisodes; ++i) {
      // Now and then a learned policy acted, and now and then there was something to foresee.
      core::Episode episode = i % 3 == 2 ? risky.Practise() : world.Script();
      if (i % 3 == 1) episode.skill = core::SkillKind::kLearned;
      episode.id = i + 1;
      history().push_back(episode);
    }
  }
  static std::vector<core::Episode>& history() {
    static std::vector<core::Episode> episodes;
    return episodes;
  }

  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("resume_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = (folder_ / "manifest").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// A learner that took in so many episodes and was saved then; it may live on.
  std::unique_ptr<Trainer> LivesUntilSavedAt(int episodes) const {
    auto trainer = std::make_unique<Trainer>(Tiny(), skills::Scene{});
    EXPECT_TRUE(trainer->Know({PointWorld::Reach()}));
    Live(*trainer, 0, episodes);
    EXPECT_TRUE(trainer->Save(path_));
    return trainer;
  }

  /// Another one that begins with what was saved and has read so many episodes again.
  std::unique_ptr<Trainer> ComesBackAndReads(int episodes) const {
    auto trainer = std::make_unique<Trainer>(Tiny(), skills::Scene{});
    EXPECT_TRUE(trainer->Load(path_));
    Refill(*trainer, episodes);
    return trainer;
  }

  /// Episodes [from, to) as they come in, with two updates of everything after each.
  static void Live(Trainer& trainer, int from, int to) {
    for (int i = from; i < to; ++i) {
      if (i == kRetreatFrom) {
        ASSERT_TRUE(trainer.Know({Retreat()}));
      }
      trainer.Ingest(history()[static_cast<std::size_t>(i)]);
      for (int k = 0; k < 2; ++k) {
        trainer.UpdateOnce();
        if (trainer.risk().Backlog() >= 1) trainer.risk().Update();
      }
    }
  }

  static void Refill(Trainer& trainer, int to) {
    ASSERT_TRUE(trainer.Know({PointWorld::Reach()}));
    if (to > kRetreatFrom) {
      ASSERT_TRUE(trainer.Know({Retreat()}));  // From the catalogue, before the first episode.
    }
    for (int i = 0; i < to; ++i) trainer.Ingest(history()[static_cast<std::size_t>(i)]);
  }

  /// Everything that is saved: networks, moments, dice, counters, what it would fall back to, what its replays hold.
  std::string AllOf(Trainer& trainer) const {
    const std::string to = (folder_ / "all").string();
    EXPECT_TRUE(trainer.Save(to));
    return ContentOf(to);
  }

  static void Damage(const std::string& path, std::size_t at, int bit) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ (1 << bit)));
  }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(Resume, IsBitForBitWhatWouldHaveFollowedWithoutTheRestartWhereverItIsKilled) {
  for (const int killed : {9, 100, kRetreatFrom, 450}) {
    SCOPED_TRACE(killed);
    const auto straight = LivesUntilSavedAt(killed);
    const auto resumed = ComesBackAndReads(killed);
    EXPECT_EQ(resumed->RefillTrouble(), "");
    EXPECT_TRUE(AllOf(*resumed) == AllOf(*straight));
    Live(*straight, killed, kEpisodes);
    Live(*resumed, killed, kEpisodes);
    EXPECT_TRUE(AllOf(*resumed) == AllOf(*straight));
    const auto expected = straight->Facts(), found = resumed->Facts();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(found[i].last.critic_loss, expected[i].last.critic_loss);
      EXPECT_EQ(found[i].last.entropy, expected[i].last.entropy);
      EXPECT_EQ(found[i].overflowed, expected[i].overflowed);
      EXPECT_EQ(found[i].backlog, expected[i].backlog);
    }
    EXPECT_GT(expected[0].overflowed, 0u) << "the ring's place must have mattered";
  }
}

TEST_F(Resume, IsExactAlsoWhenItIsKilledAgainWhileItReadsTheJournal) {
  const auto straight = LivesUntilSavedAt(450);
  ASSERT_TRUE(ComesBackAndReads(200)->Save(path_));
  const auto resumed = ComesBackAndReads(450);
  EXPECT_EQ(resumed->RefillTrouble(), "");
  EXPECT_TRUE(AllOf(*resumed) == AllOf(*straight));
}

TEST_F(Resume, SaysWhatIsMissingWhenTheJournalNoLongerHasAllEpisodes) {
  LivesUntilSavedAt(60);
  const auto resumed = ComesBackAndReads(0);
  for (std::size_t i = 20; i < 60; ++i) resumed->Ingest(history()[i]);
  EXPECT_THAT(resumed->RefillTrouble(), HasSubstr("reach was given"));
}

TEST_F(Resume, NewEpisodesAreNoTrouble) {
  LivesUntilSavedAt(60);
  EXPECT_EQ(ComesBackAndReads(64)->RefillTrouble(), "") << "four came while it was away";
}

class DamagedManifest : public Resume {
 protected:
  void SetUp() override {
    Resume::SetUp();
    Config config = Tiny();
    config.agent.width = config.risk.width = 4;
    config_ = config;
    Trainer trainer(config, {});
    ASSERT_TRUE(trainer.Know({PointWorld::Reach()}));
    Live(trainer, 0, 12);
    ASSERT_TRUE(trainer.Save(path_));
    content_ = ContentOf(path_);
  }

  std::string Refusal() const {
    Trainer trainer(config_, {});
    const auto loaded = trainer.Load(path_);
    if (loaded) return "";
    EXPECT_EQ(loaded.error().code, core::FaultCode::kCorruptState);
    EXPECT_EQ(trainer.counted_cursor(), 0) << "nothing of it may be believed";
    EXPECT_EQ(trainer.updates(), 0);
    return loaded.error().detail;
  }

  /// The manifest with its header changed, and a seal that fits.
  template <typename Change>
  void Rewrite(Change change) const {
    std::uint32_t length = 0;
    std::memcpy(&length, content_.data() + 12, 4);
    json header = json::parse(content_.substr(16, length));
    change(header);
    const std::string text = header.dump();
    const auto size = static_cast<std::uint32_t>(text.size());
    std::string content = content_.substr(0, 12);
    content.append(reinterpret_cast<const char*>(&size), 4);
    content += text + content_.substr(16 + length, content_.size() - 16 - length - skills::kSealBytes);
    ASSERT_TRUE(skills::WriteSealed(path_, content));
  }

  Config config_;
  std::string content_;
};

TEST_F(DamagedManifest, IsRefusedAtEveryLengthThatItMayBeCutTo) {
  for (std::size_t length = content_.size(); length-- > 0;) {
    std::filesystem::resize_file(path_, length);
    ASSERT_NE(Refusal(), "") << "cut to " << length << " of " << content_.size() << " bytes";
  }
}

TEST_F(DamagedManifest, IsRefusedWhicheverByteIsAnother) {
  for (std::size_t at = 0; at < content_.size(); ++at) {
    const int bit = static_cast<int>(at % 8);
    Damage(path_, at, bit);
    ASSERT_NE(Refusal(), "") << "bit " << bit << " of byte " << at;
    Damage(path_, at, bit);
  }
  EXPECT_EQ(Refusal(), "") << "as it was";
}

TEST_F(DamagedManifest, IsRefusedWhenItsActorNoLongerDoesWhatItDidWhenItWasSaved) {
  Rewrite([](json& header) {
    json& action = header["agents"][0]["probe"][5];
    action = -action.get<float>() + 0.01f;
  });
  EXPECT_THAT(Refusal(), HasSubstr("task reach: the actor acts otherwise than when it was saved"));
}

TEST_F(DamagedManifest, YieldsToItsPredecessorWhenTheActorIsNotTheSame) {
  std::filesystem::copy_file(path_, path_ + ".previous");
  Rewrite([](json& header) { header["agents"][0]["probe"][0] = 7; });
  Trainer trainer(config_, {});
  const auto loaded = trainer.Load(path_);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_THAT(*loaded, HasSubstr("acts otherwise"));
  EXPECT_EQ(trainer.counted_cursor(), 12);
}

TEST_F(DamagedManifest, IsRefusedWhenWhatItFallsBackToIsOfAnotherSize) {
  Rewrite([](json& header) {
    auto& lengths = header["agents"][0]["healthy"]["lengths"];
    lengths[0] = lengths[0].get<int>() - 1;
    lengths[1] = lengths[1].get<int>() + 1;
  });
  EXPECT_THAT(Refusal(), HasSubstr("what it falls back to"));
}

}  // namespace
}  // namespace nightshift::learner
