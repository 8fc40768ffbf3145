// SPDX-License-Identifier: Apache-2.0
#include "runtime/standing_figures.h"

#include <algorithm>

namespace nightshift::runtime {
namespace {

using monitoring::PracticeMetrics;

std::optional<PracticeMetrics::Tried> TriedOf(const std::optional<skills::PolicySlot::Standing>& standing) {
  if (!standing) return std::nullopt;
  return PracticeMetrics::Tried{standing->evidence.attempts, standing->success_share};
}

}  // namespace

void StandingFigures::Tell(const Practice& practice, core::Duration practised) {
  figures_.SetOpenInterventions(practice.open_questions());
  const std::vector<core::TaskSpec> tasks = practice.tasks();
  figures_.SetRecoveryTasks(static_cast<int>(std::ranges::count_if(tasks, &core::TaskSpec::recovery)));
  for (const core::TaskSpec& spec : tasks)
    if (const auto* slot = practice.slot(spec.name)) TellPolicies(spec.name, *slot, practised);
}

void StandingFigures::TellPolicies(const std::string& task, const skills::PolicySlot& slot, core::Duration practised) {
  Deployed& deployed = deployed_[task];
  if (deployed.version != slot.promoted_version()) deployed = {slot.promoted_version(), practised};
  figures_.SetPolicies({.task = task,
                        .version = deployed.version,
                        .staleness = deployed.version > 0 ? practised - deployed.since : core::Duration(0),
                        .deployed = TriedOf(slot.deployed_standing()),
                        .candidate = TriedOf(slot.candidate_standing()),
                        .regression_odds = slot.regression_odds()});
}

void StandingFigures::TellHelp(const core::InterventionRecord& intervention) {
  if (!intervention.resolved || *intervention.resolved < intervention.asked) return;
  figures_.ObserveInterventionWait(*intervention.resolved - intervention.asked);
}

}  // namespace nightshift::runtime
