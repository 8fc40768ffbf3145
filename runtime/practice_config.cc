// SPDX-License-Identifier: Apache-2.0
#include "runtime/practice_config.h"

#include <fmt/format.h>

namespace nightshift::runtime {
namespace {

struct Range {
  const char* key;
  double value, low, high;
};

}  // namespace

core::Result<void> Validate(const PracticeConfig& c) {
  const Range ranges[] = {
      {"demonstrations_wanted", static_cast<double>(c.demonstrations_wanted), 0, 10000},
      {"recovery_demonstrations_wanted", static_cast<double>(c.recovery_demonstrations_wanted), 0, 10000},
      {"borrowed_belief_attempts", c.borrowed_belief_attempts, 0, 1000},
      {"scripted_share", c.scripted_share, 0, 1},
      {"scripted_retry_share", c.scripted_retry_share, 0, 1},
      {"learned_share_min", c.learned_share_min, 0, 1},
      {"mean_action_share", c.mean_action_share, 0, 1},
      {"wall_share", c.wall_share, 0, 1},
      {"judged_after_attempts", static_cast<double>(c.judged_after_attempts), 1, 10000},
      {"recovery_judged_after_attempts", static_cast<double>(c.recovery_judged_after_attempts), 1, 10000},
      {"promotion_margin", c.promotion_margin, 0, 1},
      {"regression", c.regression, 0.05, 0.9},
      {"judging_alpha", c.judging_alpha, 1e-4, 0.4},
      {"judging_beta", c.judging_beta, 1e-4, 0.4},
      {"rollback_alpha", c.rollback_alpha, 1e-6, 0.2},
      {"forgetting", c.forgetting, 0.5, 1},
      {"settle_periods", static_cast<double>(c.settle_periods), 0, 100},
      {"retries_without_recovery", static_cast<double>(c.retries_without_recovery), 1, 100},
      {"person_answers_after_s", c.person_answers_after_s, 1, 86400},
      {"backlog_updates_max", c.backlog_updates_max, 1, 1e9},
      {"backlog_wait_s_max", c.backlog_wait_s_max, 0.1, 3600},
      {"plan.failures_for_a_task", static_cast<double>(c.plan.failures_for_a_task), 1, 1000},
      {"plan.attempts_max", static_cast<double>(c.plan.attempts_max), 1, 1000},
      {"plan.attempts_before_going_on", static_cast<double>(c.plan.attempts_before_going_on), 0, 1000},
      {"plan.looks_max", static_cast<double>(c.plan.looks_max), 1, 1000},
      {"plan.fruitless_max", static_cast<double>(c.plan.fruitless_max), 1, 100000},
  };
  for (const Range& r : ranges)
    if (!(r.value >= r.low && r.value <= r.high))
      return core::Fail(
          core::FaultCode::kInvalidConfig,
          fmt::format("practice: {} = {}: must be in [{}, {}]; correct it", r.key, r.value, r.low, r.high));
  return {};
}

}  // namespace nightshift::runtime
