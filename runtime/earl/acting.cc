// SPDX-License-Identifier: Apache-2.0
#include "runtime/earl/acting.h"

#include <algorithm>
#include <cmath>

#include "skills/policy.h"

namespace nightshift::runtime::earl {

std::vector<float> Acting::Choose(std::span<const float> state, std::span<const float> goal, learner::Dice* dice) {
  seen_.assign(state.begin(), state.end());
  seen_.insert(seen_.end(), goal.begin(), goal.end());
  const auto out = network_.Forward(seen_);
  std::vector<float> action(out.size() / 2);
  for (std::size_t i = 0; i < action.size(); ++i) {
    float before = out[i];
    if (dice != nullptr) {
      float noise = 0, unused = 0;
      dice->Normals(noise, unused);
      before += noise * std::exp(std::clamp(out[action.size() + i], skills::kLogStdMin, skills::kLogStdMax));
    }
    action[i] = std::tanh(before);
  }
  return action;
}

}  // namespace nightshift::runtime::earl
