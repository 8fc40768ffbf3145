// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/catalogue.h"
#include "learner/agent.h"
#include "learner/config.h"
#include "learner/episode.h"
#include "learner/offline.h"
#include "learner/risk_critic.h"
#include "skills/task.h"

namespace nightshift::learner {

/// Names the tasks that exist.
using TaskSpecs = std::vector<core::TaskSpec>;

/// What taking in one episode came to.
struct IngestFacts {
  int own = 0;           // Samples of the episode's own task.
  int demonstrated = 0;  // Of them (and of relabelled ones), also kept as demonstrations.
  int relabelled = 0;    // Samples for other tasks.
  int refused = 0;       // Not finite.
};

/// Where one agent stands.
struct AgentFacts {
  std::string task;
  Phase phase = Phase::kWaiting;
  std::int64_t updates = 0;
  std::int64_t clone_updates = 0;
  std::int64_t own_steps = 0;      // Policy steps of its own task's practice, ever.
  std::int64_t learned_steps = 0;  // Of them, those in which a learned policy acted.
  std::size_t samples = 0;
  std::size_t demonstrations = 0;
  std::int64_t demonstrated_episodes = 0;
  std::uint64_t overflowed = 0;
  std::uint64_t refused = 0;
  std::int64_t divergences = 0;
  double backlog = 0;
  double weight_norm = 0;  // Of actor and critics together; growth without end is how learning dies.
  UpdateFacts last;        // Of its latest update.
};

/// All agents and the risk critic: turns episodes into samples for every task they say something about, and spends
/// updates where most are due. Neither files (but for Save and Load) nor sockets nor clocks; deterministic given seed
/// and order of calls. Thread: one at a time.
///
///   Trainer trainer(config, scene);
///   trainer.Know(tasks);
///   for each closed episode: trainer.Ingest(episode);
///   while (trainer.Backlog() >= 1) trainer.UpdateOnce();
///   policy.Stage(trainer.Weights("pick"));
class Trainer {
 public:
  /// @param config already validated.
  Trainer(const Config& config, const skills::Scene& scene);

  /// Adds tasks not known yet, with an agent each; a recovery task is also given what recent episodes show of it.
  /// Known tasks are left as they are. Faults: kInvalidConfig, for a condition that does not parse.
  core::Result<void> Know(const TaskSpecs& tasks);

  /// Takes in one closed episode. One at or below the saved cursor (after Load) refills the replay and is not counted
  /// again.
  /// An episode of a task not known is counted as seen and otherwise ignored.
  IngestFacts Ingest(const core::Episode& episode);
  /// Know, then Ingest.
  core::Result<IngestFacts> Ingest(const core::Episode& episode, const TaskSpecs& tasks);

  struct Update {
    std::string task;
    UpdateFacts facts;
  };
  /// One update of the agent with the largest backlog; nothing when no agent is ready.
  std::optional<Update> UpdateOnce();
  /// Updates due over all agents that are ready: cloning and the critics' warm-up, then the update ratio times the
  /// steps in which a learned policy acted. Steps of a script owe nothing: an actor pushed by critics that have only
  /// seen a script unlearns the clone (47 % to 20 % in 4,600 such updates).
  double Backlog() const;

  /// Extracts a policy from all that was ingested, before practice (learner/offline.h), and hands its networks to the
  /// task's agent, which then owes no updates for what was logged. Nothing is handed over where it was asked to end.
  /// Faults: kRefused (an unknown task, one that has been trained or borrows its parent's policy, or data that say too
  /// little: the text says which), kNotFinite. The agent is then as it was.
  core::Result<Extraction> ExtractOffline(const std::string& task, const std::function<bool()>& must_end);

  /// Faults: kRefused for an unknown task.
  core::Result<skills::PolicyWeights> Weights(const std::string& task, Actor which = Actor::kDeployed) const;
  /// A task whose policy has something to show: cloned, inherited, or trained. Not one that borrows its parent's.
  bool HasPolicy(const std::string& task) const;
  std::vector<AgentFacts> Facts() const;

  /// Learns beside the agents, from the same episodes; its updates are not among Backlog's, and nobody waits for them.
  RiskCritic& risk() { return risk_; }
  const RiskCritic& risk() const { return risk_; }

  std::int64_t cursor() const { return cursor_; }                  // The last episode taken in.
  std::int64_t counted_cursor() const { return counted_cursor_; }  // Up to here they only refill the replay (see Load).
  std::int64_t steps() const { return steps_; }                    // Policy steps taken in, ever.
  std::int64_t updates() const;                                    // Ever, all agents, without cloning.
  std::int64_t unknown_episodes() const { return unknown_episodes_; }

  /// Everything but the replay, checksummed, with the file before it kept as PATH.previous; whole or not there.
  /// Faults: kDiskFull, kIoFailed.
  core::Result<void> Save(const std::string& path) const;

  /// Restores from `path`, or from PATH.previous when that is missing or damaged; then ingest all closed episodes again
  /// from the first, in order, to refill the replay. Returns what was wrong with `path` when the previous was used.
  /// Faults: kMissingFile (neither is there), kCorruptState, kSchemaTooNew, kIoFailed.
  core::Result<std::string> Load(const std::string& path);

 private:
  struct StepCounts {
    std::int64_t own = 0, learned = 0;
  };
  struct Entry {
    core::TaskSpec spec;
    skills::Task task;
    Agent agent;
    StepCounts steps;
    int scripted_demonstrations = 0, learned_demonstrations = 0;
    UpdateFacts last;
    Familiarity familiar{skills::kFeatureSize};  // Refilled from the journal, as the replay is.
  };
  Entry* Find(const std::string& task);
  const Entry* Find(const std::string& task) const;
  core::Result<void> Add(const core::TaskSpec& spec);
  int AddSegment(Entry& entry, const Segment& segment, IngestFacts& facts);
  bool TakeAsDemonstration(Entry& entry, const core::Episode& episode);
  void Relabel(Entry& entry, const core::Episode& episode, IngestFacts& facts);
  bool Borrows(const Entry& entry) const;
  std::int64_t LearnedStepsDue(const Entry& entry) const;
  void InheritIfFresh(Entry& entry);
  void Remember(const core::Episode& episode);
  double BacklogOf(const Entry& entry) const;
  core::Result<void> Decode(const std::string& content, const std::string& path);

  Config config_;
  skills::Scene scene_;
  RiskCritic risk_;
  std::map<std::string, Entry> entries_;            // Ordered, so that ties are broken the same way every time.
  std::map<std::string, AgentState> saved_agents_;  // Loaded, for tasks not made known yet.
  std::map<std::string, StepCounts> saved_steps_;
  std::deque<core::Episode> recent_;  // For recovery tasks that are made later.
  std::int64_t cursor_ = 0;
  std::int64_t counted_cursor_ = 0;  // Episodes up to here have been counted (see Load).
  std::int64_t steps_ = 0;
  std::int64_t unknown_episodes_ = 0;
};

}  // namespace nightshift::learner
