// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <vector>

#include "learner/kernel.h"

/// The networks of learner/kernel.h in LibTorch's tensors: what hand-written gradients are held to.
namespace nightshift::tests {

inline torch::Tensor Tensor(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  return torch::from_blob(const_cast<float*>(values.data()), shape).clone();
}

inline torch::Tensor Flat(const std::vector<float>& values) {
  return Tensor(values, {static_cast<std::int64_t>(values.size())});
}

inline torch::Tensor Part(const torch::Tensor& flat, std::size_t at, std::vector<std::int64_t> shape) {
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  return flat.narrow(0, static_cast<std::int64_t>(at), count).view(shape);
}

inline torch::Tensor ActorOut(const learner::ActorShape& s, const torch::Tensor& p, const torch::Tensor& x) {
  const auto h1 = torch::relu(torch::linear(x, Part(p, s.w1(), {s.width, s.inputs}), Part(p, s.b1(), {s.width})));
  const auto h2 = torch::relu(torch::linear(h1, Part(p, s.w2(), {s.width, s.width}), Part(p, s.b2(), {s.width})));
  return torch::linear(h2, Part(p, s.w3(), {s.outputs, s.width}), Part(p, s.b3(), {s.outputs}));
}

/// rows x members.
inline torch::Tensor CriticOut(const learner::CriticShape& s, const torch::Tensor& p, const torch::Tensor& x) {
  std::vector<torch::Tensor> values;
  const auto w = static_cast<std::size_t>(s.width);
  for (std::size_t m = 0; m < static_cast<std::size_t>(s.members); ++m) {
    const auto vector = [&](std::size_t base) { return Part(p, base + m * w, {s.width}); };
    const auto w1 = Part(p, s.w1() + m * w * static_cast<std::size_t>(s.inputs), {s.width, s.inputs});
    auto h = torch::linear(x, w1, vector(s.b1()));
    h = torch::relu(torch::layer_norm(h, {s.width}, vector(s.g1()), vector(s.c1())));
    h = torch::linear(h, Part(p, s.w2() + m * w * w, {s.width, s.width}), vector(s.b2()));
    h = torch::relu(torch::layer_norm(h, {s.width}, vector(s.g2()), vector(s.c2())));
    values.push_back(torch::linear(h, Part(p, s.w3() + m * w, {1, s.width}), Part(p, s.b3() + m, {1})));
  }
  return torch::cat(values, 1);
}

/// The same but for the rounding of sums in another order.
inline void ExpectSame(const std::vector<float>& mine, const torch::Tensor& reference, int seed) {
  constexpr double kToleranceRelative = 2e-4;
  EXPECT_GT(reference.norm().item<double>(), 0) << "seed " << seed;
  const double off = (Flat(mine) - reference).norm().item<double>();
  EXPECT_LT(off / (reference.norm().item<double>() + 1e-12), kToleranceRelative) << "seed " << seed;
}

}  // namespace nightshift::tests
