// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalogue.h"
#include "skills/facts.h"

namespace nightshift::recovery {

/// What can go wrong with practice, as far as anyone has listed it. A closed set: also a metric label.
/// In the order in which they are looked for: the first that holds is the failure's kind.
enum class FailureKind {
  kCameraBad,    // Frozen, blind or absent pictures.
  kStall,        // An axis pushed without moving until safety stopped it.
  kSafetyStop,   // Safety stopped the arm for another cause.
  kLost,         // The object has not been seen for a while.
  kUnreachable,  // Seen, and beyond the arm's reach.
  kDropped,      // Was held during the episode, is not held now, and is not where it should go.
  kOutside,      // Lies where no practised task may start: on the table beside tray and bin.
  kCrowded,      // Another object is too near for the fingers.
  kWedged,       // Lies against a wall of the tray, and the episode failed there.
  kStuck,        // Nothing of the above, and attempts fail again and again: the same state gives the same failure.
};
std::string_view Name(FailureKind kind);
std::optional<FailureKind> FailureKindFrom(std::string_view name);
std::vector<FailureKind> AllFailureKinds();

/// What is known of an episode when it is over and the arm has stepped back and looked.
struct Aftermath {
  core::Outcome outcome = core::Outcome::kRunning;
  std::string task;
  bool was_held = false;  // At some step of the episode, or at its start.
  core::StopCause stop = core::StopCause::kNone;
  int failed_in_a_row = 0;  // Attempts at this object, this one included.
  skills::Facts facts{};    // Now.
};

/// The failure that an episode ended in, if any. Pure.
std::optional<FailureKind> FailureIn(const Aftermath& after);

/// What makes two failures the same: kind, and where the object is ("dropped/in_tray").
std::string SignatureOf(FailureKind kind, const skills::Facts& facts);

/// The task that climbs out of failures with this signature: its success is that what was lost is regained, and never
/// true in the states it starts from. None where only a person can help.
std::optional<core::TaskSpec> RecoveryTaskFor(FailureKind kind, const std::string& signature);

}  // namespace nightshift::recovery
