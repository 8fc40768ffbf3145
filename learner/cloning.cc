// SPDX-License-Identifier: Apache-2.0
#include "learner/cloning.h"

#include <cmath>
#include <string>
#include <utility>

#include "learner/descent.h"

namespace nightshift::learner {

Cloning::Cloning(const CloningConfig& config, const AgentConfig& agent, const Sizes& sizes, AgentState start)
    : config_(config), agent_(agent), losses_(agent, sizes), state_(std::move(start)), dice_(0) {
  dice_.Restore(state_.dice);
  state_.actor_adam = {};
  gradient_.resize(state_.actor.size());
}

core::Result<double> Cloning::Update(const Experience& demonstrations) {
  Batch& batch = losses_.batch();
  batch.demonstrated_rows = batch.rows;
  for (int row = 0; row < batch.rows; ++row) demonstrations.Draw(dice_, batch, row);
  state_.dice = dice_.state();
  const double error = losses_.CloneGradient(state_.actor.data(), gradient_.data()).clone_error;
  double norm = 0;
  const DescentSteps steps{config_.learning_rate, agent_.gradient_norm_max};
  if (!std::isfinite(error) || !Descend(steps, gradient_, state_.actor_adam, state_.actor, norm))
    return core::Fail(core::FaultCode::kNotFinite,
                      "cloning: an update led to what is not finite and was refused, after " +
                          std::to_string(state_.clone_updates) + "; look for what is no number in the demonstrations");
  state_.deployed = state_.actor;
  ++state_.clone_updates;
  return error;
}

}  // namespace nightshift::learner
