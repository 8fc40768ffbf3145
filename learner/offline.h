// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string_view>

#include "core/fault.h"
#include "learner/actor_critic.h"
#include "learner/config.h"
#include "learner/logged_data.h"
#include "learner/offline_config.h"
#include "learner/replay.h"

namespace nightshift::learner {

/// In words, as in the configuration: "cloning", "implicit_q", "conservative_q".
std::string_view Name(OfflineAlgorithm algorithm);

/// What an agent has before it practises.
struct Logged {
  const Replay& practice;        // All that was tried, demonstrations included.
  const Replay& demonstrations;  // What is imitated; of each batch of the others, demonstration_share.
};

/// A policy from logged data alone.
struct Extraction {
  AgentState state;  // Its `updates` and `clone_updates` are those made here.
  LoggedFacts logged;
  double loss = 0;        // Of the last update: of the critics, or of the clone.
  double value_mean = 0;  // Of the logged states or actions; 0 for a clone, whose critics know nothing.
  bool finished = true;   // False when it was asked to end before.
};

/// Trains by the configured algorithm from `start` to its end, or until `must_end` says so. Checks the data first.
/// Faults: kRefused (logged_data.h says when), kNotFinite. Nothing that is not finite is ever returned.
core::Result<Extraction> Extract(const OfflineConfig& config, const AgentConfig& agent, const Sizes& sizes,
                                 const Logged& logged, const AgentState& start, const std::function<bool()>& must_end);

}  // namespace nightshift::learner
