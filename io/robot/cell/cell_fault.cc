// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_fault.h"

namespace nightshift::io::cell {

std::string_view Name(CellFault fault) {
  switch (fault) {
    case CellFault::kDrop: return "drop";
    case CellFault::kMove: return "move";
    case CellFault::kFreezeCamera: return "freeze_camera";
    case CellFault::kBlindCamera: return "blind_camera";
    case CellFault::kStall: return "stall";
    case CellFault::kHeat: return "heat";
    case CellFault::kDelayBus: return "delay_bus";
    case CellFault::kLoseBus: return "lose_bus";
  }
  return "?";
}

std::optional<CellFault> CellFaultNamed(std::string_view name) {
  for (int i = 0; i < kCellFaults; ++i)
    if (Name(static_cast<CellFault>(i)) == name) return static_cast<CellFault>(i);
  return std::nullopt;
}

std::string_view CellFaultNames() {
  return "drop, move, freeze_camera, blind_camera, stall, heat, delay_bus, lose_bus";
}

}  // namespace nightshift::io::cell
