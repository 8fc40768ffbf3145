// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>

#include "core/transition.h"
#include "skills/scene.h"

namespace nightshift::skills {

/// The input of every learned policy, scaled to about [-1, 1]:
///   0-2 tip position · 3-5 object minus tip · 6-7 object on the table · 8-10 tip velocity · 11-13 commanded minus
///   measured tip · 14 jaw angle · 15 jaw command · 16 jaw torque · 17 object's age · 18-20 goal minus object ·
///   21-22 nearest other object minus object · 23 object believed held · 24-26 object minus tip once more, finer and
///   clipped at 45 mm · 27 height of the tip, likewise.
inline constexpr int kFeatureSize = 28;
using Features = std::array<float, kFeatureSize>;

/// `previous` is the observation one policy period earlier (for velocity); the same one at an episode's start.
Features FeaturesOf(const core::Observation& seen, const core::Observation& previous, const core::Target& target,
                    const Scene& scene);

}  // namespace nightshift::skills
