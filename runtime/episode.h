// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>

#include "core/transition.h"
#include "runtime/body.h"
#include "runtime/risk_guard.h"
#include "skills/policy.h"
#include "skills/skill.h"
#include "skills/task.h"

namespace nightshift::runtime {

/// What ends an attempt besides success and time. kFirstFailure: the task's failure condition, as in practice.
/// kTimeOnly: nothing else, for measuring a script that goes on trying.
enum class EndsAt { kFirstFailure, kTimeOnly };

/// How an attempt was made. Only a script's single try and a policy that does not explore can be compared: the others
/// have more time, or are disturbed on purpose.
enum class Manner { kSingleTry, kRetrying, kMean, kExploring };

/// What came of one attempt, beyond the episode itself.
struct Attempt {
  core::Episode episode;
  Manner manner = Manner::kSingleTry;
  bool was_held = false;  // Lifted off the table at some step, or at the start.
  core::StopCause stop = core::StopCause::kNone;
};

/// Called after each step, before the next: appends to the journal; a fault ends the attempt as interrupted.
/// Is there a picture to believe, half a second old at most? Blind, nothing may act on what it does not see.
bool Sees(const core::Observation& seen);

using OnStep = std::function<core::Result<void>(int index, const core::Transition&)>;

/// Runs one attempt: acts, judges, counts time in robot time. `episode` comes with id, task, target, skill filled in.
/// What the risk critic refuses again and again is given up before safety has to stop the arm.
/// @param risk none: full speed throughout.
/// Faults: those of the body and of `on_step`.
core::Result<Attempt> RunEpisode(Body& body, const skills::Task& task, const skills::Scene& scene, skills::Skill& skill,
                                 core::Episode episode, EndsAt ends_at, const OnStep& on_step,
                                 RiskGuard* risk = nullptr);

/// A learned policy as a skill: the mean action, or samples from its distribution.
class PolicySkill : public skills::Skill {
 public:
  enum class Mode { kMean, kSample };
  PolicySkill(skills::LearnedPolicy& policy, const skills::Scene& scene, const core::Target& target, Mode mode,
              core::Random& random)
      : policy_(policy), scene_(scene), target_(target), mode_(mode), random_(random) {}

  core::PolicyAction Act(const core::Observation& seen, const core::Observation& previous) override;

 private:
  skills::LearnedPolicy& policy_;
  const skills::Scene& scene_;
  core::Target target_;
  Mode mode_;
  core::Random& random_;
};

}  // namespace nightshift::runtime
