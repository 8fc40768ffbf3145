// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

namespace nightshift::safety {

/// How often operator new was called in this test program.
std::size_t AllocationsSoFar();

}  // namespace nightshift::safety
