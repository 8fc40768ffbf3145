// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "core/devices.h"
#include "io/camera/tracker.h"

namespace nightshift::io {

/// Objects as the camera shows them: one frame per look, captured at or after the arm's time.
class CameraSource final : public ObjectSource {
 public:
  /// @param config already validated.
  CameraSource(std::unique_ptr<core::Camera> camera, const PerceptionConfig& config);

  Sighting Look(const ArmView& arm) override;

 private:
  std::unique_ptr<core::Camera> camera_;
  Tracker tracker_;
};

}  // namespace nightshift::io
