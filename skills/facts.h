// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <string_view>

#include "core/transition.h"
#include "skills/scene.h"

namespace nightshift::skills {

/// The names that conditions may use, computed from one observation for one target. Lengths in metres, angles in
/// radians, ages in seconds; truths are 0 or 1.
enum class Fact {
  kTipX,
  kTipY,
  kTipZ,
  kJaw,         // Measured jaw angle.
  kJawClosing,  // Commanded closed.
  kHeld,        // Closed on something, and the object is where the fingers are.
  kObjectX,
  kObjectY,
  kObjectZ,
  kObjectAge,
  kObjectSeen,  // Seen within the last second.
  kInTray,
  kInBin,
  kOutside,       // Seen, not held, neither in tray nor bin.
  kReachable,     // Within the arm's reach on the table.
  kWallGap,       // From the object's face to the nearest tray wall; negative outside.
  kOtherGap,      // To the nearest other object's centre, on the table.
  kGoalDistance,  // From the object to the goal, on the table.
  kTipDistance,   // From the grasp point to the object.
  kFrameGood,     // The camera delivers pictures that can be believed.
  kCount,
};

inline constexpr int kFacts = static_cast<int>(Fact::kCount);
using Facts = std::array<double, kFacts>;

/// The name of a fact in a condition: "tip_x", "held", "wall_gap" ...
std::string_view Name(Fact fact);

Facts FactsOf(const core::Observation& seen, const core::Target& target, const Scene& scene);

inline double Get(const Facts& facts, Fact fact) { return facts[static_cast<std::size_t>(fact)]; }

}  // namespace nightshift::skills
