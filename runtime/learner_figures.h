// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "io/wire/nightshift.pb.h"
#include "learner/trainer.h"
#include "monitoring/learner_metrics.h"
#include "monitoring/risk_metrics.h"
#include "skills/risk_model.h"

/// What the learner's parts say of themselves, as its status and as metrics. Pure.
namespace nightshift::runtime {

/// All that the agent itself knows; what was published of it and promoted is left to the caller.
void Put(const learner::AgentFacts& agent, wire::AgentStatus& out);
/// The same as metrics.
monitoring::AgentFigures FiguresOf(const learner::AgentFacts& agent);

monitoring::RiskLearned FiguresOf(const skills::RiskReport& report);

}  // namespace nightshift::runtime
