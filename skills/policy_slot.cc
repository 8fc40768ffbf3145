// SPDX-License-Identifier: Apache-2.0
#include "skills/policy_slot.h"

#include <fmt/format.h>

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
  return Entry{.policy = std::move(*policy), .evidence = {.version = snapshot.version}, .held_out = snapshot.held_out};
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
  Promote(std::move(*entry));
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

std::optional<PolicySlot::Standing> PolicySlot::StandingOf(const std::optional<Entry>& entry) {
  if (!entry) return std::nullopt;
  const bool tried = entry->evidence.attempts > 0;
  return Standing{entry->evidence, tried ? std::optional(entry->memory.share()) : std::nullopt};
}

double PolicySlot::regression_odds() const {
  return promoted_ && previous_ ? std::exp(promoted_->log_odds_regression) : 0;
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

/// The level is the lower of what it showed and of what it replaces: the first is flattered by having been chosen.
void PolicySlot::Promote(Entry entry) {
  const AttemptCounts own{entry.evidence.attempts, entry.evidence.solved};
  entry.level = static_cast<double>(own.solved + 1) / static_cast<double>(own.attempts + 2);
  if (promoted_) entry.level = std::min(entry.level, promoted_->memory.level());
  entry.log_odds_regression = 0;
  previous_ = std::exchange(promoted_, std::move(entry));
  visited_.clear();
  oldest_visited_ = 0;
}

void PolicySlot::NextCandidate() {
  candidate_ = std::exchange(waiting_, std::nullopt);
  controls_ = 0;
}

PolicySlot::Verdict PolicySlot::Told(const Evidence& policy, Ruling ruling, std::string why) {
  last_verdict_ = fmt::format("{} {}: {}", policy.version, Name(ruling), why);
  return {.policy = policy, .ruling = ruling, .why = std::move(why)};
}

std::optional<PolicySlot::Verdict> PolicySlot::Screen() {
  if (!candidate_) return std::nullopt;
  auto trouble = HeldOutTrouble(candidate_->held_out, rule_);
  const bool enough = std::ssize(visited_) >= rule_.shadow_states_min;
  if (!trouble && promoted_ && enough && !candidate_->asked_in_shadow) {
    const Shadow shadow = AskInShadow(candidate_->policy, promoted_->policy, visited_);
    trouble = ShadowTrouble(shadow, promoted_->memory.level(), rule_);
    candidate_->asked_in_shadow = true;
  }
  if (!trouble) return std::nullopt;
  const Evidence refused = candidate_->evidence;
  NextCandidate();
  return Told(refused, Ruling::kRefused, std::move(*trouble));
}

void PolicySlot::Visit(const Features& features) {
  if (!promoted_ || acting_version() != promoted_version()) return;
  if (std::ssize(visited_) < rule_.shadow_states) {
    visited_.push_back(features);
    return;
  }
  visited_[oldest_visited_] = features;
  oldest_visited_ = (oldest_visited_ + 1) % visited_.size();
}

std::optional<PolicySlot::Verdict> PolicySlot::Record(bool solved) {
  if (!candidate_ && !promoted_) return std::nullopt;
  return candidate_ && !ControlActs() ? RecordCandidate(solved) : RecordPromoted(solved);
}

std::optional<PolicySlot::Verdict> PolicySlot::RecordPromoted(bool solved) {
  Entry& acted = *promoted_;
  ++acted.evidence.attempts;
  acted.evidence.solved += solved ? 1 : 0;
  acted.memory.Add(solved, rule_.forgetting);
  controls_ += candidate_ ? 1 : 0;
  if (!previous_) return std::nullopt;  // Nothing to go back to.
  const TestedRates rates = RatesFor(acted.level, rule_);
  acted.log_odds_regression = WatchPromoted(acted.log_odds_regression, solved, rates);
  if (acted.log_odds_regression < RollbackAt(rule_)) return std::nullopt;
  const Evidence fallen = acted.evidence;
  const double odds = std::exp(acted.log_odds_regression);
  promoted_ = std::exchange(previous_, std::nullopt);
  visited_.clear();
  oldest_visited_ = 0;
  return Told(fallen, Ruling::kRolledBack,
              fmt::format("its latest attempts are {:.0f} times likelier at {:.0f} % than at the {:.0f} % that it was "
                          "promoted at; {} is back",
                          odds, 100 * rates.worse, 100 * rates.as_good, promoted_version()));
}

/// Without a promoted policy there is nothing to compare with: one success will do.
CanaryRuling PolicySlot::JudgeFirst() const {
  const Evidence& seen = candidate_->evidence;
  const std::string count = fmt::format("{} of {} solved, the first policy", seen.solved, seen.attempts);
  if (seen.attempts < rule_.attempts) return {std::nullopt, "on trial: " + count};
  if (seen.solved > 0) return {Ruling::kPromoted, count};
  if (!waiting_ && rule_.practises_on) return {std::nullopt, "practises on: " + count};  // Else no next one may come.
  return {Ruling::kRejected, count};
}

std::optional<PolicySlot::Verdict> PolicySlot::RecordCandidate(bool solved) {
  Entry& acted = *candidate_;
  ++acted.evidence.attempts;
  acted.evidence.solved += solved ? 1 : 0;
  acted.memory = MemoryOf(acted.evidence, rule_.forgetting);
  CanaryRuling ruling;
  if (promoted_)
    ruling = JudgeCanary({.candidate = {acted.evidence.attempts, acted.evidence.solved},
                          .candidate_share = acted.memory.share(),
                          .promoted_share = promoted_->memory.share(),
                          .level = promoted_->memory.level()},
                         rule_);
  else
    ruling = JudgeFirst();
  if (!ruling.ruling) return std::nullopt;
  const Evidence judged = acted.evidence;
  const bool promoted = *ruling.ruling == Ruling::kPromoted;
  const auto retired = promoted ? previous_evidence() : std::nullopt;
  if (promoted) Promote(std::move(*candidate_));
  NextCandidate();
  Verdict verdict = Told(judged, *ruling.ruling, std::move(ruling.why));
  verdict.retired = retired;
  return verdict;
}

std::string PolicySlot::InWords() const {
  std::string words = promoted_ ? fmt::format("policy {} is deployed", promoted_version()) : "no policy is deployed";
  if (promoted_ && previous_)
    words += fmt::format(", odds that it has regressed {:.2g} (rolled back to {} at {:.0f})", regression_odds(),
                         previous_version(), std::exp(RollbackAt(rule_)));
  if (candidate_)
    words += fmt::format("; candidate {} solved {} of {}", candidate_version(), candidate_->evidence.solved,
                         candidate_->evidence.attempts);
  return last_verdict_.empty() ? words : words + "; last: " + last_verdict_;
}

}  // namespace nightshift::skills
