// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "learner/actor_critic.h"
#include "learner/dice.h"
#include "skills/dense_network.h"

namespace nightshift::runtime::earl {

/// A squashed-Gaussian actor of any sizes that acts: what skills::LearnedPolicy is for the product's sizes.
/// Thread: one at a time.
class Acting {
 public:
  Acting(const learner::ActorCritic& from, learner::Actor which) : network_(from.Layers(which)) {}

  /// The action for a state followed by a goal: tanh of the mean; sampled where there are dice.
  std::vector<float> Choose(std::span<const float> state, std::span<const float> goal, learner::Dice* dice = nullptr);

 private:
  skills::DenseNetwork network_;
  std::vector<float> seen_;
};

}  // namespace nightshift::runtime::earl
