// SPDX-License-Identifier: Apache-2.0
#include "recovery/plan.h"

#include <algorithm>

namespace nightshift::recovery {
namespace {

std::string WordsFor(FailureKind kind) {
  switch (kind) {
    case FailureKind::kCameraBad: return "the camera shows nothing that can be believed";
    case FailureKind::kStall: return "an axis stalls whenever it moves";
    case FailureKind::kSafetyStop: return "safety keeps stopping the arm";
    case FailureKind::kLost: return "the object is nowhere to be seen";
    case FailureKind::kUnreachable: return "the object lies beyond the arm's reach";
    case FailureKind::kDropped: return "the object was dropped and cannot be picked up again";
    case FailureKind::kOutside: return "the object lies outside the tray and cannot be brought back";
    case FailureKind::kCrowded: return "the objects lie too close together";
    case FailureKind::kWedged: return "the object is wedged against a wall";
    case FailureKind::kStuck: return "every attempt fails in the same way";
  }
  return "?";
}

}  // namespace

Plan PlanFor(const Pending& pending, const std::optional<core::TaskSpec>& known, bool a_task_may_start,
             const PlanConfig& config) {
  const int budget = pending.kind == FailureKind::kLost ? config.looks_max : config.attempts_max;
  const int attempts_max = a_task_may_start ? std::min(budget, config.attempts_before_going_on) : budget;
  if (pending.fruitless >= config.fruitless_max) return AskPerson{"please help: " + WordsFor(pending.kind)};
  if (known && pending.attempts < attempts_max) return Practise{known->name};
  if (a_task_may_start) return GoOn{};
  return AskPerson{"please help: " + WordsFor(pending.kind)};
}

}  // namespace nightshift::recovery
