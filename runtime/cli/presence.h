// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <optional>

#include "core/fault.h"
#include "io/link/link.h"

namespace nightshift::runtime::cli {

/// What `nightshift presence` tells the safety process in a sensor's place.
struct PresenceTelling {
  double distance_m = 0;
  std::optional<double> lasts_s;  // Wall time; none: until Ctrl-C.
};

/// Tells it 20 times a second; afterwards the sensor is silent, which is a person at the arm. Waits at most `wait` for
/// each answer. Faults: kPeerTimeout, kRefused where the configuration names no such sensor.
core::Result<void> TellPresence(const io::Endpoints& endpoints, const PresenceTelling& telling,
                                std::chrono::milliseconds wait);

}  // namespace nightshift::runtime::cli
