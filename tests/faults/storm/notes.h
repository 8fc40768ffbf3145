// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/action.h"
#include "core/fault.h"

namespace nightshift::storm {

/// What the stand-in supervisor knew and did, in memory that its own death leaves behind: its successors learn dead
/// epochs and stops from it, and the storm when motion was allowed again. Robot times in nanoseconds. All zero at
/// first. Thread: one process writes, others read.
struct Notes {
  static constexpr std::size_t kPeriods = 8192;
  static constexpr std::size_t kStops = 64;

  /// A policy period for which a valid command was sent: the time of the report to which it was the answer, and of the
  /// report that says that it was in force, 0 until there is one.
  struct Period {
    std::atomic<std::int64_t> begun_ns, ended_ns;
  };
  struct Stop {
    std::atomic<std::uint64_t> epoch, id, nonce;
  };

  std::atomic<std::int64_t> last_sent_ns;  // Time of the report to which the newest valid command was the answer.
  std::array<Period, kPeriods> period;
  std::atomic<std::uint64_t> periods;  // Written so far: the newest is the one before.
  std::array<Stop, kStops> stop;
  std::atomic<std::uint64_t> stops;

  std::atomic<std::uint64_t> restarts_cleared;
  std::atomic<std::uint64_t> dead_clears_sent, dead_clears_taken;  // Acknowledgements of earlier stops.
  std::atomic<std::uint64_t> dead_commands_sent, dead_commands_in_force;
  std::atomic<std::uint64_t> late_ticks;   // Took what came while the monitor was stopped, and ended in `overrun`.
  std::atomic<std::uint64_t> epochs_back;  // Epochs that had been in force before another: their commands live again.
};
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "shared between processes");

struct NotesUnmapper {
  void operator()(Notes* notes) const;
};
using SharedNotes = std::unique_ptr<Notes, NotesUnmapper>;

/// Maps the file, which is made if it is not there. Faults: kIoFailed.
core::Result<SharedNotes> MapNotes(const std::string& file);

}  // namespace nightshift::storm
