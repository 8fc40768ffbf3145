// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "learner/kernel.h"
#include "skills/policy.h"

/// The learner's networks written in tensors, for LibTorch's autograd: what the hand-written ones are held to.
namespace nightshift::tests {

inline torch::Tensor Part(const torch::Tensor& flat, std::size_t at, std::vector<std::int64_t> shape) {
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  return flat.narrow(0, static_cast<std::int64_t>(at), count).view(shape);
}

struct ActorTensors {
  torch::Tensor w1, b1, w2, b2, w3, b3;

  std::vector<torch::Tensor*> all() { return {&w1, &b1, &w2, &b2, &w3, &b3}; }
};

struct CriticTensors {
  torch::Tensor w1, b1, g1, c1, w2, b2, g2, c2, w3, b3;

  std::vector<torch::Tensor*> all() { return {&w1, &b1, &g1, &c1, &w2, &b2, &g2, &c2, &w3, &b3}; }
};

/// Views of the flat parameters.
inline ActorTensors Split(const learner::ActorShape& s, const torch::Tensor& p) {
  return {Part(p, s.w1(), {s.width, s.inputs}),  Part(p, s.b1(), {s.width}),
          Part(p, s.w2(), {s.width, s.width}),   Part(p, s.b2(), {s.width}),
          Part(p, s.w3(), {s.outputs, s.width}), Part(p, s.b3(), {s.outputs})};
}

inline std::vector<CriticTensors> Split(const learner::CriticShape& s, const torch::Tensor& p) {
  std::vector<CriticTensors> members;
  const auto w = static_cast<std::size_t>(s.width), inputs = static_cast<std::size_t>(s.inputs);
  for (std::size_t m = 0; m < static_cast<std::size_t>(s.members); ++m) {
    const auto vector = [&](std::size_t base) { return Part(p, base + m * w, {s.width}); };
    members.push_back({Part(p, s.w1() + m * w * inputs, {s.width, s.inputs}), vector(s.b1()), vector(s.g1()),
                       vector(s.c1()), Part(p, s.w2() + m * w * w, {s.width, s.width}), vector(s.b2()), vector(s.g2()),
                       vector(s.c2()), Part(p, s.w3() + m * w, {1, s.width}), Part(p, s.b3() + m, {1})});
  }
  return members;
}

inline torch::Tensor Forward(const ActorTensors& t, const torch::Tensor& x) {
  const auto h1 = torch::relu(torch::linear(x, t.w1, t.b1));
  const auto h2 = torch::relu(torch::linear(h1, t.w2, t.b2));
  return torch::linear(h2, t.w3, t.b3);
}

/// batch x members.
inline torch::Tensor Forward(const std::vector<CriticTensors>& members, const torch::Tensor& x) {
  std::vector<torch::Tensor> values;
  for (const CriticTensors& t : members) {
    const auto width = t.b1.size(0);
    auto h = torch::relu(torch::layer_norm(torch::linear(x, t.w1, t.b1), {width}, t.g1, t.c1));
    h = torch::relu(torch::layer_norm(torch::linear(h, t.w2, t.b2), {width}, t.g2, t.c2));
    values.push_back(torch::linear(h, t.w3, t.b3));
  }
  return torch::cat(values, 1);
}

struct Acting {
  torch::Tensor mean, action, log_probability;
};

/// @param out the actor's: mean and log standard deviation side by side.
inline Acting Sample(const torch::Tensor& out, const torch::Tensor& noise) {
  const auto actions = noise.size(1);
  const auto mean = out.narrow(1, 0, actions);
  const auto log_std = out.narrow(1, actions, actions).clamp(skills::kLogStdMin, skills::kLogStdMax);
  const auto u = mean + log_std.exp() * noise;
  const auto log_normal = -0.5 * noise.square() - log_std - 0.5 * std::log(2 * M_PI);
  const auto log_squash = 2 * (std::log(2.0) - u - torch::softplus(-2 * u));  // log(1 - tanh(u)^2)
  return {mean, torch::tanh(u), (log_normal - log_squash).sum(1)};
}

}  // namespace nightshift::tests
