// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "core/fault.h"
#include "core/time.h"
#include "learner/offline_config.h"

namespace nightshift::learner {

/// How the actor sees the critics' opinions of its action.
enum class CriticOpinion { kMean, kMinimum };

/// Which demonstrated actions the actor is held to: all, or what the critics prefer to its own (Nair et al. 2018).
enum class Cloned { kAll, kPreferred };

/// Against which states a state is surprising: those of the same attempt so far, or of all attempts at the task.
enum class SurpriseMemory { kEpisode, kLife };

/// What of an episode is also scored for tasks other than its own.
enum class Relabelling { kOff, kSuccesses, kAll };

/// What the large matrix products are made of; everything else is fp32 in either case (learner/network_work.h).
enum class Precision { kFp32, kBf16 };

/// One soft actor-critic agent in the manner of RLPD and HIL-SERL. Times are counted in updates.
struct AgentConfig {
  // Networks: two hidden layers. 128 wide learns as well per step as 256 and five times faster per second.
  int width = 128;
  int critics = 2;        // The target is a low opinion; more than two cost time that updates use better.
  int critics_asked = 2;  // For the target, the lowest of so many, drawn anew for each update where there are more
                          // (Chen et al. 2021, RLPD): the lowest of ten would be too low.

  // Batches: half from demonstrations, half from practice (symmetric sampling, Ball et al. 2023).
  int batch = 256;
  double demonstration_share = 0.5;  // Of each batch, while there are demonstrations.
  int demonstrations_start = 30;     // Demonstrated episodes before the first update.
  int samples_start = 8000;          // Or so many samples of practice, when hardly anything was demonstrated.

  // Value learning.
  double discount = 0.97;       // Per policy step, for a task of 6 s: its horizon of 33 steps is half an attempt.
  int n_step = 3;               // Rewards summed before the critic is asked: sparse rewards spread faster.
  double target_rate = 0.005;   // Of the target critics, per update.
  double learning_rate = 3e-4;  // Actor, critics.
  double temperature_learning_rate = 3e-4;
  double gradient_norm_max = 10;  // Rare outliers must not throw the critic.
  double value_min = -1;          // No return can be lower: time for ever and some toggles cost less.
  double value_max = 1;           // No return can be higher: success pays 1, once.

  // Acting.
  double temperature_start = 0.01;  // 1.0 drowns the demonstrations in noise.
  double temperature_min = 1e-4;    // Keeps the logarithm and the exploration alive.
  double temperature_max = 0.2;     // A saturated gripper looks like lost entropy; it must not shake the arm.
  double target_entropy = -2;  // Nats: steps of about 4 mm; with -4 (2 mm) no better grasp than the script's was found.
  double log_std_start = -1.5;  // About the target entropy, so that the temperature need not hunt for it.
  int actor_every = 2;          // Critic updates per actor update: the critic must lead.
  CriticOpinion actor_opinion =
      CriticOpinion::kMean;      // With the minimum the actor shies away from what is seldom tried.
  double deployed_rate = 0.003;  // Of the averaged actor, per actor update; the raw one swings by 50 points.

  // Cloning, so that practice begins where the script is.
  int clone_updates = 2000;         // Of the actor alone, before everything else.
  int offline_updates = 4000;       // Of the critics, on the script's experience, before a learned policy acts.
  int actor_frozen_updates = 4000;  // Critic warm-up: a fresh critic would talk the actor out of the clone.
  double clone_weight = 3;          // Of the cloning term beside the critics' opinion.
  int clone_fade_updates = 45000;   // It fades to zero within so many updates, 10,000 policy steps at ratio 4: sooner,
                                    // and success falls before it rises (docs/results.md, benches mk and n).
  Cloned cloned = Cloned::kAll;     // Before the critics are good, those they prefer are few, and the clone is lost.
  double clone_action_max = 0.9;    // Imitated actions are clipped to this: tanh reaches 1 only at infinity.

  // Rewards, computed where an episode becomes samples.
  double success_reward = 1;
  double toggle_cost = 0.01;  // Per change of the gripper's command: thrashing wears it out.
  double step_cost = 0.02;    // Per policy step; a failure costs all that would have followed it (learner/episode.cc).

  double surprise_weight = 0;  // Per policy step that ends in the most surprising state (learner/surprise.h), beside
                               // step_cost. 0, off: practice here wants the objects moved, not left alone.
  SurpriseMemory surprise_memory = SurpriseMemory::kLife;  // An attempt of 6 s is too short to find what is familiar.

  // Memory.
  int samples_max = 100000;        // Of practice; at 10 Hz about three hours. The oldest go first.
  int demonstrations_max = 20000;  // Samples.
};

/// The same for a task of another length than 6 s: a longer one looks further ahead and its steps cost as much less, so
/// that never succeeding costs the same, and a late success is seen from the start as clearly as an early one.
AgentConfig ForTask(AgentConfig config, core::Duration time_limit);

/// When the risk critic may act: all of this is asked of episodes that it was not trained on.
struct RiskEvidence {
  int near_misses_min = 50;   // Episodes with at least one: fewer leave an interval of 0.1 on either side.
  double auc_low_min = 0.8;   // Lower end of the 95 % interval: a step before a near miss outranks four of five others.
  double overstated_max = 2;  // Where it would slow down it may foretell at most so many times what happens.
  double sureness = 2.58;     // Standard deviations, 99 %: it is judged anew every few minutes.
  int trial_episodes = 300;   // With and without it; then it must have had fewer near misses, or it is off for good.
};

/// The risk critic: how likely a safety stop or a hard near miss is soon. One network for all tasks.
struct RiskConfig {
  int horizon_steps = 15;  // 1.5 s: a blocked axis pushes for about one until its stall budget is spent.
  double near_miss_strain =
      0.75;        // Share of the nearest budget whose end stops the arm: 0.5 is full speed in free air.
  int width = 32;  // Near misses are few: a larger network learns them by heart.
  int batch = 128;
  double near_miss_share = 0.5;  // Of each batch, where a few hundredths of all steps are near one.
  double learning_rate = 1e-3;
  double weight_decay = 1;    // Per unit of learning rate: against learning by heart.
  double update_ratio = 0.1;  // Updates per policy step: 40 us each, a thousandth of what the agents take.
  int ordinary_max = 40000;   // Steps remembered, at 10 Hz about two hours. The oldest go first.
  int near_max = 10000;       // Those before near misses, which are rarer and older.
  int held_out_max = 40000;   // Steps of episodes that it is judged by.
  int publish_every = 100;    // Updates between publications, which take a few ms.
  RiskEvidence evidence;
};

/// Whether practice takes the risk critic's advice. It is trained and measured in either case.
enum class RiskAdvice { kOff, kAuto };

struct Config {
  AgentConfig agent;
  RiskConfig risk;
  OfflineConfig offline;
  RiskAdvice risk_critic = RiskAdvice::kAuto;  // Off until the evidence is there, and again if it is of no use.
  double update_ratio = 4;                     // Updates per policy step in which the task's learned policy acted.
  int scripted_demonstrations_max = 100;       // Episodes per task; after that the script has nothing new to show.
  int learned_demonstrations_max = 400;  // Further episodes per task, from learned successes: what works is imitated.
  Relabelling relabelling = Relabelling::kAll;  // Successes alone would make every start look promising.
  int borrowed_steps = 1500;     // Learned steps of a recovery task before it learns by itself; until then its parent's
                                 // policy acts: so few are too few to learn from, and the parent improves meanwhile.
  int held_out_every = 16;       // One decided episode of a learned policy in so many is never learned from: what the
                                 // critics are measured against; more would cost robot time. 0: none.
  int healthy_every = 500;       // Updates between the copies that a diverged agent falls back to.
  int publish_every = 1000;      // Updates between snapshots of a task.
  int snapshots_kept = 40;       // Files per task; older ones go, except those the catalogue names.
  int save_every = 2000;         // Updates between manifests.
  int episodes_per_read = 16;    // Journal episodes taken at once: bounds the pause between updates.
  double status_period_s = 0.4;  // Of the learner's status; observers expect one every 0.5 s.
  std::uint64_t seed = 1;
  int threads = 1;  // Of each update, bit for bit the same whatever their number. One: of two cores, control and
                    // perception need the other.
  Precision precision = Precision::kFp32;  // bf16, where the processor has it, makes twice as many updates of nets 256
                                           // wide, but not bit for bit what fp32 makes.
};

/// Faults: kInvalidConfig naming key, value and allowed range.
core::Result<void> Validate(const Config& config);

}  // namespace nightshift::learner
