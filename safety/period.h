// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/action.h"
#include "safety/filter.h"

namespace nightshift::safety {

/// Sums the judgements of one policy period up to what its proposer and the audit hear.
/// Thread: control thread only. Real-time.
class PeriodTally {
 public:
  void Add(const Judgement& judgement);

  /// The period so far; then a new one begins.
  core::PeriodReport Close(const core::JointState& joints, const Filter& filter);

  /// The judgement that weighs most so far: the worst verdict; of equal ones the smallest margin, but what a short
  /// acceleration missed never hides another limit.
  const std::optional<Judgement>& heaviest() const { return heaviest_; }

 private:
  std::optional<Judgement> heaviest_;
  std::uint64_t ticks_limited_ = 0;
  std::uint64_t sequence_ = 0;
  double strain_ = 0;
};

}  // namespace nightshift::safety
