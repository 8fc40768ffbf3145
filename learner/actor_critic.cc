// SPDX-License-Identifier: Apache-2.0
#include "learner/actor_critic.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>

#include "core/check.h"
#include "learner/layers.h"

namespace nightshift::learner {

namespace {

float Clamp(float v, float low, float high) { return std::min(std::max(v, low), high); }

bool Finite(const std::vector<float>& values) { return std::isfinite(NormOf(values)); }

bool SameSize(const AdamState& adam, const std::vector<float>& parameters) {
  return adam.first.size() == adam.second.size() && (adam.first.empty() || adam.first.size() == parameters.size());
}

}  // namespace

ActorCritic::ActorCritic(const AgentConfig& config, const Sizes& sizes, std::uint64_t seed, const Compute& compute)
    : config_(config), sizes_(sizes), losses_(config, sizes, compute), dice_(seed) {
  state_.actor = FreshActor(losses_.actor_shape(), static_cast<float>(config.log_std_start), dice_);
  state_.deployed = state_.actor;
  state_.critics = FreshCritics(losses_.critic_shape(), dice_);
  state_.targets = state_.critics;
  state_.log_temperature = static_cast<float>(std::log(config.temperature_start));
  state_.dice = dice_.state();
  gradient_.resize(std::max(state_.actor.size(), state_.critics.size()));
  MarkHealthy();
}

double ActorCritic::clone_weight() const {
  if (config_.clone_fade_updates <= 0) return 0;
  const double left = 1 - static_cast<double>(state_.updates) / config_.clone_fade_updates;
  return config_.clone_weight * std::max(0.0, left);
}

UpdateFacts ActorCritic::Update(Phase phase, const Experience& practice, const Experience& demonstrations) {
  UpdateFacts facts;
  facts.phase = phase;
  NIGHTSHIFT_CHECK(phase != Phase::kWaiting);
  facts.diverged = !(phase == Phase::kCloning ? Clone(demonstrations) : Learn(practice, demonstrations, facts));
  if (facts.diverged) FallBack();
  facts.temperature = std::exp(state_.log_temperature);
  facts.entropy = state_.actor_facts.entropy;
  facts.saturated_share = state_.actor_facts.saturated_share;
  facts.clone_error = state_.actor_facts.clone_error;
  facts.actor_gradient_norm = state_.actor_gradient_norm;
  state_.dice = dice_.state();
  return facts;
}

bool ActorCritic::Learn(const Experience& practice, const Experience& demonstrations, UpdateFacts& facts) {
  int demonstrated = 0;
  if (demonstrations.size() > 0) demonstrated = static_cast<int>(config_.demonstration_share * config_.batch + 0.5);
  if (practice.size() == 0) demonstrated = config_.batch;
  Assemble(demonstrated, practice, demonstrations);
  ++state_.updates;
  if (!UpdateCritics(facts)) return false;
  if (facts.phase != Phase::kLearning || state_.updates % config_.actor_every != 0) return true;
  return UpdateActor();
}

void ActorCritic::FallBack() {
  const AgentState broken = std::move(state_);
  state_ = healthy_;
  state_.updates = broken.updates;
  state_.clone_updates = broken.clone_updates;
  state_.dice = dice_.state();
  state_.divergences = broken.divergences + 1;
  healthy_.divergences = state_.divergences;
}

void ActorCritic::Assemble(int demonstrated_rows, const Experience& practice, const Experience& demonstrations) {
  Batch& batch = losses_.batch();
  batch.demonstrated_rows = demonstrated_rows;
  for (int row = 0; row < batch.rows; ++row)
    (row < demonstrated_rows ? demonstrations : practice).Draw(dice_, batch, row);
}

bool ActorCritic::UpdateCritics(UpdateFacts& facts) {
  losses_.DrawNoise(dice_);
  losses_.DrawAsked(dice_);
  losses_.ComputeTargets(state_.actor.data(), state_.targets.data());
  const CriticFacts found = losses_.CriticGradient(state_.critics.data(), gradient_.data());
  facts.critic_loss = found.loss;
  facts.q_mean = found.q_mean;
  facts.target_mean = found.target_mean;
  if (!(found.loss < DivergedLoss(config_))) return false;
  return Descend(state_.critic_adam, state_.critics, static_cast<float>(config_.target_rate), state_.targets,
                 facts.critic_gradient_norm);
}

bool ActorCritic::UpdateActor() {
  losses_.DrawNoise(dice_);
  const Losses::Weights weights{std::exp(state_.log_temperature), static_cast<float>(clone_weight())};
  state_.actor_facts = losses_.ActorGradient(state_.actor.data(), state_.critics.data(), weights, gradient_.data());
  if (!Descend(state_.actor_adam, state_.actor, static_cast<float>(config_.deployed_rate), state_.deployed,
               state_.actor_gradient_norm))
    return false;
  UpdateTemperature(state_.actor_facts.entropy);
  return true;
}

/// One step down gradient_, its norm clipped, and the average after it; false, and no step, when it is not finite.
bool ActorCritic::Descend(AdamState& adam, std::vector<float>& parameters, float average_rate,
                          std::vector<float>& average, double& norm) {
  const std::span<const float> gradient(gradient_.data(), parameters.size());
  norm = NormOf(losses_.crew(), gradient);
  if (!std::isfinite(norm)) return false;
  const double clip = std::min(1.0, config_.gradient_norm_max / (norm + 1e-12));
  AdamStepAndAverage(losses_.crew(), adam,
                     {static_cast<float>(config_.learning_rate), static_cast<float>(clip), average_rate}, gradient,
                     parameters, average);
  return true;
}

/// Too little entropy raises it, too much lowers it.
void ActorCritic::UpdateTemperature(double entropy) {
  const auto gradient = static_cast<float>(entropy - config_.target_entropy);
  AdamStep(state_.temperature_adam, static_cast<float>(config_.temperature_learning_rate), 1, {&gradient, 1},
           {&state_.log_temperature, 1});
  state_.log_temperature = Clamp(state_.log_temperature, static_cast<float>(std::log(config_.temperature_min + 1e-12)),
                                 static_cast<float>(std::log(config_.temperature_max)));
}

bool ActorCritic::Clone(const Experience& demonstrations) {
  Assemble(config_.batch, demonstrations, demonstrations);
  ++state_.clone_updates;
  state_.actor_facts = losses_.CloneGradient(state_.actor.data(), gradient_.data());
  return Descend(state_.actor_adam, state_.actor, 1, state_.deployed, state_.actor_gradient_norm);  // No average yet.
}

skills::DenseLayers ActorCritic::Layers(Actor which) const {
  return LayersOf(losses_.actor_shape(), (which == Actor::kDeployed ? state_.deployed : state_.actor).data());
}

core::Result<void> ActorCritic::Check(const AgentState& state) const {
  const auto refuse = [](const std::string& why) { return core::Fail(core::FaultCode::kCorruptState, why); };
  if (state.actor.size() != state_.actor.size() || state.deployed.size() != state_.actor.size() ||
      state.critics.size() != state_.critics.size() || state.targets.size() != state_.critics.size())
    return refuse("the saved networks have another size than learner.agent.width = " + std::to_string(config_.width) +
                  " and critics = " + std::to_string(config_.critics) +
                  " ask for, or policies see other features than when they were saved; restore the old values or begin "
                  "with a fresh data folder");
  if (!SameSize(state.actor_adam, state.actor) || !SameSize(state.critic_adam, state.critics))
    return refuse("the saved optimiser moments do not fit the networks");
  for (const auto* values : {&state.actor, &state.deployed, &state.critics, &state.targets, &state.actor_adam.first,
                             &state.actor_adam.second, &state.critic_adam.first, &state.critic_adam.second})
    if (!Finite(*values)) return refuse("a saved weight is not finite");
  if (!std::isfinite(state.log_temperature)) return refuse("the saved temperature is not finite");
  return {};
}

core::Result<void> ActorCritic::Restore(AgentState state, std::optional<AgentState> healthy) {
  if (auto good = Check(state); !good) return good;
  if (healthy)
    if (auto good = Check(*healthy); !good)
      return core::Fail(good.error().code, "what it falls back to: " + good.error().detail);
  state_ = std::move(state);
  dice_.Restore(state_.dice);
  healthy_ = healthy ? std::move(*healthy) : state_;
  return {};
}

void ActorCritic::Inherit(const ActorCritic& parent) {
  NIGHTSHIFT_CHECK(state_.updates == 0 && sizes_ == parent.sizes_);
  state_.actor = parent.state_.actor;
  state_.deployed = parent.state_.deployed;
  state_.critics = parent.state_.critics;
  state_.targets = parent.state_.targets;
  state_.log_temperature = parent.state_.log_temperature;
  state_.clone_updates = std::max<std::int64_t>(state_.clone_updates, config_.clone_updates);
  MarkHealthy();
}

}  // namespace nightshift::learner
