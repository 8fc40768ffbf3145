// SPDX-License-Identifier: Apache-2.0
#include "io/camera/camera_source.h"

#include <utility>

namespace nightshift::io {

CameraSource::CameraSource(std::unique_ptr<core::Camera> camera, const PerceptionConfig& config)
    : camera_(std::move(camera)), tracker_(config) {}

Sighting CameraSource::Look(const ArmView& arm) {
  const auto frame = camera_->Grab(arm.now);
  return frame ? tracker_.See(*frame, arm) : tracker_.SeeNothing(arm.now, frame.error());
}

}  // namespace nightshift::io
