// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <random>

namespace nightshift::core {

/// The one kind of randomness: seeded, passed in, logged by whoever seeds it.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  double Uniform(double low, double high) { return low + (high - low) * unit_(engine_); }
  double Normal(double mean, double sigma) { return mean + sigma * normal_(engine_); }
  int Index(int count) { return static_cast<int>(Uniform(0, 1) * count) % count; }
  bool Chance(double probability) { return unit_(engine_) < probability; }
  /// From Beta(a, b), both above 0: what a success rate may be after a - 1 successes and b - 1 failures.
  double Beta(double a, double b) {
    std::gamma_distribution<double> first(a, 1), second(b, 1);
    const double x = first(engine_), y = second(engine_);
    return x / (x + y);
  }
  std::uint64_t Seed() { return engine_(); }

 private:
  std::mt19937_64 engine_;
  std::uniform_real_distribution<double> unit_{0.0, 1.0};
  std::normal_distribution<double> normal_{0.0, 1.0};
};

}  // namespace nightshift::core
