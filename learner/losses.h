// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "learner/compute.h"
#include "learner/config.h"
#include "learner/dice.h"
#include "learner/experience.h"
#include "learner/kernel.h"
#include "learner/network_work.h"

namespace nightshift::learner {

/// From here on a critic's mean squared error is divergence: targets are clipped to [value_min, value_max], so that
/// nothing that is still learning is off by thirty times the largest of them (of 1 at least, for fresh critics).
double DivergedLoss(const AgentConfig& config);

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
///   y = clip(r + discount * min_i Q'_i(s', a'), value_min, value_max),  a' ~ pi(s'), no entropy in the backup,
///       i among the critics asked (critics_asked of them, RLPD)
///   critics: mean over the batch, summed over i: (Q_i(s, a) - y)^2
///   actor:   mean(alpha log pi(a|s) - opinion_i Q_i(s, a)) + w mean f (tanh mu(s) - a_demo)^2,  a ~ pi(s)
///   filter:  f = 1 where min_i Q_i(s, a_demo) > min_i Q_i(s, a), else 0; always 1 where all are cloned
///
/// tests/learner/losses_test.cc holds the gradients to LibTorch's autograd. The crew's threads share each critic's work
/// by critics and the actor's by rows of the batch, cut the same way whatever their number: the results are bit for bit
/// the same. Thread: one at a time, and one Losses of a crew at a time.
class Losses {
 public:
  Losses(const AgentConfig& config, const Sizes& sizes, const Compute& compute = {});

  const ActorShape& actor_shape() const { return actor_shape_; }
  const CriticShape& critic_shape() const { return critic_shape_; }

  Crew& crew() { return *crew_; }
  Batch& batch() { return batch_; }
  /// Fresh standard normals for the next sampled actions.
  void DrawNoise(Dice& dice);
  /// Which critics the next targets ask; no draw is made where all are asked. Until the first call, the first ones.
  void DrawAsked(Dice& dice);
  const std::vector<int>& asked() const { return asked_; }    // Ascending.
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
  /// Rows of a batch that one job works on.
  struct Part {
    std::size_t begin = 0, rows = 0;
    std::unique_ptr<ActorWork> actor;
    std::vector<float> gradient;  // Of these rows.
    ActorFacts facts;             // Sums over these rows.
  };

  void SampleActions(const float* actor, const std::vector<float>& states);
  void SampleRows(Part& part, const float* actor, const std::vector<float>& states);
  void AskAboutDemonstrations(const float* critics);
  void FilterDemonstrations();
  void DifferentiateOpinion(const float* critics);
  void ShareOpinion();
  float LeastOpinion(std::size_t row, const std::vector<int>& members) const;
  void DifferentiateEntropy(Part& part, float temperature);
  void DifferentiateClone(Part& part, float weight);
  void BackThroughActor(Part& part, const float* actor);
  ActorFacts AddParts(float* gradient);
  int demonstrated_actions() const { return batch_.demonstrated_rows * static_cast<int>(action_size_); }

  AgentConfig config_;
  std::shared_ptr<Crew> crew_;
  std::size_t state_, action_size_, both_;  // Of one row.
  ActorShape actor_shape_;
  CriticShape critic_shape_;
  Batch batch_;
  std::vector<int> everyone_, asked_;  // Critics.
  std::vector<std::uint64_t> draws_;
  std::vector<float> noise_, sampled_;  // sampled_: states and their sampled actions, side by side.
  std::vector<float> mean_, log_std_;   // rows x action, as the actor gave them; so the next line.
  std::vector<float> bounded_log_std_, deviation_, action_, log_probability_, mean_action_;
  std::vector<float> target_, d_action_, d_out_;
  std::vector<std::vector<float>> d_q_, d_input_;  // Of each critic: rows; rows x action.
  std::vector<float> shown_value_;                 // Of each demonstrated action, in the critics' lowest opinion.
  std::vector<float> clone_share_;                 // f of each demonstrated row.
  std::vector<Part> parts_;
  std::vector<std::unique_ptr<CriticWork>> critics_;
};

}  // namespace nightshift::learner
