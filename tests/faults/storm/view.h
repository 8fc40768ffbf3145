// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/time.h"
#include "io/link/link.h"
#include "tests/faults/storm/notes.h"

namespace nightshift::storm {

/// What whoever commands the arm knows of its own doings: from when on motion was allowed again after an event.
/// Thread: one at a time.
class View {
 public:
  virtual ~View() = default;

  /// An event begins: what was before it no longer counts.
  virtual void Begin() = 0;
  /// Hears news; a few times a second at least.
  virtual void Look() = 0;
  /// The time of the last command that may have been sent; nothing where that is not known.
  virtual std::optional<core::Instant> LastSent() const = 0;
  /// Up to when the arm had no right to move after `since`; nothing until it is known to move again with right.
  virtual std::optional<core::Instant> StillUntil(core::Instant since) const = 0;
  /// Was a command from before `from` still being carried out after `to`? Between them the monitor stood still.
  virtual bool CarriedAcross(core::Instant from, core::Instant to) const = 0;
  /// Has the restart that the last event was been cleared since?
  virtual bool RestartCleared() const = 0;
  /// Empty while all is well.
  virtual std::string Complaint() const = 0;
  /// For the report, as JSON members.
  virtual std::string Figures() const = 0;
};

/// Of the stand-in, by its notes: exact to the tick.
std::unique_ptr<View> ViewOfStandIn(SharedNotes notes);

/// Of the real supervisor, by what it tells everyone and by the safety process's audit: `StillUntil` is the end of the
/// first stop after the event, if there was one. Faults: those of io::Subscriber::Connect.
core::Result<std::unique_ptr<View>> ViewOfSupervisor(const io::Endpoints& endpoints, const std::string& audit_folder);

}  // namespace nightshift::storm
