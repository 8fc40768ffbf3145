// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>

#include "io/link/link.h"
#include "monitoring/log.h"
#include "runtime/config.h"
#include "runtime/exit_codes.h"
#include "runtime/metrics_service.h"

namespace {

using namespace nightshift;

volatile std::sig_atomic_t must_end = 0;

int Refuse(const core::Fault& fault) {
  monitoring::LogFault("nightshift-metrics does not start", fault);
  return runtime::kExitRefused;
}

core::Result<runtime::MetricsServiceOptions> OptionsFrom(const std::string& config_file, const std::string& data,
                                                         const std::string& listen) {
  const auto config = runtime::LoadConfig(config_file);
  if (!config) return tl::make_unexpected(config.error());
  const auto run_directory = std::filesystem::absolute(data).lexically_normal() / "run";
  auto endpoints = io::EndpointsIn(run_directory.string());
  if (!endpoints) return tl::make_unexpected(endpoints.error());
  std::error_code trouble;
  std::filesystem::create_directories(run_directory, trouble);  // If it failed, Bind says so.
  runtime::MetricsServiceOptions options{.endpoints = *endpoints,
                                         .listen = listen.empty() ? config->metrics.listen : listen,
                                         .expected = {"safety", "supervisor", "learner", "metrics"},
                                         .version = NIGHTSHIFT_VERSION};
  switch (config->robot) {
    case runtime::RobotKind::kCell: options.expected.emplace_back("cell"); break;
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  std::string config_file, data, listen;
  CLI::App app("Serves the figures of all Nightshift processes to Prometheus");
  app.add_option("--config", config_file, "Configuration file")->required();
  app.add_option("--data", data, "Data directory")->required();
  app.add_option("--listen", listen, "Address and port, in place of metrics.listen of the configuration");
  app.set_version_flag("--version", NIGHTSHIFT_VERSION);
  CLI11_PARSE(app, argc, argv);

  monitoring::StartLog("nightshift-metrics");
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { must_end = 1; });
  const auto options = OptionsFrom(config_file, data, listen);
  if (!options) return Refuse(options.error());
  if (const auto served = runtime::ServeMetrics(*options, [] { return must_end != 0; }); !served)
    return Refuse(served.error());
  return runtime::kExitDone;
}
