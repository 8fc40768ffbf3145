// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "io/earl/rules.h"

namespace nightshift::runtime::earl {

/// The scripted motion of a scene's recovery task, of what the observation says alone. One object per attempt. Pure but
/// for its phase; ends whatever it sees.
class Regain {
 public:
  virtual ~Regain() = default;

  /// The next action, or none once it is through.
  virtual std::optional<std::vector<float>> Next(std::span<const float> state) = 0;
};

/// The peg: opens the fingers, lifts the hand over the peg's rear, takes it, pulls it out of the hole where it is in
/// it, carries it to where the goal has it, and lets go. Assumes that the peg lies along x.
/// The door: goes behind the handle, fingers closed, and pushes it the way that closes the door. The tabletop has none.
/// @param goal whose object part says where the peg's head shall lie, or how far the handle is pushed.
std::unique_ptr<Regain> MakeRegain(io::earl::Scene scene, io::earl::State goal);

}  // namespace nightshift::runtime::earl
