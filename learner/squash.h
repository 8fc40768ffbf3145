// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>

/// The squashed Gaussian (Haarnoja et al. 2018, appendix C): an action is tanh(u), u normal.
namespace nightshift::learner {

inline constexpr float kLogRootTwoPi = 0.9189385f;

/// log(1 - tanh(u)^2), without losing it all where tanh is nearly 1.
inline float LogOneMinusTanhSquared(float u) {
  const float size = std::fabs(u);
  return 2 * (0.6931472f - size - std::log1p(std::exp(-2 * size)));
}

}  // namespace nightshift::learner
