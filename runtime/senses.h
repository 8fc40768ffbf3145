// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "core/devices.h"
#include "io/camera/object_source.h"
#include "io/link/link.h"
#include "runtime/config.h"

namespace nightshift::runtime {

/// The eyes that the configuration names. Faults: kInvalidConfig, and those of connecting.
core::Result<std::unique_ptr<io::ObjectSource>> MakeEyes(const Config& config, const io::Endpoints& endpoints);

/// A person who can be asked, as far as the device that is there has one. Thread: the supervisor's.
class Person : public core::Attendant {
 public:
  /// Called often, with the robot's time: what was promised for now is done. Faults: of the device.
  virtual core::Result<void> Attend(core::Instant now) = 0;
};

/// For the embedded cell: someone who comes after a set robot time and puts the object back, or looks at the stopped
/// robot and clears it. For hardware: nobody; the question stands in status, metrics and alerts until the object is
/// seen in the tray again, or the robot runs.
core::Result<std::unique_ptr<Person>> MakePerson(const Config& config, const io::Endpoints& endpoints);

}  // namespace nightshift::runtime
