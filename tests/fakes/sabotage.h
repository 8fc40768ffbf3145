// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/random.h"
#include "skills/policy.h"

/// What may go wrong with a snapshot between the learner's weights and the arm.
namespace nightshift::tests {

/// The mean action, with the other sign.
inline void Negate(skills::PolicyWeights& weights) {
  skills::DenseLayer& last = weights.layers.back();
  const auto means = static_cast<std::size_t>(last.outputs / 2);
  for (std::size_t i = 0; i < means * static_cast<std::size_t>(last.inputs); ++i) last.weights[i] = -last.weights[i];
  for (std::size_t i = 0; i < means; ++i) last.biases[i] = -last.biases[i];
}

/// Every weight moved by so many times the layer's own size.
inline void Shake(skills::PolicyWeights& weights, double share, core::Random& random) {
  for (skills::DenseLayer& layer : weights.layers) {
    double squares = 0;
    for (const float weight : layer.weights) squares += static_cast<double>(weight) * static_cast<double>(weight);
    const double size = std::sqrt(squares / static_cast<double>(layer.weights.size()));
    for (float& weight : layer.weights) weight += static_cast<float>(random.Normal(0, share * size));
  }
}

/// One bit of a file, anywhere.
inline void FlipABit(const std::filesystem::path& path, core::Random& random) {
  const auto size = static_cast<double>(std::filesystem::file_size(path));
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto at = static_cast<std::streamoff>(random.Uniform(0, size));
  file.seekg(at);
  const char byte = static_cast<char>(file.get());
  file.seekp(at);
  file.put(static_cast<char>(byte ^ (1 << static_cast<int>(random.Uniform(0, 8)))));
}

}  // namespace nightshift::tests
