// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/catalogue.h"
#include "core/devices.h"
#include "recovery/plan.h"
#include "runtime/body.h"
#include "runtime/episode.h"
#include "runtime/practice_config.h"
#include "runtime/scheduler.h"
#include "skills/policy_slot.h"
#include "skills/task.h"

namespace nightshift::runtime {

/// What practice has to say about itself; the application turns it into status messages and metrics.
struct PracticeStatus {
  std::string activity;  // What it is doing, in words.
  std::string why;       // Why this, in words.
  std::string task;
  std::string skill;
  std::uint64_t episodes = 0;       // Of this session.
  std::uint64_t transitions = 0;    // Of this session.
  std::uint64_t interventions = 0;  // All sessions.
  std::int64_t last_episode = 0;
};

/// The latest attempts of one kind in this session.
class LatestAttempts {
 public:
  void Add(bool solved) {
    solved_.push_back(solved);
    if (solved_.size() > kKept) solved_.pop_front();
  }
  std::size_t attempts() const { return solved_.size(); }
  std::size_t solved() const { return static_cast<std::size_t>(std::count(solved_.begin(), solved_.end(), true)); }

 private:
  static constexpr std::size_t kKept = 40;
  std::deque<bool> solved_;
};

/// What can be compared: the script's single tries and the policies' attempts without exploration.
struct LatestOfTask {
  LatestAttempts single_try, mean;
};

/// Things that happened, for metrics and logs. Practice itself neither logs nor counts.
class PracticeListener {
 public:
  virtual ~PracticeListener() = default;
  virtual void OnEpisode(const Attempt& attempt, bool recovery) = 0;
  virtual void OnFailure(const core::FailureRecord& failure) = 0;
  virtual void OnRecoveryTask(const core::TaskSpec& task) = 0;
  virtual void OnIntervention(const core::InterventionRecord& intervention) = 0;
  /// A question has been answered: `resolved` is set.
  virtual void OnHelp(const core::InterventionRecord& intervention) = 0;
  /// A recovery task has regained what was lost. @param took robot time since the oldest failure that it made good.
  virtual void OnRecovered(core::Duration took) = 0;
  virtual void OnPolicy(const core::SnapshotRecord& snapshot) = 0;
  virtual void OnStatus(const PracticeStatus& status) = 0;
  virtual void OnFault(const core::Fault& fault) = 0;
};

/// Where practice turns to. All outlive it.
struct PracticeParts {
  Body& body;
  core::Journal& journal;
  core::Attendant& person;
  PracticeListener& listener;
  core::Random& random;
  /// Snapshots that have appeared since the last call; those that cannot be read are told to the listener by the
  /// source.
  std::function<std::vector<skills::Snapshot>()> new_snapshots;
  /// A snapshot by task and version, to restore a promoted policy after a restart; none if it is gone.
  std::function<std::optional<skills::Snapshot>(const std::string& task, std::int64_t version)> snapshot;
  /// Called between episodes; returns when the learner has caught up, or is believed dead.
  std::function<void()> await_learner;
  /// Asked before each policy step; none: full speed throughout.
  RiskGuard* risk = nullptr;
};

/// The practice loop: look, decide what to practise, attempt it, find out what went wrong, climb out of it. Everything
/// that must survive goes through the journal before it has any effect here. Thread: the supervisor's.
class Practice {
 public:
  /// Reads the catalogue and goes on where the last session stopped. Faults: those of journal and task conditions.
  static core::Result<std::unique_ptr<Practice>> Make(PracticeParts parts, const skills::Scene& scene,
                                                      const PracticeConfig& config,
                                                      const std::vector<core::TaskSpec>& configured);

  /// One decision and what follows from it: an episode, a recovery, a homing, or waiting. Faults: those of the journal
  /// (practice must pause) and of the arm port (safety is gone); the episode in progress is then interrupted.
  core::Result<void> Cycle();

  const PracticeStatus& status() const { return status_; }
  /// Changes what it is said to be doing, and why, until its next decision: for whoever makes it wait.
  void Say(std::string activity, std::string why);
  /// Competence of each task and kind of skill, by task name.
  std::vector<core::Competence> competence() const;
  std::vector<core::TaskSpec> tasks() const;
  /// Questions to a person that are open.
  int open_questions() const { return static_cast<int>(asked_.size()) + (asked_about_stop_ ? 1 : 0); }
  LatestOfTask Latest(const std::string& task) const;
  const skills::PolicySlot* slot(const std::string& task) const;
  /// Empty for a configured task.
  std::string FailureKindOf(const std::string& task) const;

  /// Counts an episode that was closed before a crash but not yet counted.
  core::Result<void> Apply(const core::Episode& episode);

 private:
  struct Entry {
    skills::Task task;
    core::Competence scripted, learned;
    skills::PolicySlot slot;
    std::int64_t judged_version = 0;  // The newest that was promoted, rejected or refused: not tried again.
    // Verdicts in force that are not all in the journal yet, oldest first: for each the records that it needs, its own
    // first. Practice waits until they are.
    std::deque<std::vector<core::SnapshotRecord>> unrecorded = {};
    LatestOfTask latest = {};
  };
  /// The learned policy that would act for a task now.
  struct Actor {
    skills::LearnedPolicy* policy = nullptr;  // None yet.
    std::int64_t version = 0;
    const Entry* lender = nullptr;  // The parent, while a recovery task has no policy of its own.
  };
  struct Startable {
    Option option;
    core::Target target;
  };

  Practice(PracticeParts parts, const skills::Scene& scene, const PracticeConfig& config);
  core::Result<void> AddTask(const core::TaskSpec& spec);
  core::Result<void> Restore(const core::Catalogue& catalogue);
  core::Result<void> ApplyLatch();
  core::Result<void> StepBack();
  core::Result<void> Home();
  core::Result<void> Wait(const std::string& why);
  core::Result<void> Practise(const std::string& task, const core::Target& target, const std::string& why);
  core::Result<void> Recover(recovery::Pending pending);
  core::Result<void> RetryOrAsk(int object, const std::string& why);
  core::Result<void> CloseInterrupted(core::Episode episode, const core::Fault& why);
  core::Result<void> Conclude(const Attempt& attempt);
  void Inherit();
  int CountFruitless(const core::Episode& episode);
  static void NoteManner(Entry& entry, const Attempt& attempt);
  core::Result<void> CountAttempt(Entry& entry, const core::Episode& episode);
  skills::JudgingRule RuleFor(const core::TaskSpec& spec) const;
  core::Result<void> TakeSnapshots();
  core::Result<void> Screen(Entry& entry);
  core::Result<void> JudgePolicies(Entry& entry, const core::Episode& episode);
  core::Result<void> RecordVerdict(Entry& entry, const skills::PolicySlot::Verdict& verdict);
  core::Result<void> WriteVerdicts(Entry& entry);
  core::Result<void> RestorePolicies(const core::Catalogue& catalogue);
  void NoteSuccess(const core::Episode& episode);
  core::Result<void> NoteFailure(const recovery::Aftermath& after, const core::Episode& episode);
  core::Result<void> Diagnose();
  core::Result<void> Ask(int object, const std::string& reason);
  core::Result<core::InterventionRecord> OpenQuestion(int object, const std::string& reason);
  core::Result<void> AskAboutStop(const core::LatchReport& latch);
  core::Result<void> NoteCleared();
  core::Result<void> Rise(double height_m, bool keep);
  core::Result<void> WorkFree();
  core::Result<void> NoteHelp();

  std::vector<Startable> WhatMayStart();
  std::vector<Startable> WhatMayBePractised();
  Startable StartableOf(Entry& entry, int object);
  bool MayPractise(int object) const;
  core::Target TargetFor(const core::TaskSpec& spec, int object);
  skills::Facts FactsFor(int object) const;
  std::optional<int> HeldObject() const;
  Actor ActorFor(Entry& entry);
  core::Competence KnownOf(const Entry& entry, const Actor& actor) const;
  core::SkillKind ChooseSkill(const Entry& entry, const Actor& actor);
  bool AwaitsPerson(int object) const { return asked_.contains(object); }
  const core::TaskSpec* RecoveryTask(const std::string& signature) const;

  PracticeParts parts_;
  skills::Scene scene_;
  PracticeConfig config_;
  std::map<std::string, Entry> tasks_;               // By name: configured and recovery.
  std::map<std::string, std::string> recovery_for_;  // Signature -> task name.
  std::map<std::string, int> seen_;                  // Signature -> failures seen.
  std::map<int, recovery::Pending> pending_;         // Object -> the failure it is in.
  std::map<int, core::Instant> failed_at_;           // Object -> its oldest failure of this session not made good.
  std::map<int, recovery::Pending> inherited_;       // Of the last session, until the first look.
  std::map<int, core::InterventionRecord> asked_;    // Object -> the open question to a person.
  std::optional<core::InterventionRecord> asked_about_stop_;
  std::map<int, int> fruitless_;  // Object -> failed attempts in a row.
  std::int64_t next_failure_ = 1, next_intervention_ = 1;
  PracticeStatus status_;
};

}  // namespace nightshift::runtime
