// SPDX-License-Identifier: Apache-2.0
#include "learner/config.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace nightshift::learner {

namespace {

struct Range {
  const char* key;
  double value;
  double low, high;
};

constexpr core::Duration kReferenceTimeLimit = core::Seconds(6);  // Of the tasks on which the defaults were found.

// Written so that NaN is outside.
bool Inside(const Range& r) { return r.value >= r.low && r.value <= r.high; }

std::vector<Range> AgentRanges(const AgentConfig& a) {
  return {
      {"learner.agent.width", double(a.width), 8, 1024},
      {"learner.agent.critics", double(a.critics), 1, 10},
      {"learner.agent.critics_asked", double(a.critics_asked), 1, 10},
      {"learner.agent.batch", double(a.batch), 2, 4096},
      {"learner.agent.demonstration_share", a.demonstration_share, 0, 1},
      {"learner.agent.demonstrations_start", double(a.demonstrations_start), 0, 10000},
      {"learner.agent.samples_start", double(a.samples_start), 1, 1e6},
      {"learner.agent.discount", a.discount, 0, 0.9999},
      {"learner.agent.n_step", double(a.n_step), 1, 20},
      {"learner.agent.target_rate", a.target_rate, 1e-5, 1},
      {"learner.agent.learning_rate", a.learning_rate, 1e-7, 0.1},
      {"learner.agent.temperature_learning_rate", a.temperature_learning_rate, 0, 0.1},
      {"learner.agent.gradient_norm_max", a.gradient_norm_max, 1e-3, 1e6},
      {"learner.agent.value_min", a.value_min, -1e6, 0},
      {"learner.agent.value_max", a.value_max, 1e-6, 1e6},
      {"learner.agent.temperature_start", a.temperature_start, 1e-6, 10},
      {"learner.agent.temperature_min", a.temperature_min, 0, a.temperature_start},
      {"learner.agent.temperature_max", a.temperature_max, a.temperature_start, 100},
      {"learner.agent.target_entropy", a.target_entropy, -100, 100},
      {"learner.agent.log_std_start", a.log_std_start, -5, 1},
      {"learner.agent.actor_every", double(a.actor_every), 1, 100},
      {"learner.agent.deployed_rate", a.deployed_rate, 1e-5, 1},
      {"learner.agent.clone_updates", double(a.clone_updates), 0, 1e6},
      {"learner.agent.offline_updates", double(a.offline_updates), 0, 1e6},
      {"learner.agent.actor_frozen_updates", double(a.actor_frozen_updates), 0, 1e6},
      {"learner.agent.clone_weight", a.clone_weight, 0, 1000},
      {"learner.agent.clone_fade_updates", double(a.clone_fade_updates), 0, 1e9},
      {"learner.agent.clone_action_max", a.clone_action_max, 0.3, 1},
      {"learner.agent.success_reward", a.success_reward, 0, a.value_max},
      {"learner.agent.toggle_cost", a.toggle_cost, 0, 1},
      {"learner.agent.step_cost", a.step_cost, 0, 1},
      {"learner.agent.surprise_weight", a.surprise_weight, 0, 1},
      {"learner.agent.samples_max", double(a.samples_max), 100, 1e7},
      {"learner.agent.demonstrations_max", double(a.demonstrations_max), 100, 1e7},
  };
}

std::vector<Range> RiskRanges(const RiskConfig& r) {
  return {
      {"learner.risk.horizon_steps", double(r.horizon_steps), 1, 100},
      {"learner.risk.near_miss_strain", r.near_miss_strain, 0.1, 1},
      {"learner.risk.width", double(r.width), 4, 256},
      {"learner.risk.batch", double(r.batch), 2, 4096},
      {"learner.risk.near_miss_share", r.near_miss_share, 0.01, 0.99},
      {"learner.risk.learning_rate", r.learning_rate, 1e-7, 0.1},
      {"learner.risk.weight_decay", r.weight_decay, 0, 10},
      {"learner.risk.update_ratio", r.update_ratio, 0, 4},
      {"learner.risk.ordinary_max", double(r.ordinary_max), 1000, 1e6},
      {"learner.risk.near_max", double(r.near_max), 100, 1e6},
      {"learner.risk.held_out_max", double(r.held_out_max), 1000, 1e6},
      {"learner.risk.publish_every", double(r.publish_every), 10, 1e9},
      {"learner.risk.evidence.near_misses_min", double(r.evidence.near_misses_min), 10, 1e9},
      {"learner.risk.evidence.auc_low_min", r.evidence.auc_low_min, 0.5, 1},
      {"learner.risk.evidence.overstated_max", r.evidence.overstated_max, 1, 100},
      {"learner.risk.evidence.sureness", r.evidence.sureness, 0.5, 10},
      {"learner.risk.evidence.trial_episodes", double(r.evidence.trial_episodes), 10, 1e9},
  };
}

std::vector<Range> Ranges(const Config& c) {
  std::vector<Range> ranges = AgentRanges(c.agent);
  const std::vector<Range> risk = RiskRanges(c.risk);
  ranges.insert(ranges.end(), risk.begin(), risk.end());
  const std::vector<Range> own{
      {"learner.update_ratio", c.update_ratio, 0.01, 100},
      {"learner.scripted_demonstrations_max", double(c.scripted_demonstrations_max), 0, 1e5},
      {"learner.learned_demonstrations_max", double(c.learned_demonstrations_max), 0, 1e5},
      {"learner.held_out_every", double(c.held_out_every), 0, 1e6},
      {"learner.healthy_every", double(c.healthy_every), 1, 1e6},
      {"learner.publish_every", double(c.publish_every), 1, 1e7},
      {"learner.snapshots_kept", double(c.snapshots_kept), 2, 1e5},
      {"learner.save_every", double(c.save_every), 1, 1e7},
      {"learner.episodes_per_read", double(c.episodes_per_read), 1, 1000},
      {"learner.status_period_s", c.status_period_s, 0.05, 10},
      {"learner.threads", double(c.threads), 1, 10},
  };
  ranges.insert(ranges.end(), own.begin(), own.end());
  return ranges;
}

}  // namespace

AgentConfig ForTask(AgentConfig config, core::Duration time_limit) {
  const double shorter = core::ToSeconds(kReferenceTimeLimit) / core::ToSeconds(time_limit);
  config.discount = std::max(0.0, 1 - (1 - config.discount) * shorter);
  config.step_cost *= shorter;
  config.surprise_weight *= shorter;
  return config;
}

core::Result<void> Validate(const Config& config) {
  for (const Range& r : Ranges(config)) {
    if (Inside(r)) continue;
    std::ostringstream text;
    text << r.key << " = " << r.value << ": must be in [" << r.low << ", " << r.high << "]";
    return core::Fail(core::FaultCode::kInvalidConfig, text.str());
  }
  if (auto offline = Validate(config.offline); !offline) return offline;
  const AgentConfig& agent = config.agent;
  if (const double never = (agent.step_cost + agent.surprise_weight) / (1 - agent.discount); never > -agent.value_min) {
    std::ostringstream text;
    text << "learner.agent.value_min = " << agent.value_min << ": must be at most " << -never
         << ", what never succeeding costs ((step_cost + surprise_weight) / (1 - discount)), or hopeless states look "
            "alike; lower it or one of them";
    return core::Fail(core::FaultCode::kInvalidConfig, text.str());
  }
  return {};
}

}  // namespace nightshift::learner
