// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/fault.h"
#include "learner/config.h"
#include "learner/dice.h"
#include "learner/experience.h"
#include "learner/losses.h"
#include "skills/dense_network.h"

namespace nightshift::learner {

/// Where an agent is in its life. Further down is later.
enum class Phase {
  kWaiting,    // For demonstrations or enough practice.
  kCloning,    // The actor imitates the demonstrations; nothing else moves.
  kWarmingUp,  // The critics learn what the clone is worth; the actor is frozen.
  kLearning,
};

/// What one update found. Figures of the batch that it used.
struct UpdateFacts {
  Phase phase = Phase::kWaiting;
  double critic_loss = 0;
  double q_mean = 0;
  double target_mean = 0;
  double entropy = 0;  // Nats, of the actor at the batch's states; of the last actor update.
  double temperature = 0;
  double critic_gradient_norm = 0;
  double actor_gradient_norm = 0;
  double clone_error = 0;      // Mean square distance to the demonstrated actions.
  double saturated_share = 0;  // Of action components beyond +-0.99.
  bool diverged = false;       // This update was refused and the last healthy weights are back.
};

/// All that is learned and how far it got, without the experience: what is saved, and what a diverged learner falls
/// back to.
struct AgentState {
  std::vector<float> actor, deployed, critics, targets;
  AdamState actor_adam, critic_adam, temperature_adam;
  float log_temperature = 0;
  Dice::State dice{};
  ActorFacts actor_facts;  // Of the last actor update: those of updates that leave the actor alone repeat them.
  double actor_gradient_norm = 0;
  std::int64_t updates = 0;        // Of the critics.
  std::int64_t clone_updates = 0;  // Of the actor, before them.
  std::int64_t divergences = 0;
};

enum class Actor { kDeployed, kRaw };

/// Soft actor-critic with demonstrations (RLPD, Ball et al. 2023; HIL-SERL, Luo et al. 2024), from experience that
/// somebody else keeps. losses.h has the mathematics.
/// Deterministic given its seed and what is drawn, whatever the number of threads. Thread: one at a time; those of
/// `compute` help.
class ActorCritic {
 public:
  ActorCritic(const AgentConfig& config, const Sizes& sizes, std::uint64_t seed, const Compute& compute = {});

  const AgentConfig& config() const { return config_; }
  const Sizes& sizes() const { return sizes_; }

  /// One update of whatever the phase calls for; not kWaiting. Cloning draws from the demonstrations alone, all else
  /// from both by demonstration_share; where one is empty, from the other.
  UpdateFacts Update(Phase phase, const Experience& practice, const Experience& demonstrations);

  /// What acts: the averaged actor for deployment, or the raw one. Always finite. Outputs are mean and log standard
  /// deviation of each action.
  skills::DenseLayers Layers(Actor which) const;

  const AgentState& state() const { return state_; }
  /// What a diverged update falls back to.
  const AgentState& healthy() const { return healthy_; }
  /// Changes nothing where it fails. @param healthy none: the state itself.
  /// Faults: kCorruptState when the sizes are not those of this configuration, or a number is not finite.
  core::Result<void> Restore(AgentState state, std::optional<AgentState> healthy = std::nullopt);
  /// Takes over another's networks as if it had cloned. Of the same sizes; not after the first update.
  void Inherit(const ActorCritic& parent);
  /// Keeps the present state as the one to fall back to.
  void MarkHealthy() { healthy_ = state_; }
  /// Back to that one, counted as a divergence. The counters and the dice go on: the batch that broke it must not come
  /// again.
  void FallBack();
  const ActorShape& actor_shape() const { return losses_.actor_shape(); }
  const CriticShape& critic_shape() const { return losses_.critic_shape(); }

 private:
  bool Clone(const Experience& demonstrations);
  bool Learn(const Experience& practice, const Experience& demonstrations, UpdateFacts& facts);
  core::Result<void> Check(const AgentState& state) const;
  bool UpdateCritics(UpdateFacts& facts);
  bool UpdateActor();
  void Assemble(int demonstrated_rows, const Experience& practice, const Experience& demonstrations);
  bool Descend(AdamState& adam, std::vector<float>& parameters, float average_rate, std::vector<float>& average,
               double& norm);
  void UpdateTemperature(double entropy);
  double clone_weight() const;

  AgentConfig config_;
  Sizes sizes_;
  Losses losses_;
  AgentState state_, healthy_;
  Dice dice_;
  std::vector<float> gradient_;
};

}  // namespace nightshift::learner
