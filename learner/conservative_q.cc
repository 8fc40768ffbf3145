// SPDX-License-Identifier: Apache-2.0
#include "learner/conservative_q.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "learner/descent.h"
#include "learner/layers.h"
#include "learner/squash.h"
#include "skills/policy.h"

namespace nightshift::learner {

namespace {

constexpr float kLogHalf = -0.6931472f;
constexpr int kSources = 3;  // Uniform, the actor here, the actor at the state after.

/// Pessimism is the point: the actor hears the lowest opinion.
AgentConfig Pessimistic(AgentConfig agent) {
  agent.actor_opinion = CriticOpinion::kMinimum;
  agent.cloned = Cloned::kAll;
  return agent;
}

}  // namespace

ConservativeQ::ConservativeQ(const ConservativeQConfig& config, const AgentConfig& agent, const Sizes& sizes,
                             AgentState start)
    : config_(config),
      agent_(Pessimistic(agent)),
      rows_(static_cast<std::size_t>(agent.batch)),
      state_size_(static_cast<std::size_t>(sizes.state)),
      action_size_(static_cast<std::size_t>(sizes.action)),
      both_(static_cast<std::size_t>(sizes.both())),
      actions_(static_cast<std::size_t>(kSources * config.sampled_actions)),
      losses_(agent_, sizes),
      behaviour_shape_{sizes.state, agent.width, 1},
      state_(std::move(start)),
      dice_(0) {
  dice_.Restore(state_.dice);
  behaviour_ = behaviour_target_ = FreshCritics(behaviour_shape_, dice_);
  state_.actor_adam = state_.critic_adam = {};
  asked_.resize(rows_ * (actions_ + 1) * both_);
  log_density_.resize(rows_ * actions_);
  d_q_.resize(rows_ * (actions_ + 1) * static_cast<std::size_t>(agent.critics));
  d_value_.resize(rows_);
  target_.resize(rows_);
  actor_gradient_.resize(state_.actor.size());
  critic_gradient_.resize(state_.critics.size());
  penalty_gradient_.resize(state_.critics.size());
  behaviour_gradient_.resize(behaviour_.size());
}

core::Result<ConservativeQFacts> ConservativeQ::Update(const Experience& data) {
  for (int row = 0; row < batch().rows; ++row) data.Draw(dice_, batch(), row);
  batch().demonstrated_rows = 0;
  ConservativeQFacts facts;
  CriticsGradient(facts);
  ActorGradient(facts);
  if (config_.calibration == Calibration::kBehaviour) BehaviourGradient();
  state_.dice = dice_.state();
  const double diverged = DivergedLoss(agent_);
  const bool sane = facts.critic_loss < diverged && std::fabs(facts.gap) < diverged;
  if (!sane || !Step())
    return core::Fail(core::FaultCode::kNotFinite,
                      "conservative Q-learning: an update led to what is not finite and was refused, after " +
                          std::to_string(state_.updates) + "; look for numbers out of all scale in the logged data");
  ++state_.updates;
  return facts;
}

void ConservativeQ::CriticsGradient(ConservativeQFacts& facts) {
  losses_.DrawNoise(dice_);
  losses_.ComputeTargets(state_.actor.data(), state_.targets.data());
  const CriticFacts found = losses_.CriticGradient(state_.critics.data(), critic_gradient_.data());
  facts.critic_loss = found.loss;
  facts.q_mean = found.q_mean;
  DrawActions();
  facts.gap = PenaltyGradient(penalty_gradient_);
  const auto weight = static_cast<float>(config_.penalty);
  for (std::size_t i = 0; i < critic_gradient_.size(); ++i) critic_gradient_[i] += weight * penalty_gradient_[i];
}

void ConservativeQ::ActorGradient(ConservativeQFacts& facts) {
  losses_.DrawNoise(dice_);
  const Losses::Weights weights{static_cast<float>(config_.temperature), 0};
  facts.entropy =
      losses_.ActorGradient(state_.actor.data(), state_.critics.data(), weights, actor_gradient_.data()).entropy;
}

/// All or none: what is not finite in one is on its way into the others.
bool ConservativeQ::Step() {
  for (const auto* gradient : {&critic_gradient_, &actor_gradient_, &behaviour_gradient_})
    if (!std::isfinite(NormOf(*gradient))) return false;
  const DescentSteps steps{config_.learning_rate, agent_.gradient_norm_max};
  double norm = 0;
  Descend(steps, critic_gradient_, state_.critic_adam, state_.critics, norm);
  Descend(steps, actor_gradient_, state_.actor_adam, state_.actor, norm);
  MoveToward(state_.critics, static_cast<float>(agent_.target_rate), state_.targets);
  MoveToward(state_.actor, static_cast<float>(agent_.deployed_rate), state_.deployed);
  if (config_.calibration == Calibration::kOff) return true;
  Descend(steps, behaviour_gradient_, behaviour_adam_, behaviour_, norm);
  MoveToward(behaviour_, static_cast<float>(agent_.target_rate), behaviour_target_);
  return true;
}

void ConservativeQ::DrawActions() {
  for (std::size_t row = 0; row < rows_; ++row) {
    const float* logged = batch().before_action.data() + row * both_;
    for (std::size_t k = 0; k <= actions_; ++k) std::copy_n(logged, both_, AskedRow(row, k));
    for (std::size_t k = 0; k < static_cast<std::size_t>(config_.sampled_actions); ++k) {
      for (std::size_t i = 0; i < action_size_; ++i) AskedRow(row, k)[state_size_ + i] = 2 * dice_.Unit() - 1;
      log_density_[row * actions_ + k] = kLogHalf * static_cast<float>(action_size_);
    }
  }
  DrawFromActor(batch().before, static_cast<std::size_t>(config_.sampled_actions));
  DrawFromActor(batch().after, 2 * static_cast<std::size_t>(config_.sampled_actions));
}

/// The actor's actions in `states`, asked about in the states before, as a_first and following.
void ConservativeQ::DrawFromActor(const std::vector<float>& states, std::size_t first) {
  Forward(losses_.actor_shape(), state_.actor.data(), states.data(), batch().rows, actor_trace_);
  for (std::size_t row = 0; row < rows_; ++row)
    for (std::size_t k = first; k < first + static_cast<std::size_t>(config_.sampled_actions); ++k) {
      float log_density = 0, noise = 0, unused = 0;
      for (std::size_t i = 0; i < action_size_; ++i) {
        const float* out = actor_trace_.out.data() + row * 2 * action_size_;
        const float log_std = std::clamp(out[action_size_ + i], skills::kLogStdMin, skills::kLogStdMax);
        dice_.Normals(noise, unused);
        const float u = out[i] + std::exp(log_std) * noise;
        AskedRow(row, k)[state_size_ + i] = std::tanh(u);
        log_density += -0.5f * noise * noise - log_std - kLogRootTwoPi - LogOneMinusTanhSquared(u);
      }
      log_density_[row * actions_ + k] = log_density;
    }
}

double ConservativeQ::PenaltyGradient(std::vector<float>& gradient) {
  const CriticShape& shape = losses_.critic_shape();
  const int asked_rows = static_cast<int>(rows_ * (actions_ + 1));
  Forward(shape, state_.critics.data(), asked_.data(), asked_rows, asked_trace_);
  const bool calibrated = config_.calibration == Calibration::kBehaviour;
  if (calibrated) AskBehaviour();
  const auto members = static_cast<std::size_t>(agent_.critics), uniform = actions_ / kSources;
  const float each = 1 / static_cast<float>(rows_);
  std::vector<float> score(actions_);
  double gap = 0;
  for (std::size_t row = 0; row < rows_; ++row)
    for (std::size_t m = 0; m < members; ++m) {
      const float* q = asked_trace_.q.data() + row * (actions_ + 1) * members + m;
      float* d = d_q_.data() + row * (actions_ + 1) * members + m;
      const auto floored = [&](std::size_t k) {
        return calibrated && k >= uniform && q[k * members] < behaviour_trace_.q[row];
      };
      for (std::size_t k = 0; k < actions_; ++k)
        score[k] = (floored(k) ? behaviour_trace_.q[row] : q[k * members]) - log_density_[row * actions_ + k];
      const float most = *std::max_element(score.begin(), score.end());
      for (float& s : score) s = std::exp(s - most);
      const float sum = std::accumulate(score.begin(), score.end(), 0.0f);
      for (std::size_t k = 0; k < actions_; ++k) d[k * members] = floored(k) ? 0 : each * score[k] / sum;
      d[actions_ * members] = -each;
      gap += most + std::log(sum / static_cast<float>(actions_)) - q[actions_ * members];
    }
  Backward(shape, state_.critics.data(), asked_.data(), asked_rows, asked_trace_, d_q_.data(), gradient.data());
  return gap / (static_cast<double>(rows_) * agent_.critics);
}

void ConservativeQ::AskBehaviour() {
  Forward(behaviour_shape_, behaviour_.data(), batch().before.data(), batch().rows, behaviour_trace_);
}

/// Of the mean square distance of V to r + discount V'(s').
void ConservativeQ::BehaviourGradient() {
  const auto low = static_cast<float>(agent_.value_min), high = static_cast<float>(agent_.value_max);
  Forward(behaviour_shape_, behaviour_target_.data(), batch().after.data(), batch().rows, behaviour_trace_);
  for (std::size_t row = 0; row < rows_; ++row)
    target_[row] = std::clamp(batch().reward[row] + batch().discount[row] * behaviour_trace_.q[row], low, high);
  AskBehaviour();
  for (std::size_t row = 0; row < rows_; ++row)
    d_value_[row] = 2 / static_cast<float>(rows_) * (behaviour_trace_.q[row] - target_[row]);
  Backward(behaviour_shape_, behaviour_.data(), batch().before.data(), batch().rows, behaviour_trace_, d_value_.data(),
           behaviour_gradient_.data());
}

}  // namespace nightshift::learner
