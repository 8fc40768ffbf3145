// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <CLI/CLI.hpp>
#include <string>

namespace nightshift::runtime::cli {

/// Refuses an empty argument: what an unset variable of a shell leaves behind.
inline CLI::Validator Named() {
  return CLI::Validator([](const std::string& given) { return given.empty() ? std::string("is empty; name one") : ""; },
                        "");
}

}  // namespace nightshift::runtime::cli
