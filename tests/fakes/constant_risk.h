// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>

#include "skills/risk_model.h"

namespace nightshift::tests {

/// A risk critic that always says the same, and has earned trust or not.
inline skills::RiskSnapshot ConstantRisk(double probability,
                                         skills::RiskStanding standing = skills::RiskStanding::kTrusted) {
  skills::DenseLayer layer{.inputs = skills::kRiskInputs, .outputs = 1};
  layer.weights.assign(static_cast<std::size_t>(layer.inputs), 0.0f);
  layer.biases = {static_cast<float>(std::log(probability / (1 - probability)))};
  skills::RiskSnapshot snapshot;
  snapshot.report.standing = standing;
  snapshot.report.near_misses_needed = 50;
  snapshot.layers = {layer};
  return snapshot;
}

/// The first episode from here on that is (or is not) left alone by the critic.
inline std::int64_t OwnEpisode(std::int64_t id = 1) {
  while (skills::IsRiskControl(id)) ++id;
  return id;
}
inline std::int64_t ControlEpisode(std::int64_t id = 1) {
  while (!skills::IsRiskControl(id)) ++id;
  return id;
}

}  // namespace nightshift::tests
