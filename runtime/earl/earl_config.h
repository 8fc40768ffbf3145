// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "core/fault.h"
#include "io/earl/rules.h"
#include "learner/config.h"
#include "learner/hindsight.h"

namespace nightshift::runtime::earl {

/// What a shield keeps the peg within, and where it takes the hand to be able to touch it: metres, from the
/// observation alone. The hand trails its target by up to 4 cm, so it brakes that much before the edge.
struct ShieldConfig {
  double enabled = 0;             // 1: actions are judged. The peg's world only.
  double y_low_m = 0.47;          // Below, nothing may push it towards the robot: the hand ends at y = 0.40.
  double y_high_m = 0.76;         // Beyond, nothing may push it away. The box stands between 0.50 and 0.70.
  double x_low_m = -0.27;         // Of the head held by closing fingers: where the goal has it.
  double fingers_open_min = 0.6;  // Of their distance, 0 to 1: the peg lies between them at 0.3.
  double x_high_m = 0.16;         // It starts between -0.10 and 0.10; the hand holds it 0.13 m behind the head.
  double brake_m = 0.02;          // So much further outside, it is pushed back.
  double held_across_m = 0.025;   // Further than this from the hand's middle it is not between the fingers;
  double push_max = 0.3;          // then it is pushed with this share of a full action at most.
  double reach_across_m = 0.085;  // Half the open fingers, their thickness, half the peg, and 1 cm.
  double reach_along_m = 0.06;    // Beyond either end of the peg: half a finger and 4 cm.
  double reach_up_m = 0.09;       // Fingers' length below the hand, half the peg, and 3 cm.
};

/// Everything that decides how one scene is practised. Times are steps of the world or updates of the learner.
struct EarlConfig {
  learner::AgentConfig agent;
  learner::HindsightConfig hindsight;
  ShieldConfig shield;

  // Practice.
  double updates_per_step = 4;        // With 1 nothing is learned within 20,000 steps (prototype).
  int random_steps = 1000;            // Uniform actions before the first update: practice begins with variety.
  double perturbation_chance = 0.02;  // Per step, of 3 to 10 repeats of one random action: unsticks what is stuck.
  int perturbation_steps_min = 3;
  int perturbation_steps_max = 10;
  int perturbation_after_failures = 0;  // In a row; fewer and nothing is perturbed.
  double greedy_share = 0;              // Of attempts, acted by the averaged actor's mean, as when deployed.
  double home_share = 0;  // Of attempts, preceded by opening the fingers and moving the hand to its start.
  double imitation_other_share =
      0;                           // As hindsight.other_share, of demonstrations and own wins: these show no way there.
  double alternate = 0;            // 1: never the same task twice in a row while another may start.
  double win_share = 0;            // Of demonstrated samples, from own wins: what works is imitated, too.
  int win_steps_max = 40000;       // Of own wins remembered.
  int recover_after_failures = 0;  // In a row: the recovery task of a thing that can be lost comes next. 0: never.
  int straighten_every_steps = 0;  // How often the peg's pitch is looked at and pressed flat by script. 0: never.
  double competence_forgetting = 0.97;  // Per attempt: remembers about 33.
  // Failed recoveries in a row, without a win between them; then a reset is asked for, which counts as an intervention.
  // The first is enough where the thing is out of reach. 0: never.
  int ask_after_recoveries = 0;
  int ask_after_steps = 0;  // Without any win; then a reset is asked for, which counts as an intervention. 0: never.
};

/// Recipe A of the benchmark's README, and what was changed since for each scene, with the reason.
EarlConfig ConfigOf(io::earl::Scene scene);

/// "key=value" for experiments, e.g. "agent.clone_weight=20"; the run's record holds every value.
/// Faults: kInvalidConfig, naming the keys there are, or a count that is no whole number; then nothing is changed.
core::Result<void> Set(EarlConfig& config, std::string_view assignment);

/// Faults: kInvalidConfig naming key, value and allowed range.
core::Result<void> Validate(const EarlConfig& config);

/// One JSON object of every value.
std::string ToJson(const EarlConfig& config);

}  // namespace nightshift::runtime::earl
