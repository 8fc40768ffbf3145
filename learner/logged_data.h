// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

#include "core/fault.h"
#include "learner/experience.h"
#include "learner/replay.h"

namespace nightshift::learner {

/// What can be said of logged samples before anything is learned from them.
struct LoggedFacts {
  std::size_t samples = 0;
  std::size_t distinct = 0;  // Samples that differ from all others.
  double magnitude_max = 0;  // Of any number in them.
  double worth_min = 0;      // reward / (1 - discount): the value of a sample if all that follows were like it.
  double worth_max = 0;
};

LoggedFacts FactsOf(const Replay& logged);

/// Whether actions can be imitated. Faults: kRefused, saying what the data lack and what to do: there are none, nearly
/// all are the same, or numbers are out of all scale.
core::Result<void> CanBeImitated(const LoggedFacts& facts);

/// Whether values can be learned: also that something was worth more than something else. Faults: kRefused.
core::Result<void> CanBeValued(const LoggedFacts& facts);

}  // namespace nightshift::learner
