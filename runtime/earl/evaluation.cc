// SPDX-License-Identifier: Apache-2.0
#include "runtime/earl/evaluation.h"

#include <algorithm>

#include "learner/dice.h"

namespace nightshift::runtime::earl {

core::Result<Evaluation> Evaluate(io::earl::World& world, Acting& acting, int episodes, std::uint64_t seed) {
  Evaluation found{.episodes = episodes};
  learner::Dice dice(seed);
  const auto& goals = io::earl::ForwardGoals(world.scene());
  std::int64_t steps = 0;
  for (int episode = 0; episode < episodes; ++episode) {
    world.Reset(dice.Draw());
    const auto& goal = goals[static_cast<std::size_t>(episode) % goals.size()];
    for (int step = 1; step <= world.rules().attempt_steps; ++step) {
      if (auto moved = world.Step(acting.Choose(world.state(), goal)); !moved)
        return tl::make_unexpected(moved.error());
      if (!io::earl::Succeeded(world.scene(), world.state(), goal)) continue;
      ++found.solved;
      steps += step;
      if (const auto peg = world.peg()) {
        found.in_hole += peg->InHole() ? 1 : 0;
        found.overlap_m_max = std::max(found.overlap_m_max, peg->overlap());
      }
      break;
    }
  }
  if (found.solved > 0) found.steps_mean = static_cast<double>(steps) / found.solved;
  return found;
}

}  // namespace nightshift::runtime::earl
