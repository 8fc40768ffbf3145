// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cmath>
#include <span>

#include "learner/kernel.h"

namespace nightshift::learner {

struct DescentSteps {
  double learning_rate = 3e-4;
  double gradient_norm_max = 10;  // Longer ones are shortened to it.
};

/// One step of Adam down the gradient, its norm clipped; false, and no step, when it is not finite. `norm` is what it
/// was before clipping.
inline bool Descend(const DescentSteps& steps, std::span<const float> gradient, AdamState& adam,
                    std::span<float> parameters, double& norm) {
  norm = NormOf(gradient);
  if (!std::isfinite(norm)) return false;
  const double clip = std::min(1.0, steps.gradient_norm_max / (norm + 1e-12));
  AdamStep(adam, static_cast<float>(steps.learning_rate), static_cast<float>(clip), gradient, parameters);
  return true;
}

}  // namespace nightshift::learner
