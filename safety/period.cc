// SPDX-License-Identifier: Apache-2.0
#include "safety/period.h"

#include <algorithm>

namespace nightshift::safety {
namespace {

bool Outweighs(const Judgement& a, const Judgement& b) {
  if (a.verdict != b.verdict) return a.verdict > b.verdict;
  if ((a.limit == core::LimitId::kAcceleration) != (b.limit == core::LimitId::kAcceleration))
    return b.limit == core::LimitId::kAcceleration;
  return a.margin() < b.margin();
}

}  // namespace

void PeriodTally::Add(const Judgement& judgement) {
  if (!heaviest_ || Outweighs(judgement, *heaviest_)) heaviest_.emplace(judgement);
  if (judgement.verdict != core::Verdict::kPass) ++ticks_limited_;
  if (judgement.sequence != 0) sequence_ = judgement.sequence;
  strain_ = std::max(strain_, judgement.strain);
}

core::PeriodReport PeriodTally::Close(const core::JointState& joints, const Filter& filter) {
  core::PeriodReport report{.joints = joints,
                            .commanded_q_rad = filter.commanded_q_rad(),
                            .ticks_limited = ticks_limited_,
                            .sequence = sequence_,
                            .latch = filter.latch(),
                            .person = filter.person(),
                            .strain = strain_};
  if (heaviest_) {
    report.verdict = heaviest_->verdict;
    report.limit = heaviest_->limit;
    report.margin = heaviest_->margin();
  }
  *this = {};
  return report;
}

}  // namespace nightshift::safety
