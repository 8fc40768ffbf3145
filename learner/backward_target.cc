// SPDX-License-Identifier: Apache-2.0
#include "learner/backward_target.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "learner/descent.h"
#include "learner/layers.h"

namespace nightshift::learner {

namespace {

/// log(1 + exp(x)), without overflow.
double Softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

}  // namespace

BackwardTarget::BackwardTarget(const BackwardTargetConfig& config, const Sizes& sizes, std::uint64_t seed)
    : config_(config), shape_{sizes.state, config.width, 1}, dice_(seed), drawn_(sizes, 2 * config.batch) {
  parameters_ = FreshActor(shape_, 0, dice_);
  gradient_.resize(parameters_.size());
  states_.resize(static_cast<std::size_t>(config.batch) * static_cast<std::size_t>(sizes.state));
  labels_.resize(static_cast<std::size_t>(config.batch));
  d_out_.resize(labels_.size());
}

core::Result<double> BackwardTarget::Update(const Experience& demonstrated, const Experience& visited) {
  NIGHTSHIFT_CHECK(demonstrated.size() > 0 && visited.size() > 0);
  Draw(demonstrated, visited);
  Forward(shape_, parameters_.data(), states_.data(), config_.batch, trace_);
  double loss = 0;
  for (std::size_t row = 0; row < labels_.size(); ++row) {
    const double logit = trace_.out[row];
    loss += Softplus(logit) - labels_[row] * logit;
    d_out_[row] = static_cast<float>((1 / (1 + std::exp(-logit)) - labels_[row]) / config_.batch);
  }
  Backward(shape_, parameters_.data(), states_.data(), config_.batch, trace_, d_out_.data(), gradient_.data());
  double norm = 0;
  if (!std::isfinite(loss) || !Descend({config_.learning_rate, 10}, gradient_, adam_, parameters_, norm))
    return core::Fail(core::FaultCode::kNotFinite,
                      "backward target: an update led to what is not finite and was refused; look for what is no "
                      "number in demonstrated or visited states");
  return loss / config_.batch;
}

/// Each row is a mixture of two states, each demonstrated or visited at even odds.
void BackwardTarget::Draw(const Experience& demonstrated, const Experience& visited) {
  const auto numbers = static_cast<std::size_t>(shape_.inputs);
  for (std::size_t row = 0; row < labels_.size(); ++row) {
    float label[2];
    for (std::size_t i = 0; i < 2; ++i) {
      label[i] = dice_.Unit() < 0.5f ? 1.0f : 0.0f;
      (label[i] == 1 ? demonstrated : visited).Draw(dice_, drawn_, static_cast<int>(2 * row + i));
    }
    const float share = config_.mixup == Mixup::kOn ? dice_.Unit() : 1;
    const float* first = drawn_.before.data() + 2 * row * numbers;
    labels_[row] = share * label[0] + (1 - share) * label[1];
    for (std::size_t i = 0; i < numbers; ++i)
      states_[row * numbers + i] = share * first[i] + (1 - share) * first[numbers + i];
  }
}

double BackwardTarget::Reward(std::span<const float> state) {
  NIGHTSHIFT_CHECK(std::ssize(state) == shape_.inputs);
  if (!std::all_of(state.begin(), state.end(), [](float v) { return std::isfinite(v); })) return 0;
  Forward(shape_, parameters_.data(), state.data(), 1, trace_);
  return std::min(config_.reward_max, Softplus(trace_.out[0]));  // -log(1 - sigmoid(x)) = softplus(x).
}

}  // namespace nightshift::learner
