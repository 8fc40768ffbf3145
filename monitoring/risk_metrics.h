// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>

#include "monitoring/metrics.h"

namespace nightshift::monitoring {

/// What the risk critic asked for in the supervisor's policy steps of this session, and whether it acts.
struct RiskActed {
  enum class Acts { kNo, kYes };
  Acts acts = Acts::kNo;
  std::uint64_t full = 0, slowed = 0, refused = 0;  // Steps.
};

/// The supervisor's figures of the risk critic. Thread: any one.
class RiskActedMetrics {
 public:
  explicit RiskActedMetrics(Metrics& metrics);
  ~RiskActedMetrics();
  void Set(const RiskActed& acted);

 private:
  class Figures;
  std::unique_ptr<Figures> figures_;
};

/// How good the risk critic is, as the learner measured it last.
struct RiskLearned {
  enum class Trusted { kNo, kYes };
  /// What happened in episodes with it, or in those that it is compared with.
  struct Group {
    double episodes = 0, solved = 0, near_misses = 0;
  };
  Trusted trusted = Trusted::kNo;
  double updates = 0;      // All sessions.
  double near_misses = 0;  // Held-out episodes with at least one.
  double auc = 0.5, auc_low = 0, auc_high = 1;
  double calibration_error = 0;
  double slowed_share = 0;  // Of held-out steps.
  Group advised, control;
};

/// The learner's figures of the risk critic. Thread: any one.
class RiskLearnedMetrics {
 public:
  explicit RiskLearnedMetrics(Metrics& metrics);
  ~RiskLearnedMetrics();
  void Set(const RiskLearned& learned);

 private:
  class Figures;
  std::unique_ptr<Figures> figures_;
};

}  // namespace nightshift::monitoring
