// SPDX-License-Identifier: Apache-2.0
#include "skills/policy_slot.h"

#include <cmath>
#include <utility>

namespace nightshift::skills {

core::Result<PolicySlot::Entry> PolicySlot::Load(const Snapshot& snapshot) {
  auto policy = LearnedPolicy::Make(snapshot.weights);
  if (!policy) return tl::make_unexpected(policy.error());
  for (const float value : policy->Mean(Features{}))
    if (!(std::abs(value) <= 1))
      return core::Fail(core::FaultCode::kCorruptSnapshot,
                        "snapshot " + std::to_string(snapshot.version) + " of task " + snapshot.task +
                            ": its probe action is outside [-1, 1]; it is not used, the previous one stays");
  return Entry{std::move(*policy), {.version = snapshot.version}};
}

core::Result<void> PolicySlot::Stage(const Snapshot& snapshot) {
  auto entry = Load(snapshot);
  if (!entry) return tl::make_unexpected(entry.error());
  (candidate_ ? waiting_ : candidate_) = std::move(*entry);
  return {};
}

core::Result<void> PolicySlot::Restore(const Snapshot& snapshot, const Evidence& evidence) {
  auto entry = Load(snapshot);
  if (!entry) return tl::make_unexpected(entry.error());
  entry->evidence = evidence;
  promoted_ = std::move(*entry);
  return {};
}

LearnedPolicy* PolicySlot::acting() {
  if (candidate_ && !ControlActs()) return &candidate_->policy;
  return deployed();
}

std::int64_t PolicySlot::acting_version() const {
  return candidate_ && !ControlActs() ? candidate_version() : promoted_version();
}

bool PolicySlot::ControlActs() const {
  if (!candidate_ || !promoted_) return false;
  return (candidate_->evidence.attempts + control_.attempts) % rule_.control_every == rule_.control_every - 1;
}

/// By more than the margin and one standard error of the difference.
bool PolicySlot::IsWorse() const {
  const double mine = candidate_->evidence.mean(), its = control_.mean();
  const double variance = mine * (1 - mine) / (static_cast<double>(candidate_->evidence.attempts) + 2) +
                          its * (1 - its) / (static_cast<double>(control_.attempts) + 2);
  return its - mine > rule_.margin + std::sqrt(variance);
}

std::optional<PolicySlot::Verdict> PolicySlot::Record(bool solved) {
  if (!candidate_ && !promoted_) return std::nullopt;
  const bool control = ControlActs();
  Evidence& evidence = candidate_ && !control ? candidate_->evidence : promoted_->evidence;
  ++evidence.attempts;
  evidence.solved += solved ? 1 : 0;
  control_.attempts += control ? 1 : 0;
  control_.solved += control && solved ? 1 : 0;
  if (!candidate_ || control || evidence.attempts < rule_.attempts) return std::nullopt;
  Verdict verdict{candidate_->evidence, !promoted_ || !IsWorse()};
  if (verdict.promoted) promoted_ = std::move(candidate_);
  candidate_ = std::exchange(waiting_, std::nullopt);
  control_ = {};
  return verdict;
}

}  // namespace nightshift::skills
