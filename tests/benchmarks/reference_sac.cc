// SPDX-License-Identifier: Apache-2.0
#include "tests/benchmarks/reference_sac.h"

#include <torch/torch.h>

#include <algorithm>

#include "learner/layers.h"
#include "tests/learner/autograd.h"

namespace nightshift::tests {

namespace {

torch::Tensor Flat(const std::vector<float>& values) {
  return torch::from_blob(const_cast<float*>(values.data()), {static_cast<std::int64_t>(values.size())});
}

/// Leaves of their own: the gradient of a view would be as large as what it is a view of.
template <typename Tensors>
void Detach(Tensors& tensors, bool learned, std::vector<torch::Tensor>& all) {
  for (torch::Tensor* each : tensors.all()) {
    *each = each->clone().requires_grad_(learned);
    all.push_back(*each);
  }
}

}  // namespace

struct ReferenceSac::Networks {
  learner::ActorShape actor_shape;
  ActorTensors actor, deployed;
  std::vector<CriticTensors> critics, targets;
  std::vector<torch::Tensor> actor_all, deployed_all, critics_all, targets_all;
  torch::Tensor log_temperature;
  std::unique_ptr<torch::optim::Adam> actor_adam, critic_adam, temperature_adam;

  torch::Tensor noise, before, before_action, after, reward, discount;  // Views of the batch.
};

ReferenceSac::ReferenceSac(const learner::AgentConfig& config, const learner::Sizes& sizes, std::uint64_t seed)
    : config_(config),
      sizes_(sizes),
      dice_(seed),
      batch_(sizes, config.batch),
      noise_(static_cast<std::size_t>(config.batch) * static_cast<std::size_t>(sizes.action)),
      networks_(std::make_unique<Networks>()) {
  const learner::ActorCritic fresh(config, sizes, seed);
  dice_.Restore(fresh.state().dice);
  Networks& n = *networks_;
  n.actor_shape = {sizes.state, config.width, 2 * sizes.action};
  const learner::CriticShape critic_shape{sizes.both(), config.width, config.critics};
  n.actor = Split(n.actor_shape, Flat(fresh.state().actor));
  n.deployed = n.actor;
  n.critics = Split(critic_shape, Flat(fresh.state().critics));
  n.targets = n.critics;
  Detach(n.actor, true, n.actor_all);
  Detach(n.deployed, false, n.deployed_all);
  for (auto& member : n.critics) Detach(member, true, n.critics_all);
  for (auto& member : n.targets) Detach(member, false, n.targets_all);
  n.log_temperature = torch::tensor({fresh.state().log_temperature}).requires_grad_(true);
  const auto adam = [](std::vector<torch::Tensor> of, double rate) {
    return std::make_unique<torch::optim::Adam>(std::move(of), torch::optim::AdamOptions(rate));
  };
  n.actor_adam = adam(n.actor_all, config.learning_rate);
  n.critic_adam = adam(n.critics_all, config.learning_rate);
  n.temperature_adam = adam({n.log_temperature}, config.temperature_learning_rate);
  const auto view = [&](std::vector<float>& values, int columns) {
    return torch::from_blob(values.data(), {config.batch, columns});
  };
  n.noise = view(noise_, sizes.action);
  n.before = view(batch_.before, sizes.state);
  n.before_action = view(batch_.before_action, sizes.both());
  n.after = view(batch_.after, sizes.state);
  n.reward = view(batch_.reward, 1);
  n.discount = view(batch_.discount, 1);
}

ReferenceSac::~ReferenceSac() = default;

void ReferenceSac::Update(learner::Phase, const learner::Experience& practice,
                          const learner::Experience& demonstrations) {
  const int shown = demonstrations.size() > 0 ? static_cast<int>(config_.demonstration_share * config_.batch + 0.5) : 0;
  for (int row = 0; row < batch_.rows; ++row) (row < shown ? demonstrations : practice).Draw(dice_, batch_, row);
  UpdateCritics();
  if (++updates_ % config_.actor_every == 0) UpdateActor();
}

void ReferenceSac::UpdateCritics() {
  Networks& n = *networks_;
  for (std::size_t i = 0; i < noise_.size(); i += 2) dice_.Normals(noise_[i], noise_[i + 1]);
  torch::Tensor y;
  {
    const torch::NoGradGuard guard;
    const auto next = Sample(Forward(n.actor, n.after), n.noise);
    std::vector<CriticTensors> asked = n.targets;
    asked.resize(static_cast<std::size_t>(std::min(config_.critics_asked, config_.critics)));  // As many, if others.
    const auto least = Forward(asked, torch::cat({n.after, next.action}, 1)).amin({1}, true);
    y = torch::clamp(n.reward + n.discount * least, config_.value_min, config_.value_max);
  }
  n.critic_adam->zero_grad();
  (Forward(n.critics, n.before_action) - y).square().mean(0).sum().backward();
  torch::nn::utils::clip_grad_norm_(n.critics_all, config_.gradient_norm_max);
  n.critic_adam->step();
  const torch::NoGradGuard guard;
  torch::_foreach_mul_(n.targets_all, 1 - config_.target_rate);
  torch::_foreach_add_(n.targets_all, n.critics_all, config_.target_rate);
}

void ReferenceSac::UpdateActor() {
  Networks& n = *networks_;
  for (std::size_t i = 0; i < noise_.size(); i += 2) dice_.Normals(noise_[i], noise_[i + 1]);
  for (auto& each : n.critics_all) each.requires_grad_(false);
  const auto now = Sample(Forward(n.actor, n.before), n.noise);
  const auto q = Forward(n.critics, torch::cat({n.before, now.action}, 1));
  const auto opinion = config_.actor_opinion == learner::CriticOpinion::kMean ? q.mean(1) : q.amin({1});
  n.actor_adam->zero_grad();
  (n.log_temperature.detach().exp() * now.log_probability - opinion).mean().backward();
  for (auto& each : n.critics_all) each.requires_grad_(true);
  torch::nn::utils::clip_grad_norm_(n.actor_all, config_.gradient_norm_max);
  n.actor_adam->step();
  n.temperature_adam->zero_grad();
  const auto entropy = -now.log_probability.detach().mean();
  (n.log_temperature * (entropy - config_.target_entropy)).sum().backward();
  n.temperature_adam->step();
  const torch::NoGradGuard guard;
  n.log_temperature.clamp_(std::log(config_.temperature_min + 1e-12), std::log(config_.temperature_max));
  torch::_foreach_mul_(n.deployed_all, 1 - config_.deployed_rate);
  torch::_foreach_add_(n.deployed_all, n.actor_all, config_.deployed_rate);
}

skills::DenseLayers ReferenceSac::Layers(learner::Actor which) const {
  const Networks& n = *networks_;
  std::vector<float> flat;
  for (const auto& each : which == learner::Actor::kDeployed ? n.deployed_all : n.actor_all) {
    const auto values = each.detach().contiguous();
    flat.insert(flat.end(), values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
  }
  return learner::LayersOf(n.actor_shape, flat.data());
}

}  // namespace nightshift::tests
