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
  if (candidate_) return &candidate_->policy;
  return deployed();
}

std::int64_t PolicySlot::acting_version() const { return candidate_ ? candidate_version() : promoted_version(); }

std::optional<PolicySlot::Verdict> PolicySlot::Record(bool solved) {
  if (!candidate_ && !promoted_) return std::nullopt;
  Evidence& evidence = (candidate_ ? candidate_ : promoted_)->evidence;
  ++evidence.attempts;
  evidence.solved += solved ? 1 : 0;
  if (!candidate_ || evidence.attempts < rule_.attempts) return std::nullopt;
  Verdict verdict{evidence, !promoted_ || evidence.mean() >= promoted_->evidence.mean() - rule_.margin};
  if (verdict.promoted) promoted_ = std::move(candidate_);
  candidate_ = std::exchange(waiting_, std::nullopt);
  return verdict;
}

}  // namespace nightshift::skills
