// SPDX-License-Identifier: Apache-2.0
#include "monitoring/risk_metrics.h"

#include "monitoring/families.h"

namespace nightshift::monitoring {

class RiskActedMetrics::Figures {
 public:
  explicit Figures(prometheus::Registry& registry)
      : acts(Gauges(registry, "risk_acts", "1 while practice heeds the risk critic, else 0.").Add({})),
        steps(Counters(registry, "risk_steps_total", "Policy steps that the risk critic was asked about, by advice.")) {
  }

  prometheus::Gauge& acts;
  prometheus::Family<prometheus::Counter>& steps;
};

RiskActedMetrics::RiskActedMetrics(Metrics& metrics) : figures_(std::make_unique<Figures>(metrics.registry())) {
  Set({});
}
RiskActedMetrics::~RiskActedMetrics() = default;

void RiskActedMetrics::Set(const RiskActed& acted) {
  figures_->acts.Set(acted.acts == RiskActed::Acts::kYes ? 1 : 0);
  SetTotal(figures_->steps.Add({{"advice", "full"}}), static_cast<double>(acted.full));
  SetTotal(figures_->steps.Add({{"advice", "slowed"}}), static_cast<double>(acted.slowed));
  SetTotal(figures_->steps.Add({{"advice", "refused"}}), static_cast<double>(acted.refused));
}

class RiskLearnedMetrics::Figures {
 public:
  explicit Figures(prometheus::Registry& registry)
      : trusted(Gauges(registry, "risk_trusted", "1 while the evidence lets the risk critic act, else 0.").Add({})),
        updates(Counters(registry, "risk_updates_total", "Updates of the risk critic, all sessions.").Add({})),
        near_misses(
            Gauges(registry, "risk_near_misses", "Held-out episodes with a near miss that it is judged by.").Add({})),
        auc(Gauges(registry, "risk_auc", "How surely it tells steps before near misses from others, held out.")
                .Add({})),
        auc_low(Gauges(registry, "risk_auc_low", "Lower end of the 95 % interval of the AUC.").Add({})),
        auc_high(Gauges(registry, "risk_auc_high", "Upper end of the 95 % interval of the AUC.").Add({})),
        calibration(
            Gauges(registry, "risk_calibration_error", "Mean distance of what it says from what happens.").Add({})),
        slowed(Gauges(registry, "risk_slowed_ratio", "Share of held-out steps that it would slow or refuse.").Add({})),
        episodes(Gauges(registry, "risk_episodes", "Episodes while it acts, with its advice and without.")),
        solved(Gauges(registry, "risk_episodes_solved", "Those that succeeded.")),
        near_miss_episodes(Gauges(registry, "risk_episodes_near_miss", "Those with a near miss.")) {}

  void Set(const prometheus::Labels& group, const RiskLearned::Group& figures) {
    episodes.Add(group).Set(figures.episodes);
    solved.Add(group).Set(figures.solved);
    near_miss_episodes.Add(group).Set(figures.near_misses);
  }

  prometheus::Gauge& trusted;
  prometheus::Counter& updates;
  prometheus::Gauge &near_misses, &auc, &auc_low, &auc_high, &calibration, &slowed;
  prometheus::Family<prometheus::Gauge>&episodes, &solved, &near_miss_episodes;
};

RiskLearnedMetrics::RiskLearnedMetrics(Metrics& metrics) : figures_(std::make_unique<Figures>(metrics.registry())) {}
RiskLearnedMetrics::~RiskLearnedMetrics() = default;

void RiskLearnedMetrics::Set(const RiskLearned& learned) {
  figures_->trusted.Set(learned.trusted == RiskLearned::Trusted::kYes ? 1 : 0);
  SetTotal(figures_->updates, learned.updates);
  figures_->near_misses.Set(learned.near_misses);
  figures_->auc.Set(learned.auc);
  figures_->auc_low.Set(learned.auc_low);
  figures_->auc_high.Set(learned.auc_high);
  figures_->calibration.Set(learned.calibration_error);
  figures_->slowed.Set(learned.slowed_share);
  figures_->Set({{"group", "advised"}}, learned.advised);
  figures_->Set({{"group", "control"}}, learned.control);
}

}  // namespace nightshift::monitoring
