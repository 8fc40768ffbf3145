// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cmath>
#include <string>

#include "core/random.h"
#include "learner/trainer.h"
#include "skills/policy.h"

namespace nightshift::tests {

/// A fingertip that moves by what it is told, and an object to touch: the smallest world in which the learner has
/// something to learn. The script is mediocre: it aims beside the object and moves slowly.
class PointWorld {
 public:
  static constexpr int kStepsMax = 14;
  static constexpr double kTouchM = 0.012;  // As the task's condition says.
  static constexpr double kScriptErrorM = 0.012;

  explicit PointWorld(std::uint64_t seed) : random_(seed) {}

  static core::TaskSpec Reach() {
    core::TaskSpec spec;
    spec.name = "reach";
    spec.start = "tip_distance > 0.03";
    spec.success = "tip_distance < 0.012";
    spec.time_limit = core::Seconds(0.1 * kStepsMax);
    return spec;
  }

  const skills::Scene& scene() const { return scene_; }

  core::Episode Script() {
    const core::Vec3 bias{random_.Normal(0, kScriptErrorM), random_.Normal(0, kScriptErrorM),
                          random_.Normal(0, kScriptErrorM)};
    auto episode = Attempt([&](const core::Observation& seen, const core::Observation&, const core::Target&) {
      const core::Vec3 way = seen.objects[0].position_m + bias - seen.tip_m;
      return core::PolicyAction{Aim(way.x), Aim(way.y), Aim(way.z), -1};
    });
    episode.demonstration = true;
    return episode;
  }

  core::Episode Practise(skills::LearnedPolicy& policy) {
    auto episode = Attempt([&](const core::Observation& seen, const core::Observation& previous,
                               const core::Target& target) {
      return policy.Sample(skills::FeaturesOf(seen, previous, target, scene_), random_);
    });
    episode.skill = core::SkillKind::kLearned;
    return episode;
  }

  /// Share of attempts that the mean action solves.
  double Evaluate(skills::LearnedPolicy& policy, int attempts) {
    int solved = 0;
    for (int i = 0; i < attempts; ++i) {
      const auto episode = Attempt([&](const core::Observation& seen, const core::Observation& previous,
                                       const core::Target& target) {
        return policy.Mean(skills::FeaturesOf(seen, previous, target, scene_));
      });
      solved += episode.outcome == core::Outcome::kSuccess ? 1 : 0;
    }
    return static_cast<double>(solved) / attempts;
  }

  double EvaluateScript(int attempts) {
    int solved = 0;
    for (int i = 0; i < attempts; ++i) solved += Script().outcome == core::Outcome::kSuccess ? 1 : 0;
    return static_cast<double>(solved) / attempts;
  }

 private:
  float Aim(double way_m) {
    const double slow = 0.8 * way_m / scene_.step_m_max + random_.Normal(0, 0.3);
    return static_cast<float>(std::clamp(slow, -1.0, 1.0));
  }

  core::Observation Start() {
    core::Observation seen;
    seen.object_count = 1;
    seen.objects[0].position_m = {random_.Uniform(0.15, 0.25), random_.Uniform(-0.07, 0.07), 0.013};
    seen.objects[0].confidence = 1;
    seen.tip_m = {random_.Uniform(0.13, 0.27), random_.Uniform(-0.09, 0.09), random_.Uniform(0.08, 0.15)};
    seen.commanded_tip_m = seen.tip_m;
    seen.jaw_command_rad = scene_.jaw_open_rad;
    seen.jaw_rad = scene_.jaw_open_rad;
    return seen;
  }

  template <typename Act>
  core::Episode Attempt(Act act) {
    core::Episode episode;
    episode.id = ++episodes_;
    episode.task = "reach";
    core::Observation seen = Start(), previous = seen;
    episode.target.goal_m = seen.objects[0].position_m;
    while (episode.outcome == core::Outcome::kRunning) {
      core::Transition t;
      t.before = seen;
      t.proposed = act(seen, previous, episode.target);
      t.applied = t.proposed;
      t.after = seen;
      const core::Vec3 step{t.applied[0] * scene_.step_m_max, t.applied[1] * scene_.step_m_max,
                            t.applied[2] * scene_.step_m_max};
      t.after.tip_m = seen.tip_m + step;
      t.after.commanded_tip_m = t.after.tip_m;
      if (Norm(t.after.objects[0].position_m - t.after.tip_m) < kTouchM)
        t.ended = core::Outcome::kSuccess;
      else if (static_cast<int>(episode.steps.size()) + 1 == kStepsMax)
        t.ended = core::Outcome::kTimeout;
      episode.outcome = t.ended;
      episode.steps.push_back(t);
      previous = seen;
      seen = t.after;
    }
    return episode;
  }

  core::Random random_;
  skills::Scene scene_;
  std::int64_t episodes_ = 0;
};

/// Networks that learn this in seconds.
inline learner::Config SmallConfig() {
  learner::Config config;
  config.agent.width = 64;
  config.agent.batch = 128;
  config.agent.clone_updates = 300;
  config.agent.offline_updates = 200;
  config.agent.actor_frozen_updates = 400;
  config.agent.clone_weight = 1;
  config.agent.clone_fade_updates = 3000;
  config.agent.target_entropy = -2;
  config.agent.log_std_start = -1.5;
  config.agent.demonstrations_start = 5;
  config.agent.samples_start = 300;
  config.agent.learning_rate = 1e-3;
  return config;
}

}  // namespace nightshift::tests
