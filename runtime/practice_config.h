// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/fault.h"
#include "core/time.h"
#include "recovery/plan.h"

namespace nightshift::runtime {

/// How practice is run: `[practice]` in the configuration.
struct PracticeConfig {
  int demonstrations_wanted = 30;          // Scripted successes before a learned skill acts: CELL.md's figure.
  int recovery_demonstrations_wanted = 6;  // Scripted attempts at a recovery task before its learned skill may act.
  double borrowed_belief_attempts = 1;     // What a policy does at home counts as so many attempts where it is
                                           // borrowed.
  double scripted_share = 0.05;            // Of later attempts: keeps the script's competence known.
  double scripted_retry_share = 0.5;       // Of scripted attempts: after a miss it tries again, which nothing else
                                           // demonstrates.
  double learned_share_min = 0.25;         // Of later attempts at a configured task: even a poor policy must practise.
  double mean_action_share = 0.5;          // Of learned attempts: no exploration, as it would be deployed. Judging and
                                           // the demonstrations of what works are worth as much as exploring.
  double wall_share = 0.25;                // Of goals drawn in the tray: against a wall, as in CELL.md.
  int judged_after_attempts = 10;          // A candidate is promoted or rejected on this many.
  int recovery_judged_after_attempts = 6;  // Failures are rarer: more would keep a policy on trial for an hour.
  double promotion_margin = 0;             // By how much a candidate may look worse than the promoted policy and still
                                           // replace it.
  double regression = 0.3;                 // A fall of the success rate that the gate's tests tell from none: snapshots
                                           // swing by 0.1 to 0.2, and what is smaller shows in none of 20 attempts.
  double judging_alpha = 0.05;             // Share of candidates as good whose trial a test ends early: they cost only
                                           // their attempts, and the next one comes within minutes.
  double judging_beta = 0.1;               // Share of candidates worse by `regression` that are promoted: they stay on
                                           // trial, and are rolled back.
  double rollback_alpha = 0.005;       // As good a promoted policy is rolled back in fewer than one in so many of its
                                       // attempts: it makes some hundred before the next one replaces it.
  double forgetting = 0.97;            // Of competence, per attempt: remembers about 33.
  int settle_periods = 2;              // After homing, before looking.
  int retries_without_recovery = 3;    // With recovery off: then a person is asked.
  bool recovery = true;                // Off only to measure what recovery is worth.
  double person_answers_after_s = 60;  // Robot time until the object is put back, where the person is simulated.
  double backlog_updates_max = 1000;   // Practice waits between episodes while the learner is further behind.
  double backlog_wait_s_max = 30;      // Wall time it waits at most; then the learner counts as dead and is named.
  recovery::PlanConfig plan;
};

core::Result<void> Validate(const PracticeConfig& config);

}  // namespace nightshift::runtime
