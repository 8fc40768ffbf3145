// SPDX-License-Identifier: Apache-2.0
#include "learner/trainer.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/learner/point_world.h"

namespace nightshift::learner {
namespace {

using tests::PointWorld;
using tests::SmallConfig;

/// A learner beside the point world.
class Practice {
 public:
  explicit Practice(const Config& config) : trainer(config, world.scene()) {
    EXPECT_TRUE(trainer.Know({PointWorld::Reach()}));
  }

  void Demonstrate(int episodes) {
    for (int i = 0; i < episodes; ++i) trainer.Ingest(world.Script());
    CatchUp();
  }

  void PractiseAlone(int episodes) {
    for (int i = 0; i < episodes; ++i) {
      auto policy = Policy(Actor::kRaw);
      trainer.Ingest(world.Practise(policy));
      CatchUp();
    }
  }

  void CatchUp() {
    while (trainer.Backlog() >= 1) trainer.UpdateOnce();
  }

  skills::LearnedPolicy Policy(Actor which = Actor::kDeployed) {
    return *skills::LearnedPolicy::Make(*trainer.Weights("reach", which));
  }

  double Success() {
    auto policy = Policy();
    return PointWorld(1000).Evaluate(policy, 150);
  }

  PointWorld world{1};
  Trainer trainer;
};

TEST(Trainer, LearnsToBeClearlyBetterThanTheScriptThatShowedIt) {
  Practice practice(SmallConfig());
  practice.Demonstrate(20);
  practice.PractiseAlone(180);
  const double script = PointWorld(1000).EvaluateScript(150);
  EXPECT_LT(script, 0.75);
  EXPECT_GT(practice.Success(), script + 0.15);
}

TEST(Trainer, KnowsNothingBeforeItHasSeenAnything) {
  Practice practice(SmallConfig());
  EXPECT_FALSE(practice.trainer.HasPolicy("reach"));
  EXPECT_FALSE(practice.trainer.UpdateOnce());
  EXPECT_EQ(practice.trainer.Backlog(), 0);
  EXPECT_LT(practice.Success(), 0.1);
}

TEST(Trainer, OwesCloningAndTheCriticsWarmUpForWhatAScriptShows) {
  const Config config = SmallConfig();
  Practice practice(config);
  for (int i = 0; i < 20; ++i) practice.trainer.Ingest(practice.world.Script());
  EXPECT_DOUBLE_EQ(practice.trainer.Backlog(), config.agent.clone_updates + config.agent.offline_updates);
}

TEST(Trainer, OwesUpdatesInProportionToWhatALearnedPolicyPractised) {
  Config config = SmallConfig();
  config.update_ratio = 3;
  Practice practice(config);
  practice.Demonstrate(20);
  ASSERT_LT(practice.trainer.Backlog(), 1);
  auto policy = practice.Policy();
  std::size_t steps = 0;
  for (int i = 0; i < 5; ++i) {
    const auto episode = practice.world.Practise(policy);
    steps += episode.steps.size();
    practice.trainer.Ingest(episode);
  }
  EXPECT_DOUBLE_EQ(practice.trainer.Backlog(), 3.0 * static_cast<double>(steps));
  practice.CatchUp();
  EXPECT_EQ(practice.trainer.updates(), config.agent.offline_updates + 3 * static_cast<std::int64_t>(steps));
}

TEST(Trainer, GetsAPolicyFromPracticeAloneWhereNobodyDemonstrates) {
  Config config = SmallConfig();
  config.scripted_demonstrations_max = 0;
  Practice practice(config);
  for (int i = 0; i < 40; ++i) practice.trainer.Ingest(practice.world.Script());
  practice.CatchUp();
  EXPECT_TRUE(practice.trainer.HasPolicy("reach"));
}

TEST(Trainer, HasAPolicyOnceTheScriptIsCloned) {
  Config config = SmallConfig();
  Practice practice(config);
  for (int i = 0; i < 20; ++i) practice.trainer.Ingest(practice.world.Script());
  for (int i = 0; i < config.agent.clone_updates; ++i) {
    EXPECT_FALSE(practice.trainer.HasPolicy("reach"));
    practice.trainer.UpdateOnce();
  }
  EXPECT_TRUE(practice.trainer.HasPolicy("reach"));
}

TEST(Trainer, KeepsOnlySomeDemonstrations) {
  Config config = SmallConfig();
  config.scripted_demonstrations_max = 3;
  Practice practice(config);
  for (int i = 0; i < 30; ++i) practice.trainer.Ingest(practice.world.Script());
  EXPECT_EQ(practice.trainer.Facts()[0].demonstrated_episodes, 3);
}

TEST(Trainer, ImitatesOnlyWhatSucceeded) {
  Practice practice(SmallConfig());
  auto episode = practice.world.Script();
  episode.outcome = core::Outcome::kTimeout;
  EXPECT_EQ(practice.trainer.Ingest(episode).demonstrated, 0);
  EXPECT_EQ(practice.trainer.Facts()[0].demonstrations, 0u);
}

TEST(Trainer, RefusesObservationsThatAreNotFiniteAndCountsThem) {
  Practice practice(SmallConfig());
  auto episode = practice.world.Script();
  episode.steps[0].before.jaw_rad = std::numeric_limits<double>::quiet_NaN();
  EXPECT_GT(practice.trainer.Ingest(episode).refused, 0);
  EXPECT_GT(practice.trainer.Facts()[0].refused, 0u);
}

TEST(Trainer, CountsAnEpisodeOfAnUnknownTaskAndIgnoresIt) {
  Practice practice(SmallConfig());
  auto episode = practice.world.Script();
  episode.task = "juggle";
  EXPECT_EQ(practice.trainer.Ingest(episode).own, 0);
  EXPECT_EQ(practice.trainer.unknown_episodes(), 1);
}

TEST(Trainer, RefusesATaskWhoseConditionDoesNotParse) {
  Practice practice(SmallConfig());
  core::TaskSpec broken = PointWorld::Reach();
  broken.name = "broken";
  broken.success = "no_such_fact > 1";
  const auto known = practice.trainer.Know({broken});
  ASSERT_FALSE(known);
  EXPECT_EQ(known.error().code, core::FaultCode::kInvalidConfig);
}

/// A recovery task that ends where reaching ends.
core::TaskSpec Regain() {
  core::TaskSpec spec = PointWorld::Reach();
  spec.name = "regain";
  spec.failure_kind = "dropped";
  spec.inherits_from = "reach";
  return spec;
}

TEST(Trainer, ScoresEachEpisodeForOtherTasksToo) {
  Practice practice(SmallConfig());
  ASSERT_TRUE(practice.trainer.Know({Regain()}));
  for (int i = 0; i < 20; ++i) practice.trainer.Ingest(practice.world.Script());
  const auto facts = practice.trainer.Facts();
  ASSERT_EQ(facts[1].task, "regain");
  EXPECT_GT(facts[1].samples, 0u);
  EXPECT_GT(facts[1].demonstrated_episodes, 0);
  EXPECT_EQ(facts[1].own_steps, 0) << "what others practised is not its own practice";
}

TEST(Trainer, RelabelsNothingWhenThatIsOff) {
  Config config = SmallConfig();
  config.relabelling = Relabelling::kOff;
  Practice practice(config);
  ASSERT_TRUE(practice.trainer.Know({Regain()}));
  EXPECT_EQ(practice.trainer.Ingest(practice.world.Script()).relabelled, 0);
}

TEST(Trainer, GivesATaskThatIsMadeLaterWhatRecentEpisodesShowOfIt) {
  Practice practice(SmallConfig());
  for (int i = 0; i < 20; ++i) practice.trainer.Ingest(practice.world.Script());
  ASSERT_TRUE(practice.trainer.Know({Regain()}));
  EXPECT_GT(practice.trainer.Facts()[1].samples, 0u);
}

/// A learner of reaching that has shown what it knows, and a recovery task that may borrow it.
struct Borrowing : Practice {
  explicit Borrowing(int borrowed_steps) : Practice(With(borrowed_steps)) {
    Demonstrate(20);
    EXPECT_TRUE(trainer.Know({Regain()}));
  }
  static Config With(int borrowed_steps) {
    Config config = SmallConfig();
    config.borrowed_steps = borrowed_steps;
    return config;
  }
  void RegainByPolicy() {
    auto episode = world.Script();
    episode.task = "regain";
    episode.skill = core::SkillKind::kLearned;
    trainer.Ingest(episode);
  }
  std::vector<float> FirstLayer(const std::string& task) { return trainer.Weights(task)->layers[0].weights; }
};

TEST(Trainer, ARecoveryTaskThatBorrowsOwesNoUpdatesAndHasNoPolicyOfItsOwn) {
  Borrowing practice(1000000);
  practice.RegainByPolicy();
  EXPECT_LT(practice.trainer.Backlog(), 1);
  EXPECT_FALSE(practice.trainer.HasPolicy("regain"));
  EXPECT_EQ(practice.trainer.UpdateOnce()->task, "reach");
}

TEST(Trainer, ARecoveryTaskWithEnoughOfItsOwnGoesOnFromWhatItsParentKnows) {
  Borrowing practice(1);
  practice.RegainByPolicy();
  ASSERT_GE(practice.trainer.Backlog(), 1);
  EXPECT_EQ(practice.trainer.UpdateOnce()->task, "regain");
  EXPECT_EQ(practice.FirstLayer("regain"), practice.FirstLayer("reach")) << "its critics come first";
  EXPECT_FALSE(practice.trainer.HasPolicy("regain")) << "nothing new to judge yet";
  while (practice.trainer.Facts()[1].phase != Phase::kLearning) {
    practice.RegainByPolicy();
    practice.trainer.UpdateOnce();
  }
  EXPECT_TRUE(practice.trainer.HasPolicy("regain"));
}

TEST(Trainer, ServesTheTaskThatIsFurthestBehind) {
  Practice practice(SmallConfig());
  practice.Demonstrate(20);
  core::TaskSpec other = Regain();
  other.inherits_from.clear();
  ASSERT_TRUE(practice.trainer.Know({other}));
  practice.trainer.Ingest(practice.world.Script());  // A few steps behind in reaching,
  for (int i = 0; i < 10; ++i) {
    auto episode = practice.world.Script();
    episode.task = "regain";  // many in regaining.
    practice.trainer.Ingest(episode);
  }
  EXPECT_EQ(practice.trainer.UpdateOnce()->task, "regain");
}

}  // namespace
}  // namespace nightshift::learner
