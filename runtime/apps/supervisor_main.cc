// SPDX-License-Identifier: Apache-2.0
// nightshift-supervisor: practises. --config FILE --data DIR [--seed N] [--robot-time SECONDS]
#include <csignal>
#include <filesystem>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "monitoring/log.h"
#include "runtime/exit_codes.h"
#include "runtime/supervisor_service.h"

namespace {

using namespace nightshift;

volatile std::sig_atomic_t must_end = 0;

struct Arguments {
  std::string config, data;
  std::uint64_t seed = 1;
  std::optional<double> robot_time_s;
};

core::Result<runtime::SupervisorServiceOptions> OptionsFrom(const Arguments& given) {
  auto config = runtime::LoadConfig(given.config);
  if (!config) return tl::make_unexpected(config.error());
  const auto directory = std::filesystem::absolute(given.data).lexically_normal();
  auto endpoints = io::EndpointsIn((directory / "run").string());
  if (!endpoints) return tl::make_unexpected(endpoints.error());
  std::error_code trouble;
  std::filesystem::create_directories(directory / "run", trouble);  // If it failed, Bind says so.
  runtime::SupervisorServiceOptions options{.config = std::move(*config),
                                            .data_directory = directory,
                                            .endpoints = *endpoints,
                                            .robot_time = std::nullopt,
                                            .seed = given.seed,
                                            .version = NIGHTSHIFT_VERSION};
  if (given.robot_time_s) options.robot_time = core::Seconds(*given.robot_time_s);
  return options;
}

int Fail(const std::string& doing, const core::Fault& fault) {
  monitoring::LogFault(doing, fault);
  return runtime::ExitCodeOf(fault.code);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments given;
  CLI::App app("Decides what to practise, and practises it");
  app.add_option("--config", given.config, "Configuration file")->required();
  app.add_option("--data", given.data, "Data directory")->required();
  app.add_option("--seed", given.seed, "Of every random decision");
  app.add_option("--robot-time", given.robot_time_s, "Seconds of robot time after which to end")
      ->check(CLI::Range(1.0, 1e8));
  app.set_version_flag("--version", NIGHTSHIFT_VERSION);
  CLI11_PARSE(app, argc, argv);

  monitoring::StartLog("nightshift-supervisor");
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { must_end = 1; });
  const auto options = OptionsFrom(given);
  if (!options) return Fail("nightshift-supervisor does not start", options.error());
  if (const auto served = runtime::ServeSupervisor(*options, [] { return must_end != 0; }); !served)
    return Fail("nightshift-supervisor ends", served.error());
  return runtime::kExitDone;
}
