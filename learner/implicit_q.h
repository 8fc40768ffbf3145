// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "core/fault.h"
#include "learner/actor_critic.h"
#include "learner/config.h"
#include "learner/experience.h"
#include "learner/kernel.h"
#include "learner/offline_config.h"

namespace nightshift::learner {

/// What one update found. Figures of its batch.
struct ImplicitQFacts {
  double value_loss = 0;
  double critic_loss = 0;
  double value_mean = 0;
  double weight_mean = 0;  // Of the logged actions; near 1 where the advantage tells them hardly apart.
};

/// Implicit Q-learning (Kostrikov, Nair, Levine: Offline Reinforcement Learning with Implicit Q-Learning, ICLR 2022):
/// no action is ever judged that was not logged.
///
///   value:   mean |tau - (u < 0)| u^2,  u = min_i Q'_i(s, a) - V(s)                      (equation 5)
///   critics: mean, summed over i: (r + discount V(s') - Q_i(s, a))^2                      (equation 6)
///   actor:   mean -min(exp(beta u), weight_max) log pi(a | s)                             (equation 7)
///
/// with s, a, r, s' logged, no entropy, and the critics' targets clipped to [value_min, value_max]. pi is the squashed
/// Gaussian of the online actor-critic; its likelihood is taken where it is Gaussian, at atanh of the logged action,
/// which is clipped to clone_action_max. tests/learner/offline_losses_test.cc holds the gradients to LibTorch's
/// autograd. Deterministic given what it starts from and what is drawn. Thread: one at a time; one core.
class ImplicitQ {
 public:
  /// Begins from an agent's networks and dice. @param agent sizes of the networks and bounds of their values.
  ImplicitQ(const ImplicitQConfig& config, const AgentConfig& agent, const Sizes& sizes, AgentState start);

  /// One update of all three. Faults: kNotFinite when the batch or what follows from it is not finite or out of all
  /// bounds; the weights are then those from before.
  core::Result<ImplicitQFacts> Update(const Experience& data);

  /// Networks for an ActorCritic of the same sizes to go on from; `deployed` is the averaged actor. No moments: those
  /// belong to other losses.
  const AgentState& state() const { return state_; }
  const std::vector<float>& value() const { return value_; }
  const CriticShape& value_shape() const { return value_shape_; }

  // The steps of an update, for the test that compares their gradients. In this order, after `batch()` is filled.
  Batch& batch() { return batch_; }
  void Judge();                                        // Q', V(s), V(s') and the advantages.
  double ValueGradient(std::vector<float>& gradient);  // Each returns its loss.
  double CriticGradient(std::vector<float>& gradient);
  double ActorGradient(std::vector<float>& gradient);

 private:
  bool Step();

  ImplicitQConfig config_;
  AgentConfig agent_;
  std::size_t rows_, action_size_, both_;  // Of one batch, one row.
  ActorShape actor_shape_;
  CriticShape critic_shape_, value_shape_;
  AgentState state_;
  std::vector<float> value_;
  AdamState value_adam_;
  Dice dice_;
  Batch batch_;
  ActorTrace actor_trace_;
  CriticTrace critic_trace_, value_trace_;
  std::vector<float> advantage_, target_, d_value_, d_q_, d_out_;
  std::vector<float> value_gradient_, critic_gradient_, actor_gradient_;
  double value_mean_ = 0, weight_mean_ = 0;
};

}  // namespace nightshift::learner
