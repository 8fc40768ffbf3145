// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "core/random.h"

namespace nightshift::runtime {

/// One thing that could be practised now.
struct Option {
  std::string task;
  int object = 0;
  double competence = 0.5;    // Posterior mean of the skill that would act.
  std::int64_t attempts = 0;  // Of the task, by any skill.
};

struct Choice {
  std::size_t index = 0;
  std::string why;  // A sentence with the terms that decided.
};

/// What to practise: in proportion to what is left to learn (1 - competence) plus neglect (UCB term c sqrt(ln N / n),
/// LEARNING.md §5), never quite zero. Pure given its random numbers; `options` must not be empty.
Choice Choose(std::span<const Option> options, core::Random& random);

}  // namespace nightshift::runtime
