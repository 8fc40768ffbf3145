// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "skills/gate.h"
#include "skills/policy.h"

namespace nightshift::skills {

/// The policies of one task: the promoted one, which is deployed, the one before it, and a candidate that practises and
/// is judged by what happens; the rules are in skills/gate.h. While a candidate is judged the promoted policy acts now
/// and then as its control, and what it did long ago is forgotten: neither a world that has become harder nor old luck
/// decides for ever. Few attempts decide, but against many: snapshots swing more than a candidate's attempts can tell,
/// and what has proven itself is only replaced by what looks at least as good. A regression costs nothing but the
/// candidate's attempts; one that was promoted all the same is rolled back as soon as it is established. The first must
/// have succeeded once; until then it practises on, gives way to a newer one or is rejected, as the rule says.
/// Thread: one.
class PolicySlot {
 public:
  explicit PolicySlot(const JudgingRule& rule) : rule_(rule) {}

  struct Evidence {
    std::int64_t version = 0;
    std::int64_t attempts = 0;
    std::int64_t solved = 0;
  };

  /// What became of a policy, and why.
  struct Verdict {
    Evidence policy;
    Ruling ruling = Ruling::kRejected;
    std::string why;
    std::optional<Evidence> retired = {};  // What a promotion pushed out: no rollback leads back to it.

    bool promoted() const { return ruling == Ruling::kPromoted; }
  };

  /// Makes a snapshot the next candidate: at once if none is being judged, else when the present one has been. Only the
  /// newest waiting one is kept. Faults: kCorruptSnapshot; a probe action must be finite and inside [-1, 1].
  core::Result<void> Stage(const Snapshot& snapshot);

  /// The candidate that need not act to be refused, if it is one: by what its file says of held-out episodes, or in
  /// shadow. The next one is then the candidate: ask until there is none.
  std::optional<Verdict> Screen();

  /// What the promoted policy has done so far; none before there is one.
  std::optional<Evidence> promoted_evidence() const {
    return promoted_ ? std::optional(promoted_->evidence) : std::nullopt;
  }

  /// The same of what a regression would roll back to.
  std::optional<Evidence> previous_evidence() const {
    return previous_ ? std::optional(previous_->evidence) : std::nullopt;
  }

  /// What speaks for a policy, as it is weighed when it is compared.
  struct Standing {
    Evidence evidence;
    std::optional<double> success_share;  // With forgetting; none: not tried yet.
  };
  std::optional<Standing> deployed_standing() const { return StandingOf(promoted_); }
  std::optional<Standing> candidate_standing() const { return StandingOf(candidate_); }
  /// That the deployed policy has regressed, as its latest attempts say; 0: nothing to go back to.
  double regression_odds() const;

  /// Puts a snapshot back as the promoted one, after a restart; what was promoted is now the one before it.
  core::Result<void> Restore(const Snapshot& snapshot, const Evidence& evidence);

  /// The policy whose turn it is to practise: the candidate or its control, else the promoted one, else none.
  LearnedPolicy* acting();
  /// The policy that is deployed: the promoted one, or none.
  LearnedPolicy* deployed() { return promoted_ ? &promoted_->policy : nullptr; }

  std::int64_t acting_version() const;
  std::int64_t promoted_version() const { return promoted_ ? promoted_->evidence.version : 0; }
  std::int64_t candidate_version() const { return candidate_ ? candidate_->evidence.version : 0; }
  /// What a regression would roll back to; 0: none.
  std::int64_t previous_version() const { return previous_ ? previous_->evidence.version : 0; }

  /// A state that the acting policy met. Those of the promoted policy are what candidates are asked about in shadow.
  void Visit(const Features& features);

  /// One more attempt of the acting policy. Returns what was decided by it: about the candidate, or that the promoted
  /// policy is rolled back, which is in force when this returns.
  std::optional<Verdict> Record(bool solved);

  /// Where the trial stands, and the latest verdict, in words.
  std::string InWords() const;

 private:
  /// Successes and failures that still count.
  struct Memory {
    double successes = 0, failures = 0;

    double share() const { return successes / std::max(1e-9, successes + failures); }
    double level() const { return (successes + 1) / (successes + failures + 2); }
    void Add(bool solved, double forgetting);
  };
  struct Entry {
    LearnedPolicy policy;
    Evidence evidence;
    Memory memory;
    std::optional<HeldOutValue> held_out;
    bool asked_in_shadow = false;
    double level = 0;                // Of a promoted one: what it must not fall below.
    double log_odds_regression = 0;  // Of a promoted one, since it last spoke for it.
  };
  static std::optional<Standing> StandingOf(const std::optional<Entry>& entry);
  static Memory MemoryOf(const Evidence& evidence, double forgetting);
  static core::Result<Entry> Load(const Snapshot& snapshot);

  bool ControlActs() const;
  void NextCandidate();
  void Promote(Entry entry);
  std::optional<Verdict> RecordPromoted(bool solved);
  std::optional<Verdict> RecordCandidate(bool solved);
  CanaryRuling JudgeFirst() const;
  Verdict Told(const Evidence& policy, Ruling ruling, std::string why);

  JudgingRule rule_;
  std::optional<Entry> previous_, promoted_, candidate_, waiting_;
  std::int64_t controls_ = 0;      // Attempts of the promoted policy since the candidate came.
  std::vector<Features> visited_;  // A ring: the latest states of the promoted policy.
  std::size_t oldest_visited_ = 0;
  std::string last_verdict_;
};

}  // namespace nightshift::skills
