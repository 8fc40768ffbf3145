// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/catalogue.h"
#include "core/fault.h"
#include "io/earl/demos.h"
#include "io/earl/world.h"
#include "learner/hindsight.h"
#include "skills/facts.h"
#include "skills/task.h"

/// A benchmark scene as the ordinary task graph sees it: tasks are core::TaskSpec with conditions over skills::Facts.
/// The facts of a scene are filled from its state and the goal of the task that asks; what a scene does not have (tray,
/// bin, walls) stays 0. That filling is all that stands between the two.
namespace nightshift::runtime::earl {

enum class Kind { kForward, kReverse, kRecover };
inline constexpr int kKinds = 3;

/// tip = hand; object = what is moved; goal_distance = what the benchmark compares with its tolerance; jaw = the
/// fingers' distance, 0 to 1; held = the tabletop's flag; reachable and outside = Reachable and not Practised.
skills::Facts FactsOf(io::earl::Scene scene, std::span<const float> state, std::span<const float> goal);

/// Forward, reverse and, where a thing can be lost, its recovery; in the order of Kind. One step is 0.1 s.
std::vector<core::TaskSpec> TaskSpecsOf(io::earl::Scene scene);

/// For relabelling: what the tabletop compares, and the object's place of the others.
learner::GoalSpace GoalSpaceOf(io::earl::Scene scene);

learner::GoalEpisode EpisodeOf(const io::earl::Demo& demo, Kind kind);

}  // namespace nightshift::runtime::earl
