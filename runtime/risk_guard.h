// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "learner/config.h"
#include "skills/risk_model.h"

namespace nightshift::runtime {

/// What was asked for, in policy steps of this session.
struct RiskCounts {
  std::uint64_t full = 0, slowed = 0, refused = 0;
};

/// The risk critic at work: is asked before each policy step how fast that may be. It says nothing while it is
/// configured off, has not earned trust, or the episode is one of those that it is compared with.
/// Thread: the supervisor's.
class RiskGuard {
 public:
  /// The newest snapshot, if there is one that was not there before.
  using Newest = std::function<std::optional<skills::RiskSnapshot>()>;

  /// @param rule with the safety process's own smallest scale.
  RiskGuard(learner::RiskAdvice advice, const skills::RiskRule& rule, Newest newest)
      : advice_(advice), rule_(rule), newest_(std::move(newest)) {}

  /// Takes in what is new, and decides whether this episode has its advice.
  void Begin(std::int64_t episode_id);

  /// 0 (refuse), or a share of full speed. None: it is not to be heeded here.
  std::optional<double> Scale(const skills::Features& features, const core::PolicyAction& action);

  /// Would it act in an episode that is its own?
  bool acts() const;
  /// "off, 12 of 50 near misses seen".
  std::string InWords() const;
  const RiskCounts& counts() const { return counts_; }

 private:
  learner::RiskAdvice advice_;
  skills::RiskRule rule_;
  Newest newest_;
  std::optional<skills::RiskModel> model_;
  bool heeded_ = false;  // In this episode.
  RiskCounts counts_;
};

}  // namespace nightshift::runtime
