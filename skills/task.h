// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "core/catalogue.h"
#include "core/fault.h"
#include "skills/facts.h"

namespace nightshift::skills {

/// A condition over facts, parsed once. Copies share the parsed form but evaluate with their own values.
/// Thread: one at a time per object.
class Predicate {
 public:
  /// Faults: kInvalidConfig, naming the expression, the unknown name and the names that exist.
  static core::Result<Predicate> Parse(const std::string& expression);

  bool Holds(const Facts& facts) const;
  const std::string& text() const { return text_; }

 private:
  class Parsed;
  std::shared_ptr<Parsed> parsed_;
  std::string text_;
};

/// A task whose conditions are ready to be asked.
class Task {
 public:
  static core::Result<Task> Make(const core::TaskSpec& spec);

  const core::TaskSpec& spec() const { return spec_; }
  bool MayStart(const Facts& facts) const { return start_.Holds(facts); }

  /// kRunning, kSuccess or kFailure; time is the caller's business. Success wins.
  core::Outcome Judge(const Facts& facts) const;

 private:
  Task(core::TaskSpec spec, Predicate start, Predicate success, Predicate failure);
  core::TaskSpec spec_;
  Predicate start_, success_, failure_;
};

/// One attempt at a task, step by step. The task outlives it.
class Trial {
 public:
  explicit Trial(const Task& task) : task_(task) {}

  /// What the attempt has come to: as Task::Judge, but only once it has held for the task's `success_hold` or
  /// `failure_hold`.
  core::Outcome Next(const Facts& facts, core::Instant now);

  /// What the last facts said, whether or not it has held for its time.
  core::Outcome pending() const { return holds_; }

 private:
  const Task& task_;
  core::Outcome holds_ = core::Outcome::kRunning;
  core::Instant holds_since_;
};

}  // namespace nightshift::skills
