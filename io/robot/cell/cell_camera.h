// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "core/devices.h"
#include "io/link/link.h"

namespace nightshift::io::cell {

/// The simulated cell's camera. Thread: that of its owner.
class CellCameraClient final : public core::Camera {
 public:
  /// @param wait wall time for one frame. Does not wait for the cell to be there. Faults: those of Requester::Connect.
  static core::Result<CellCameraClient> Connect(const std::string& cell_camera, Wait wait);

  /// Faults: kCameraTimeout, kMalformedMessage.
  core::Result<core::Frame> Grab(core::Instant not_before) override;

 private:
  CellCameraClient(Requester camera, Wait wait);

  Requester camera_;
  Wait wait_;
};

}  // namespace nightshift::io::cell
