// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/fault.h"
#include "learner/dice.h"
#include "learner/experience.h"
#include "learner/kernel.h"

namespace nightshift::learner {

/// Whether states are mixed with each other, and their labels likewise (Zhang et al. 2018).
enum class Mixup { kOff, kOn };

struct BackwardTargetConfig {
  int width = 128;  // MEDAL's.
  int batch = 256;  // Half of them demonstrated; MEDAL's 800 are balanced too.
  double learning_rate = 3e-4;
  double reward_max = 5;     // Of one step: as if 993 of 1,000 such states were demonstrated.
  Mixup mixup = Mixup::kOn;  // Few demonstrations are learned by heart without.
};

/// Where a backward controller should bring the world: to where demonstrations were, not to one start state (Sharma,
/// Ahmad, Finn: A State-Distribution Matching Approach to Non-Episodic Reinforcement Learning, MEDAL, ICML 2022). A
/// classifier D of demonstrated against visited states; the reward of a state is
///
///   -log(1 - D(s))                                        (section 4.2)
///
/// Deterministic given its seed and what is drawn. Thread: one at a time; one core.
class BackwardTarget {
 public:
  /// @param sizes of the samples that it is trained with.
  BackwardTarget(const BackwardTargetConfig& config, const Sizes& sizes, std::uint64_t seed);

  /// One update, by the states before of samples of both; neither is empty. Returns the mean cross-entropy. Faults:
  /// kNotFinite; the weights are then those from before.
  core::Result<double> Update(const Experience& demonstrated, const Experience& visited);

  /// In [0, reward_max]; 0 for a state that is not finite.
  double Reward(std::span<const float> state);

 private:
  void Draw(const Experience& demonstrated, const Experience& visited);

  BackwardTargetConfig config_;
  ActorShape shape_;
  std::vector<float> parameters_, gradient_;
  AdamState adam_;
  Dice dice_;
  Batch drawn_;
  std::vector<float> states_, labels_, d_out_;
  ActorTrace trace_;
};

}  // namespace nightshift::learner
