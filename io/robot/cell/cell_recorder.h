// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "io/robot/cell/cell_drives.h"

namespace nightshift::io::cell {

/// One tick as the drives had it: what they heard, and where the arm was afterwards.
struct CellMoment {
  std::uint64_t tick = 0;
  std::optional<DriveCommand> told;  // Nothing: no command arrived in this tick.
  core::AxisArray q_rad{};           // Of the encoders.
  core::AxisArray dq_rad_s{};
  bool following = false;  // A drive still acts on a command; false: all hold by themselves, or have no power.
};

/// The newest moments of the cell, for whoever wants to judge from outside what a robot did. Thread: one at a time.
class CellRecorder {
 public:
  static constexpr std::size_t kMoments = 16384;  // 65 s of robot time: seconds of wall time at full speed.

  /// Ticks never go back; they may jump.
  void Add(const CellMoment& moment);

  /// Shows the moments of later ticks, oldest first, at most `count_max`. False: some of them are already forgotten.
  bool After(std::uint64_t tick, std::size_t count_max, const std::function<void(const CellMoment&)>& show) const;

 private:
  std::array<CellMoment, kMoments> moments_{};
  std::uint64_t added_ = 0;
  std::optional<std::uint64_t> forgotten_;  // The newest tick that was overwritten.
};

}  // namespace nightshift::io::cell
