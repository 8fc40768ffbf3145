// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "learner/dice.h"

namespace nightshift::learner {

/// How many numbers a learner sees and decides on.
struct Sizes {
  int state = 0;   // Goal included, where there is one.
  int action = 0;  // Each in [-1, 1].

  int both() const { return state + action; }
  bool operator==(const Sizes&) const = default;
};

/// What is learned from: n steps of one episode folded into one. The value of (before, action) is
/// reward + discount * value(after).
struct SampleView {
  std::span<const float> before, action;
  float reward = 0;  // Discounted sum over the n steps.
  std::span<const float> after;
  float discount = 0;  // gamma^n; 0 where the episode truly ended, so that nothing follows.
};

/// What one update works on: rows of samples, those of demonstrations first. Matrices are row by row.
struct Batch {
  Batch(const Sizes& of, int row_count) : sizes(of), rows(row_count) {
    const auto n = static_cast<std::size_t>(row_count);
    before.resize(n * static_cast<std::size_t>(of.state));
    after.resize(before.size());
    before_action.resize(n * static_cast<std::size_t>(of.both()));
    reward.resize(n);
    discount.resize(n);
  }

  void Put(int row, const SampleView& sample) {
    const auto r = static_cast<std::size_t>(row), state = static_cast<std::size_t>(sizes.state);
    float* both = before_action.data() + r * static_cast<std::size_t>(sizes.both());
    std::copy(sample.before.begin(), sample.before.end(), before.data() + r * state);
    std::copy(sample.before.begin(), sample.before.end(), both);
    std::copy(sample.action.begin(), sample.action.end(), both + state);
    std::copy(sample.after.begin(), sample.after.end(), after.data() + r * state);
    reward[r] = sample.reward;
    discount[r] = sample.discount;
  }

  Sizes sizes;
  int rows = 0;
  int demonstrated_rows = 0;
  std::vector<float> before;            // rows x state
  std::vector<float> before_action;     // rows x (state + action): both, side by side.
  std::vector<float> after;             // rows x state
  std::vector<float> reward, discount;  // rows
};

/// Something to learn from. Thread: one at a time.
class Experience {
 public:
  virtual ~Experience() = default;
  virtual std::size_t size() const = 0;
  /// One sample at random into a row of a batch of its sizes. Not when empty.
  virtual void Draw(Dice& dice, Batch& batch, int row) const = 0;
};

}  // namespace nightshift::learner
