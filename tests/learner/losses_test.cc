// SPDX-License-Identifier: Apache-2.0
// The hand-written gradients against LibTorch's autograd of the same losses written in tensors, in double precision:
// two computations in single precision would be compared by the errors of both.
#include "learner/losses.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "learner/product.h"
#include "skills/policy.h"
#include "tests/learner/autograd.h"

namespace nightshift::learner {
namespace {

constexpr int kState = skills::kFeatureSize;
constexpr int kAction = core::kActionSize;
constexpr int kProblems = 1000;

/// Of the norm of the difference to that of the reference.
struct Tolerances {
  double targets, gradients;
};
constexpr Tolerances kFp32{1e-5, 1e-5};
constexpr Tolerances kBf16{0.02, 0.1};  // Products of numbers of 8 bits.

AgentConfig ConfigFor(int seed) {
  AgentConfig config;
  config.width = 32;
  config.batch = 48;
  config.critics = 1 + seed % 4;
  config.actor_opinion = seed % 2 == 0 ? CriticOpinion::kMean : CriticOpinion::kMinimum;
  return config;
}

std::vector<float> Drawn(Dice& dice, std::size_t count, float scale) {
  std::vector<float> values(count);
  for (float& v : values) v = scale * (2 * dice.Unit() - 1);
  return values;
}

/// Random parameters, batch and noise.
struct Problem {
  Problem(int seed, const Compute& compute) : config(ConfigFor(seed)), losses(config, {kState, kAction}, compute) {
    Dice dice(static_cast<std::uint64_t>(seed));
    actor = Drawn(dice, losses.actor_shape().size(), 0.25f);  // Deviations stay off their clamp.
    critics = Drawn(dice, losses.critic_shape().size(), 0.4f);
    targets = Drawn(dice, losses.critic_shape().size(), 0.4f);
    Batch& batch = losses.batch();
    batch.demonstrated_rows = config.batch / 2;
    const auto rows = static_cast<std::size_t>(config.batch);
    batch.before = Drawn(dice, rows * kState, 1);
    batch.after = Drawn(dice, rows * kState, 1);
    batch.reward = Drawn(dice, rows, 1);
    batch.discount = Drawn(dice, rows, 0.5f);
    for (float& discount : batch.discount) discount += 0.5f;
    const auto actions = Drawn(dice, rows * kAction, 1);
    for (std::size_t row = 0; row < rows; ++row) {
      float* both = batch.before_action.data() + row * (kState + kAction);
      std::copy_n(batch.before.data() + row * kState, kState, both);
      std::copy_n(actions.data() + row * kAction, kAction, both + kState);
    }
    losses.DrawNoise(dice);
    losses.DrawAsked(dice);
  }

  AgentConfig config;
  Losses losses;
  std::vector<float> actor, critics, targets;
};

torch::Tensor Tensor(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  return torch::from_blob(const_cast<float*>(values.data()), shape).to(torch::kDouble);
}

torch::Tensor Actor(const ActorShape& s, const torch::Tensor& p, const torch::Tensor& x) {
  return Forward(tests::Split(s, p), x);
}

torch::Tensor Critics(const CriticShape& s, const torch::Tensor& p, const torch::Tensor& x) {
  return Forward(tests::Split(s, p), x);
}

double DifferenceRelative(const std::vector<float>& mine, const torch::Tensor& reference) {
  const auto difference = Tensor(mine, {static_cast<std::int64_t>(mine.size())}) - reference.flatten();
  EXPECT_GT(reference.norm().item<double>(), 0);
  return difference.norm().item<double>() / (reference.norm().item<double>() + 1e-12);
}

/// One random problem, for both.
class Comparison {
 public:
  Comparison(int seed, const Compute& compute, Tolerances tolerances)
      : seed_(seed), tolerances_(tolerances), problem_(seed, compute) {
    torch::set_num_threads(1);
  }
  void CompareCritics();
  void CompareActor();
  void CompareClone();

 private:
  void ExpectNear(const std::vector<float>& mine, const torch::Tensor& reference, double tolerance) const {
    EXPECT_LT(DifferenceRelative(mine, reference), tolerance) << "seed " << seed_;
  }

  int seed_;
  Tolerances tolerances_;
  Problem problem_;
  std::int64_t rows_ = problem_.config.batch;
  const ActorShape& actor_shape_ = problem_.losses.actor_shape();
  const CriticShape& critic_shape_ = problem_.losses.critic_shape();
  torch::Tensor before_ = Tensor(problem_.losses.batch().before, {rows_, kState});
  torch::Tensor before_action_ = Tensor(problem_.losses.batch().before_action, {rows_, kState + kAction});
  torch::Tensor after_ = Tensor(problem_.losses.batch().after, {rows_, kState});
  torch::Tensor noise_ = Tensor(problem_.losses.noise(), {rows_, kAction});
  torch::Tensor actor_ = Tensor(problem_.actor, {static_cast<std::int64_t>(problem_.actor.size())});
  torch::Tensor critics_ = Tensor(problem_.critics, {static_cast<std::int64_t>(problem_.critics.size())});
  torch::Tensor targets_ = Tensor(problem_.targets, {static_cast<std::int64_t>(problem_.targets.size())});
};

void Comparison::CompareCritics() {
  const auto next = tests::Sample(Actor(actor_shape_, actor_, after_), noise_);
  const auto opinions = Critics(critic_shape_, targets_, torch::cat({after_, next.action}, 1));
  const auto& asked = problem_.losses.asked();
  const auto least =
      opinions.index_select(1, torch::tensor(std::vector<std::int64_t>(asked.begin(), asked.end()))).amin({1});
  const auto reward = Tensor(problem_.losses.batch().reward, {rows_});
  const auto discount = Tensor(problem_.losses.batch().discount, {rows_});
  const auto y = (reward + discount * least).clamp(problem_.config.value_min, problem_.config.value_max);
  critics_.requires_grad_(true);
  const auto q = Critics(critic_shape_, critics_, before_action_);
  (q - y.unsqueeze(1)).square().mean(0).sum().backward();

  const auto& mine = problem_.losses.ComputeTargets(problem_.actor.data(), problem_.targets.data());
  ExpectNear(mine, y, tolerances_.targets);
  std::vector<float> gradient(problem_.critics.size());
  const auto facts = problem_.losses.CriticGradient(problem_.critics.data(), gradient.data());
  ExpectNear(gradient, critics_.grad(), tolerances_.gradients);
  EXPECT_NEAR(facts.q_mean, q.mean().item<double>(), 10 * tolerances_.targets);
}

void Comparison::CompareActor() {
  const Losses::Weights weights{0.3f, 0.7f};
  actor_.requires_grad_(true);
  const auto now = tests::Sample(Actor(actor_shape_, actor_, before_), noise_);
  const auto q = Critics(critic_shape_, critics_, torch::cat({before_, now.action}, 1));
  const auto opinion = problem_.config.actor_opinion == CriticOpinion::kMean ? q.mean(1) : std::get<0>(q.min(1));
  const std::int64_t shown = problem_.losses.batch().demonstrated_rows;
  const auto limit = problem_.config.clone_action_max;
  const auto demonstrated = before_action_.narrow(0, 0, shown).narrow(1, kState, kAction).clamp(-limit, limit);
  const auto misses = (torch::tanh(now.mean.narrow(0, 0, shown)) - demonstrated).square();
  const auto shown_value = std::get<0>(Critics(critic_shape_, critics_, before_action_).narrow(0, 0, shown).min(1));
  const auto own_value = std::get<0>(q.narrow(0, 0, shown).min(1));
  const auto share = problem_.config.cloned == Cloned::kAll ? torch::ones({shown}, torch::kDouble)
                                                            : (shown_value > own_value).to(torch::kDouble).detach();
  const auto clone = (misses * share.unsqueeze(1)).mean();
  ((weights.temperature * now.log_probability - opinion).mean() + weights.clone * clone).backward();

  std::vector<float> gradient(problem_.actor.size());
  const auto facts =
      problem_.losses.ActorGradient(problem_.actor.data(), problem_.critics.data(), weights, gradient.data());
  ExpectNear(gradient, actor_.grad(), tolerances_.gradients);
  EXPECT_NEAR(facts.entropy, -now.log_probability.mean().item<double>(), 100 * tolerances_.targets);
  EXPECT_NEAR(facts.clone_error, misses.mean().item<double>(), 10 * tolerances_.targets);
}

void Comparison::CompareClone() {
  problem_.losses.batch().demonstrated_rows = problem_.config.batch;
  actor_.requires_grad_(true);
  const auto mean = Actor(actor_shape_, actor_, before_).narrow(1, 0, kAction);
  const auto limit = problem_.config.clone_action_max;
  const auto demonstrated = before_action_.narrow(1, kState, kAction).clamp(-limit, limit);
  (torch::tanh(mean) - demonstrated).square().mean().backward();
  std::vector<float> gradient(problem_.actor.size());
  problem_.losses.CloneGradient(problem_.actor.data(), gradient.data());
  ExpectNear(gradient, actor_.grad(), tolerances_.gradients);
}

Compute With(int threads, Precision precision = Precision::kFp32) {
  return {std::make_shared<Crew>(threads), precision};
}

TEST(LossesAgainstAutograd, CriticTargetsAndGradientsAgree) {
  for (int seed = 1; seed <= kProblems; ++seed) Comparison(seed, With(1), kFp32).CompareCritics();
}

TEST(LossesAgainstAutograd, ActorGradientsAgree) {
  for (int seed = 1; seed <= kProblems; ++seed) Comparison(seed, With(1), kFp32).CompareActor();
}

TEST(LossesAgainstAutograd, CloneGradientsAgree) {
  for (int seed = 1; seed <= kProblems; ++seed) Comparison(seed, With(1), kFp32).CompareClone();
}

TEST(LossesAgainstAutograd, AgreeWithTwoThreads) {
  const Compute two = With(2);
  for (int seed = 1; seed <= kProblems; ++seed) {
    Comparison(seed, two, kFp32).CompareCritics();
    Comparison(seed, two, kFp32).CompareActor();
  }
}

/// Where there is no bf16, the learner does not make it: ComputeFor says fp32 then, and so does this.
TEST(LossesAgainstAutograd, AgreeWithinATenthInBf16) {
  Config config;
  config.precision = Precision::kBf16;
  const Compute compute = ComputeFor(config);
  EXPECT_EQ(compute.precision, HasBf16() ? Precision::kBf16 : Precision::kFp32);
  for (int seed = 1; seed <= 100; ++seed) {
    Comparison(seed, compute, kBf16).CompareCritics();
    Comparison(seed, compute, kBf16).CompareActor();
  }
}

TEST(Adam, StepsAsLibTorchDoes) {
  Dice dice(3);
  std::vector<float> parameters = Drawn(dice, 64, 1);
  auto reference = Tensor(parameters, {64}).to(torch::kFloat).requires_grad_(true);
  torch::optim::Adam optimizer({reference}, torch::optim::AdamOptions(1e-2));
  AdamState state;
  for (int i = 0; i < 200; ++i) {
    const auto gradient = Drawn(dice, 64, 1);
    reference.mutable_grad() = Tensor(gradient, {64}).to(torch::kFloat);
    optimizer.step();
    AdamStep(state, 1e-2f, 1, gradient, parameters);
  }
  EXPECT_LT((Tensor(parameters, {64}) - reference).abs().max().item<double>(), 2e-4);
}

}  // namespace
}  // namespace nightshift::learner
