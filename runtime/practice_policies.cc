// SPDX-License-Identifier: Apache-2.0
// Practice's policies: snapshots come in, are screened, tried, promoted, and taken back (skills/gate.h).
#include <algorithm>
#include <deque>
#include <map>

#include "runtime/practice.h"

namespace nightshift::runtime {
namespace {

using core::Result;

constexpr char kRetired[] = "retired";  // Was promoted once; neither deployed nor what a rollback goes back to.

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

/// Of each task what is deployed and what it would be rolled back to. Older ones that are still called promoted,
/// because a crash came between or nobody was retired yet, are retired.
Result<void> Practice::RestorePolicies(const core::Catalogue& catalogue) {
  std::map<std::string, std::deque<core::SnapshotRecord>> promoted;  // By task, oldest first.
  for (const core::SnapshotRecord& record : catalogue.snapshots) {
    const auto entry = tasks_.find(record.task);
    if (entry == tasks_.end()) continue;
    if (record.state != "candidate")
      entry->second.judged_version = std::max(entry->second.judged_version, record.version);
    if (record.state == Name(skills::Ruling::kPromoted)) promoted[record.task].push_back(record);
  }
  for (auto& [task, records] : promoted) {
    for (; records.size() > 2; records.pop_front()) {
      records.front().state = kRetired;
      if (auto saved = parts_.journal.SaveSnapshot(records.front()); !saved) return saved;
    }
    for (const core::SnapshotRecord& record : records) {
      const auto snapshot = parts_.snapshot(task, record.version);
      if (!snapshot) continue;
      const skills::PolicySlot::Evidence evidence{record.version, record.attempts, record.solved};
      if (auto put = tasks_.at(task).slot.Restore(*snapshot, evidence); !put) parts_.listener.OnFault(put.error());
    }
  }
  return {};
}

Result<void> Practice::TakeSnapshots() {
  for (const skills::Snapshot& snapshot : parts_.new_snapshots()) {
    const auto entry = tasks_.find(snapshot.task);
    if (entry == tasks_.end()) continue;
    if (snapshot.version <= std::max(entry->second.judged_version, entry->second.slot.promoted_version())) continue;
    if (auto staged = entry->second.slot.Stage(snapshot); !staged) parts_.listener.OnFault(staged.error());
  }
  for (auto& [task, entry] : tasks_) {
    if (auto written = WriteVerdicts(entry); !written) return written;
    if (auto screened = Screen(entry); !screened) return screened;
  }
  return {};
}

/// Refuses what need not act to be refused.
Result<void> Practice::Screen(Entry& entry) {
  while (const auto verdict = entry.slot.Screen())
    if (auto recorded = RecordVerdict(entry, *verdict); !recorded) return recorded;
  return {};
}

/// After an attempt of a learned policy. It says nothing about another one than whose turn it is: an episode that was
/// closed before a crash may be of a candidate whose trial has begun anew, and one of a borrowed policy is its
/// lender's.
Result<void> Practice::JudgePolicies(Entry& entry, const core::Episode& episode) {
  if (episode.policy_version != entry.slot.acting_version()) return {};
  for (std::size_t i = 0; i < episode.steps.size(); ++i) {
    const core::Observation& seen = episode.steps[i].before;
    if (episode.target.object < 0 || episode.target.object >= seen.object_count) continue;
    entry.slot.Visit(FeaturesOf(seen, i > 0 ? episode.steps[i - 1].before : seen, episode.target, scene_));
  }
  if (const auto verdict = entry.slot.Record(episode.outcome == core::Outcome::kSuccess))
    if (auto recorded = RecordVerdict(entry, *verdict); !recorded) return recorded;
  return Screen(entry);
}

/// Also saves what the policies that stay did meanwhile: else their first luck would come back at a restart.
Result<void> Practice::RecordVerdict(Entry& entry, const skills::PolicySlot::Verdict& verdict) {
  const std::string& task = entry.task.spec().name;
  std::vector<core::SnapshotRecord> records{RecordOf(task, verdict.policy, Name(verdict.ruling))};
  records.front().why = verdict.why;
  const auto stays = verdict.promoted() ? entry.slot.previous_evidence() : entry.slot.promoted_evidence();
  if (stays) records.push_back(RecordOf(task, *stays, Name(skills::Ruling::kPromoted)));
  if (verdict.retired) records.push_back(RecordOf(task, *verdict.retired, kRetired));
  entry.judged_version = std::max(entry.judged_version, verdict.policy.version);
  entry.unrecorded.push_back(std::move(records));
  return WriteVerdicts(entry);
}

/// What could not be written stays, and is written and told later: a policy that was rolled back must not come back.
Result<void> Practice::WriteVerdicts(Entry& entry) {
  for (; !entry.unrecorded.empty(); entry.unrecorded.pop_front()) {
    for (const core::SnapshotRecord& record : entry.unrecorded.front())
      if (auto saved = parts_.journal.SaveSnapshot(record); !saved) return saved;
    parts_.listener.OnPolicy(entry.unrecorded.front().front());
  }
  return {};
}

}  // namespace nightshift::runtime
