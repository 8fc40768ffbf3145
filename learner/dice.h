// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cmath>
#include <cstdint>

namespace nightshift::learner {

/// A small seeded generator whose whole state can be saved, so that a restarted learner draws what it would have drawn
/// (xoshiro256++, Blackman and Vigna 2019). Fast: an update draws two thousand normals.
class Dice {
 public:
  using State = std::array<std::uint64_t, 4>;

  explicit Dice(std::uint64_t seed) {
    for (auto& word : state_) word = Split(seed);
  }

  const State& state() const { return state_; }
  void Restore(const State& state) { state_ = state; }

  std::uint64_t Draw() {
    const std::uint64_t result = Turn(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = Turn(state_[3], 45);
    return result;
  }

  /// In [0, count).
  std::size_t Index(std::size_t count) {
    return static_cast<std::size_t>((static_cast<unsigned __int128>(Draw()) * count) >> 64);
  }

  /// In (0, 1).
  float Unit() { return (static_cast<float>(Draw() >> 40) + 0.5f) * 0x1p-24f; }

  /// Two independent standard normals (Box and Muller 1958).
  void Normals(float& first, float& second) {
    const float radius = std::sqrt(-2.0f * std::log(Unit()));
    const float angle = 6.2831853f * Unit();
    first = radius * std::cos(angle);
    second = radius * std::sin(angle);
  }

 private:
  static std::uint64_t Turn(std::uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }
  static std::uint64_t Split(std::uint64_t& seed) {
    std::uint64_t z = (seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  State state_{};
};

}  // namespace nightshift::learner
