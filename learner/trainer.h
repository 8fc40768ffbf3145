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
  std::int64_t solved_episodes = 0;       // Of its own task: was any reward seen?
  std::int64_t updates_since_sample = 0;  // Since it was last given something new.
  HealthFigures health;                   // No rows: it was not looked at yet.
  std::vector<std::string> troubles;      // What is out of the ordinary, in words.
  bool may_publish = true;                // False while it has diverged and not been healthy since.
  bool keeps_diverging = false;           // Again and again.
  double weight_norm = 0;                 // Of actor and critics together; growth without end is how learning dies.
  UpdateFacts last;                       // Of its latest update.
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
  /// @param config already validated; where the processor has no bf16, it is fp32 all the same (HasBf16).
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
  /// How its critics, as they are now, do on what was held out. None for an unknown task, while nothing was held out,
  /// and before the critics have been warmed up.
  std::optional<skills::HeldOutValue> HeldOutValueOf(const std::string& task) const;
  /// A task whose policy has something to show: cloned, inherited, or trained. Not one that borrows its parent's.
  bool HasPolicy(const std::string& task) const;
  /// False while it has diverged and not been found healthy since: what it fell back to was published before.
  bool MayPublish(const std::string& task) const;
  std::vector<AgentFacts> Facts() const;

  /// Learns beside the agents, from the same episodes; its updates are not among Backlog's, and nobody waits for them.
  RiskCritic& risk() { return risk_; }
  const RiskCritic& risk() const { return risk_; }

  std::int64_t cursor() const { return cursor_; }                  // The last episode taken in.
  std::int64_t counted_cursor() const { return counted_cursor_; }  // Up to here they only refill the replay (see Load).
  std::int64_t steps() const { return steps_; }                    // Policy steps taken in, ever.
  std::int64_t updates() const;                                    // Ever, all agents, without cloning.
  std::int64_t unknown_episodes() const { return unknown_episodes_; }

  /// Everything but the replays, checksummed, with the file before it kept as PATH.previous; whole or not there. Of a
  /// replay it holds the cursor: what had been given to it. A file that Load refused is not kept: its predecessor is.
  /// Faults: kDiskFull, kIoFailed; then what was there is there.
  core::Result<void> Save(const std::string& path);

  /// Restores from `path`, or from PATH.previous when that is missing or damaged; then ingest all closed episodes again
  /// from the first, in order, to refill the replay: what follows is bit for bit what would have followed without the
  /// restart, as long as all of them are still there. Returns what was wrong with `path` when the previous was used.
  /// Nothing is changed by a manifest that is refused; each actor must do what it did when it was saved.
  /// Faults: kMissingFile (neither is there), kCorruptState, kSchemaTooNew, kIoFailed.
  core::Result<std::string> Load(const std::string& path);

  /// Nothing more is to be ingested again, though what was loaded knows of later episodes: the journal was put back
  /// from a copy, or begun anew. What comes from now on is new, whatever its id. Without such a gap nothing is done.
  void EndRefill();

  /// After Load and when all is ingested again: which replays did not hold what they held, in words; empty: all did.
  std::string RefillTrouble() const { return refill_trouble_ ? *refill_trouble_ : CompareReplays(); }

 private:
  /// What is saved of an agent's life beside its networks.
  struct Life {
    std::int64_t own_steps = 0, learned_steps = 0;
    // Episodes up to these were gone when the task became known: it learns nothing from them when they are read again.
    std::int64_t own_after = 0, others_after = 0;
    std::int64_t diverged_in_a_row = 0;  // Since it was last found healthy.
    std::int64_t sampled_at = 0;         // Updates when it was last given something new.
    std::int64_t solved = 0;             // Episodes of its own task.
  };
  struct ReplayCursors {
    ReplayCursor practice, demonstrations;

    bool operator==(const ReplayCursors&) const = default;
  };
  struct Saved {
    AgentState state;
    std::optional<AgentState> healthy;  // None in manifests of schema 2.
    Life life;
    std::optional<ReplayCursors> replays;  // As above.
  };
  struct Manifest;
  struct Entry {
    core::TaskSpec spec;
    skills::Task task;
    Agent agent;
    Life life;
    std::optional<ReplayCursors> refill_to;  // What a manifest says was in the replays.
    int scripted_demonstrations = 0, learned_demonstrations = 0;
    UpdateFacts last;
    HeldOut held_out;
    HealthFigures health;
    Familiarity familiar{skills::kFeatureSize};  // Refilled from the journal, as the replay is.
  };
  void LookAfter(Entry& entry);
  std::string CompareReplays() const;
  Entry* Find(const std::string& task);
  const Entry* Find(const std::string& task) const;
  core::Result<void> Add(const core::TaskSpec& spec);
  static core::Result<void> Adopt(Saved saved, Entry& entry);
  Saved SavedOf(const Entry& entry) const;
  int AddSegment(Entry& entry, const Segment& segment, IngestFacts& facts);
  bool TakeAsDemonstration(Entry& entry, const core::Episode& episode);
  void Relabel(Entry& entry, const core::Episode& episode, IngestFacts& facts);
  bool Borrows(const Entry& entry) const;
  std::int64_t LearnedStepsDue(const Entry& entry) const;
  void InheritIfFresh(Entry& entry);
  void Remember(const core::Episode& episode);
  double BacklogOf(const Entry& entry) const;
  core::Result<void> LoadFrom(const std::string& path);
  static core::Result<Manifest> Decode(const std::string& content, const std::string& path);
  core::Result<void> TryOut(const Manifest& manifest) const;

  Config config_;
  skills::Scene scene_;
  Compute compute_;  // Of all agents, which learn in turns.
  RiskCritic risk_;
  std::map<std::string, Entry> entries_;  // Ordered, so that ties are broken the same way every time.
  std::map<std::string, Saved> saved_;    // Loaded, for tasks not made known yet.
  std::string refused_manifest_;          // Its path, until it is written anew; empty: none was refused.
  std::deque<core::Episode> recent_;      // For recovery tasks that are made later.
  std::int64_t cursor_ = 0;
  std::optional<std::string> refill_trouble_;  // As of the first new episode; none: there was none yet.
  std::int64_t counted_cursor_ = 0;            // Episodes up to here have been counted (see Load).
  std::int64_t steps_ = 0;
  std::int64_t unknown_episodes_ = 0;
};

}  // namespace nightshift::learner
