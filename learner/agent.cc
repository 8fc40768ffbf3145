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

}  // namespace nightshift::learner
