// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "recovery/failure.h"

namespace nightshift::recovery {

/// Attempts and budgets for climbing out of one failure.
struct PlanConfig {
  int failures_for_a_task = 3;  // A failure seen this often becomes a recovery task; before, its script is tried once.
  int attempts_max = 6;         // On one failure, before a person is asked.
  int attempts_before_going_on = 2;  // On one failure, where a practised task may start all the same.
  int looks_max = 3;                 // At a scene in which the object is not found, before a person is asked.
  int fruitless_max = 20;            // Failed attempts of any kind at one object in a row, before a person is asked:
                                     // at one success in three, that is bad luck once in 3,000.
};

/// What to do about a failure.
struct Practise {
  std::string task;
};  // Run this recovery task.
struct AskPerson {
  std::string reason;
};               // Nothing that we know of helps.
struct GoOn {};  // Practised tasks may start from here: no recovery is needed.
using Plan = std::variant<Practise, AskPerson, GoOn>;

/// A failure and how often it has been met without being solved.
struct Pending {
  FailureKind kind;
  std::string signature;
  int object = 0;
  int attempts = 0;
  int fruitless = 0;  // Attempts at this object, of any task, that have failed in a row.
};

/// Fault -> Plan, pure: the recovery task while attempts last, then a person, except where practice can simply go on
/// and has not failed too often in a row.
Plan PlanFor(const Pending& pending, const std::optional<core::TaskSpec>& known, bool a_task_may_start,
             const PlanConfig& config);

}  // namespace nightshift::recovery
