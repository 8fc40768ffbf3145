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

/// What one update found. Figures of its batch.
struct ConservativeQFacts {
  double critic_loss = 0;
  double q_mean = 0;
  double gap = 0;  // The penalty before its weight: how much better the actions nobody tried look than the logged ones.
  double entropy = 0;
};

/// Conservative Q-learning (Kumar, Zhou, Tucker, Levine: Conservative Q-Learning for Offline Reinforcement Learning,
/// NeurIPS 2020): soft actor-critic (losses.h) whose critics are pressed down where nobody has tried.
///
///   critics: those of losses.h + penalty * mean, summed over i: log sum_k exp(Q_i(s, a_k) - log p(a_k)) - Q_i(s, a)
///            (equation 4, its integral by importance sampling as in appendix F: a_k uniform, from pi(s), from pi(s'))
///   actor:   that of losses.h, by the critics' lowest opinion
///
/// Calibrated (Nakamoto et al.: Cal-QL, NeurIPS 2023, equation 5.1), Q_i(s, a_k) of the actor's actions is pressed no
/// lower than V(s), what the logged behaviour earns, learned from the data by temporal differences.
/// tests/learner/offline_losses_test.cc holds the gradients to LibTorch's autograd.
/// Deterministic given what it starts from and what is drawn. Thread: one at a time; one core.
class ConservativeQ {
 public:
  /// Begins from an agent's networks and dice. @param agent sizes of the networks and bounds of their values.
  ConservativeQ(const ConservativeQConfig& config, const AgentConfig& agent, const Sizes& sizes, AgentState start);

  /// One update of critics and actor. Faults: kNotFinite when the batch or what follows from it is not finite or out
  /// of all bounds; the weights are then those from before.
  core::Result<ConservativeQFacts> Update(const Experience& data);

  /// Networks for an ActorCritic of the same sizes to go on from; `deployed` is the averaged actor. No moments: those
  /// belong to other losses.
  const AgentState& state() const { return state_; }
  /// V, where it is calibrated.
  const std::vector<float>& behaviour() const { return behaviour_; }
  const CriticShape& behaviour_shape() const { return behaviour_shape_; }

  // The parts of the penalty, for the test that compares its gradient. In this order, after `batch()` is filled.
  Batch& batch() { return losses_.batch(); }
  void DrawActions();                                    // a_k of every row, and their densities.
  double PenaltyGradient(std::vector<float>& gradient);  // Returns the gap.
  const std::vector<float>& asked() const { return asked_; }
  const std::vector<float>& log_density() const { return log_density_; }
  const std::vector<float>& behaviour_value() const { return behaviour_trace_.q; }  // Of the batch; as last asked.
  void AskBehaviour();

 private:
  void CriticsGradient(ConservativeQFacts& facts);
  void ActorGradient(ConservativeQFacts& facts);
  void BehaviourGradient();
  bool Step();
  void DrawFromActor(const std::vector<float>& states, std::size_t first);
  float* AskedRow(std::size_t row, std::size_t k) { return asked_.data() + (row * (actions_ + 1) + k) * both_; }

  ConservativeQConfig config_;
  AgentConfig agent_;
  std::size_t rows_, state_size_, action_size_, both_;  // Of one batch, one row.
  std::size_t actions_;                                 // a_k per row.
  Losses losses_;
  CriticShape behaviour_shape_;
  AgentState state_;
  std::vector<float> behaviour_, behaviour_target_;  // V, and what its own targets are made with.
  AdamState behaviour_adam_;
  Dice dice_;
  ActorTrace actor_trace_;
  CriticTrace asked_trace_, behaviour_trace_;
  std::vector<float> asked_;        // rows x (actions + 1) x (state + action): the a_k, and last the logged one.
  std::vector<float> log_density_;  // rows x actions
  std::vector<float> d_q_, d_value_, target_;
  std::vector<float> critic_gradient_, penalty_gradient_, actor_gradient_, behaviour_gradient_;
};

}  // namespace nightshift::learner
