// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/fault.h"
#include "core/transition.h"

namespace nightshift::core {

/// What a task's goal point is: nothing, a fixed place, or a spot drawn anew for each episode.
enum class GoalKind { kNone, kBin, kTraySpot };
std::string_view Name(GoalKind kind);

/// A thing to achieve, as configured or as made from a failure. Conditions are muParser expressions over the names in
/// skills/facts.h; a condition holds where its value is not zero.
struct TaskSpec {
  std::string name;
  std::string start;    // Initiation set.
  std::string success;  // Reward 1, and the end.
  std::string failure;  // The end, and what it costs the learner stands in learner/episode.cc; empty: never.
  Duration time_limit = Seconds(6);
  // Success and failure count once they have held this long: what still falls has neither arrived nor been lost, and a
  // camera that takes it to lie on the table sees it elsewhere. Configured tasks only.
  Duration success_hold{0}, failure_hold{0};
  GoalKind goal = GoalKind::kNone;
  std::string script;         // Scripted motion, by name.
  std::string signature;      // Recovery tasks: of the failures it was made from.
  std::string failure_kind;   // Recovery tasks: the failure it was made from; empty for configured tasks.
  std::string inherits_from;  // Task whose learned weights it starts from; empty: none.

  bool recovery() const { return !failure_kind.empty(); }
};

/// Attempts and their outcomes for one task and one kind of skill; Beta posterior with forgetting.
struct Competence {
  std::string task;
  SkillKind skill = SkillKind::kScripted;
  double successes = 0;  // Forgotten: each new attempt multiplies both by the forgetting factor first.
  double failures = 0;
  std::int64_t attempts = 0;  // Never forgotten.
  std::int64_t solved = 0;

  double mean() const { return (successes + 1) / (successes + failures + 2); }
};

/// One failure seen.
struct FailureRecord {
  std::int64_t id = 0;
  std::int64_t episode = 0;  // Where it was seen; 0: between episodes.
  std::string kind;          // "dropped", "wedged", "outside", ... : a closed set, see recovery/failure.h.
  std::string signature;     // What makes two failures the same: kind, phase and place.
  std::string task;          // During which task.
  int object = 0;
  Instant at;
  Observation state;  // Where recovery would start from.
};

inline constexpr int kTheRobot = -1;  // Instead of an object: what a person was asked about.

/// One time a person was asked.
struct InterventionRecord {
  std::int64_t id = 0;
  std::string reason;
  int object = 0;  // Or kTheRobot.
  Instant asked;
  std::optional<Instant> resolved;
};

/// A policy snapshot and what is known of it.
struct SnapshotRecord {
  std::int64_t version = 0;
  std::string task;
  // "promoted" (deployed, or what it would be rolled back to), "retired" (promoted earlier), "rejected", "refused"
  // (before it acted), "rolled back"; "candidate" in journals of old.
  std::string state;
  std::string sha256;
  std::int64_t attempts = 0;
  std::int64_t solved = 0;
  std::string why = {};  // In words; not stored.
};

/// Everything that a restarted supervisor needs to go on where it was.
struct Catalogue {
  std::vector<TaskSpec> recovery_tasks;
  std::vector<Competence> competence;
  std::vector<FailureRecord> failures;  // The newest few of each signature only.
  std::vector<InterventionRecord> interventions;
  std::vector<SnapshotRecord> snapshots;
  std::int64_t last_episode = 0;  // The last closed episode whose outcome is in here.
  Duration practised{0};          // Robot time of all sessions before this one.
};

/// The durable record. One writer, the supervisor. Everything returns only after it is on disk.
class Journal {
 public:
  virtual ~Journal() = default;

  /// A fresh, never used episode id.
  virtual std::int64_t NextEpisodeId() = 0;
  virtual Result<void> Begin(const Episode& episode) = 0;
  virtual Result<void> Append(std::int64_t episode, int step, const Transition& transition) = 0;
  /// Commits the outcome. Only after this may it influence anything.
  virtual Result<void> Close(const Episode& episode) = 0;

  virtual Result<Catalogue> Load() = 0;
  virtual Result<void> SaveTask(const TaskSpec& task) = 0;
  /// Competence after `episode`, in one commit with "last episode applied".
  virtual Result<void> SaveCompetence(const Competence& competence, std::int64_t episode) = 0;
  virtual Result<void> RecordFailure(const FailureRecord& failure) = 0;
  virtual Result<void> SaveIntervention(const InterventionRecord& intervention) = 0;
  virtual Result<void> SaveSnapshot(const SnapshotRecord& snapshot) = 0;
  virtual Result<void> SavePractised(Duration practised) = 0;
};

}  // namespace nightshift::core
