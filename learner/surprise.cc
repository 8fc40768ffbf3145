// SPDX-License-Identifier: Apache-2.0
#include "learner/surprise.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace nightshift::learner {

namespace {

constexpr double kDeviationMin = 0.05;  // Of numbers scaled to about 1: noise of the sensors is no surprise.
constexpr double kNatsMax = 6;          // Per number, above the least: a deviation of 1 at 2.4 deviations off.

bool Finite(std::span<const float> state) {
  return std::all_of(state.begin(), state.end(), [](float v) { return std::isfinite(v); });
}

}  // namespace

void Familiarity::See(std::span<const float> state) {
  NIGHTSHIFT_CHECK(state.size() == mean_.size());
  if (!Finite(state)) return;
  ++seen_;
  for (std::size_t i = 0; i < state.size(); ++i) {
    const double off = state[i] - mean_[i];
    mean_[i] += off / static_cast<double>(seen_);
    squares_[i] += off * (state[i] - mean_[i]);
  }
}

double Familiarity::Surprise(std::span<const float> state) const {
  NIGHTSHIFT_CHECK(state.size() == mean_.size());
  if (seen_ == 0 || !Finite(state)) return 1;
  double nats = 0;
  for (std::size_t i = 0; i < state.size(); ++i) {
    const double variance = std::max(kDeviationMin * kDeviationMin, squares_[i] / static_cast<double>(seen_));
    const double off = state[i] - mean_[i];
    nats += 0.5 * (std::log(variance / (kDeviationMin * kDeviationMin)) + off * off / variance);
  }
  return std::min(1.0, nats / static_cast<double>(state.size()) / kNatsMax);
}

}  // namespace nightshift::learner
