// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/fault.h"
#include "learner/actor_critic.h"
#include "learner/config.h"
#include "learner/episode.h"
#include "learner/health.h"
#include "learner/held_out.h"
#include "learner/replay.h"
#include "skills/policy.h"

namespace nightshift::learner {

inline constexpr Sizes kAgentSizes{skills::kFeatureSize, core::kActionSize};

/// Learns one task of the product: an actor-critic, and what it has practised and been shown.
/// Deterministic given its seed and the samples in their order. Thread: one at a time; those of
/// `compute` help.
class Agent {
 public:
  Agent(const AgentConfig& config, std::uint64_t seed, const Compute& compute = {});

  /// False when the sample is not finite and was refused.
  bool AddPractice(const Sample& sample) { return practice_.Add(sample.view()); }
  bool AddDemonstration(const Sample& sample) { return demonstrations_.Add(sample.view()); }
  /// After the samples of one demonstrated episode.
  void EndDemonstration() { ++demonstrated_episodes_; }

  const AgentConfig& config() const { return core_.config(); }
  /// Rewards summed as its critics expect them.
  std::vector<Sample> Fold(const Segment& segment) const {
    return learner::Fold(segment, config().n_step, config().discount);
  }

  Phase phase() const;
  /// One update of whatever the phase calls for. Not while waiting.
  UpdateFacts Update() { return core_.Update(phase(), practice_, demonstrations_); }
  /// Cloning updates that must still be done before practice counts.
  std::int64_t clone_updates_left() const;

  /// What acts: the averaged actor for deployment, or the raw one. Always finite.
  skills::PolicyWeights Weights(Actor which = Actor::kDeployed) const { return {core_.Layers(which)}; }

  const AgentState& state() const { return core_.state(); }
  const AgentState& healthy() const { return core_.healthy(); }
  /// Changes nothing where it fails. @param healthy none: the state itself.
  /// Faults: kCorruptState when the sizes are not those of this configuration, or a number is not finite.
  core::Result<void> Restore(AgentState state, std::optional<AgentState> healthy = std::nullopt) {
    return core_.Restore(std::move(state), std::move(healthy));
  }
  /// Begins with another agent's networks, and needs no cloning. Not after the first update.
  void Inherit(const Agent& parent) { core_.Inherit(parent.core_); }
  /// Keeps the present state as the one to fall back to.
  void MarkHealthy() { core_.MarkHealthy(); }
  void FallBack() { core_.FallBack(); }

  /// How the networks do on what was held out; on what they learn from while nothing was.
  HealthFigures Health(const HeldOut& held_out) const;

  const Replay& practice() const { return practice_; }
  const Replay& demonstrations() const { return demonstrations_; }
  std::int64_t demonstrated_episodes() const { return demonstrated_episodes_; }

 private:
  ActorCritic core_;
  Replay practice_, demonstrations_;
  std::int64_t demonstrated_episodes_ = 0;
};

}  // namespace nightshift::learner
