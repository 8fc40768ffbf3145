// SPDX-License-Identifier: Apache-2.0
// The command line: `nightshift run | check | status | inject | stop | clear | arm | presence | pause | resume |
// report | audit verify | evaluate`.
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "io/link/link.h"
#include "runtime/cli/check.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/doctor.h"
#include "runtime/cli/duration_text.h"
#include "runtime/cli/ears.h"
#include "runtime/cli/evaluate.h"
#include "runtime/cli/named.h"
#include "runtime/cli/presence.h"
#include "runtime/cli/progress.h"
#include "runtime/cli/run.h"
#include "runtime/cli/summary.h"
#include "runtime/exit_codes.h"
#include "safety/audit.h"

namespace nightshift::runtime::cli {
namespace {

constexpr std::chrono::milliseconds kAnswerWait{3000};
constexpr std::chrono::milliseconds kStatusWait{1500};  // Each process speaks at least every 0.5 s.
constexpr std::chrono::milliseconds kWatchEvery{500};
constexpr char kDefaultConfig[] = "configs/tabletop.toml";
constexpr char kDefaultData[] = "data/tabletop";

int Exit(const core::Result<void>& result) {
  if (result) return kExitDone;
  fmt::print(stderr, "nightshift: {}: {}\n", core::Name(result.error().code), result.error().detail);
  return ExitCodeOf(result.error().code);
}

core::Result<io::Endpoints> EndpointsOf(const std::string& data) {
  return io::EndpointsIn((std::filesystem::absolute(data).lexically_normal() / "run").string());
}

/// What the arguments say; each command registers the ones it takes and what it does.
struct Arguments {
  std::string config = kDefaultConfig;
  std::string data = kDefaultData;
  std::string robot_time;
  RunOptions run;
  Injection injection;
  PresenceTelling presence;
  bool json = false;
  bool watch = false;
};

using Action = std::function<int()>;

int DoRun(const Arguments& arguments) {
  RunOptions options = arguments.run;
  options.config_file = arguments.config;
  options.data_directory = arguments.data;
  if (!arguments.robot_time.empty()) {
    const auto robot_time = ParseDuration(arguments.robot_time);
    if (!robot_time) return Exit(core::Fail(robot_time.error().code, "--robot-time: " + robot_time.error().detail));
    options.robot_time = *robot_time;
  }
  return Exit(Run(options));
}

int DoCheck(const Arguments& arguments) {
  const auto checked = CheckAll(arguments.config, arguments.data);
  fmt::print("{}", Text(checked));
  return Worst(checked) == Finding::kBad ? kExitFault : kExitDone;
}

int DoStatus(const Arguments& arguments) {
  const auto endpoints = EndpointsOf(arguments.data);
  if (!endpoints) return Exit(tl::make_unexpected(endpoints.error()));
  auto ears = Ears::Connect(*endpoints);
  if (!ears) return Exit(tl::make_unexpected(ears.error()));
  ProgressScreen screen(arguments.watch ? ScreenKind() : ProgressScreen::Kind::kTerminal);
  ears->Listen(kStatusWait);
  do {
    RunProgress progress;
    if (ears->heard().supervisor) progress.practised = core::Duration(ears->heard().supervisor->practised_ns());
    if (arguments.json)
      fmt::print("{}\n", ToJson(ears->heard()));
    else
      screen.Show(ears->heard(), progress);
    std::fflush(stdout);
    if (arguments.watch) ears->Listen(kWatchEvery);
  } while (arguments.watch);
  const bool anyone = ears->heard().supervisor || ears->heard().safety || ears->heard().learner;
  return anyone ? kExitDone : kExitFault;
}

int DoReport(const Arguments& arguments) {
  if (!std::filesystem::is_directory(arguments.data))
    return Exit(core::Fail(core::FaultCode::kMissingFile, "--data " + arguments.data + ": there is no such folder"));
  const auto summary = SummaryOf(arguments.data);
  if (!summary) return Exit(tl::make_unexpected(summary.error()));
  fmt::print("{}", *summary);
  return kExitDone;
}

int DoDoctor(const Arguments& arguments) {
  if (!std::filesystem::is_directory(arguments.data))
    return Exit(core::Fail(core::FaultCode::kMissingFile, "--data " + arguments.data + ": there is no such folder"));
  auto symptoms = SymptomsOf(arguments.data);
  if (!symptoms) return Exit(tl::make_unexpected(symptoms.error()));
  if (const auto endpoints = EndpointsOf(arguments.data))
    if (auto ears = Ears::Connect(*endpoints)) {
      ears->Listen(kStatusWait);
      if (ears->heard().learner) {
        symptoms->learner = ears->heard().learner;
        symptoms->source = Symptoms::Source::kLive;
      }
    }
  const auto said = Diagnose(*symptoms);
  fmt::print("{}", Text(said));
  return DoctorsExitCode(Worst(said));
}

int DoVerifyAudit(const Arguments& arguments) {
  const std::string folder = arguments.data + "/audit";
  if (!std::filesystem::is_directory(folder))
    return Exit(core::Fail(core::FaultCode::kMissingFile, folder + ": there is no such folder; name a data directory "
                                                                   "that has practised with --data"));
  const auto lines = safety::VerifyAudit(folder);
  if (!lines) return Exit(tl::make_unexpected(lines.error()));
  fmt::print("{}: {} records, each follows from the one before\n", folder, *lines);
  return kExitDone;
}

/// A command that is one request to a running process.
Action Request(const Arguments& arguments, std::function<core::Result<void>(const io::Endpoints&)> ask) {
  return [&arguments, ask = std::move(ask)] {
    const auto endpoints = EndpointsOf(arguments.data);
    if (!endpoints) return Exit(tl::make_unexpected(endpoints.error()));
    return Exit(ask(*endpoints));
  };
}

CLI::App* AddData(CLI::App* command, Arguments& arguments) {
  command->add_option("--data", arguments.data, "Data directory")->capture_default_str()->check(RefuseEmpty);
  return command;
}

CLI::App* AddConfig(CLI::App* command, Arguments& arguments) {
  command->add_option("--config", arguments.config, "Configuration file")->capture_default_str()->check(RefuseEmpty);
  return command;
}

void AddPractice(CLI::App& app, Arguments& a, Action& action) {
  CLI::App* run =
      AddData(AddConfig(app.add_subcommand("run", "Practise in the foreground; Ctrl-C stops safely"), a), a);
  run->add_option("--robot-time", a.robot_time, "How much to practise, as 2h or 30m; without it until Ctrl-C")
      ->check(RefuseEmpty);
  run->add_option("--speed", a.run.speed, "\"max\", or a factor of real time (simulated cell only)")
      ->capture_default_str()
      ->check(CLI::IsMember({"max"}) | CLI::Range(0.01, 1000.0));
  run->add_option("--seed", a.run.seed, "Of everything random")->check(CLI::NonNegativeNumber)->capture_default_str();
  run->callback([&] { action = [&a] { return DoRun(a); }; });

  CLI::App* check = app.add_subcommand("check", "Say what is wrong before anything moves");
  AddData(AddConfig(check, a), a)->callback([&] { action = [&a] { return DoCheck(a); }; });
}

void AddWatching(CLI::App& app, Arguments& a, Action& action) {
  CLI::App* status = AddData(app.add_subcommand("status", "What the processes say now"), a);
  status->add_flag("--json", a.json, "As one JSON object");
  status->add_flag("--watch", a.watch, "Again and again, until Ctrl-C");
  status->callback([&] { action = [&a] { return DoStatus(a); }; });

  CLI::App* audit = app.add_subcommand("audit", "The safety process's own record of what it did not simply pass");
  audit->require_subcommand(1);
  AddData(audit->add_subcommand("verify", "Follow its chain of hashes: was anything changed or lost?"), a)
      ->callback([&] { action = [&a] { return DoVerifyAudit(a); }; });

  CLI::App* doctor = app.add_subcommand("doctor", "Is learning well? What is out of the ordinary, and what to do");
  AddData(doctor, a)->callback([&] { action = [&a] { return DoDoctor(a); }; });

  CLI::App* report = app.add_subcommand("report", "What was learned, from the journal");
  AddData(report, a)->callback([&] { action = [&a] { return DoReport(a); }; });
}

void AddRequests(CLI::App& app, Arguments& a, Action& action) {
  const auto add = [&](const char* name, const char* help,
                       std::function<core::Result<void>(const io::Endpoints&)> ask) {
    CLI::App* command = AddData(app.add_subcommand(name, help), a);
    command->callback([&a, &action, ask = std::move(ask)] { action = Request(a, ask); });
    return command;
  };
  add("stop", "Stop the robot; only `clear` lets it move again",
      [](const io::Endpoints& e) { return StopRobot(e, kAnswerWait); });
  add("clear", "A person has looked: the robot may move again",
      [](const io::Endpoints& e) { return ClearStop(e, kAnswerWait); });
  add("arm", "A person lets the robot move after a restart; refused while anything else holds it",
      [](const io::Endpoints& e) { return ArmRobot(e, kAnswerWait); });
  add("pause", "End the episode, then hold still",
      [](const io::Endpoints& e) { return PauseSupervisor(e, kAnswerWait); });
  add("resume", "Go on practising", [](const io::Endpoints& e) { return ResumeSupervisor(e, kAnswerWait); });
  CLI::App* presence = add("presence", "Say where the nearest person is, in a sensor's place, until Ctrl-C",
                           [&a](const io::Endpoints& e) { return TellPresence(e, a.presence, kAnswerWait); });
  presence->add_option("metres", a.presence.distance_m, "From the person to the nearest part of the arm")
      ->required()
      ->check(CLI::NonNegativeNumber);
  presence->add_option("--seconds", a.presence.lasts_s, "How long")->check(CLI::NonNegativeNumber);
  CLI::App* inject = add("inject", "Make the simulated cell misbehave",
                         [&a](const io::Endpoints& e) { return Inject(e, a.injection, kAnswerWait); });
  inject->add_option("fault", a.injection.fault, "Which fault; an unknown one is answered with those that exist")
      ->required();
  inject->add_option("--index", a.injection.index, "Joint or object")->capture_default_str();
  inject->add_option("--seconds", a.injection.duration_s, "Robot time it lasts")->capture_default_str();
}

int Main(int argc, char** argv) {
  CLI::App app{"Nightshift keeps a robot practising: safely, unattended, for days.", "nightshift"};
  app.set_version_flag("--version", NIGHTSHIFT_VERSION);
  app.require_subcommand(1);
  Arguments arguments;
  Action action;
  AddPractice(app, arguments, action);
  AddWatching(app, arguments, action);
  AddRequests(app, arguments, action);
  AddEvaluate(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  return action();
}

}  // namespace
}  // namespace nightshift::runtime::cli

int main(int argc, char** argv) { return nightshift::runtime::cli::Main(argc, argv); }
