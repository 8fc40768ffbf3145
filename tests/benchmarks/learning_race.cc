// SPDX-License-Identifier: Apache-2.0
#include "tests/benchmarks/learning_race.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "learner/actor_critic.h"
#include "learner/product.h"
#include "learner/replay.h"
#include "tests/benchmarks/reference_sac.h"

namespace nightshift::tests {

namespace {

constexpr learner::Sizes kSizes{4, 2};  // Where it is, and where it must go.
constexpr int kSeeds = 5;
constexpr int kStepsMax = 20;
constexpr int kSteps = 4000, kCheckEvery = 1000;
constexpr int kStepsBeforeUpdates = 500;
constexpr float kStepSize = 0.15f, kReached = 0.15f;
constexpr int kAttempts = 100;

/// A point in a square of side 2.
class PointTask {
 public:
  explicit PointTask(std::uint64_t seed) : dice_(seed) { Begin(); }

  const std::array<float, 4>& seen() const { return seen_; }
  void Begin() {
    for (float& v : seen_) v = 2 * dice_.Unit() - 1;
    steps_ = 0;
  }
  /// Whether it arrived.
  bool Step(const std::array<float, 2>& action) {
    ++steps_;
    for (std::size_t i = 0; i < 2; ++i) seen_[i] = std::clamp(seen_[i] + kStepSize * action[i], -1.0f, 1.0f);
    return std::hypot(seen_[0] - seen_[2], seen_[1] - seen_[3]) < kReached;
  }
  bool late() const { return steps_ >= kStepsMax; }

 private:
  learner::Dice dice_;
  std::array<float, 4> seen_{};
  int steps_ = 0;
};

learner::AgentConfig RaceConfig() {
  learner::AgentConfig config;
  config.width = 64;
  config.batch = 128;
  config.actor_every = 1;
  config.clone_weight = 0;
  config.learning_rate = 1e-3;
  config.discount = 0.95;
  config.temperature_start = 0.05;
  config.log_std_start = -0.5;
  return config;
}

std::array<float, 2> Act(skills::DenseNetwork& network, const std::array<float, 4>& seen, learner::Dice* dice) {
  const auto out = network.Forward(seen);
  std::array<float, 2> noise{};
  if (dice != nullptr) dice->Normals(noise[0], noise[1]);
  return {std::tanh(out[0] + std::exp(std::clamp(out[2], -5.0f, 2.0f)) * noise[0]),
          std::tanh(out[1] + std::exp(std::clamp(out[3], -5.0f, 2.0f)) * noise[1])};
}

template <typename Learner>
double Solved(const Learner& of) {
  skills::DenseNetwork network(of.Layers(learner::Actor::kRaw));
  PointTask task(99);
  int solved = 0;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    task.Begin();
    bool there = false;
    while (!there && !task.late()) there = task.Step(Act(network, task.seen(), nullptr));
    solved += there ? 1 : 0;
  }
  return static_cast<double>(solved) / kAttempts;
}

/// One update per step; the share solved at each check.
template <typename Learner>
std::vector<double> Learn(Learner& of, std::uint64_t seed) {
  PointTask task(seed);
  learner::Dice dice(seed + 1000);
  learner::Replay practice(kSizes, kSteps), none(kSizes, 1);
  std::vector<double> curve;
  for (int step = 1; step <= kSteps; ++step) {
    const auto before = task.seen();
    skills::DenseNetwork network(of.Layers(learner::Actor::kRaw));
    const auto action = Act(network, before, &dice);
    const bool there = task.Step(action);
    practice.Add({before, action, there ? 1.0f : -0.02f, task.seen(), there ? 0.0f : 0.95f});
    if (there || task.late()) task.Begin();
    if (step > kStepsBeforeUpdates) of.Update(learner::Phase::kLearning, practice, none);
    if (step % kCheckEvery == 0) curve.push_back(Solved(of));
  }
  return curve;
}

nlohmann::ordered_json Line(const std::string& name, const std::function<std::vector<double>(std::uint64_t)>& learn) {
  std::vector<double> mean, last;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const auto curve = learn(static_cast<std::uint64_t>(seed));
    mean.resize(curve.size());
    for (std::size_t i = 0; i < curve.size(); ++i) mean[i] += curve[i] / kSeeds;
    last.push_back(curve.back());
  }
  for (double& share : mean) share = std::round(share * 1000) / 1000;
  return {{"name", "learning_" + name},
          {"seeds", kSeeds},
          {"check_every_updates", kCheckEvery},
          {"solved_mean", mean},
          {"solved_at_the_end", last}};
}

std::vector<double> LearnFast(std::uint64_t seed, learner::Precision precision) {
  learner::ActorCritic fast(RaceConfig(), kSizes, seed, {nullptr, precision});
  return Learn(fast, seed);
}

}  // namespace

void RaceToLearn(const std::function<void(const nlohmann::ordered_json&)>& report) {
  torch::set_num_threads(1);
  report(Line("libtorch", [](std::uint64_t seed) {
    ReferenceSac reference(RaceConfig(), kSizes, seed);
    return Learn(reference, seed);
  }));
  report(Line("fast_fp32", [](std::uint64_t seed) { return LearnFast(seed, learner::Precision::kFp32); }));
  if (!learner::HasBf16()) return;
  report(Line("fast_bf16", [](std::uint64_t seed) { return LearnFast(seed, learner::Precision::kBf16); }));
}

}  // namespace nightshift::tests
