// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "learner/actor_critic.h"

namespace nightshift::tests {

/// What learner::ActorCritic does in its learning phase, written in LibTorch with autograd and its Adam: what the
/// hand-written one is measured against. Begins with the same weights and draws the same numbers. No cloning term.
class ReferenceSac {
 public:
  ReferenceSac(const learner::AgentConfig& config, const learner::Sizes& sizes, std::uint64_t seed);
  ~ReferenceSac();

  void Update(learner::Phase phase, const learner::Experience& practice, const learner::Experience& demonstrations);
  skills::DenseLayers Layers(learner::Actor which) const;

 private:
  struct Networks;
  void UpdateCritics();
  void UpdateActor();

  learner::AgentConfig config_;
  learner::Sizes sizes_;
  learner::Dice dice_;
  learner::Batch batch_;
  std::vector<float> noise_;
  std::int64_t updates_ = 0;
  std::unique_ptr<Networks> networks_;
};

}  // namespace nightshift::tests
