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
  return Entry{std::move(*policy), {.version = snapshot.version}, {}};
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
  entry->memory = MemoryOf(evidence, rule_.forgetting);
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
  return (candidate_->evidence.attempts + controls_) % rule_.control_every == rule_.control_every - 1;
}

/// As if they had come evenly.
PolicySlot::Memory PolicySlot::MemoryOf(const Evidence& evidence, double forgetting) {
  const auto attempts = static_cast<double>(evidence.attempts);
  if (attempts <= 0) return {};
  const double remembered = forgetting < 1 ? (1 - std::pow(forgetting, attempts)) / (1 - forgetting) : attempts;
  const double share = static_cast<double>(evidence.solved) / attempts;
  return {remembered * share, remembered * (1 - share)};
}

void PolicySlot::Memory::Add(bool solved, double forgetting) {
  successes = successes * forgetting + (solved ? 1 : 0);
  failures = failures * forgetting + (solved ? 0 : 1);
}

std::optional<PolicySlot::Verdict> PolicySlot::Record(bool solved) {
  if (!candidate_ && !promoted_) return std::nullopt;
  const bool candidate_acted = candidate_ && !ControlActs();
  Entry& acted = candidate_acted ? *candidate_ : *promoted_;
  ++acted.evidence.attempts;
  acted.evidence.solved += solved ? 1 : 0;
  if (!candidate_acted) {
    acted.memory.Add(solved, rule_.forgetting);
    controls_ += candidate_ ? 1 : 0;
    return std::nullopt;
  }
  if (acted.evidence.attempts < rule_.attempts) return std::nullopt;
  const bool hopeless = !promoted_ && acted.evidence.solved == 0;
  if (hopeless && !waiting_ && rule_.practises_on) return std::nullopt;  // Else there might be no next snapshot.
  acted.memory = MemoryOf(acted.evidence, rule_.forgetting);
  const bool as_good = !promoted_ || acted.memory.share() >= promoted_->memory.share() - rule_.margin;
  const Verdict verdict{acted.evidence, as_good && !hopeless};
  if (verdict.promoted) promoted_ = std::move(candidate_);
  candidate_ = std::exchange(waiting_, std::nullopt);
  controls_ = 0;
  return verdict;
}

}  // namespace nightshift::skills
