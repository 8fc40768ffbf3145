// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/fault.h"

namespace nightshift::learner {

/// Behaviour cloning (learner/cloning.h).
struct CloningConfig {
  int updates = 5000;           // Of the actor; so many sufficed a prototype for EARL's door.
  double learning_rate = 1e-3;  // Supervised: it takes larger steps than what chases moving targets.
};

/// Implicit Q-learning (learner/implicit_q.h).
struct ImplicitQConfig {
  int updates = 20000;     // Of value, critics and actor each: 40 s of one core at 128 wide, batch 256.
  double expectile = 0.8;  // Between the paper's 0.7 (dense rewards) and 0.9 (mazes, where runs must be stitched).
  double inverse_temperature = 20;  // Of the advantage; values span 2 here, so one step is worth about 0.05.
  double weight_max = 100;          // Of one sample beside a mean one; the paper's.
  double learning_rate = 3e-4;
  double log_std_min = -2.5;  // Steps of about 8 % remain to practice, however much alike the logged actions are.
};

/// What the critics may be pressed down to.
enum class Calibration {
  kOff,        // Without end: conservative Q-learning as published.
  kBehaviour,  // No lower than what the logged behaviour earns (Cal-QL), so that practice need not first unlearn it.
};

/// Conservative Q-learning (learner/conservative_q.h).
struct ConservativeQConfig {
  int updates = 20000;        // Of critics and actor each: five minutes of one core at 128 wide, batch 256.
  double penalty = 0.2;       // Beside the Bellman error. The paper's 5 belongs to returns of thousands; these span 2.
  int sampled_actions = 4;    // Per state, of each of three sources. The paper's 10 would cost twice the time.
  double temperature = 0.01;  // Of the entropy, held still: logged data cannot answer more exploration.
  double learning_rate = 3e-4;
  Calibration calibration = Calibration::kBehaviour;  // What follows is practice.
};

enum class OfflineAlgorithm { kCloning, kImplicitQ, kConservativeQ };

/// What `nightshift-learner --offline` does before practice (learner/offline.h).
struct OfflineConfig {
  OfflineAlgorithm algorithm = OfflineAlgorithm::kImplicitQ;  // Asks critics of logged actions only: the most robust.
  CloningConfig cloning;
  ImplicitQConfig implicit_q;
  ConservativeQConfig conservative_q;
};

/// Faults: kInvalidConfig naming key, value and allowed range.
core::Result<void> Validate(const OfflineConfig& config);

}  // namespace nightshift::learner
