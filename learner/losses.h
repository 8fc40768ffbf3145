// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <vector>

#include "learner/config.h"
#include "learner/dice.h"
#include "learner/experience.h"
#include "learner/kernel.h"

namespace nightshift::learner {

struct CriticFacts {
  double loss = 0;
  double q_mean = 0;
  double target_mean = 0;
};

struct ActorFacts {
  double entropy = 0;          // Nats, estimated at the sampled actions.
  double saturated_share = 0;  // Of action components beyond +-0.99.
  double clone_error = 0;      // Mean square distance to the demonstrated actions.
};

/// The losses of soft actor-critic with demonstrations and their gradients: pure mathematics over flat parameters.
///
///   y = clip(r + discount * min_i Q'_i(s', a'), value_min, value_max),  a' ~ pi(s'), no entropy in the backup
///   critics: mean over the batch, summed over i: (Q_i(s, a) - y)^2
///   actor:   mean(alpha log pi(a|s) - opinion_i Q_i(s, a)) + w mean f (tanh mu(s) - a_demo)^2,  a ~ pi(s)
///   filter:  f = 1 where min_i Q_i(s, a_demo) > min_i Q_i(s, a), else 0; always 1 where all are cloned
///
/// tests/learner/losses_test.cc holds the gradients to LibTorch's autograd. Thread: one at a time.
class Losses {
 public:
  Losses(const AgentConfig& config, const Sizes& sizes);

  const ActorShape& actor_shape() const { return actor_shape_; }
  const CriticShape& critic_shape() const { return critic_shape_; }

  Batch& batch() { return batch_; }
  /// Fresh standard normals for the next sampled actions.
  void DrawNoise(Dice& dice);
  const std::vector<float>& noise() const { return noise_; }  // rows x action

  /// y of every row, with the noise as drawn.
  const std::vector<float>& ComputeTargets(const float* actor, const float* target_critics);
  /// For the targets last computed.
  CriticFacts CriticGradient(const float* critics, float* gradient);

  struct Weights {
    float temperature = 0;
    float clone = 0;
  };
  /// With the noise as drawn.
  ActorFacts ActorGradient(const float* actor, const float* critics, Weights weights, float* gradient);
  /// Of the cloning term alone, weight 1; all rows must be demonstrations.
  ActorFacts CloneGradient(const float* actor, float* gradient);

 private:
  void SampleActions(const float* actor, const float* states);
  void AskAboutDemonstrations(const float* critics);
  void FilterDemonstrations();
  void DifferentiateOpinion(const float* critics);
  void DifferentiateEntropy(float temperature, ActorFacts& facts);
  void DifferentiateClone(float weight, ActorFacts& facts);

  AgentConfig config_;
  std::size_t state_, action_size_, both_;  // Of one row.
  ActorShape actor_shape_;
  CriticShape critic_shape_;
  Batch batch_;
  std::vector<float> noise_, action_, sampled_;  // sampled_: states and their sampled actions, side by side.
  std::vector<float> target_, d_q_, d_action_, d_out_;
  std::vector<float> shown_value_;  // Of each demonstrated action, in the critics' lowest opinion.
  std::vector<float> clone_share_;  // f of each demonstrated row.
  ActorTrace actor_trace_;
  CriticTrace critic_trace_;
};

}  // namespace nightshift::learner
