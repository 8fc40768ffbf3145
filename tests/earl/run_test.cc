// SPDX-License-Identifier: Apache-2.0
#include "runtime/earl/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/earl/evaluation.h"
#include "tests/earl/small_files.h"

namespace nightshift::runtime::earl {
namespace {

using io::earl::Scene;
using testing::HasSubstr;

class EarlRun : public testing::Test {
 protected:
  tests::Folder folder{"run"};

  EarlRun() {
    for (const char* name : {"forward", "reverse"}) {
      const bool forward = name[0] == 'f';
      io::earl::Demo demo{
          .states = {{0, 0, 2.5f, 0, -1, -1}},
          .actions = {},
          .goal = forward ? io::earl::ForwardGoals(Scene::kTabletop)[2] : io::earl::State{0, 0, 2.5f, 0, -1, -1}};
      auto world = io::earl::MakeTabletop();
      for (int i = 0; i < 12; ++i) {
        demo.actions.push_back({0.8f, 0.1f, forward ? 1.0f : -1.0f});
        EXPECT_TRUE(world->Step(demo.actions.back()));
        demo.states.push_back(world->state());
      }
      tests::WriteDemos(folder / ("data/tabletop/demos_" + std::string(name) + ".hdf5"), {demo});
    }
  }

  RunOptions Options(const std::string& out) {
    RunOptions o;
    o.life.data = folder / "data";
    o.life.seed = 7;
    o.life.config = ConfigOf(Scene::kTabletop);
    o.life.config.agent.width = 8;
    o.life.config.agent.batch = 8;
    o.life.config.agent.clone_updates = 5;
    o.life.config.random_steps = 100;
    o.life.config.win_share = 0.5;
    o.life.config.greedy_share = 0.5;
    o.life.config.updates_per_step = 0.5;
    o.steps = 3000;
    o.evaluate_every = o.tally_every = 1000;
    o.save_every = 1000;
    o.episodes = 2;
    o.out = folder / out;
    o.seconds = [] { return 0.0; };
    return o;
  }
  std::string Results(const std::string& out) {
    std::ifstream file(folder / (out + "/results.jsonl"));
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

TEST_F(EarlRun, TheSameSeedGivesTheSameResults) {
  ASSERT_TRUE(RunEarl(Options("one")));
  ASSERT_TRUE(RunEarl(Options("two")));
  EXPECT_EQ(Results("one"), Results("two"));
  EXPECT_THAT(Results("one"), HasSubstr("\"kind\":\"end\""));
}
TEST_F(EarlRun, ARunThatWasCutOffGoesOnBitByBit) {
  ASSERT_TRUE(RunEarl(Options("whole")));
  for (const int attempts : {7, 2, 6}) {  // It is cut off after so many attempts, fifteen being all there are.
    RunOptions cut = Options("cut");
    int left = attempts;
    cut.must_end = [&left] { return left-- == 0; };
    ASSERT_TRUE(RunEarl(cut));
    EXPECT_THAT(Results("cut"), testing::Not(HasSubstr("\"kind\":\"end\"")));
  }
  ASSERT_TRUE(RunEarl(Options("cut")));
  EXPECT_EQ(Results("cut"), Results("whole"));
}
/// What the actor was last found to be like is told again and again while nothing teaches it.
TEST_F(EarlRun, ARunWhoseActorLearnsNothingGoesOnBitByBitToo) {
  for (const Learning learning : {Learning::kAll, Learning::kCloningOnly}) {
    const auto options = [&](const std::string& out) {
      RunOptions o = Options(out + std::to_string(static_cast<int>(learning)));
      o.life.learning = learning;
      o.life.config.agent.actor_frozen_updates = 1000000;
      return o;
    };
    ASSERT_TRUE(RunEarl(options("whole")));
    RunOptions cut = options("cut");
    int left = 7;
    cut.must_end = [&left] { return left-- == 0; };
    ASSERT_TRUE(RunEarl(cut));
    ASSERT_TRUE(RunEarl(options("cut")));
    const std::string which = std::to_string(static_cast<int>(learning));
    EXPECT_EQ(Results("cut" + which), Results("whole" + which));
  }
}
TEST_F(EarlRun, ARunOfOtherOptionsIsNotGoneOnWith) {
  ASSERT_TRUE(RunEarl(Options("one")));
  RunOptions other = Options("one");
  other.life.config.updates_per_step = 1;
  const auto ran = RunEarl(other);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().code, core::FaultCode::kInvalidConfig);
}
TEST_F(EarlRun, ADamagedStateIsRefused) {
  ASSERT_TRUE(RunEarl(Options("one")));
  tests::WriteText(folder / "one/life", "not a life at all, and longer than a seal of thirty-two bytes");
  const auto ran = RunEarl(Options("one"));
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().code, core::FaultCode::kCorruptState);
}
TEST_F(EarlRun, CloningAloneLearnsNoMoreAndDemonstrationsAloneDo) {
  RunOptions o = Options("clone");
  o.life.learning = Learning::kCloningOnly;
  ASSERT_TRUE(RunEarl(o));
  EXPECT_THAT(Results("clone"), HasSubstr("\"updates\":0,"));
  o = Options("demonstrations");
  o.life.learning = Learning::kDemonstrationsOnly;
  ASSERT_TRUE(RunEarl(o));
  EXPECT_THAT(Results("demonstrations"), testing::Not(HasSubstr("\"updates\":0,")));
}
TEST_F(EarlRun, TheOracleIsResetAfterEachAttemptAndAsksOnlyForForward) {
  RunOptions o = Options("oracle");
  o.life.starts = Starts::kEpisodic;
  ASSERT_TRUE(RunEarl(o));
  EXPECT_THAT(Results("oracle"), HasSubstr("\"reverse\":[0,0]"));
}

TEST_F(EarlRun, AContinuingLifeHasANewGoalEvery400StepsWonOrNot) {
  RunOptions options = Options("continuing");
  options.life.starts = Starts::kContinuing;
  const auto life = Life::Make(options.life);
  ASSERT_TRUE(life) << life.error().detail;
  for (int goal = 1; goal <= 5; ++goal) {
    ASSERT_TRUE((*life)->Attempt());
    EXPECT_EQ((*life)->course().steps, 400 * goal);
  }
  EXPECT_EQ((*life)->course().reward, (*life)->tally().reward);
  EXPECT_LE((*life)->course().reward, 2000);
}

TEST_F(EarlRun, EvaluationTakesTheGoalsInTurnAndIsTheSameForTheSameSeed) {
  auto life = Life::Make(Options("evaluated").life);
  ASSERT_TRUE(life);
  auto world = io::earl::MakeTabletop();
  Acting acting((*life)->agent(), learner::Actor::kDeployed);
  const auto first = Evaluate(*world, acting, 8, 5), second = Evaluate(*world, acting, 8, 5);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->episodes, 8);
  EXPECT_EQ(first->solved, second->solved);
  EXPECT_EQ(first->solved % 2, 0);  // Eight episodes are each of the four goals twice, from the one start.
}

TEST(EarlConfigKeys, AreSetByNameAndUnknownOnesAreNamed) {
  EarlConfig config = ConfigOf(Scene::kSawyerPeg);
  ASSERT_TRUE(Set(config, "agent.clone_weight=7"));
  EXPECT_EQ(config.agent.clone_weight, 7);
  EXPECT_THAT(ToJson(config), HasSubstr("\"agent.clone_weight\":7"));
  for (const char* wrong : {"clone=1", "agent.clone_weight", "agent.clone_weight=", "agent.clone_weight=nan"})
    EXPECT_EQ(Set(config, wrong).error().code, core::FaultCode::kInvalidConfig) << wrong;
}

TEST(EarlConfigKeys, ThatCountTakeWholeNumbersOnly) {
  EarlConfig config = ConfigOf(Scene::kTabletop);
  for (const char* wrong : {"agent.width=128.5", "agent.width=-1", "agent.width=1e10"})
    EXPECT_FALSE(Set(config, wrong)) << wrong;
  EXPECT_EQ(config.agent.width, 128);
}

TEST(EarlConfigKeys, OfAllScenesAreWithinTheirRanges) {
  for (const Scene scene : io::earl::kScenes) {
    const auto valid = Validate(ConfigOf(scene));
    EXPECT_TRUE(valid) << valid.error().detail;
  }
}

TEST(EarlConfigKeys, OutsideTheirRangeAreNamedWithIt) {
  for (const char* wrong : {"agent.width=0", "agent.batch=0", "agent.actor_every=0", "hindsight.n_step=0",
                            "hindsight.steps_max=0", "perturbation_steps_max=2", "win_steps_max=0", "win_share=2"}) {
    EarlConfig config = ConfigOf(Scene::kTabletop);
    ASSERT_TRUE(Set(config, wrong)) << wrong;
    const auto valid = Validate(config);
    ASSERT_FALSE(valid) << wrong;
    EXPECT_EQ(valid.error().code, core::FaultCode::kInvalidConfig);
    EXPECT_THAT(valid.error().detail, HasSubstr(std::string(wrong).substr(0, std::string(wrong).find('='))));
  }
}

}  // namespace
}  // namespace nightshift::runtime::earl
