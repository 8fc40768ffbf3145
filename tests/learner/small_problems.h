// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <vector>

#include "learner/actor_critic.h"
#include "learner/dice.h"
#include "learner/kernel.h"
#include "learner/replay.h"

/// Problems whose answers are known, and agents small enough to find them in seconds.
namespace nightshift::tests {

/// Learns fast from little, with no more noise than it needs.
inline learner::AgentConfig QuickAgent() {
  learner::AgentConfig config;
  config.width = 48;
  config.batch = 64;
  config.learning_rate = 1e-3;
  config.target_rate = 0.02;
  config.deployed_rate = 0.02;
  config.temperature_start = 1e-3;
  config.temperature_min = 1e-4;
  config.temperature_max = 2e-3;
  config.target_entropy = -2;
  config.log_std_start = -1;
  config.actor_every = 1;
  return config;
}

/// What an actor does where it is sure of itself: tanh of its mean.
inline std::vector<float> MeanAction(const std::vector<float>& actor, const learner::ActorShape& shape,
                                     const std::vector<float>& state) {
  learner::ActorTrace trace;
  Forward(shape, actor.data(), state.data(), 1, trace);
  std::vector<float> action(static_cast<std::size_t>(shape.outputs / 2));
  for (std::size_t i = 0; i < action.size(); ++i) action[i] = std::tanh(trace.out[i]);
  return action;
}

/// The lowest opinion of `critics`; of a value network, its value.
inline double LowestValue(const std::vector<float>& critics, const learner::CriticShape& shape,
                          const std::vector<float>& input) {
  learner::CriticTrace trace;
  Forward(shape, critics.data(), input.data(), 1, trace);
  return *std::min_element(trace.q.begin(), trace.q.begin() + shape.members);
}

/// A walk along places 0..kPlaces-1: the sign of the action says which way. Arriving at the last pays 1 and ends; the
/// first place has a wall behind it.
struct Chain {
  static constexpr int kPlaces = 6;
  static constexpr double kDiscount = 0.9;
  static constexpr learner::Sizes kSizes{kPlaces, 1};

  static std::vector<float> At(int place) {
    std::vector<float> state(kPlaces, 0.0f);
    state[static_cast<std::size_t>(place)] = 1;
    return state;
  }

  /// Every place, both ways, as often.
  static learner::Replay Logged(int samples, std::uint64_t seed) {
    learner::Replay replay(kSizes, static_cast<std::size_t>(samples));
    learner::Dice dice(seed);
    for (int i = 0; i < samples; ++i) {
      const int place = static_cast<int>(dice.Index(kPlaces - 1));
      const std::array<float, 1> action{2 * dice.Unit() - 1};
      const int next = std::max(0, place + (action[0] > 0 ? 1 : -1));
      const bool arrived = next == kPlaces - 1;
      const auto before = At(place), after = At(next);
      replay.Add({before, action, arrived ? 1.0f : 0.0f, after, arrived ? 0.0f : float(kDiscount)});
    }
    return replay;
  }

  /// What going one way is worth where all that follows is worth `value`.
  static double Worth(int place, int way, const std::array<double, kPlaces>& value) {
    const int next = std::max(0, place + way);
    return next == kPlaces - 1 ? 1 : kDiscount * value[static_cast<std::size_t>(next)];
  }

  /// Of the best policy: discount^(steps still to go - 1).
  static std::array<double, kPlaces> BestValues() {
    std::array<double, kPlaces> value{};
    for (int place = 0; place < kPlaces - 1; ++place)
      value[static_cast<std::size_t>(place)] = std::pow(kDiscount, kPlaces - 2 - place);
    return value;
  }

  /// What V(place) = share * better way + (1 - share) * worse way comes to: share 1/2 is the logged behaviour's value,
  /// and since both ways are logged as often, share = tau is its tau-expectile.
  static std::array<double, kPlaces> ValuesBetween(double share) {
    std::array<double, kPlaces> value{};
    for (int sweep = 0; sweep < 1000; ++sweep)
      for (int place = 0; place < kPlaces - 1; ++place) {
        const double right = Worth(place, 1, value), left = Worth(place, -1, value);
        value[static_cast<std::size_t>(place)] = share * std::max(left, right) + (1 - share) * std::min(left, right);
      }
    return value;
  }
};

/// x' = x + kPush u, to be held at 0: each step costs (x^2 + kEffort u^2) * kScale.
struct Regulator {
  static constexpr double kPush = 0.3, kEffort = 0.3, kScale = 1, kDiscount = 0.9;
  static constexpr learner::Sizes kSizes{1, 1};

  static learner::Replay Logged(int samples, std::uint64_t seed) {
    learner::Replay replay(kSizes, static_cast<std::size_t>(samples));
    learner::Dice dice(seed);
    for (int i = 0; i < samples; ++i) {
      const std::array<float, 1> x{2 * dice.Unit() - 1}, u{2 * dice.Unit() - 1};
      const std::array<float, 1> next{x[0] + float(kPush) * u[0]};
      const double cost = (x[0] * x[0] + kEffort * u[0] * u[0]) * kScale;
      replay.Add({x, u, static_cast<float>(-cost), next, float(kDiscount)});
    }
    return replay;
  }

  /// u = -gain x minimises the cost: the discounted Riccati equation, iterated to its fixed point.
  static double BestGain() {
    double p = 0;
    for (int i = 0; i < 1000; ++i) {
      const double cross = kDiscount * kPush * p;
      p = 1 + kDiscount * p - cross * cross / (kEffort + kDiscount * kPush * kPush * p);
    }
    return kDiscount * kPush * p / (kEffort + kDiscount * kPush * kPush * p);
  }

  /// The line through 0 nearest to what a policy does between -0.6 and 0.6, where the best gain asks for less than 1.
  template <typename Policy>
  static double GainOf(Policy policy) {
    double along = 0, square = 0;
    for (float x = -0.6f; x <= 0.6f; x += 0.05f) {
      along += x * policy(x);
      square += x * x;
    }
    return -along / square;
  }

  /// What a policy costs from `x` on.
  template <typename Policy>
  static double CostOf(Policy policy, float x) {
    double cost = 0, weight = kScale;
    for (int i = 0; i < 200; ++i, weight *= kDiscount) {
      const float u = policy(x);
      cost += weight * (x * x + kEffort * u * u);
      x += static_cast<float>(kPush) * u;
    }
    return cost;
  }
};

/// A ledge from -1 to 1: at the right end is the goal, which pays 1, at the left end one falls off. Whoever wrote the
/// log went right or left, each half of the time, by about half of what is possible. Nobody ever tried to go faster
/// than 0.75: that breaks the machine.
struct Ledge {
  static constexpr learner::Sizes kSizes{1, 1};
  static constexpr double kDiscount = 0.95;
  static constexpr float kStep = 0.2f, kFastest = 0.75f;

  struct Moved {
    float x = 0;
    bool arrived = false, over = false;
  };
  static Moved Move(float x, float action) {
    const float next = x + kStep * action;
    if (std::fabs(action) > kFastest) return {x, false, true};
    return {next, next >= 1, std::fabs(next) >= 1};
  }

  static learner::Replay Logged(int samples, std::uint64_t seed) {
    learner::Replay replay(kSizes, static_cast<std::size_t>(samples));
    learner::Dice dice(seed);
    for (int i = 0; i < samples; ++i) {
      const std::array<float, 1> x{1.9f * dice.Unit() - 0.95f};
      const std::array<float, 1> action{(dice.Unit() < 0.5f ? 0.5f : -0.5f) + 0.2f * (2 * dice.Unit() - 1)};
      const Moved moved = Move(x[0], action[0]);
      const std::array<float, 1> after{moved.x};
      replay.Add({x, action, moved.arrived ? 1.0f : 0.0f, after, moved.over ? 0.0f : float(kDiscount)});
    }
    return replay;
  }

  /// Share of 41 starts between -0.5 and 0.5 from which the mean action arrives within 60 steps.
  static double Success(const std::vector<float>& actor, const learner::ActorShape& shape) {
    int arrived = 0;
    for (int start = 0; start <= 40; ++start) {
      Moved at{-0.5f + 0.025f * static_cast<float>(start)};
      for (int i = 0; i < 60 && !at.over; ++i) at = Move(at.x, MeanAction(actor, shape, {at.x})[0]);
      arrived += at.arrived ? 1 : 0;
    }
    return arrived / 41.0;
  }
};

inline learner::ActorShape ActorOf(const learner::AgentConfig& config, const learner::Sizes& sizes) {
  return {sizes.state, config.width, 2 * sizes.action};
}
inline learner::CriticShape CriticsOf(const learner::AgentConfig& config, const learner::Sizes& sizes) {
  return {sizes.both(), config.width, config.critics};
}

}  // namespace nightshift::tests
