// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace nightshift::monitoring {

/// What the processes expose once every figure has been touched.
struct Everything {
  std::string safety;
  std::string supervisor;
  std::string learner;
};
Everything TouchEverything();

}  // namespace nightshift::monitoring
