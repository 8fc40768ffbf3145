// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <vector>

#include "io/earl/rules.h"
#include "runtime/earl/earl_config.h"

namespace nightshift::runtime::earl {

/// Whether the hand can reach the manipulated thing where the state says it is: the peg within 0.42 <= y <= 0.90,
/// |x| <= 0.5 and not below the table. Always in the other scenes, whose things cannot leave.
bool Reachable(io::earl::Scene scene, std::span<const float> state);

/// Whether it is about where demonstrations show it: within the peg's or the handle's places there and a margin.
/// Elsewhere its recovery task begins.
bool Practised(io::earl::Scene scene, std::span<const float> state);

/// Keeps the peg where the hand can reach it, where the hand may touch the peg: a component of an action that would
/// take it further out of its box is dropped, and once it is further out than the brake becomes a push back; a push
/// from the side is slowed down. Pure. Thread: any.
/// @return whether the action was changed.
bool Shield(const ShieldConfig& config, io::earl::Scene scene, std::span<const float> state,
            std::vector<float>& action);

}  // namespace nightshift::runtime::earl
