// SPDX-License-Identifier: Apache-2.0
#include "runtime/learner_figures.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace nightshift::runtime {
namespace {

std::string_view Name(learner::Phase phase) {
  switch (phase) {
    case learner::Phase::kWaiting: return "waiting";
    case learner::Phase::kCloning: return "cloning";
    case learner::Phase::kWarmingUp: return "warming up";
    case learner::Phase::kLearning: return "learning";
  }
  return "?";
}

monitoring::RiskLearned::Group FiguresOf(const skills::RiskGroup& group) {
  return {.episodes = static_cast<double>(group.episodes),
          .solved = static_cast<double>(group.solved),
          .near_misses = static_cast<double>(group.near_misses)};
}

void PutHealth(const learner::AgentFacts& agent, wire::AgentHealth& out) {
  const learner::HealthFigures& h = agent.health;
  if (h.held_out) {
    out.set_held_out_episodes(static_cast<std::uint64_t>(h.held_out->episodes));
    out.set_value_error(h.held_out->error_rms);
    out.set_value_bias(h.held_out->bias);
    out.set_value_range(h.held_out->value_range);
  }
  out.set_q_size(h.q_size);
  out.set_feature_rank(h.feature_rank);
  out.set_features(static_cast<std::uint64_t>(h.features));
  out.set_dormant_share(h.dormant_share);
  out.set_saturated_share(h.saturated_share);
  out.set_entropy(agent.last.entropy);
  out.set_critic_gradient_norm(agent.last.critic_gradient_norm);
  out.set_actor_gradient_norm(agent.last.actor_gradient_norm);
  out.set_weight_norm(agent.weight_norm);
  for (const std::string& trouble : agent.troubles) out.add_troubles(trouble);
}

void SetHealth(const learner::HealthFigures& health, monitoring::AgentFigures& figures) {
  figures.q_size = health.q_size;
  figures.saturated_ratio = health.saturated_share;
  figures.dormant_ratio = health.dormant_share;
  figures.feature_rank = health.feature_rank;
  figures.features = health.features;
  if (!health.held_out) return;
  figures.q_bias = health.held_out->bias;
  figures.value_error = health.held_out->error_rms;
  figures.value_range = health.held_out->value_range;
  figures.held_out_episodes = static_cast<double>(health.held_out->episodes);
}

}  // namespace

monitoring::RiskLearned FiguresOf(const skills::RiskReport& r) {
  using monitoring::RiskLearned;
  const bool trusted = r.standing == skills::RiskStanding::kTrusted;
  return {.trusted = trusted ? RiskLearned::Trusted::kYes : RiskLearned::Trusted::kNo,
          .updates = static_cast<double>(r.updates),
          .near_misses = static_cast<double>(r.near_misses),
          .auc = r.auc,
          .auc_low = r.auc_low,
          .auc_high = r.auc_high,
          .calibration_error = r.calibration_error,
          .slowed_share = r.slowed_share,
          .advised = FiguresOf(r.advised),
          .control = FiguresOf(r.control)};
}

void Put(const learner::AgentFacts& agent, wire::AgentStatus& out) {
  out.set_task(agent.task);
  out.set_updates(static_cast<std::uint64_t>(agent.updates));
  out.set_samples(agent.samples);
  out.set_demonstrations(agent.demonstrations);
  out.set_critic_loss(agent.last.critic_loss);
  out.set_q_mean(agent.last.q_mean);
  out.set_entropy(agent.last.entropy);
  out.set_temperature(agent.last.temperature);
  out.set_phase(std::string(Name(agent.phase)));
  out.set_divergences(static_cast<std::uint64_t>(agent.divergences));
  out.set_backlog(agent.backlog);
  out.set_solved_episodes(static_cast<std::uint64_t>(agent.solved_episodes));
  out.set_publishing_stopped(!agent.may_publish);
  out.set_updates_since_sample(static_cast<std::uint64_t>(agent.updates_since_sample));
  if (agent.health.rows > 0) PutHealth(agent, *out.mutable_health());
}

monitoring::AgentFigures FiguresOf(const learner::AgentFacts& agent) {
  monitoring::AgentFigures figures;
  figures.task = agent.task;
  figures.updates = static_cast<double>(agent.updates);
  figures.samples = static_cast<double>(agent.samples);
  figures.backlog_updates = agent.backlog;
  figures.critic_loss = agent.last.critic_loss;
  figures.q_mean = agent.last.q_mean;
  figures.entropy = agent.last.entropy;
  figures.temperature = agent.last.temperature;
  figures.weight_norm = agent.weight_norm;
  figures.critic_gradient_norm = agent.last.critic_gradient_norm;
  figures.actor_gradient_norm = agent.last.actor_gradient_norm;
  figures.divergences = static_cast<double>(agent.divergences);
  figures.updates_since_sample = static_cast<double>(agent.updates_since_sample);
  figures.publishes =
      agent.may_publish ? monitoring::AgentFigures::Publishes::kYes : monitoring::AgentFigures::Publishes::kNo;
  if (agent.health.rows > 0) SetHealth(agent.health, figures);
  return figures;
}

}  // namespace nightshift::runtime
