// SPDX-License-Identifier: Apache-2.0
#include "learner/implicit_q.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "learner/descent.h"
#include "learner/layers.h"
#include "learner/losses.h"
#include "skills/policy.h"

namespace nightshift::learner {

ImplicitQ::ImplicitQ(const ImplicitQConfig& config, const AgentConfig& agent, const Sizes& sizes, AgentState start)
    : config_(config),
      agent_(agent),
      rows_(static_cast<std::size_t>(agent.batch)),
      action_size_(static_cast<std::size_t>(sizes.action)),
      both_(static_cast<std::size_t>(sizes.both())),
      actor_shape_{sizes.state, agent.width, 2 * sizes.action},
      critic_shape_{sizes.both(), agent.width, agent.critics},
      value_shape_{sizes.state, agent.width, 1},
      state_(std::move(start)),
      dice_(0),
      batch_(sizes, agent.batch) {
  dice_.Restore(state_.dice);
  value_ = FreshCritics(value_shape_, dice_);
  state_.actor_adam = state_.critic_adam = {};
  for (auto* each : {&advantage_, &target_, &d_value_}) each->resize(rows_);
  d_q_.resize(rows_ * static_cast<std::size_t>(agent.critics));
  d_out_.resize(rows_ * 2 * action_size_);
  value_gradient_.resize(value_.size());
  critic_gradient_.resize(state_.critics.size());
  actor_gradient_.resize(state_.actor.size());
}

core::Result<ImplicitQFacts> ImplicitQ::Update(const Experience& data) {
  for (int row = 0; row < batch_.rows; ++row) data.Draw(dice_, batch_, row);
  state_.dice = dice_.state();
  Judge();
  ImplicitQFacts facts;
  facts.value_loss = ValueGradient(value_gradient_);
  facts.critic_loss = CriticGradient(critic_gradient_);
  const double actor_loss = ActorGradient(actor_gradient_);
  facts.value_mean = value_mean_;
  facts.weight_mean = weight_mean_;
  const double diverged = DivergedLoss(agent_);
  const bool sane = facts.value_loss < diverged && facts.critic_loss < diverged && std::isfinite(actor_loss);
  if (!sane || !Step())
    return core::Fail(core::FaultCode::kNotFinite,
                      "implicit Q-learning: an update led to what is not finite and was refused, after " +
                          std::to_string(state_.updates) + "; look for numbers out of all scale in the logged data");
  ++state_.updates;
  return facts;
}

/// All three or none: what is not finite in one is on its way into the others.
bool ImplicitQ::Step() {
  for (const auto* gradient : {&value_gradient_, &critic_gradient_, &actor_gradient_})
    if (!std::isfinite(NormOf(*gradient))) return false;
  const DescentSteps steps{config_.learning_rate, agent_.gradient_norm_max};
  double norm = 0;
  Descend(steps, value_gradient_, value_adam_, value_, norm);
  Descend(steps, critic_gradient_, state_.critic_adam, state_.critics, norm);
  Descend(steps, actor_gradient_, state_.actor_adam, state_.actor, norm);
  MoveToward(state_.critics, static_cast<float>(agent_.target_rate), state_.targets);
  MoveToward(state_.actor, static_cast<float>(agent_.deployed_rate), state_.deployed);
  return true;
}

void ImplicitQ::Judge() {
  const auto low = static_cast<float>(agent_.value_min), high = static_cast<float>(agent_.value_max);
  Forward(value_shape_, value_.data(), batch_.after.data(), batch_.rows, value_trace_);
  for (std::size_t row = 0; row < rows_; ++row)
    target_[row] = std::clamp(batch_.reward[row] + batch_.discount[row] * value_trace_.q[row], low, high);
  Forward(value_shape_, value_.data(), batch_.before.data(), batch_.rows, value_trace_);
  Forward(critic_shape_, state_.targets.data(), batch_.before_action.data(), batch_.rows, critic_trace_);
  const auto members = static_cast<std::size_t>(agent_.critics);
  double sum = 0;
  for (std::size_t row = 0; row < rows_; ++row) {
    const float* q = critic_trace_.q.data() + row * members;
    advantage_[row] = *std::min_element(q, q + members) - value_trace_.q[row];
    sum += value_trace_.q[row];
  }
  value_mean_ = sum / batch_.rows;
}

double ImplicitQ::ValueGradient(std::vector<float>& gradient) {
  const auto expectile = static_cast<float>(config_.expectile);
  const float scale = 1 / static_cast<float>(batch_.rows);
  double loss = 0;
  for (std::size_t row = 0; row < rows_; ++row) {
    const float u = advantage_[row], side = u < 0 ? 1 - expectile : expectile;
    d_value_[row] = -2 * scale * side * u;
    loss += side * u * u;
  }
  Backward(value_shape_, value_.data(), batch_.before.data(), batch_.rows, value_trace_, d_value_.data(),
           gradient.data());
  return loss / batch_.rows;
}

double ImplicitQ::CriticGradient(std::vector<float>& gradient) {
  Forward(critic_shape_, state_.critics.data(), batch_.before_action.data(), batch_.rows, critic_trace_);
  const auto members = static_cast<std::size_t>(agent_.critics);
  const float scale = 2 / static_cast<float>(batch_.rows);
  double loss = 0;
  for (std::size_t row = 0; row < rows_; ++row)
    for (std::size_t m = 0; m < members; ++m) {
      const float error = critic_trace_.q[row * members + m] - target_[row];
      d_q_[row * members + m] = scale * error;
      loss += error * error;
    }
  Backward(critic_shape_, state_.critics.data(), batch_.before_action.data(), batch_.rows, critic_trace_, d_q_.data(),
           gradient.data());
  return loss / (batch_.rows * agent_.critics);
}

double ImplicitQ::ActorGradient(std::vector<float>& gradient) {
  Forward(actor_shape_, state_.actor.data(), batch_.before.data(), batch_.rows, actor_trace_);
  const auto limit = static_cast<float>(agent_.clone_action_max), narrowest = static_cast<float>(config_.log_std_min);
  const float scale = 1 / static_cast<float>(batch_.rows);
  double loss = 0, weights = 0;
  for (std::size_t row = 0; row < rows_; ++row) {
    const double wanted = std::exp(config_.inverse_temperature * advantage_[row]);
    const auto weight = static_cast<float>(std::min(wanted, config_.weight_max));
    weights += weight;
    for (std::size_t i = 0; i < action_size_; ++i) {
      const std::size_t at = row * 2 * action_size_ + i;
      const float logged =
          std::atanh(std::clamp(batch_.before_action[row * both_ + both_ - action_size_ + i], -limit, limit));
      const float raw = actor_trace_.out[at + action_size_];
      const float log_std = std::clamp(raw, narrowest, skills::kLogStdMax);
      const float off = (logged - actor_trace_.out[at]) * std::exp(-log_std);
      loss += weight * (0.5f * off * off + log_std);
      d_out_[at] = -scale * weight * off * std::exp(-log_std);
      const float d_log_std = scale * weight * (1 - off * off);
      // At the clamp only what leads back inside may pass.
      const bool outward = (raw < narrowest && d_log_std > 0) || (raw > skills::kLogStdMax && d_log_std < 0);
      d_out_[at + action_size_] = outward ? 0 : d_log_std;
    }
  }
  weight_mean_ = weights / batch_.rows;
  Backward(actor_shape_, state_.actor.data(), batch_.before.data(), batch_.rows, actor_trace_, d_out_.data(),
           gradient.data());
  return loss / batch_.rows;
}

}  // namespace nightshift::learner
