// SPDX-License-Identifier: Apache-2.0
// nightshift-cell: the simulated robot cell, reached like hardware. Not used where a real robot is configured.
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "io/link/link.h"
#include "io/robot/cell/cell_server.h"
#include "monitoring/log.h"
#include "monitoring/metrics.h"
#include "runtime/config.h"
#include "runtime/exit_codes.h"
#include "runtime/metrics_sender.h"
#include "runtime/notify.h"

namespace {

using namespace nightshift;

std::atomic<bool> must_end = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // Set in a signal handler.

struct Arguments {
  std::string config_file, data;
  std::string speed = "max";
  std::optional<std::uint64_t> seed;
};

struct Setting {
  io::cell::CellServerConfig server;
  io::Endpoints endpoints;
};

core::Result<double> SpeedFrom(const std::string& text) {
  if (text == "max") return 0.0;
  char* end = nullptr;
  const double speed = std::strtod(text.c_str(), &end);
  if (!text.empty() && *end == '\0' && speed > 0) return speed;
  return core::Fail(core::FaultCode::kInvalidConfig,
                    "--speed " + text + ": must be max, or a number above 0 (1: real time)");
}

core::Result<Setting> SettingFrom(const Arguments& arguments) {
  const auto config = runtime::LoadConfig(arguments.config_file);
  if (!config) return tl::make_unexpected(config.error());
  const auto speed = SpeedFrom(arguments.speed);
  if (!speed) return tl::make_unexpected(speed.error());
  const auto data = std::filesystem::absolute(arguments.data).lexically_normal();
  const auto endpoints = io::EndpointsIn((data / "run").string());
  if (!endpoints) return tl::make_unexpected(endpoints.error());
  std::error_code trouble;
  std::filesystem::create_directories(data / "run", trouble);  // If it failed, Bind says so.
  Setting setting{.server = {.cell = config->cell, .state_file = (data / "cell.state").string(), .speed = *speed},
                  .endpoints = *endpoints};
  if (arguments.seed) setting.server.cell.seed = *arguments.seed;
  if (config->perception.source == io::PerceptionSource::kGroundTruth)
    setting.server.camera = io::cell::CellCamera::kAbsent;
  if (auto valid = io::cell::Validate(setting.server); !valid) return tl::make_unexpected(valid.error());
  return setting;
}

int Refuse(const core::Fault& fault) {
  monitoring::LogFault("nightshift-cell does not start", fault);
  return runtime::kExitRefused;
}

int Serve(const Setting& setting) {
  auto server = io::cell::CellServer::Start(setting.server, setting.endpoints);
  if (!server) return Refuse(server.error());
  monitoring::Metrics metrics("cell", NIGHTSHIFT_VERSION);
  const runtime::MetricsSender sender(setting.endpoints.metrics,
                                      {.process = "cell", .exposition = [&metrics] { return metrics.Exposition(); }});
  runtime::NotifyReady();
  bool keeps = true;
  const auto served = server->Run(must_end, [&metrics, &keeps](const io::cell::CellCounts& counts) {
    metrics.SetMalformed(static_cast<double>(counts.malformed));
    if (counts.save_fault && keeps) {
      metrics.CountFault(counts.save_fault->code);
      monitoring::LogFault("the world's state is not kept; a crash would take the cell back", *counts.save_fault);
    }
    keeps = !counts.save_fault;
    runtime::NotifyProgress();
  });
  runtime::NotifyStopping();
  if (served) return runtime::kExitDone;
  monitoring::LogFault("nightshift-cell stops", served.error());
  return runtime::kExitFault;
}

}  // namespace

int main(int argc, char** argv) {
  // Mesa's rasteriser in this thread only: threads of its own would take the learner's core for pictures this small.
  setenv("LP_NUM_THREADS", "0", 0);
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { must_end = true; });

  Arguments arguments;
  CLI::App app("The simulated robot cell, reached like hardware");
  app.add_option("--config", arguments.config_file, "Configuration file")->required();
  app.add_option("--data", arguments.data, "Data directory")->required();
  app.add_option("--speed", arguments.speed, "\"max\", or a factor of real time");
  app.add_option("--seed", arguments.seed, "Of everything that varies in the cell");
  app.set_version_flag("--version", NIGHTSHIFT_VERSION);
  CLI11_PARSE(app, argc, argv);

  monitoring::StartLog("nightshift-cell");
  const auto setting = SettingFrom(arguments);
  return setting ? Serve(*setting) : Refuse(setting.error());
}
