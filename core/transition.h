// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/action.h"
#include "core/observation.h"

namespace nightshift::core {

/// How an episode ended. kInterrupted: a crash or a stop from outside; it says nothing about the skill.
enum class Outcome { kRunning, kSuccess, kFailure, kTimeout, kInterrupted };
std::string_view Name(Outcome outcome);

/// Who acted.
enum class SkillKind { kScripted, kLearned };
std::string_view Name(SkillKind kind);

/// What an episode is about, beyond its task: which object, and where to.
struct Target {
  int object = 0;  // Index into Observation::objects.
  Vec3 goal_m;     // Meaning given by the task; for a task without a goal the object's start.
};

/// One step of the policy: an observation, what was wanted, what was executed, what it led to.
struct Transition {
  Observation before;
  PolicyAction proposed{};
  PolicyAction applied{};  // Forward kinematics of what was executed over the period, in the policy's units.
  Verdict verdict = Verdict::kPass;
  LimitId limit = LimitId::kNone;
  std::optional<float> risk_scale;    // What the risk critic asked for; none: it was not asked.
  float strain = 0;                   // How near the arm came to a stop of its own doing; 1: it stopped.
  StopCause stop = StopCause::kNone;  // The first cause, where safety stopped the arm in this step.
  float reward = 0;
  Observation after;
  Outcome ended = Outcome::kRunning;  // Of the episode, at this step.
};

/// One attempt at a task. `id` is unique for ever: the journal's session in the upper, a counter in the lower 32 bits.
struct Episode {
  std::int64_t id = 0;
  std::string task;
  Target target;
  SkillKind skill = SkillKind::kScripted;
  std::int64_t policy_version = 0;  // Of the snapshot that acted, maybe borrowed; 0: none.
  bool demonstration = false;       // Worth imitating: goes to the demonstrations when it succeeded.
  Instant started;
  Instant ended;
  std::int64_t utc_ns = 0;  // Wall clock at the start, for people only.
  Outcome outcome = Outcome::kRunning;
  std::string failure;  // Kind of failure found at its end; empty: none.
  std::vector<Transition> steps;
};

}  // namespace nightshift::core
