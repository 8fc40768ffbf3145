// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "core/devices.h"
#include "core/fault.h"
#include "io/robot/cell/cell_world.h"

namespace nightshift::io::cell {

inline constexpr int kImageWidth = 160, kImageHeight = 120;  // Pixels; 2.6 mm each on the tray.

/// The fixed camera of the cell, rendered without a screen (EGL surfaceless, Mesa's software rasteriser will do).
/// Thread: the one that created it, for ever: it owns that thread's OpenGL context.
class CellRenderer {
 public:
  /// Faults: kIoFailed, with EGL's words and what to install.
  static core::Result<CellRenderer> Create(const CellWorld& world);
  CellRenderer(CellRenderer&&) noexcept;
  CellRenderer& operator=(CellRenderer&&) noexcept;
  ~CellRenderer();

  /// The picture of this instant, spoiled as the world's mess says. Black while blinded; while frozen, the picture of
  /// the instant before with a new time and sequence number.
  core::Frame Render(CellWorld& world);

 private:
  struct Context;
  explicit CellRenderer(std::unique_ptr<Context> context);
  std::unique_ptr<Context> c_;
};

}  // namespace nightshift::io::cell
