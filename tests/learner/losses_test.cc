// SPDX-License-Identifier: Apache-2.0
// The hand-written gradients against LibTorch's autograd of the same losses written in tensors.
#include "learner/losses.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "skills/policy.h"

namespace nightshift::learner {
namespace {

constexpr int kState = skills::kFeatureSize;
constexpr int kAction = core::kActionSize;
constexpr double kToleranceRelative = 2e-4;  // Single precision, sums in another order.

AgentConfig ConfigFor(int seed) {
  AgentConfig config;
  config.width = 32;
  config.batch = 48;
  config.critics = 1 + seed % 3;
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
  explicit Problem(int seed) : config(ConfigFor(seed)), losses(config, {kState, kAction}) {
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
  }

  AgentConfig config;
  Losses losses;
  std::vector<float> actor, critics, targets;
};

torch::Tensor Tensor(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  return torch::from_blob(const_cast<float*>(values.data()), shape).clone();
}

torch::Tensor Part(const torch::Tensor& flat, std::size_t at, std::vector<std::int64_t> shape) {
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  return flat.narrow(0, static_cast<std::int64_t>(at), count).view(shape);
}

torch::Tensor Actor(const ActorShape& s, const torch::Tensor& p, const torch::Tensor& x) {
  const auto h1 = torch::relu(torch::linear(x, Part(p, s.w1(), {s.width, s.inputs}), Part(p, s.b1(), {s.width})));
  const auto h2 = torch::relu(torch::linear(h1, Part(p, s.w2(), {s.width, s.width}), Part(p, s.b2(), {s.width})));
  return torch::linear(h2, Part(p, s.w3(), {s.outputs, s.width}), Part(p, s.b3(), {s.outputs}));
}

/// batch x members.
torch::Tensor Critics(const CriticShape& s, const torch::Tensor& p, const torch::Tensor& x) {
  std::vector<torch::Tensor> values;
  const std::size_t w = static_cast<std::size_t>(s.width);
  for (std::size_t m = 0; m < static_cast<std::size_t>(s.members); ++m) {
    const auto vector = [&](std::size_t base) { return Part(p, base + m * w, {s.width}); };
    const auto w1 = Part(p, s.w1() + m * w * static_cast<std::size_t>(s.inputs), {s.width, s.inputs});
    const auto w2 = Part(p, s.w2() + m * w * w, {s.width, s.width});
    auto h = torch::linear(x, w1, vector(s.b1()));
    h = torch::relu(torch::layer_norm(h, {s.width}, vector(s.g1()), vector(s.c1())));
    h = torch::linear(h, w2, vector(s.b2()));
    h = torch::relu(torch::layer_norm(h, {s.width}, vector(s.g2()), vector(s.c2())));
    values.push_back(torch::linear(h, Part(p, s.w3() + m * w, {1, s.width}), Part(p, s.b3() + m, {1})));
  }
  return torch::cat(values, 1);
}

struct Acting {
  torch::Tensor mean, action, log_probability;
};

Acting Sample(const ActorShape& s, const torch::Tensor& p, const torch::Tensor& x, const torch::Tensor& noise) {
  const auto out = Actor(s, p, x);
  const auto mean = out.narrow(1, 0, kAction);
  const auto log_std = out.narrow(1, kAction, kAction).clamp(skills::kLogStdMin, skills::kLogStdMax);
  const auto u = mean + log_std.exp() * noise;
  const auto log_normal = -0.5 * noise.square() - log_std - 0.5 * std::log(2 * M_PI);
  const auto log_squash = 2 * (std::log(2.0) - u - torch::softplus(-2 * u));  // log(1 - tanh(u)^2)
  return {mean, torch::tanh(u), (log_normal - log_squash).sum(1)};
}

void ExpectNear(const std::vector<float>& mine, const torch::Tensor& reference, int seed) {
  const auto difference = Tensor(mine, {static_cast<std::int64_t>(mine.size())}) - reference;
  const double relative = difference.norm().item<double>() / (reference.norm().item<double>() + 1e-12);
  EXPECT_GT(reference.norm().item<double>(), 0);
  EXPECT_LT(relative, kToleranceRelative) << "seed " << seed;
}

/// One random problem, for both.
class Comparison {
 public:
  explicit Comparison(int seed) : seed_(seed) { torch::set_num_threads(1); }
  void CompareCritics();
  void CompareActor();
  void CompareClone();

 private:
  int seed_;
  Problem problem_{seed_};
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
  const auto next = Sample(actor_shape_, actor_, after_, noise_);
  const auto least = std::get<0>(Critics(critic_shape_, targets_, torch::cat({after_, next.action}, 1)).min(1));
  const auto reward = Tensor(problem_.losses.batch().reward, {rows_});
  const auto discount = Tensor(problem_.losses.batch().discount, {rows_});
  const auto y = (reward + discount * least).clamp(problem_.config.value_min, problem_.config.value_max);
  critics_.requires_grad_(true);
  const auto q = Critics(critic_shape_, critics_, before_action_);
  (q - y.unsqueeze(1)).square().mean(0).sum().backward();

  const auto& mine = problem_.losses.ComputeTargets(problem_.actor.data(), problem_.targets.data());
  ExpectNear(mine, y, seed_);
  std::vector<float> gradient(problem_.critics.size());
  const auto facts = problem_.losses.CriticGradient(problem_.critics.data(), gradient.data());
  ExpectNear(gradient, critics_.grad(), seed_);
  EXPECT_NEAR(facts.q_mean, q.mean().item<double>(), 1e-4);
}

void Comparison::CompareActor() {
  const Losses::Weights weights{0.3f, 0.7f};
  actor_.requires_grad_(true);
  const auto now = Sample(actor_shape_, actor_, before_, noise_);
  const auto q = Critics(critic_shape_, critics_, torch::cat({before_, now.action}, 1));
  const auto opinion = problem_.config.actor_opinion == CriticOpinion::kMean ? q.mean(1) : std::get<0>(q.min(1));
  const std::int64_t shown = problem_.losses.batch().demonstrated_rows;
  const auto limit = problem_.config.clone_action_max;
  const auto demonstrated = before_action_.narrow(0, 0, shown).narrow(1, kState, kAction).clamp(-limit, limit);
  const auto misses = (torch::tanh(now.mean.narrow(0, 0, shown)) - demonstrated).square();
  const auto shown_value = std::get<0>(Critics(critic_shape_, critics_, before_action_).narrow(0, 0, shown).min(1));
  const auto own_value = std::get<0>(q.narrow(0, 0, shown).min(1));
  const auto share = problem_.config.cloned == Cloned::kAll ? torch::ones({shown})
                                                            : (shown_value > own_value).to(torch::kFloat).detach();
  const auto clone = (misses * share.unsqueeze(1)).mean();
  ((weights.temperature * now.log_probability - opinion).mean() + weights.clone * clone).backward();

  std::vector<float> gradient(problem_.actor.size());
  const auto facts =
      problem_.losses.ActorGradient(problem_.actor.data(), problem_.critics.data(), weights, gradient.data());
  ExpectNear(gradient, actor_.grad(), seed_);
  EXPECT_NEAR(facts.entropy, -now.log_probability.mean().item<double>(), 1e-3);
  EXPECT_NEAR(facts.clone_error, misses.mean().item<double>(), 1e-4);
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
  ExpectNear(gradient, actor_.grad(), seed_);
}

constexpr int kProblems = 200;

TEST(LossesAgainstAutograd, CriticTargetsAndGradientsAgree) {
  for (int seed = 1; seed <= kProblems; ++seed) Comparison(seed).CompareCritics();
}

TEST(LossesAgainstAutograd, ActorGradientsAgree) {
  for (int seed = 1; seed <= kProblems; ++seed) Comparison(seed).CompareActor();
}

TEST(LossesAgainstAutograd, CloneGradientsAgree) {
  for (int seed = 1; seed <= kProblems; ++seed) Comparison(seed).CompareClone();
}

TEST(Adam, StepsAsLibTorchDoes) {
  Dice dice(3);
  std::vector<float> parameters = Drawn(dice, 64, 1);
  auto reference = Tensor(parameters, {64}).requires_grad_(true);
  torch::optim::Adam optimizer({reference}, torch::optim::AdamOptions(1e-2));
  AdamState state;
  for (int i = 0; i < 200; ++i) {
    const auto gradient = Drawn(dice, 64, 1);
    reference.mutable_grad() = Tensor(gradient, {64});
    optimizer.step();
    AdamStep(state, 1e-2f, 1, gradient, parameters);
  }
  EXPECT_LT((Tensor(parameters, {64}) - reference).abs().max().item<double>(), 2e-4);
}

}  // namespace
}  // namespace nightshift::learner
