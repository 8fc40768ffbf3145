// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "skills/policy.h"

namespace nightshift::tests {

/// A snapshot whose policy always does the same: up, or down, with the jaw open.
inline skills::Snapshot ConstantPolicy(const std::string& task, std::int64_t version, float up) {
  skills::DenseLayer layer{.inputs = skills::kFeatureSize, .outputs = 2 * core::kActionSize};
  layer.weights.assign(static_cast<std::size_t>(layer.inputs * layer.outputs), 0.0f);
  layer.biases.assign(static_cast<std::size_t>(layer.outputs), skills::kLogStdMin);
  for (std::size_t i = 0; i < core::kActionSize; ++i) layer.biases[i] = 0;
  layer.biases[2] = up;
  layer.biases[3] = -3;
  return {.version = version, .task = task, .updates = 0, .weights = {{layer}}};
}

}  // namespace nightshift::tests
