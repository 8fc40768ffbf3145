// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "core/fault.h"
#include "learner/config.h"
#include "learner/dice.h"
#include "learner/episode.h"
#include "learner/losses.h"
#include "learner/replay.h"
#include "skills/policy.h"

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

/// All of an agent but its replay: what is saved, and what a diverged agent falls back to.
struct AgentState {
  std::vector<float> actor, deployed, critics, targets;
  AdamState actor_adam, critic_adam, temperature_adam;
  float log_temperature = 0;
  Dice::State dice{};
  std::int64_t updates = 0;        // Of the critics.
  std::int64_t clone_updates = 0;  // Of the actor, before them.
  std::int64_t divergences = 0;
};

enum class Actor { kDeployed, kRaw };

/// Learns one task: soft actor-critic with demonstrations (RLPD, Ball et al. 2023; HIL-SERL, Luo et al. 2024).
/// losses.h has the mathematics.
/// Deterministic given its seed and the samples in their order. Thread: one at a time; one core.
class Agent {
 public:
  Agent(const AgentConfig& config, std::uint64_t seed);

  /// False when the sample is not finite and was refused.
  bool AddPractice(const Sample& sample) { return practice_.Add(sample); }
  bool AddDemonstration(const Sample& sample) { return demonstrations_.Add(sample); }
  /// After the samples of one demonstrated episode.
  void EndDemonstration() { ++demonstrated_episodes_; }

  const AgentConfig& config() const { return config_; }
  /// Rewards summed as its critics expect them.
  std::vector<Sample> Fold(const Segment& segment) const {
    return learner::Fold(segment, config_.n_step, config_.discount);
  }

  Phase phase() const;
  /// One update of whatever the phase calls for. Not while waiting.
  UpdateFacts Update();
  /// Cloning updates that must still be done before practice counts.
  std::int64_t clone_updates_left() const;

  /// What acts: the averaged actor for deployment, or the raw one. Always finite.
  skills::PolicyWeights Weights(Actor which = Actor::kDeployed) const;

  const AgentState& state() const { return state_; }
  /// Faults: kCorruptState when the sizes are not those of this configuration, or a number is not finite.
  core::Result<void> Restore(AgentState state);
  /// Begins with another agent's networks, and needs no cloning. Not after the first update.
  void Inherit(const Agent& parent);
  /// Keeps the present state as the one to fall back to.
  void MarkHealthy() { healthy_ = state_; }

  const Replay& practice() const { return practice_; }
  const Replay& demonstrations() const { return demonstrations_; }
  std::int64_t demonstrated_episodes() const { return demonstrated_episodes_; }

 private:
  bool Clone();
  bool Learn(UpdateFacts& facts);
  bool UpdateCritics(UpdateFacts& facts);
  bool UpdateActor();
  void Assemble(int demonstrated_rows);
  bool Descend(AdamState& adam, std::vector<float>& parameters, double& norm);
  void UpdateTemperature(double entropy);
  void FallBack(UpdateFacts& facts);
  double clone_weight() const;

  AgentConfig config_;
  Losses losses_;
  AgentState state_, healthy_;
  Dice dice_;
  Replay practice_, demonstrations_;
  std::int64_t demonstrated_episodes_ = 0;
  ActorFacts actor_facts_;  // Of the last actor update.
  double actor_gradient_norm_ = 0;
  std::vector<float> gradient_;
};

}  // namespace nightshift::learner
