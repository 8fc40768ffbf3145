// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include <cstddef>

#include "learner/dice.h"
#include "learner/kernel.h"
#include "skills/dense_network.h"

/// Between flat parameters and what acts.
namespace nightshift::learner {

/// He-uniform for what ReLU follows.
inline void DrawWeights(Dice& dice, int inputs, float gain, float* w, std::size_t count) {
  const float bound = gain * std::sqrt(6.0f / static_cast<float>(inputs));
  for (std::size_t i = 0; i < count; ++i) w[i] = bound * (2 * dice.Unit() - 1);
}

inline skills::DenseLayer LayerOf(const float* weights, const float* biases, int inputs, int outputs) {
  skills::DenseLayer layer{inputs, outputs, {}, {}};
  layer.weights.assign(weights, weights + std::size_t(inputs) * outputs);
  layer.biases.assign(biases, biases + outputs);
  return layer;
}

inline skills::DenseLayers LayersOf(const ActorShape& s, const float* p) {
  return {LayerOf(p + s.w1(), p + s.b1(), s.inputs, s.width), LayerOf(p + s.w2(), p + s.b2(), s.width, s.width),
          LayerOf(p + s.w3(), p + s.b3(), s.width, s.outputs)};
}

}  // namespace nightshift::learner
