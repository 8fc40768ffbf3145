// SPDX-License-Identifier: Apache-2.0
#include "learner/agent.h"

#include <algorithm>

namespace nightshift::learner {

Agent::Agent(const AgentConfig& config, std::uint64_t seed, const Compute& compute)
    : core_(config, kAgentSizes, seed, compute),
      practice_(kAgentSizes, static_cast<std::size_t>(config.samples_max)),
      demonstrations_(kAgentSizes, static_cast<std::size_t>(config.demonstrations_max)) {}

Phase Agent::phase() const {
  const bool shown = demonstrated_episodes_ > 0 && demonstrated_episodes_ >= config().demonstrations_start;
  if (state().updates == 0) {
    if (!shown && practice_.size() < static_cast<std::size_t>(config().samples_start)) return Phase::kWaiting;
    if (shown && clone_updates_left() > 0) return Phase::kCloning;
  }
  if (practice_.size() + demonstrations_.size() == 0) return Phase::kWaiting;
  // Without a clone there is nothing to protect.
  const bool frozen = state().clone_updates > 0 && state().updates < config().actor_frozen_updates;
  return frozen ? Phase::kWarmingUp : Phase::kLearning;
}

std::int64_t Agent::clone_updates_left() const {
  if (state().updates > 0 || demonstrations_.size() == 0) return 0;
  return std::max<std::int64_t>(0, config().clone_updates - state().clone_updates);
}

namespace {

constexpr std::size_t kHealthRows = 256;  // Twice the width: fewer would bound the rank of the features.

void Put(std::span<const float> state, std::span<const float> action, HealthBatch& batch) {
  ++batch.rows;
  batch.states.insert(batch.states.end(), state.begin(), state.end());
  batch.states_actions.insert(batch.states_actions.end(), state.begin(), state.end());
  batch.states_actions.insert(batch.states_actions.end(), action.begin(), action.end());
}

}  // namespace

HealthFigures Agent::Health(const HeldOut& held_out) const {
  HealthBatch batch;
  batch.episodes = held_out.episodes();
  for (const HeldOut::Step& step : held_out.Steps(kHealthRows)) {
    Put(step.before, step.action, batch);
    batch.returns.push_back(step.following);
  }
  const Replay& replay = practice_.size() > 0 ? practice_ : demonstrations_;
  const std::size_t rows = batch.rows > 0 ? 0 : std::min(kHealthRows, replay.size());
  for (std::size_t i = 0; i < rows; ++i) {
    const SampleView sample = replay.At(i * replay.size() / rows);
    Put(sample.before, sample.action, batch);
  }
  return Examine({.actor_shape = core_.actor_shape(),
                  .critic_shape = core_.critic_shape(),
                  .actor = state().deployed,
                  .critics = state().critics,
                  .value_min = config().value_min,
                  .value_max = config().value_max},
                 batch);
}

}  // namespace nightshift::learner
