// SPDX-License-Identifier: Apache-2.0
#include "runtime/devices.h"

#include <utility>

#include "io/robot/cell/cell_driver.h"

namespace nightshift::runtime {

core::Result<std::unique_ptr<core::RobotDriver>> MakeRobot(const Config& config, const io::Endpoints& endpoints) {
  switch (config.robot) {
    case RobotKind::kCell: {
      auto driver = io::cell::CellDriver::Connect(
          endpoints.cell_bus,
          {.axes = config.safety.axes,
           .command_timeout = std::chrono::floor<std::chrono::milliseconds>(config.safety.drive_timeout)});
      if (!driver) return tl::make_unexpected(driver.error());
      return std::make_unique<io::cell::CellDriver>(std::move(*driver));
    }
  }
  return core::Fail(core::FaultCode::kInvalidConfig, "robot.driver names no driver that this program has");
}

}  // namespace nightshift::runtime
