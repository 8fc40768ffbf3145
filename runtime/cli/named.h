// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace nightshift::runtime::cli {

/// For CLI11's check(): what is wrong with an argument that names something; empty: nothing. An unset variable of a
/// shell leaves an empty one behind.
inline std::string RefuseEmpty(const std::string& given) { return given.empty() ? "is empty; name one" : ""; }

}  // namespace nightshift::runtime::cli
