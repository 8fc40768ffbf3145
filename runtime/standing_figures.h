// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>

#include "core/catalogue.h"
#include "core/time.h"
#include "monitoring/practice_metrics.h"
#include "runtime/practice.h"

namespace nightshift::runtime {

/// The figures of where practice stands, as opposed to those of what happens: open questions, recovery tasks, and of
/// each task the policies and what speaks for them. Thread: the supervisor's.
class StandingFigures {
 public:
  explicit StandingFigures(monitoring::PracticeMetrics& figures) : figures_(figures) {}

  /// As of now. @param practised robot time that only grows: the age of a policy is counted from when it was first seen
  /// here to be deployed.
  void Tell(const Practice& practice, core::Duration practised);

  /// An answered question. One that was asked before robot time began anew has no wait that could be told.
  void TellHelp(const core::InterventionRecord& intervention);

 private:
  struct Deployed {
    std::int64_t version = 0;
    core::Duration since{0};
  };
  void TellPolicies(const std::string& task, const skills::PolicySlot& slot, core::Duration practised);

  monitoring::PracticeMetrics& figures_;
  std::map<std::string, Deployed> deployed_;  // By task.
};

}  // namespace nightshift::runtime
