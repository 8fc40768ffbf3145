// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalogue.h"
#include "core/observation.h"
#include "core/time.h"
#include "core/transition.h"
#include "monitoring/metrics.h"

namespace nightshift::monitoring {

/// What robot time goes to. A closed set: the label of nightshift_robot_seconds_total.
enum class Activity {
  kPractice,         // Episodes of configured tasks.
  kRecovery,         // Episodes of recovery tasks.
  kCanary,           // Episodes that judge a candidate policy.
  kEvaluation,       // Marked episodes that are not practice.
  kMoving,           // Between episodes: to a start, out of the way, inspection.
  kAwaitingLearner,  // The learner is behind the configured update ratio.
  kAwaitingPerson,   // An intervention is open and nothing else can be done.
  kAwaitingDisk,     // No room for the journal.
  kStopped,          // A latch holds the robot.
  kPaused,           // A person said pause.
};
std::string_view Name(Activity activity);

/// The supervisor's figures: practice, interventions, recoveries, camera, policies.
/// Thread: any; each call locks for some 100 ns and may allocate.
class PracticeMetrics {
 public:
  explicit PracticeMetrics(Metrics& metrics);
  ~PracticeMetrics();

  /// Once for each closed episode, also interrupted ones. A recovery task's `failure_kind`; empty: a configured task.
  void CountEpisode(const core::Episode& episode, const std::string& failure_kind);
  void SetCompetence(const core::Competence& competence);
  void AddRobotTime(Activity activity, core::Duration spent);
  /// Robot time of all sessions, and whether practice goes on now.
  void SetPractised(core::Duration practised);
  enum class Practising { kNo, kYes };
  void SetPractising(Practising practising);
  /// Named degraded modes in force; those that are no longer named go to 0.
  void SetDegraded(const std::vector<std::string>& modes);

  void CountIntervention(const std::string& reason);
  void SetOpenInterventions(int open);
  void ObserveInterventionWait(core::Duration wait);

  void CountFailure(const std::string& kind);
  void SetRecoveryTasks(int tasks);
  /// From the failure to the end of the recovery that solved it.
  void ObserveTimeToRecover(core::Duration took);

  /// Once for each policy step.
  void ObserveFrame(core::FrameHealth health, core::Duration age);

  void CountPromoted(const std::string& task);
  void CountRejected(const std::string& task);
  void CountRefused(const std::string& task);
  void CountRolledBack(const std::string& task);
  /// What speaks for a policy.
  struct Tried {
    std::int64_t attempts = 0;
    std::optional<double> success_ratio;  // As the gate weighs it, with forgetting; none: not tried yet.
  };
  struct Policies {
    std::string task;
    std::int64_t version = 0;        // Of the deployed one; 0: none, the script acts.
    core::Duration staleness{0};     // Robot time since it was swapped in, of this session.
    std::optional<Tried> deployed;   // None before there is one.
    std::optional<Tried> candidate;  // None while none is judged.
    double regression_odds = 0;      // That the deployed one has regressed; 0: nothing to go back to.
  };
  /// What is none is exposed no more.
  void SetPolicies(const Policies& policies);

 private:
  class Figures;
  std::unique_ptr<Figures> figures_;
};

}  // namespace nightshift::monitoring
