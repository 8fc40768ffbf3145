// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nightshift::learner {

/// How familiar states are, as a normal density of independent numbers whose mean and deviation run along with what was
/// seen (Berseth et al.: SMiRL, ICLR 2021, section 3.2). Thread: one at a time.
class Familiarity {
 public:
  /// @param numbers of a state.
  explicit Familiarity(std::size_t numbers) : mean_(numbers, 0), squares_(numbers, 0) {}

  /// Takes in one state; one that is not finite is not taken.
  void See(std::span<const float> state);

  /// How surprising a state is, in [0, 1]: 0 where it lies on the mean of what never varies, 1 where it is out of all
  /// proportion, not finite, or nothing was seen yet. An affine form of -log p(state) per number, clipped.
  double Surprise(std::span<const float> state) const;

  std::int64_t seen() const { return seen_; }

 private:
  std::int64_t seen_ = 0;
  std::vector<double> mean_, squares_;  // Welford's: the mean, and the sum of squared distances from it.
};

}  // namespace nightshift::learner
