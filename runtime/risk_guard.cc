// SPDX-License-Identifier: Apache-2.0
#include "runtime/risk_guard.h"

namespace nightshift::runtime {

bool RiskGuard::acts() const {
  return advice_ == learner::RiskAdvice::kAuto && model_ && model_->report().standing == skills::RiskStanding::kTrusted;
}

void RiskGuard::Begin(std::int64_t episode_id) {
  if (auto snapshot = newest_())
    if (auto model = skills::RiskModel::Make(std::move(*snapshot))) model_ = std::move(*model);
  heeded_ = acts() && !skills::IsRiskControl(episode_id);
}

std::optional<double> RiskGuard::Scale(const skills::Features& features, const core::PolicyAction& action) {
  if (!heeded_) return std::nullopt;
  const double scale = ScaleOf(model_->Probability(features, action), rule_);
  ++(scale >= 1 ? counts_.full : scale > 0 ? counts_.slowed : counts_.refused);
  return scale;
}

std::string RiskGuard::InWords() const {
  const std::string earned = model_ ? skills::InWords(model_->report()) : "off, the learner has published none yet";
  return advice_ == learner::RiskAdvice::kAuto ? earned : "off by configuration; left to itself: " + earned;
}

}  // namespace nightshift::runtime
