// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "io/link/link.h"
#include "monitoring/log.h"
#include "runtime/config.h"
#include "runtime/exit_codes.h"
#include "runtime/learner_service.h"
#include "runtime/offline_service.h"

namespace {

using namespace nightshift;

volatile std::sig_atomic_t must_end = 0;

/// What only a person can mend is no reason to be started again.
core::Result<runtime::LearnerServiceOptions> OptionsFrom(const std::string& config_file, const std::string& data,
                                                         std::optional<std::uint64_t> seed) {
  auto config = runtime::LoadConfig(config_file);
  if (!config) return tl::make_unexpected(config.error());
  const auto directory = std::filesystem::absolute(data).lexically_normal();
  auto endpoints = io::EndpointsIn((directory / "run").string());
  if (!endpoints) return tl::make_unexpected(endpoints.error());
  std::error_code trouble;
  std::filesystem::create_directories(directory / "run", trouble);  // If it failed, Bind says so.
  if (seed) config->learner.seed = *seed;
  return runtime::LearnerServiceOptions{.learner = config->learner,
                                        .scene = config->scene,
                                        .tasks = config->tasks,
                                        .data_directory = directory,
                                        .endpoints = *endpoints,
                                        .version = NIGHTSHIFT_VERSION};
}

int Fail(const std::string& doing, const core::Fault& fault) {
  monitoring::LogFault(doing, fault);
  return runtime::ExitCodeOf(fault.code);
}

}  // namespace

int main(int argc, char** argv) {
  std::string config_file, data;
  std::optional<std::uint64_t> seed;
  bool offline = false;
  CLI::App app("Trains policies from the journal and publishes snapshots");
  app.add_option("--config", config_file, "Configuration file")->required();
  app.add_option("--data", data, "Data directory")->required();
  app.add_option("--seed", seed, "In place of learner.seed of the configuration");
  app.add_flag("--offline", offline,
               "Extract policies from the journal by learner.offline.algorithm, write snapshots and manifest, and end");
  app.set_version_flag("--version", NIGHTSHIFT_VERSION);
  CLI11_PARSE(app, argc, argv);

  monitoring::StartLog("nightshift-learner");
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { must_end = 1; });
  const auto options = OptionsFrom(config_file, data, seed);
  if (!options) return Fail("nightshift-learner does not start", options.error());
  const auto asked = [] { return must_end != 0; };
  if (offline) {
    const auto say = [](const std::string& line) { fmt::print("{}\n", line); };
    if (const auto learned = runtime::LearnOffline(*options, say, asked); !learned)
      return Fail("nightshift-learner --offline ends", learned.error());
    return runtime::kExitDone;
  }
  if (const auto served = runtime::ServeLearner(*options, asked); !served)
    return Fail("nightshift-learner ends", served.error());
  return runtime::kExitDone;
}
