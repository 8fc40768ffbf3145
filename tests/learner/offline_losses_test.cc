// SPDX-License-Identifier: Apache-2.0
// The hand-written gradients of the offline algorithms against LibTorch's autograd of the same losses.
#include <gtest/gtest.h>

#include "learner/conservative_q.h"
#include "learner/implicit_q.h"
#include "skills/policy.h"
#include "tests/learner/reference.h"

namespace nightshift::learner {
namespace {

using tests::ActorOut;
using tests::CriticOut;
using tests::ExpectSame;
using tests::Flat;
using tests::Tensor;

constexpr Sizes kSizes{5, 3};
constexpr int kProblems = 100;

std::vector<float> Drawn(Dice& dice, std::size_t count, float scale) {
  std::vector<float> values(count);
  for (float& v : values) v = scale * (2 * dice.Unit() - 1);
  return values;
}

AgentConfig ConfigFor(int seed) {
  AgentConfig config;
  config.width = 24;
  config.batch = 32;
  config.critics = 1 + seed % 3;
  return config;
}

/// Networks far from their beginning.
AgentState Grown(const AgentConfig& config, Dice& dice) {
  AgentState state = ActorCritic(config, kSizes, 1).state();
  state.actor = Drawn(dice, state.actor.size(), 0.25f);
  state.critics = Drawn(dice, state.critics.size(), 0.4f);
  state.targets = Drawn(dice, state.targets.size(), 0.4f);
  return state;
}

void Fill(Batch& batch, Dice& dice) {
  for (int row = 0; row < batch.rows; ++row) {
    const auto before = Drawn(dice, kSizes.state, 1), action = Drawn(dice, kSizes.action, 1),
               after = Drawn(dice, kSizes.state, 1);
    batch.Put(row, {before, action, 2 * dice.Unit() - 1, after, dice.Unit()});
  }
}

struct Tensors {
  explicit Tensors(const Batch& b)
      : before(Tensor(b.before, {b.rows, kSizes.state})),
        both(Tensor(b.before_action, {b.rows, kSizes.both()})),
        after(Tensor(b.after, {b.rows, kSizes.state})),
        action(both.narrow(1, kSizes.state, kSizes.action)),
        reward(Flat(b.reward)),
        discount(Flat(b.discount)) {}
  torch::Tensor before, both, after, action, reward, discount;
};

torch::Tensor Leaf(const std::vector<float>& values) { return Flat(values).requires_grad_(true); }

/// What one random problem of implicit Q-learning comes to, by hand and by autograd.
void CompareImplicitQ(int seed) {
  Dice dice(static_cast<std::uint64_t>(seed));
  const AgentConfig agent = ConfigFor(seed);
  const ImplicitQConfig config{.expectile = 0.7, .inverse_temperature = 3, .weight_max = 4, .log_std_min = -1};
  ImplicitQ mine(config, agent, kSizes, Grown(agent, dice));
  Fill(mine.batch(), dice);
  const Tensors t(mine.batch());
  const AgentState& state = mine.state();
  const CriticShape critics{kSizes.both(), agent.width, agent.critics};
  const ActorShape actor{kSizes.state, agent.width, 2 * kSizes.action};

  auto value = Leaf(mine.value()), q = Leaf(state.critics), p = Leaf(state.actor);
  const auto v = CriticOut(mine.value_shape(), value, t.before).squeeze(1);
  const auto u = std::get<0>(CriticOut(critics, Flat(state.targets), t.both).min(1)) - v;
  const auto side =
      torch::where(u < 0, torch::full_like(u, 1 - config.expectile), torch::full_like(u, config.expectile));
  (side.detach() * u.square()).mean().backward();
  const auto next = CriticOut(mine.value_shape(), value, t.after).squeeze(1).detach();
  const auto y = (t.reward + t.discount * next).clamp(agent.value_min, agent.value_max);
  (CriticOut(critics, q, t.both) - y.unsqueeze(1)).square().mean(0).sum().backward();
  const auto weight = (config.inverse_temperature * u.detach()).exp().clamp_max(config.weight_max);
  const auto out = ActorOut(actor, p, t.before);
  const auto log_std = out.narrow(1, kSizes.action, kSizes.action).clamp(config.log_std_min, skills::kLogStdMax);
  const auto logged = t.action.clamp(-agent.clone_action_max, agent.clone_action_max).atanh();
  const auto off = (logged - out.narrow(1, 0, kSizes.action)) * (-log_std).exp();
  (weight.unsqueeze(1) * (0.5 * off.square() + log_std)).sum(1).mean().backward();

  mine.Judge();
  std::vector<float> value_gradient(mine.value().size()), critic_gradient(state.critics.size()),
      actor_gradient(state.actor.size());
  mine.ValueGradient(value_gradient);
  mine.CriticGradient(critic_gradient);
  mine.ActorGradient(actor_gradient);
  ExpectSame(value_gradient, value.grad(), seed);
  ExpectSame(critic_gradient, q.grad(), seed);
  ExpectSame(actor_gradient, p.grad(), seed);
}

/// The penalty of one random problem of conservative Q-learning, by hand and by autograd.
void ComparePenalty(int seed, Calibration calibration) {
  Dice dice(static_cast<std::uint64_t>(seed));
  const AgentConfig agent = ConfigFor(seed);
  const ConservativeQConfig config{.sampled_actions = 3, .calibration = calibration};
  ConservativeQ mine(config, agent, kSizes, Grown(agent, dice));
  Fill(mine.batch(), dice);
  mine.DrawActions();
  const Tensors t(mine.batch());
  const int asked = 3 * config.sampled_actions;
  const CriticShape critics{kSizes.both(), agent.width, agent.critics};

  auto q = Leaf(mine.state().critics);
  const auto rows = Tensor(mine.asked(), {agent.batch, asked + 1, kSizes.both()}).narrow(1, 0, asked);
  auto values = CriticOut(critics, q, rows.reshape({-1, kSizes.both()})).view({agent.batch, asked, agent.critics});
  if (calibration == Calibration::kBehaviour) {
    const auto floor = CriticOut(mine.behaviour_shape(), Flat(mine.behaviour()), t.before).unsqueeze(1);
    values = torch::cat({values.narrow(1, 0, config.sampled_actions),
                         torch::maximum(values.narrow(1, config.sampled_actions, 2 * config.sampled_actions), floor)},
                        1);
  }
  const auto density = Tensor(mine.log_density(), {agent.batch, asked}).unsqueeze(2);
  const auto best = torch::logsumexp(values - density, 1) - std::log(asked);
  const auto gap = (best - CriticOut(critics, q, t.both)).mean(0);
  gap.sum().backward();

  std::vector<float> gradient(mine.state().critics.size());
  EXPECT_NEAR(mine.PenaltyGradient(gradient), gap.mean().item<double>(), 1e-4) << "seed " << seed;
  ExpectSame(gradient, q.grad(), seed);
}

/// Densities of the actor's actions, of those drawn in one random problem.
void CompareDensities(int seed) {
  Dice dice(static_cast<std::uint64_t>(seed));
  const AgentConfig agent = ConfigFor(seed);
  const ConservativeQConfig config{.sampled_actions = 2};
  ConservativeQ mine(config, agent, kSizes, Grown(agent, dice));
  Fill(mine.batch(), dice);
  mine.DrawActions();
  const Tensors t(mine.batch());
  const auto actions = Tensor(mine.asked(), {agent.batch, 7, kSizes.both()}).narrow(2, kSizes.state, kSizes.action);
  const auto mine_log = Tensor(mine.log_density(), {agent.batch, 6});
  const ActorShape actor{kSizes.state, agent.width, 2 * kSizes.action};
  EXPECT_LT((mine_log.narrow(1, 0, 2) - kSizes.action * std::log(0.5)).abs().max().item<double>(), 1e-5);
  for (const int source : {1, 2}) {
    const auto out = ActorOut(actor, Flat(mine.state().actor), source == 1 ? t.before : t.after).unsqueeze(1);
    const auto log_std = out.narrow(2, kSizes.action, kSizes.action).clamp(skills::kLogStdMin, skills::kLogStdMax);
    const auto action = actions.narrow(1, 2 * source, 2).clamp(-0.99999, 0.99999);
    const auto off = (action.atanh() - out.narrow(2, 0, kSizes.action)) * (-log_std).exp();
    const auto log_normal = -0.5 * off.square() - log_std - 0.5 * std::log(2 * M_PI);
    const auto expected = (log_normal - torch::log1p(-action.square())).sum(2);
    const auto apart = (mine_log.narrow(1, 2 * source, 2) - expected).abs();
    // Where tanh is nearly 1 the way back loses digits.
    EXPECT_LT((apart * (action.abs().amax(2) < 0.99)).max().item<double>(), 2e-3) << "seed " << seed;
  }
}

TEST(OfflineAgainstAutograd, ImplicitQLearningAgrees) {
  for (int seed = 1; seed <= kProblems; ++seed) CompareImplicitQ(seed);
}

TEST(OfflineAgainstAutograd, TheConservativePenaltyAgrees) {
  for (int seed = 1; seed <= kProblems; ++seed) ComparePenalty(seed, Calibration::kOff);
}

TEST(OfflineAgainstAutograd, TheCalibratedPenaltyAgrees) {
  for (int seed = 1; seed <= kProblems; ++seed) ComparePenalty(seed, Calibration::kBehaviour);
}

TEST(OfflineAgainstAutograd, DensitiesOfDrawnActionsAgree) {
  for (int seed = 1; seed <= kProblems; ++seed) CompareDensities(seed);
}

}  // namespace
}  // namespace nightshift::learner
