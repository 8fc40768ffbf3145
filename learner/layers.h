// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "learner/dice.h"
#include "learner/kernel.h"
#include "skills/dense_network.h"

/// How flat parameters begin, and how they become what acts.
namespace nightshift::learner {

/// He-uniform for what ReLU follows.
inline void DrawWeights(Dice& dice, int inputs, float gain, float* w, std::size_t count) {
  const float bound = gain * std::sqrt(6.0f / static_cast<float>(inputs));
  for (std::size_t i = 0; i < count; ++i) w[i] = bound * (2 * dice.Unit() - 1);
}

/// Begins near zero mean, with this log standard deviation everywhere.
inline std::vector<float> FreshActor(const ActorShape& s, float log_std, Dice& dice) {
  std::vector<float> p(s.size(), 0.0f);
  DrawWeights(dice, s.inputs, 1, p.data() + s.w1(), s.b1() - s.w1());
  DrawWeights(dice, s.width, 1, p.data() + s.w2(), s.b2() - s.w2());
  DrawWeights(dice, s.width, 0.05f, p.data() + s.w3(), s.b3() - s.w3());
  for (int i = s.outputs / 2; i < s.outputs; ++i) p[s.b3() + static_cast<std::size_t>(i)] = log_std;
  return p;
}

/// Begins near zero value.
inline std::vector<float> FreshCritics(const CriticShape& s, Dice& dice) {
  std::vector<float> p(s.size(), 0.0f);
  DrawWeights(dice, s.inputs, 1, p.data() + s.w1(), s.b1() - s.w1());
  DrawWeights(dice, s.width, 1, p.data() + s.w2(), s.b2() - s.w2());
  DrawWeights(dice, s.width, 0.1f, p.data() + s.w3(), s.b3() - s.w3());
  std::fill_n(p.data() + s.g1(), s.across(), 1.0f);
  std::fill_n(p.data() + s.g2(), s.across(), 1.0f);
  return p;
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
