// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/proposal.h"

#include <cmath>

namespace nightshift::safety {

core::LimitId FaultOf(const core::ProposedAction& proposal, const Expected& expected) {
  using core::LimitId;
  if (proposal.axes != expected.axes) return LimitId::kWrongSize;
  if (!core::IsFinite(proposal.target_q_rad, proposal.axes)) return LimitId::kNotFinite;
  if (!std::isfinite(proposal.risk_scale)) return LimitId::kNotFinite;
  if (proposal.epoch != expected.epoch) return LimitId::kWrongEpoch;
  if (proposal.sequence <= expected.last_sequence) return LimitId::kReplayed;
  if (proposal.deadline < expected.now) return LimitId::kLate;
  if (!(proposal.risk_scale > 0) || proposal.risk_scale < expected.risk_scale_min) return LimitId::kRisk;
  return LimitId::kNone;
}

core::Instant PeriodEnd(core::Instant now, core::Duration period) {
  const core::Duration left = period - now.time_since_epoch() % period;
  return now + (left < period / 2 ? left + period : left);
}

}  // namespace nightshift::safety
