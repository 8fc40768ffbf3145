// SPDX-License-Identifier: Apache-2.0
#include "monitoring/journal_metrics.h"

#include "monitoring/families.h"

namespace nightshift::monitoring {
namespace {

const std::vector<double> kCommitBounds = {0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1};

}  // namespace

class JournalMetrics::Figures {
 public:
  explicit Figures(prometheus::Registry& registry)
      : episodes(Counters(registry, "journal_episodes_committed_total", "Episodes that were closed on disk.").Add({})),
        transitions(
            Counters(registry, "journal_transitions_committed_total", "Transitions of those episodes.").Add({})),
        seconds(OneHistogram(registry, "journal_commit_seconds", "Wall time of the commit that closes an episode.",
                             kCommitBounds)),
        bytes(Gauges(registry, "journal_bytes", "Size of all files of the journal.").Add({})),
        lag(Gauges(registry, "journal_learner_lag_episodes", "Closed episodes that the learner has not read.")
                .Add({})) {}

  prometheus::Counter& episodes;
  prometheus::Counter& transitions;
  prometheus::Histogram& seconds;
  prometheus::Gauge& bytes;
  prometheus::Gauge& lag;
};

JournalMetrics::JournalMetrics(Metrics& metrics) : figures_(std::make_unique<Figures>(metrics.registry())) {}
JournalMetrics::~JournalMetrics() = default;

void JournalMetrics::CountCommit(const Commit& commit) {
  figures_->episodes.Increment();
  figures_->transitions.Increment(static_cast<double>(commit.transitions));
  figures_->seconds.Observe(commit.seconds);
  figures_->bytes.Set(static_cast<double>(commit.bytes));
}

void JournalMetrics::SetLearnerLag(std::int64_t episodes) { figures_->lag.Set(static_cast<double>(episodes)); }

}  // namespace nightshift::monitoring
