// SPDX-License-Identifier: Apache-2.0
#include "tests/monitoring/panels.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <utility>

namespace nightshift::monitoring {

std::vector<nlohmann::json> Dashboards() {
  std::vector<nlohmann::json> dashboards;
  for (const auto& entry : std::filesystem::directory_iterator(SourceFile("monitoring/dashboards")))
    if (entry.path().extension() == ".json") dashboards.push_back(nlohmann::json::parse(std::ifstream(entry.path())));
  return dashboards;
}

std::vector<nlohmann::json> PanelsOf(const nlohmann::json& dashboard) {
  std::vector<nlohmann::json> panels;
  for (const auto& panel : dashboard.at("panels"))
    if (panel.at("type") != "row") panels.push_back(panel);
  return panels;
}

std::vector<std::string> ExpressionsOf(const nlohmann::json& panel) {
  std::vector<std::string> expressions;
  for (const auto& target : panel.at("targets")) expressions.push_back(target.at("expr"));
  return expressions;
}

std::string Concrete(std::string expression) {
  constexpr std::array<std::pair<const char*, const char*>, 5> kValues = {{{"$__rate_interval", "1m"},
                                                                           {"$__interval", "1m"},
                                                                           {"$__range", "5m"},
                                                                           {"$job", "nightshift"},
                                                                           {"$instance", ".+"}}};
  for (const auto& [variable, value] : kValues)
    for (auto at = expression.find(variable); at != std::string::npos; at = expression.find(variable))
      expression.replace(at, std::string(variable).size(), value);
  return expression;
}

Finished RunProgram(const std::string& command) {
  Finished finished;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return finished;
  std::array<char, 4096> chunk{};
  while (const auto got = fread(chunk.data(), 1, chunk.size(), pipe)) finished.output.append(chunk.data(), got);
  finished.exit_code = WEXITSTATUS(pclose(pipe));
  return finished;
}

}  // namespace nightshift::monitoring
