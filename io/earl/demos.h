// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "core/fault.h"
#include "io/earl/rules.h"

namespace nightshift::io::earl {

/// One demonstrated episode. One more state than actions.
struct Demo {
  std::vector<State> states;
  std::vector<std::vector<float>> actions;
  State goal;
};

/// All episodes of a robomimic file (HDF5): data/demo_N/{obs/state, next_obs/state, actions}, where a row of a state is
/// a state and then the goal; in the order of N. A file from elsewhere: everything is checked.
/// Faults: kMissingFile; kCorruptState naming the episode and what is wrong: not HDF5, a missing part, other sizes than
/// the scene's, a number that is not finite, a state that does not follow from the one before, a goal that changes.
core::Result<std::vector<Demo>> ReadDemos(Scene scene, const std::string& file);

}  // namespace nightshift::io::earl
