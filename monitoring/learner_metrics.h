// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "monitoring/metrics.h"

namespace nightshift::monitoring {

/// One agent's figures, after its newest update. Those that the algorithm does not compute are absent.
struct AgentFigures {
  std::string task;
  double updates = 0;          // All sessions.
  double samples = 0;          // In its replay.
  double backlog_updates = 0;  // Owed.
  double critic_loss = 0;
  double q_mean = 0;
  double entropy = 0;
  double temperature = 0;
  std::optional<double> q_bias;
  std::optional<double> dormant_ratio;  // Share of units that do not react to anything.
  std::optional<double> feature_rank;
  std::optional<double> features;  // What the rank may be at most.
  std::optional<double> weight_norm;
  std::optional<double> value_error;  // Root mean square, on episodes held out.
  std::optional<double> value_range;  // Between the lowest and the highest value that is possible.
  std::optional<double> held_out_episodes;
  std::optional<double> q_size;           // Largest value without its sign.
  std::optional<double> saturated_ratio;  // Of parts of the mean action.
  double critic_gradient_norm = 0, actor_gradient_norm = 0;
  double divergences = 0;             // All sessions.
  double updates_since_promoted = 0;  // How far it is beyond the policy that is deployed.
  double updates_since_sample = 0;    // Since it was last given something new.
  enum class Publishes { kNo, kYes };
  Publishes publishes = Publishes::kYes;  // No: it has diverged and not been found healthy since.
};

struct TrainingFigures {
  double transitions_consumed = 0;   // All sessions.
  double update_ratio = 0;           // Updates per transition, in this session.
  double update_ratio_target = 0;    // As configured.
  double seconds_since_episode = 0;  // Wall time.
  struct Mode {
    std::string name;
    bool in_force = false;
  };
  std::vector<Mode> degraded;  // Those that it can be in, in force or not.
};

/// The learner's figures. Thread: any one.
class LearnerMetrics {
 public:
  explicit LearnerMetrics(Metrics& metrics);
  ~LearnerMetrics();

  void SetAgent(const AgentFigures& agent);
  void SetTraining(const TrainingFigures& training);
  void CountPublished(const std::string& task);

 private:
  class Figures;
  std::unique_ptr<Figures> figures_;
};

}  // namespace nightshift::monitoring
