// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>

#include "monitoring/metrics.h"

namespace nightshift::monitoring {

/// The journal's figures, in the supervisor. Thread: any.
class JournalMetrics {
 public:
  explicit JournalMetrics(Metrics& metrics);
  ~JournalMetrics();

  struct Commit {
    std::int64_t transitions = 0;
    double seconds = 0;      // Wall time of the closing commit.
    std::int64_t bytes = 0;  // All files of the journal after it.
  };
  /// Once for each closed episode.
  void CountCommit(const Commit& commit);
  /// Closed episodes that the learner has not read.
  void SetLearnerLag(std::int64_t episodes);

 private:
  class Figures;
  std::unique_ptr<Figures> figures_;
};

}  // namespace nightshift::monitoring
