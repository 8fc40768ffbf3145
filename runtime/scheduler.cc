// SPDX-License-Identifier: Apache-2.0
#include "runtime/scheduler.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "core/check.h"

namespace nightshift::runtime {
namespace {

constexpr double kFloor = 0.1;    // A mastered task is still practised now and then, so that it does not rot.
constexpr double kNeglect = 0.3;  // Weight of the UCB term.

}  // namespace

Choice Choose(std::span<const Option> options, core::Random& random) {
  NIGHTSHIFT_CHECK(!options.empty());
  std::int64_t all = 1;
  for (const Option& option : options) all += option.attempts;
  std::vector<double> weights;
  double total = 0;
  for (const Option& option : options) {
    const double neglect =
        kNeglect * std::sqrt(std::log(static_cast<double>(all)) / static_cast<double>(option.attempts + 1));
    weights.push_back(kFloor + (1 - option.competence) + neglect);
    total += weights.back();
  }
  double draw = random.Uniform(0, total);
  std::size_t index = 0;
  while (index + 1 < options.size() && draw >= weights[index]) draw -= weights[index++];
  const Option& chosen = options[index];
  return {index, fmt::format("{} has {:.0f} % left to learn after {} attempts; chosen with probability {:.2f} among {}",
                             chosen.task, 100 * (1 - chosen.competence), chosen.attempts, weights[index] / total,
                             options.size())};
}

}  // namespace nightshift::runtime
