// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "core/fault.h"
#include "io/earl/world.h"
#include "runtime/earl/acting.h"

namespace nightshift::runtime::earl {

/// Deployed evaluation by the benchmark's rules: attempts of H_eval steps from the initial distribution, deterministic
/// mean action, success if the predicate holds at any step. Goals in turn. Nothing is shielded here.
struct Evaluation {
  int episodes = 0;
  int solved = 0;
  int in_hole = 0;           // Of the solved, the peg's head truly in its hole at that moment.
  double overlap_m_max = 0;  // The furthest that the peg's section stuck into the hole's wall then.
  double steps_mean = 0;     // Of the solved.
};

/// @param seed of the starts: the same seed, the same starts. Faults: those of World::Step.
core::Result<Evaluation> Evaluate(io::earl::World& world, Acting& acting, int episodes, std::uint64_t seed);

}  // namespace nightshift::runtime::earl
