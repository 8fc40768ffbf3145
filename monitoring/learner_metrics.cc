// SPDX-License-Identifier: Apache-2.0
#include "monitoring/learner_metrics.h"

#include "monitoring/families.h"
#include "monitoring/labels.h"

namespace nightshift::monitoring {

class LearnerMetrics::Figures {
 public:
  explicit Figures(prometheus::Registry& registry)
      : updates(Counters(registry, "learner_updates_total", "Updates of an agent, all sessions.")),
        samples(Gauges(registry, "learner_samples", "Transitions in an agent's replay.")),
        backlog(Gauges(registry, "learner_backlog_updates", "Updates that are owed.")),
        critic_loss(Gauges(registry, "learner_critic_loss", "Loss of the critics in the newest updates.")),
        q_mean(Gauges(registry, "learner_q_mean", "Mean value that the critics give to sampled actions.")),
        q_bias(Gauges(registry, "learner_q_bias", "Value less the return that followed, over closed episodes.")),
        entropy(Gauges(registry, "learner_entropy", "Entropy of the policy, in nats.")),
        temperature(Gauges(registry, "learner_temperature", "Weight of the entropy in the objective.")),
        dormant(Gauges(registry, "learner_dormant_ratio", "Share of units that do not react to anything.")),
        rank(Gauges(registry, "learner_feature_rank", "Effective rank of the critic's features.")),
        features(Gauges(registry, "learner_features", "Features that each critic has: the rank's upper end.")),
        norm(Gauges(registry, "learner_weight_norm", "Norm of an agent's weights.")),
        value_error(Gauges(registry, "learner_value_error", "Values against returns of held-out episodes, rms.")),
        value_range(Gauges(registry, "learner_value_range", "Highest less lowest value that is possible.")),
        held_out(Gauges(registry, "learner_held_out_episodes", "Episodes that values are measured against.")),
        q_size(Gauges(registry, "learner_q_size", "Largest value, without its sign, of a batch.")),
        saturated(Gauges(registry, "learner_saturated_ratio", "Share of the mean action's parts beyond 0.99.")),
        gradient(Gauges(registry, "learner_gradient_norm", "Norm of the newest gradient, before it is clipped.")),
        divergences(Counters(registry, "learner_divergences_total", "Times that healthy weights were put back.")),
        ahead(Gauges(registry, "learner_updates_since_promoted", "Updates since the policy that is deployed.")),
        unfed(Gauges(registry, "learner_updates_since_sample", "Updates since an agent was given something new.")),
        publishes(Gauges(registry, "learner_publishing", "1; 0 from a divergence until it is found healthy.")),
        age(Gauges(registry, "learner_episode_age_seconds", "Wall time since the newest episode came in.").Add({})),
        degraded(Gauges(registry, "degraded", "1 while the named degraded mode is in force, else 0.")),
        consumed(
            Counters(registry, "learner_transitions_consumed_total", "Transitions read from the journal.").Add({})),
        ratio(Gauges(registry, "learner_update_ratio", "Updates per transition in this session.").Add({})),
        target(Gauges(registry, "learner_update_ratio_target", "Updates per transition that are configured.").Add({})),
        published(Counters(registry, "learner_published_total", "Candidate policies that were published.")) {}

  prometheus::Family<prometheus::Counter>& updates;
  prometheus::Family<prometheus::Gauge>& samples;
  prometheus::Family<prometheus::Gauge>& backlog;
  prometheus::Family<prometheus::Gauge>& critic_loss;
  prometheus::Family<prometheus::Gauge>& q_mean;
  prometheus::Family<prometheus::Gauge>& q_bias;
  prometheus::Family<prometheus::Gauge>& entropy;
  prometheus::Family<prometheus::Gauge>& temperature;
  prometheus::Family<prometheus::Gauge>& dormant;
  prometheus::Family<prometheus::Gauge>& rank;
  prometheus::Family<prometheus::Gauge>& features;
  prometheus::Family<prometheus::Gauge>& norm;
  prometheus::Family<prometheus::Gauge>& value_error;
  prometheus::Family<prometheus::Gauge>& value_range;
  prometheus::Family<prometheus::Gauge>& held_out;
  prometheus::Family<prometheus::Gauge>& q_size;
  prometheus::Family<prometheus::Gauge>& saturated;
  prometheus::Family<prometheus::Gauge>& gradient;
  prometheus::Family<prometheus::Counter>& divergences;
  prometheus::Family<prometheus::Gauge>& ahead;
  prometheus::Family<prometheus::Gauge>& unfed;
  prometheus::Family<prometheus::Gauge>& publishes;
  prometheus::Gauge& age;
  prometheus::Family<prometheus::Gauge>& degraded;
  prometheus::Counter& consumed;
  prometheus::Gauge& ratio;
  prometheus::Gauge& target;
  prometheus::Family<prometheus::Counter>& published;
  BoundedLabel task{kTaskLabelsMax};
};

LearnerMetrics::LearnerMetrics(Metrics& metrics) : figures_(std::make_unique<Figures>(metrics.registry())) {}
LearnerMetrics::~LearnerMetrics() = default;

void LearnerMetrics::SetAgent(const AgentFigures& agent) {
  const prometheus::Labels task = {{"task", figures_->task.Value(agent.task)}};
  SetTotal(figures_->updates.Add(task), agent.updates);
  figures_->samples.Add(task).Set(agent.samples);
  figures_->backlog.Add(task).Set(agent.backlog_updates);
  figures_->critic_loss.Add(task).Set(agent.critic_loss);
  figures_->q_mean.Add(task).Set(agent.q_mean);
  figures_->entropy.Add(task).Set(agent.entropy);
  figures_->temperature.Add(task).Set(agent.temperature);
  if (agent.q_bias) figures_->q_bias.Add(task).Set(*agent.q_bias);
  if (agent.dormant_ratio) figures_->dormant.Add(task).Set(*agent.dormant_ratio);
  if (agent.feature_rank) figures_->rank.Add(task).Set(*agent.feature_rank);
  if (agent.features) figures_->features.Add(task).Set(*agent.features);
  if (agent.weight_norm) figures_->norm.Add(task).Set(*agent.weight_norm);
  if (agent.value_error) figures_->value_error.Add(task).Set(*agent.value_error);
  if (agent.value_range) figures_->value_range.Add(task).Set(*agent.value_range);
  if (agent.held_out_episodes) figures_->held_out.Add(task).Set(*agent.held_out_episodes);
  if (agent.q_size) figures_->q_size.Add(task).Set(*agent.q_size);
  if (agent.saturated_ratio) figures_->saturated.Add(task).Set(*agent.saturated_ratio);
  figures_->gradient.Add({*task.begin(), {"network", "critics"}}).Set(agent.critic_gradient_norm);
  figures_->gradient.Add({*task.begin(), {"network", "actor"}}).Set(agent.actor_gradient_norm);
  SetTotal(figures_->divergences.Add(task), agent.divergences);
  figures_->ahead.Add(task).Set(agent.updates_since_promoted);
  figures_->unfed.Add(task).Set(agent.updates_since_sample);
  figures_->publishes.Add(task).Set(agent.publishes == AgentFigures::Publishes::kYes ? 1 : 0);
  figures_->published.Add(task);  // At 0 from the start, or the first one would not be seen as an increase.
}

void LearnerMetrics::SetTraining(const TrainingFigures& training) {
  SetTotal(figures_->consumed, training.transitions_consumed);
  figures_->ratio.Set(training.update_ratio);
  figures_->target.Set(training.update_ratio_target);
  figures_->age.Set(training.seconds_since_episode);
  for (const TrainingFigures::Mode& mode : training.degraded)
    figures_->degraded.Add({{"mode", mode.name}}).Set(mode.in_force ? 1 : 0);
}

void LearnerMetrics::CountPublished(const std::string& task) {
  figures_->published.Add({{"task", figures_->task.Value(task)}}).Increment();
}

}  // namespace nightshift::monitoring
