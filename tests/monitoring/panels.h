// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nightshift::monitoring {

inline std::filesystem::path SourceFile(const std::string& name) {
  return std::filesystem::path(NIGHTSHIFT_SOURCE_DIR) / name;
}

/// All dashboards that are shipped, parsed.
std::vector<nlohmann::json> Dashboards();
/// Panels that show something: rows are left out.
std::vector<nlohmann::json> PanelsOf(const nlohmann::json& dashboard);
/// Every expression of a panel.
std::vector<std::string> ExpressionsOf(const nlohmann::json& panel);
/// With Grafana's variables replaced by values that Prometheus understands.
std::string Concrete(std::string expression);

/// Runs a program to its end; its output and exit code.
struct Finished {
  int exit_code = -1;
  std::string output;
};
Finished RunProgram(const std::string& command);

}  // namespace nightshift::monitoring
