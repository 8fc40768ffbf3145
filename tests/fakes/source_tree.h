// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace nightshift::tests {

/// The folder of the sources that a test was built from (its CMakeLists.txt names it).
inline std::string SourceTree() { return NIGHTSHIFT_SOURCE_DIR; }

}  // namespace nightshift::tests
