// SPDX-License-Identifier: Apache-2.0
// kill_storm: kills and stops the supervisor, the learner and the safety process of a robot in the simulated cell, and
// judges by what the cell recorded. Prints one JSON line for each kind of event; exits 1 when a promise is broken.
#include <signal.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "runtime/config.h"
#include "tests/faults/storm/storm.h"

namespace nightshift::storm {
namespace {

constexpr int kWorthEvents = 4;  // Of fewer all may be short.

struct Options {
  std::string config, data, programs, crew = "stand-in";
  std::vector<int> events{10, 10, 0, 0, 10, 10};  // Of each kind, in the order of Kind.
  std::uint64_t seed = 1;
};

core::Result<std::vector<Process>> StartAll(const Options& options) {
  const std::vector<std::string> common{"--config", options.config, "--data", options.data};
  const std::string seed = std::to_string(options.seed);
  struct Program {
    std::string role, file;
    std::vector<std::string> arguments;
  };
  std::vector<Program> programs{{"cell", "nightshift-cell", common}, {"safety", "nightshift-safety", common}};
  programs[0].arguments.insert(programs[0].arguments.end(), {"--seed", seed});
  if (options.crew == "stand-in") {
    programs.push_back({"supervisor", "storm_stand_in", {options.data, seed}});
  } else {
    programs.push_back({"learner", "nightshift-learner", common});
    programs.push_back({"supervisor", "nightshift-supervisor", common});
    programs.back().arguments.insert(programs.back().arguments.end(), {"--seed", seed});
  }
  std::vector<Process> started;
  for (const Program& program : programs) {
    std::vector<std::string> command{options.programs + "/" + program.file};
    command.insert(command.end(), program.arguments.begin(), program.arguments.end());
    started.emplace_back(program.role, command, options.data + "/log/" + program.role + ".log");
    if (auto done = started.back().Start(); !done) return tl::make_unexpected(done.error());
  }
  return started;
}

core::Result<Storm> MakeStorm(const Options& options) {
  const auto config = runtime::LoadConfig(options.config);
  if (!config) return tl::make_unexpected(config.error());
  std::filesystem::create_directories(options.data + "/run");
  std::filesystem::create_directories(options.data + "/log");
  const auto endpoints = io::EndpointsIn(options.data + "/run");
  if (!endpoints) return tl::make_unexpected(endpoints.error());
  auto cell = io::cell::CellControl::Connect(endpoints->cell_control, io::Wait{20000});
  if (!cell) return tl::make_unexpected(cell.error());
  const bool stand_in = options.crew == "stand-in";
  std::unique_ptr<View> view;
  if (stand_in) {
    auto notes = MapNotes(options.data + "/notes");
    if (!notes) return tl::make_unexpected(notes.error());
    view = ViewOfStandIn(std::move(*notes));
  } else {
    auto of_supervisor = ViewOfSupervisor(*endpoints, options.data + "/audit");
    if (!of_supervisor) return tl::make_unexpected(of_supervisor.error());
    view = std::move(*of_supervisor);
  }
  auto processes = StartAll(options);
  if (!processes) return tl::make_unexpected(processes.error());
  const safety::Limits& limits = config->safety;
  return Storm({.cell = std::move(*cell),
                .view = std::move(view),
                .processes = std::move(*processes),
                .limits = limits,
                .silence = std::chrono::milliseconds(static_cast<int>(config->cell.silence_ms)),
                .bounds = {.speed_rad_s_max = limits.speed_rad_s_max,
                           .rest_rad_s = limits.rest_speed_rad_s_max,
                           .overrun = limits.overrun_max,
                           .rolls = !stand_in}},
               options.seed);
}

/// All events that are asked for, in random order.
std::vector<Kind> Plan(const Options& options) {
  std::vector<Kind> plan;
  for (int number = 0; number < kKinds; ++number)
    plan.insert(plan.end(), static_cast<std::size_t>(options.events[static_cast<std::size_t>(number)]),
                {static_cast<Victim>(number / 2), static_cast<Blow>(number % 2)});
  core::Random random(options.seed);
  for (std::size_t i = plan.size(); i > 1; --i)
    std::swap(plan[i - 1], plan[static_cast<std::size_t>(random.Index(static_cast<int>(i)))]);
  return plan;
}

/// A storm that hardly ever saw the arm come to rest has shown nothing. Throws Broken.
void CheckWorth(const Storm& storm) {
  for (const Victim victim : {Victim::kSupervisor, Victim::kSafety})
    for (const Blow blow : {Blow::kKill, Blow::kStop}) {
      const Tally& tally = storm.tally({victim, blow});
      if (tally.events >= kWorthEvents && (tally.rests == 0 || tally.let_go * 4 > tally.events))
        throw Broken(fmt::format("of {} times {} the arm was watched to rest {} times, and {} times it had let go",
                                 tally.events, Name({victim, blow}), tally.rests, tally.let_go));
    }
}

void Print(const Options& options, const Storm& storm, double wall_s) {
  const auto ms = [](core::Duration d) { return core::ToSeconds(d) * 1e3; };
  for (int number = 0; number < kKinds; ++number) {
    const Kind kind{static_cast<Victim>(number / 2), static_cast<Blow>(number % 2)};
    const Tally& tally = storm.tally(kind);
    if (tally.events == 0) continue;
    fmt::print(R"({{"event": "{}", "crew": "{}", "seed": {}, "events": {}, "watched_to_rest": {}, "let_go": {}, )"
               R"("rest_ms_mean": {:.0f}, "rest_ms_max": {:.0f}, "rest_ms_allowed": {:.0f}, )"
               R"("watched_still": {}, "travel_rad_max": {:.4f}}})"
               "\n",
               Name(kind), options.crew, options.seed, tally.events, tally.rests, tally.let_go,
               tally.rests > 0 ? ms(tally.rest_sum) / tally.rests : 0, ms(tally.rest_max), ms(tally.rest_allowed),
               tally.stills, tally.travel_rad_max);
  }
  fmt::print(R"({{"crew": "{}", "seed": {}, "wall_s": {:.0f}, {}}})"
             "\n",
             options.crew, options.seed, wall_s, storm.Figures());
}

int Run(const Options& options) {
  const auto begin = std::chrono::steady_clock::now();
  auto storm = MakeStorm(options);
  if (!storm) {
    fmt::print(stderr, "kill_storm: {}\n", storm.error().detail);
    return 1;
  }
  int done = 0;
  std::string doing = "the start";
  try {
    storm->AwaitMotion();
    for (const Kind kind : Plan(options)) {
      doing = fmt::format("event {}, {}", ++done, Name(kind));
      storm->Strike(kind);
    }
    doing = "the end";
    CheckWorth(*storm);
  } catch (const Broken& broken) {
    fmt::print(stderr, "kill_storm: seed {}, {}: {}\n", options.seed, doing, broken.what());
    std::ofstream(options.data + "/record.txt") << storm->Table();
    return 1;
  }
  Print(options, *storm, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  return 0;
}

}  // namespace
}  // namespace nightshift::storm

int main(int argc, char** argv) {
  nightshift::storm::Options options;
  CLI::App app("Kills and stops the programs of a simulated robot, and judges what the arm does");
  app.add_option("--config", options.config, "Configuration file")->required();
  app.add_option("--data", options.data, "Data directory, fresh")->required();
  app.add_option("--programs", options.programs, "Folder of the programs")->required();
  app.add_option("--crew", options.crew, "Who commands the arm")->check(CLI::IsMember({"stand-in", "real"}));
  app.add_option("--events", options.events,
                 "How many: kill and stop of the supervisor, of the learner (real crew only), of the safety process")
      ->expected(6)
      ->delimiter(',');
  app.add_option("--seed", options.seed, "Of order, moments and the stand-in");
  CLI11_PARSE(app, argc, argv);
  return nightshift::storm::Run(options);
}
