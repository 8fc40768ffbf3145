// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "core/transition.h"
#include "learner/config.h"
#include "learner/experience.h"
#include "learner/surprise.h"
#include "skills/features.h"
#include "skills/task.h"

/// How an episode becomes samples. Pure.
namespace nightshift::learner {

/// One policy step as an agent sees it.
struct Step {
  skills::Features before{}, after{};
  core::PolicyAction action{};  // Proposed, clamped to the possible.
  float reward = 0;
};

/// How a row of steps ends: at a true end nothing follows, at a cut (time-out, crash) the value goes on.
enum class Ending { kTerminal, kCut };

/// A row of steps without a gap, and how it ends.
struct Segment {
  std::vector<Step> steps;
  Ending ending = Ending::kCut;
  bool solved = false;
};

/// The whole episode, for its own task.
Segment SegmentOf(const core::Episode& episode, const AgentConfig& config, const skills::Scene& scene);

/// The parts of the episode that would have been attempts at `task` too: from a step where it may start to where it is
/// decided, or to the end. For a task with a goal the goal is where the object came to rest.
std::vector<Segment> SegmentsFor(const skills::Task& task, const core::Episode& episode, const AgentConfig& config,
                                 const skills::Scene& scene);

/// Charges each step surprise_weight times how surprising the state after it is, and then takes that state in: it is
/// judged by those before it, of `life` or of this segment alone, as surprise_memory says. A failure costs all the
/// surprise that could have followed, or ending an attempt that surprises would pay. With weight 0 nothing is done.
void ChargeSurprise(const AgentConfig& config, Familiarity& life, Segment& segment);

/// What an agent of the product learns from (experience.h).
struct Sample {
  skills::Features before{};
  core::PolicyAction action{};
  float reward = 0;
  skills::Features after{};
  float discount = 0;

  SampleView view() const { return {before, action, reward, after, discount}; }
};

/// Sums up to n rewards; near the end fewer.
std::vector<Sample> Fold(const Segment& segment, int n, double discount);

}  // namespace nightshift::learner
