// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/action.h"
#include "core/time.h"

/// Hazard: a command that is not one: malformed, from before a stop, sent twice, or too old.
namespace nightshift::safety {

/// Against what a proposal is held.
struct Expected {
  int axes = 0;
  core::Epoch epoch = 0;
  std::uint64_t last_sequence = 0;  // Only higher ones are new.
  core::Instant now;
  double risk_scale_min = 0;  // What asks for less is not to be carried out.
};

/// kNone: a well-formed, fresh command of this epoch. Otherwise why not.
core::LimitId FaultOf(const core::ProposedAction& proposal, const Expected& expected);

/// The end of the policy period in which a proposal that arrives now is carried out: periods lie on a grid of robot
/// time; one that comes late in a period also has the next.
core::Instant PeriodEnd(core::Instant now, core::Duration period);

}  // namespace nightshift::safety
