// SPDX-License-Identifier: Apache-2.0
// A sparse goal task where relabelling is what makes it work (learner/hindsight.h).
#include <gtest/gtest.h>

#include "learner/actor_critic.h"
#include "learner/hindsight.h"
#include "skills/policy.h"
#include "tests/learner/small_problems.h"

namespace nightshift::learner {
namespace {

constexpr int kAxes = 3, kSteps = 15;
constexpr float kStride = 0.2f, kNear = 0.15f;

/// A point in a cube of edge 2 that is told where to go.
GoalSpace Cube() {
  return {.state = kAxes,
          .action = kAxes,
          .achieved_by = {0, 1, 2},
          .reached = [](std::span<const float> state, std::span<const float> goal) {
            float square = 0;
            for (std::size_t i = 0; i < kAxes; ++i) square += (state[i] - goal[i]) * (state[i] - goal[i]);
            return square < kNear * kNear;
          }};
}

AgentConfig Practiser() {
  AgentConfig config = tests::QuickAgent();
  config.value_min = -50;
  config.value_max = 1e-6;
  config.temperature_start = config.temperature_max = 0.1;
  config.target_entropy = -3;
  return config;
}

/// Lives in the cube: an attempt, then as many updates as it had steps.
class Life {
 public:
  explicit Life(const HindsightConfig& config)
      : experience_(Cube(), config), learner_(Practiser(), Cube().sizes(), 1) {}

  void Practise(int attempts) {
    for (int i = 0; i < attempts; ++i) {
      experience_.Add(Attempt(i < 20 ? Acting::kWandering : Acting::kTrying));
      for (int update = 0; update < 2 * kSteps; ++update)
        EXPECT_FALSE(learner_.Update(Phase::kLearning, experience_, nothing_).diverged);
    }
  }

  /// Share of attempts by the mean action that reach their goal.
  double Success() {
    int reached = 0;
    for (int i = 0; i < 100; ++i) {
      const GoalEpisode episode = Attempt(Acting::kSure);
      const std::span<const float> last(episode.states.data() + episode.states.size() - kAxes, kAxes);
      reached += Cube().reached(last, episode.goal) ? 1 : 0;
    }
    return reached / 100.0;
  }

 private:
  enum class Acting { kWandering, kTrying, kSure };

  GoalEpisode Attempt(Acting acting) {
    GoalEpisode episode;
    for (int i = 0; i < kAxes; ++i) episode.goal.push_back(Drawn());
    std::vector<float> at;
    for (int i = 0; i < kAxes; ++i) at.push_back(Drawn());
    episode.states = at;
    for (int step = 0; step < kSteps && !Cube().reached(at, episode.goal); ++step) {
      const auto action = Act(at, episode.goal, acting);
      for (std::size_t i = 0; i < kAxes; ++i) at[i] = std::clamp(at[i] + kStride * action[i], -1.0f, 1.0f);
      episode.actions.insert(episode.actions.end(), action.begin(), action.end());
      episode.states.insert(episode.states.end(), at.begin(), at.end());
    }
    return episode;
  }

  std::vector<float> Act(std::vector<float> seen, const std::vector<float>& goal, Acting acting) {
    std::vector<float> action(kAxes);
    for (float& part : action) part = Drawn();
    if (acting == Acting::kWandering) return action;
    seen.insert(seen.end(), goal.begin(), goal.end());
    Forward(tests::ActorOf(Practiser(), Cube().sizes()), learner_.state().actor.data(), seen.data(), 1, trace_);
    for (std::size_t i = 0; i < kAxes; ++i) {
      float noise = 0, unused = 0;
      dice_.Normals(noise, unused);
      const float deviation = std::exp(std::clamp(trace_.out[kAxes + i], skills::kLogStdMin, skills::kLogStdMax));
      action[i] = std::tanh(trace_.out[i] + (acting == Acting::kSure ? 0 : deviation * noise));
    }
    return action;
  }

  float Drawn() { return 2 * dice_.Unit() - 1; }

  Dice dice_{7};
  Hindsight experience_;
  Replay nothing_{Cube().sizes(), 1};
  ActorCritic learner_;
  ActorTrace trace_;
};

double SuccessWith(double future_share) {
  Life life({.future_share = future_share, .other_share = 0, .n_step = 1, .discount = 0.95});
  life.Practise(120);
  return life.Success();
}

TEST(SparseGoal, IsReachedWhenAttemptsAreRelabelledWithWhatTheyAchieved) { EXPECT_GT(SuccessWith(0.7), 0.9); }

TEST(SparseGoal, IsNotReachedInAsManyUpdatesWithoutRelabelling) { EXPECT_LT(SuccessWith(0), 0.3); }

}  // namespace
}  // namespace nightshift::learner
