// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>

#include "skills/policy.h"

namespace nightshift::skills {

/// When a candidate has been tried enough, and how much worse it may look.
struct JudgingRule {
  int attempts = 20;      // Of the candidate.
  int control_every = 3;  // While it is judged, every third attempt is the promoted policy's.
  double margin = 0.05;   // Beyond one standard error of the difference.
};

/// The policies of one task: the promoted one, which is deployed, and a candidate that practises and is judged by what
/// happens. While a candidate is judged the promoted policy acts now and then as its control, so that both are measured
/// in the same days: a world that has become harder is not held against the candidate, nor old luck for the promoted
/// one. A regression costs nothing but the candidate's attempts: the promoted policy stays. Thread: one.
class PolicySlot {
 public:
  explicit PolicySlot(const JudgingRule& rule) : rule_(rule) {}

  struct Evidence {
    std::int64_t version = 0;
    std::int64_t attempts = 0;
    std::int64_t solved = 0;

    double mean() const { return (static_cast<double>(solved) + 1) / (static_cast<double>(attempts) + 2); }
  };

  /// What became of a candidate.
  struct Verdict {
    Evidence candidate;
    bool promoted = false;
  };

  /// Makes a snapshot the next candidate: at once if none is being judged, else when the present one has been. Only the
  /// newest waiting one is kept. Faults: kCorruptSnapshot; a probe action must be finite and inside [-1, 1].
  core::Result<void> Stage(const Snapshot& snapshot);

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
  struct Entry {
    LearnedPolicy policy;
    Evidence evidence;
  };
  static core::Result<Entry> Load(const Snapshot& snapshot);

  bool ControlActs() const;
  bool IsWorse() const;

  JudgingRule rule_;
  std::optional<Entry> promoted_, candidate_, waiting_;
  Evidence control_;  // Of the promoted policy, since the candidate came.
};

}  // namespace nightshift::skills
