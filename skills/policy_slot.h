// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>

#include "skills/policy.h"

namespace nightshift::skills {

/// When a candidate has been tried enough, and how much worse it may look.
struct JudgingRule {
  int attempts = 10;         // Of the candidate.
  int control_every = 3;     // While it is judged, every third attempt is the promoted policy's.
  double margin = 0;         // By how much it may look worse and still be promoted.
  double forgetting = 0.95;  // Of what the promoted policy did, per attempt of its own: remembers about 20.
  bool practises_on = true;  // A first candidate that never succeeds; false: it is rejected, another policy may act.
};

/// The policies of one task: the promoted one, which is deployed, and a candidate that practises and is judged by what
/// happens. While a candidate is judged the promoted policy acts now and then as its control, and what it did long ago
/// is forgotten: neither a world that has become harder nor old luck decides for ever. Few attempts decide, but against
/// many: snapshots swing more than a candidate's attempts can tell, and what has proven itself is only replaced by what
/// looks at least as good. A regression costs nothing but the candidate's attempts. The first must have succeeded once;
/// until then it practises on, gives way to a newer one or is rejected, as the rule says. Thread: one.
class PolicySlot {
 public:
  explicit PolicySlot(const JudgingRule& rule) : rule_(rule) {}

  struct Evidence {
    std::int64_t version = 0;
    std::int64_t attempts = 0;
    std::int64_t solved = 0;
  };

  /// What became of a candidate.
  struct Verdict {
    Evidence candidate;
    bool promoted = false;
  };

  /// Makes a snapshot the next candidate: at once if none is being judged, else when the present one has been. Only the
  /// newest waiting one is kept. Faults: kCorruptSnapshot; a probe action must be finite and inside [-1, 1].
  core::Result<void> Stage(const Snapshot& snapshot);

  /// What the promoted policy has done so far; none before there is one.
  std::optional<Evidence> promoted_evidence() const {
    return promoted_ ? std::optional(promoted_->evidence) : std::nullopt;
  }

  /// Puts a snapshot back as the promoted one, after a restart.
  core::Result<void> Restore(const Snapshot& snapshot, const Evidence& evidence);

  /// The policy whose turn it is to practise: the candidate or its control, else the promoted one, else none.
  LearnedPolicy* acting();
  /// The policy that is deployed: the promoted one, or none.
  LearnedPolicy* deployed() { return promoted_ ? &promoted_->policy : nullptr; }

  std::int64_t acting_version() const;
  std::int64_t promoted_version() const { return promoted_ ? promoted_->evidence.version : 0; }
  std::int64_t candidate_version() const { return candidate_ ? candidate_->evidence.version : 0; }

  /// One more attempt of the acting policy. Returns the verdict when it was the last one needed.
  std::optional<Verdict> Record(bool solved);

 private:
  /// Successes and failures that still count.
  struct Memory {
    double successes = 0, failures = 0;

    double share() const { return successes / std::max(1e-9, successes + failures); }
    void Add(bool solved, double forgetting);
  };
  struct Entry {
    LearnedPolicy policy;
    Evidence evidence;
    Memory memory;
  };
  static Memory MemoryOf(const Evidence& evidence, double forgetting);
  static core::Result<Entry> Load(const Snapshot& snapshot);

  bool ControlActs() const;

  JudgingRule rule_;
  std::optional<Entry> promoted_, candidate_, waiting_;
  std::int64_t controls_ = 0;  // Attempts of the promoted policy since the candidate came.
};

}  // namespace nightshift::skills
