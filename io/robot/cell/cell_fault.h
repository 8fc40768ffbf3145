// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <optional>
#include <string_view>

namespace nightshift::io::cell {

/// Trouble that can be ordered from outside, to see what the robot makes of it.
enum class CellFault {
  kDrop,          // The jaw loses its torque.
  kMove,          // An object is somewhere else in the tray, at once.
  kFreezeCamera,  // Frames keep coming, with old content.
  kBlindCamera,   // Frames are black.
  kStall,         // A joint is jammed mechanically.
  kHeat,          // A motor is kept far above its usual warmth.
  kDelayBus,      // Answers of the drives come late.
  kLoseBus,       // Requests to and answers from the drives get lost now and then.
};
inline constexpr int kCellFaults = 8;

/// The name used on the wire and by `nightshift inject`.
std::string_view Name(CellFault fault);
std::optional<CellFault> CellFaultNamed(std::string_view name);
/// All names, separated by ", ", for error texts.
std::string_view CellFaultNames();

struct FaultRequest {
  CellFault fault = CellFault::kDrop;
  int index = 0;          // Joint for kStall and kHeat, object for kMove; else without meaning.
  double duration_s = 1;  // Robot time; kMove happens once.
};

}  // namespace nightshift::io::cell
