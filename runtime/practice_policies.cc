// SPDX-License-Identifier: Apache-2.0
// Practice's policies: snapshots come in, are screened, tried, promoted, and taken back (skills/gate.h).
#include <algorithm>

#include "runtime/practice.h"

namespace nightshift::runtime {
namespace {

using core::Result;

core::SnapshotRecord RecordOf(const std::string& task, const skills::PolicySlot::Evidence& evidence,
                              std::string_view state) {
  return {.version = evidence.version,
          .task = task,
          .state = std::string(state),
          .sha256 = "",
          .attempts = evidence.attempts,
          .solved = evidence.solved};
}

}  // namespace

skills::JudgingRule Practice::RuleFor(const core::TaskSpec& spec) const {
  const int attempts = spec.recovery() ? config_.recovery_judged_after_attempts : config_.judged_after_attempts;
  skills::JudgingRule rule;
  rule.attempts = attempts;
  rule.attempts_max = 2 * attempts;
  rule.margin = config_.promotion_margin;
  rule.practises_on = !spec.recovery();  // What it keeps failing at is left to what its parent has promoted.
  rule.regression = config_.regression;
  rule.alpha = config_.judging_alpha;
  rule.beta = config_.judging_beta;
  rule.rollback_alpha = config_.rollback_alpha;
  return rule;
}

Result<void> Practice::TakeSnapshots() {
  for (const skills::Snapshot& snapshot : parts_.new_snapshots()) {
    const auto entry = tasks_.find(snapshot.task);
    if (entry == tasks_.end()) continue;
    if (snapshot.version <= std::max(entry->second.judged_version, entry->second.slot.promoted_version())) continue;
    if (auto staged = entry->second.slot.Stage(snapshot); !staged) parts_.listener.OnFault(staged.error());
    if (auto screened = Screen(entry->second); !screened) return screened;
  }
  return {};
}

/// Refuses what need not act to be refused.
Result<void> Practice::Screen(Entry& entry) {
  while (const auto verdict = entry.slot.Screen())
    if (auto recorded = RecordVerdict(entry, *verdict); !recorded) return recorded;
  return {};
}

/// After an attempt of a learned policy.
Result<void> Practice::JudgePolicies(Entry& entry, const core::Episode& episode) {
  for (std::size_t i = 0; i < episode.steps.size(); ++i) {
    const core::Observation& seen = episode.steps[i].before;
    if (episode.target.object < 0 || episode.target.object >= seen.object_count) continue;
    entry.slot.Visit(FeaturesOf(seen, i > 0 ? episode.steps[i - 1].before : seen, episode.target, scene_));
  }
  if (const auto verdict = entry.slot.Record(episode.outcome == core::Outcome::kSuccess))
    if (auto recorded = RecordVerdict(entry, *verdict); !recorded) return recorded;
  return Screen(entry);
}

/// Also saves what the promoted policy did meanwhile: else its first luck would come back at a restart.
Result<void> Practice::RecordVerdict(Entry& entry, const skills::PolicySlot::Verdict& verdict) {
  const std::string& task = entry.task.spec().name;
  core::SnapshotRecord record = RecordOf(task, verdict.policy, Name(verdict.ruling));
  if (auto saved = parts_.journal.SaveSnapshot(record); !saved) return saved;
  entry.judged_version = std::max(entry.judged_version, verdict.policy.version);
  const auto stays = entry.slot.promoted_evidence();
  if (!verdict.promoted() && stays)
    if (auto saved = parts_.journal.SaveSnapshot(RecordOf(task, *stays, Name(skills::Ruling::kPromoted))); !saved)
      return saved;
  record.why = verdict.why;
  parts_.listener.OnPolicy(record);
  return {};
}

}  // namespace nightshift::runtime
