// SPDX-License-Identifier: Apache-2.0
#include "learner/losses.h"

#include <algorithm>
#include <cmath>

#include "skills/policy.h"

namespace nightshift::learner {

namespace {

constexpr float kLogRootTwoPi = 0.9189385f;
constexpr float kSaturated = 0.99f;

float Clamp(float v, float low, float high) { return std::min(std::max(v, low), high); }

/// log(1 - tanh(u)^2), without losing it all where tanh is nearly 1.
float LogOneMinusTanhSquared(float u) {
  const float size = std::fabs(u);
  return 2 * (0.6931472f - size - std::log1p(std::exp(-2 * size)));
}

}  // namespace

Losses::Losses(const AgentConfig& config, const Sizes& sizes)
    : config_(config),
      state_(static_cast<std::size_t>(sizes.state)),
      action_size_(static_cast<std::size_t>(sizes.action)),
      both_(state_ + action_size_),
      actor_shape_{sizes.state, config.width, 2 * sizes.action},
      critic_shape_{sizes.both(), config.width, config.critics},
      batch_(sizes, config.batch) {
  UseOneThread();
  const auto rows = static_cast<std::size_t>(config.batch);
  sampled_.resize(rows * both_);
  for (auto* each : {&target_, &shown_value_, &clone_share_}) each->resize(rows);
  for (auto* each : {&noise_, &action_, &d_action_}) each->resize(rows * action_size_);
  d_q_.resize(rows * static_cast<std::size_t>(config.critics));
  d_out_.resize(rows * 2 * action_size_);
}

void Losses::DrawNoise(Dice& dice) {
  for (std::size_t i = 0; i < noise_.size(); i += 2) dice.Normals(noise_[i], noise_[i + 1]);
}

/// Leaves means and deviations in actor_trace_.out, the actions in action_ and beside their states in sampled_.
void Losses::SampleActions(const float* actor, const float* states) {
  Forward(actor_shape_, actor, states, batch_.rows, actor_trace_);
  const float* out = actor_trace_.out.data();
  for (std::size_t row = 0; row < static_cast<std::size_t>(batch_.rows); ++row) {
    float* both = sampled_.data() + row * both_;
    std::copy_n(states + row * state_, state_, both);
    for (std::size_t i = 0; i < action_size_; ++i) {
      const float mean = out[row * 2 * action_size_ + i];
      const float log_std =
          Clamp(out[row * 2 * action_size_ + action_size_ + i], skills::kLogStdMin, skills::kLogStdMax);
      const float action = std::tanh(mean + std::exp(log_std) * noise_[row * action_size_ + i]);
      action_[row * action_size_ + i] = action;
      both[state_ + i] = action;
    }
  }
}

const std::vector<float>& Losses::ComputeTargets(const float* actor, const float* target_critics) {
  SampleActions(actor, batch_.after.data());
  Forward(critic_shape_, target_critics, sampled_.data(), batch_.rows, critic_trace_);
  const auto low = static_cast<float>(config_.value_min), high = static_cast<float>(config_.value_max);
  const auto members = static_cast<std::size_t>(config_.critics);
  for (std::size_t row = 0; row < static_cast<std::size_t>(batch_.rows); ++row) {
    const float* q = critic_trace_.q.data() + row * members;
    const float least = *std::min_element(q, q + members);
    target_[row] = Clamp(batch_.reward[row] + batch_.discount[row] * least, low, high);
  }
  return target_;
}

CriticFacts Losses::CriticGradient(const float* critics, float* gradient) {
  Forward(critic_shape_, critics, batch_.before_action.data(), batch_.rows, critic_trace_);
  const auto members = static_cast<std::size_t>(config_.critics);
  const float scale = 2 / static_cast<float>(batch_.rows);
  double loss = 0, q_sum = 0, target_sum = 0;
  for (std::size_t row = 0; row < static_cast<std::size_t>(batch_.rows); ++row) {
    target_sum += target_[row];
    for (std::size_t m = 0; m < members; ++m) {
      const float error = critic_trace_.q[row * members + m] - target_[row];
      d_q_[row * members + m] = scale * error;
      loss += error * error;
      q_sum += critic_trace_.q[row * members + m];
    }
  }
  Backward(critic_shape_, critics, batch_.before_action.data(), batch_.rows, critic_trace_, d_q_.data(), gradient);
  return {loss / (batch_.rows * config_.critics), q_sum / (batch_.rows * config_.critics), target_sum / batch_.rows};
}

ActorFacts Losses::ActorGradient(const float* actor, const float* critics, Weights weights, float* gradient) {
  ActorFacts facts;
  SampleActions(actor, batch_.before.data());
  AskAboutDemonstrations(critics);
  DifferentiateOpinion(critics);
  FilterDemonstrations();
  DifferentiateEntropy(weights.temperature, facts);
  DifferentiateClone(weights.clone, facts);
  Backward(actor_shape_, actor, batch_.before.data(), batch_.rows, actor_trace_, d_out_.data(), gradient);
  return facts;
}

ActorFacts Losses::CloneGradient(const float* actor, float* gradient) {
  ActorFacts facts;
  Forward(actor_shape_, actor, batch_.before.data(), batch_.rows, actor_trace_);
  std::fill(d_out_.begin(), d_out_.end(), 0.0f);
  std::fill(clone_share_.begin(), clone_share_.end(), 1.0f);
  DifferentiateClone(1, facts);
  Backward(actor_shape_, actor, batch_.before.data(), batch_.rows, actor_trace_, d_out_.data(), gradient);
  return facts;
}

void Losses::AskAboutDemonstrations(const float* critics) {
  if (config_.cloned == Cloned::kAll || batch_.demonstrated_rows == 0) return;
  Forward(critic_shape_, critics, batch_.before_action.data(), batch_.demonstrated_rows, critic_trace_);
  const auto members = static_cast<std::size_t>(config_.critics);
  for (std::size_t row = 0; row < static_cast<std::size_t>(batch_.demonstrated_rows); ++row) {
    const float* q = critic_trace_.q.data() + row * members;
    shown_value_[row] = *std::min_element(q, q + members);
  }
}

/// After the critics were asked about the sampled actions: critic_trace_ holds their opinions.
void Losses::FilterDemonstrations() {
  std::fill(clone_share_.begin(), clone_share_.end(), 1.0f);
  if (config_.cloned == Cloned::kAll) return;
  const auto members = static_cast<std::size_t>(config_.critics);
  for (std::size_t row = 0; row < static_cast<std::size_t>(batch_.demonstrated_rows); ++row) {
    const float* q = critic_trace_.q.data() + row * members;
    clone_share_[row] = shown_value_[row] > *std::min_element(q, q + members) ? 1.0f : 0.0f;
  }
}

/// d_action_ = d(-opinion)/d(action), averaged over the batch.
void Losses::DifferentiateOpinion(const float* critics) {
  Forward(critic_shape_, critics, sampled_.data(), batch_.rows, critic_trace_);
  const auto members = static_cast<std::size_t>(config_.critics);
  const float each = -1 / static_cast<float>(batch_.rows);
  for (std::size_t row = 0; row < static_cast<std::size_t>(batch_.rows); ++row) {
    const float* q = critic_trace_.q.data() + row * members;
    float* d = d_q_.data() + row * members;
    switch (config_.actor_opinion) {
      case CriticOpinion::kMean: std::fill_n(d, members, each / static_cast<float>(members)); break;
      case CriticOpinion::kMinimum:
        std::fill_n(d, members, 0.0f);
        d[std::min_element(q, q + members) - q] = each;
        break;
    }
  }
  BackwardToInput(critic_shape_, critics, batch_.rows, critic_trace_, d_q_.data(), action_size_, d_action_.data());
}

/// d_out_ = that of d_action_ through the sample, plus that of temperature * log pi.
void Losses::DifferentiateEntropy(float temperature, ActorFacts& facts) {
  const float alpha = temperature / static_cast<float>(batch_.rows);
  const float* out = actor_trace_.out.data();
  double log_probability = 0;
  int saturated = 0;
  for (std::size_t row = 0; row < static_cast<std::size_t>(batch_.rows); ++row)
    for (std::size_t i = 0; i < action_size_; ++i) {
      const std::size_t at = row * 2 * action_size_ + i, k = row * action_size_ + i;
      const float raw = out[at + action_size_];
      const float log_std = Clamp(raw, skills::kLogStdMin, skills::kLogStdMax);
      const float deviation = std::exp(log_std), action = action_[k], noise = noise_[k];
      const float d_sample = d_action_[k] * (1 - action * action) + alpha * 2 * action;
      const float d_log_std = d_sample * deviation * noise - alpha;
      d_out_[at] = d_sample;
      // At the clamp only what leads back inside may pass.
      const bool outward = (raw < skills::kLogStdMin && d_log_std > 0) || (raw > skills::kLogStdMax && d_log_std < 0);
      d_out_[at + action_size_] = outward ? 0 : d_log_std;
      log_probability +=
          -0.5f * noise * noise - log_std - kLogRootTwoPi - LogOneMinusTanhSquared(out[at] + deviation * noise);
      saturated += std::fabs(action) > kSaturated ? 1 : 0;
    }
  facts.entropy = -log_probability / batch_.rows;
  facts.saturated_share = static_cast<double>(saturated) / (batch_.rows * action_size_);
}

/// Adds weight * the gradient of the mean square distance between tanh(mean) and the demonstrated actions.
void Losses::DifferentiateClone(float weight, ActorFacts& facts) {
  if (batch_.demonstrated_rows == 0) return;
  const auto limit = static_cast<float>(config_.clone_action_max);
  const int count = batch_.demonstrated_rows * action_size_;
  const float scale = 2 * weight / static_cast<float>(count);
  double error_sum = 0;
  for (std::size_t row = 0; row < static_cast<std::size_t>(batch_.demonstrated_rows); ++row)
    for (std::size_t i = 0; i < action_size_; ++i) {
      const std::size_t at = row * 2 * action_size_ + i;
      const float shown = Clamp(batch_.before_action[row * both_ + state_ + i], -limit, limit);
      const float mine = std::tanh(actor_trace_.out[at]);
      error_sum += (mine - shown) * (mine - shown);
      d_out_[at] += scale * clone_share_[row] * (mine - shown) * (1 - mine * mine);
    }
  facts.clone_error = error_sum / count;
}

}  // namespace nightshift::learner
