// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "core/devices.h"
#include "io/link/link.h"
#include "runtime/config.h"

namespace nightshift::runtime {

/// The robot driver that the configuration names. Does not wait for the device to be there.
/// Faults: those of the driver's own Connect.
core::Result<std::unique_ptr<core::RobotDriver>> MakeRobot(const Config& config, const io::Endpoints& endpoints);

}  // namespace nightshift::runtime
