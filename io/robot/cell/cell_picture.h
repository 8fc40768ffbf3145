// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>

#include "core/devices.h"
#include "core/random.h"
#include "io/robot/cell/cell_config.h"

namespace nightshift::io::cell {

/// A place in an image, in pixels from the top left corner.
struct ImagePoint {
  double x_px = 0, y_px = 0;
};

/// What a cheap camera under a lamp makes of a clean picture: now and then a bright patch over one of the objects (the
/// tracker loses it), pixel noise, and a brightness that wanders. Pure but for `random`.
void Spoil(core::Frame& frame, const MessConfig& mess, std::span<const ImagePoint> objects, core::Random& random);

}  // namespace nightshift::io::cell
