// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "core/fault.h"
#include "learner/actor_critic.h"
#include "learner/config.h"
#include "learner/experience.h"
#include "learner/losses.h"
#include "learner/offline_config.h"

namespace nightshift::learner {

/// Behaviour cloning (Pomerleau 1991): the actor's mean action follows the demonstrated one; deviations and critics
/// stay as they are. Its loss, mean (tanh mu(s) - clip(a))^2, is that of the online actor-critic's first phase
/// (losses.h).
///
/// Deterministic given what it starts from and what is drawn. Thread: one at a time; one core.
class Cloning {
 public:
  /// Begins from an agent's networks and dice. @param agent sizes of the networks.
  Cloning(const CloningConfig& config, const AgentConfig& agent, const Sizes& sizes, AgentState start);

  /// One update of the actor; returns the mean square distance to the demonstrated actions. Faults: kNotFinite when
  /// the batch or what follows from it is not finite; the weights are then those from before.
  core::Result<double> Update(const Experience& demonstrations);

  /// Networks for an ActorCritic of the same sizes to go on from, without moments: those belong to another loss.
  const AgentState& state() const { return state_; }

 private:
  CloningConfig config_;
  AgentConfig agent_;
  Losses losses_;
  AgentState state_;
  Dice dice_;
  std::vector<float> gradient_;
};

}  // namespace nightshift::learner
