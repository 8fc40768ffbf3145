// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/run.h"

#include <array>
#include <csignal>
#include <filesystem>
#include <memory>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "io/journal/instance_lock.h"
#include "io/link/link.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/ears.h"
#include "runtime/cli/progress.h"
#include "runtime/cli/summary.h"
#include "runtime/config.h"
#include "runtime/exit_codes.h"

namespace nightshift::runtime::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{250};
constexpr milliseconds kFinishAnswerWait{2000};
constexpr milliseconds kSupervisorEndWait{20000};  // An episode, its commit, and the arm at rest.
constexpr milliseconds kEndWait{8000};             // A manifest, a snapshot.
constexpr milliseconds kKilledWait{2000};
constexpr milliseconds kOrphansEndWait{45000};  // They were told to end when their parent died.
constexpr std::uintmax_t kLogBytesMax = 16u
                                        << 20;  // A longer log is put aside at the start, the one before it dropped.
constexpr std::array<const char*, 5> kStartOrder{"cell", "safety", "metrics", "learner", "supervisor"};
constexpr std::array<const char*, 5> kStopOrder{"supervisor", "learner", "safety", "cell", "metrics"};

volatile std::sig_atomic_t g_signals = 0;  // How often the person asked to stop.

void OnSignal(int) { g_signals = g_signals + 1; }

void HearSignals() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGHUP, SIG_IGN);  // A closed terminal ends nothing: the robot goes on practising.
  std::signal(SIGPIPE, SIG_IGN);
}

void PutLongLogAside(const std::string& file) {
  std::error_code trouble;
  if (std::filesystem::file_size(file, trouble) > kLogBytesMax && !trouble)
    std::filesystem::rename(file, file + ".1", trouble);
}

/// One robot's programs while they run.
class Crew {
 public:
  explicit Crew(const std::vector<Program>& programs) {
    for (const Program& program : programs) {
      PutLongLogAside(program.log_file);
      children_.push_back(std::make_unique<Child>(program));
    }
  }

  core::Result<void> Start() {
    for (auto& child : children_)
      if (auto ok = child->Start(Wall::now()); !ok) return ok;
    return {};
  }

  core::Result<void> Tend() {
    for (auto& child : children_)
      if (auto ok = child->Tend(Wall::now()); !ok) return ok;
    return {};
  }

  /// The supervisor ended by itself: the robot time is over.
  bool Done() {
    const Child& supervisor = *Find("supervisor");
    return !supervisor.running() && supervisor.exit_code() == kExitDone;
  }

  int restarts() const {
    int sum = 0;
    for (const auto& child : children_) sum += child->restarts();
    return sum;
  }

  /// In order; whoever does not end in time is killed, which loses nothing that was committed.
  void Stop(const io::Endpoints& endpoints) {
    for (auto& child : children_) child->LetGo();
    const int signals = g_signals;
    for (const char* role : kStopOrder) {
      Child& child = *Find(role);
      const bool supervisor = child.role() == "supervisor";
      const bool asked = supervisor && child.running() && FinishSupervisor(endpoints, kFinishAnswerWait).has_value();
      if (!asked) child.Signal(SIGTERM);
      End(child, supervisor ? kSupervisorEndWait : kEndWait, signals);
    }
  }

 private:
  Child* Find(const std::string& role) {
    for (auto& child : children_)
      if (child->role() == role) return child.get();
    return nullptr;
  }

  static void End(Child& child, milliseconds wait, int signals_before) {
    for (milliseconds waited{0}; waited < wait && g_signals == signals_before; waited += kLookEvery)
      if (child.AwaitEnd(kLookEvery)) return;
    child.Signal(SIGKILL);
    child.AwaitEnd(kKilledWait);
  }

  std::vector<std::unique_ptr<Child>> children_;
};

core::Result<void> MakeFolders(const std::string& data) {
  std::error_code trouble;
  for (const char* part : {"/run", "/log"}) {
    std::filesystem::create_directories(data + part, trouble);
    if (trouble)
      return core::Fail(core::FaultCode::kIoFailed, "data directory " + data + part + ": " + trouble.message() +
                                                        "; give one that you may write with --data");
  }
  return {};
}

/// After a kill -9 of `run` its programs end by themselves; until then they would take the new run's place.
core::Result<void> AwaitOrphans(const std::string& data) {
  const auto until = Wall::now() + kOrphansEndWait;
  bool told = false;
  for (const char* held : {"journal", "learner"}) {
    while (true) {
      const auto free = io::InstanceLock::Acquire(data, held);  // Let go at once: it is for the program.
      if (free) break;
      if (Wall::now() > until || g_signals > 0) return tl::make_unexpected(free.error());
      if (!std::exchange(told, true))
        fmt::print("waiting for a program of an earlier run to end: {}\n", free.error().detail);
      std::fflush(stdout);
      std::this_thread::sleep_for(kLookEvery);
    }
  }
  return {};
}

core::Duration Practised(const Heard& heard) {
  return heard.supervisor ? core::Duration(heard.supervisor->practised_ns()) : core::Duration(0);
}

/// Until the robot time is over, a signal comes, or a program cannot live.
core::Result<void> Watch(Crew& crew, Ears& ears, const RunOptions& options) {
  ProgressScreen screen(ScreenKind());
  const auto begin = Wall::now();
  std::optional<core::Duration> practised_before;
  while (g_signals == 0 && !crew.Done()) {
    if (auto ok = crew.Tend(); !ok) return ok;
    ears.Listen(kLookEvery);
    if (!practised_before && ears.heard().supervisor) practised_before = Practised(ears.heard());
    RunProgress progress;
    progress.robot_time = options.robot_time;
    progress.practised =
        std::max(core::Duration(0), Practised(ears.heard()) - practised_before.value_or(core::Duration(0)));
    progress.wall = std::chrono::duration_cast<std::chrono::seconds>(Wall::now() - begin);
    progress.restarts = crew.restarts();
    screen.Show(ears.heard(), progress);
  }
  return {};
}

}  // namespace

std::string OwnFolder() {
  std::error_code trouble;
  return std::filesystem::read_symlink("/proc/self/exe", trouble).parent_path().string();
}

std::vector<Program> ProgramsOf(const RunOptions& options, const std::string& folder) {
  std::vector<Program> programs;
  for (const std::string role : kStartOrder) {
    Program program{.role = role,
                    .path = folder + "/nightshift-" + role,
                    .arguments = {"--config", options.config_file, "--data", options.data_directory},
                    .log_file = options.data_directory + "/log/" + role + ".log"};
    const auto add = [&program](const std::string& name, const std::string& value) {
      program.arguments.push_back(name);
      program.arguments.push_back(value);
    };
    if (role == "cell" || role == "supervisor") add("--seed", std::to_string(options.seed));
    if (role == "cell" || role == "safety") add("--speed", options.speed);
    if (role == "supervisor" && options.robot_time)
      add("--robot-time", fmt::format("{:.3f}", core::ToSeconds(*options.robot_time)));
    programs.push_back(std::move(program));
  }
  return programs;
}

core::Result<void> Run(const RunOptions& given) {
  RunOptions options = given;
  options.data_directory = std::filesystem::absolute(given.data_directory).lexically_normal().string();
  const auto config = LoadConfig(given.config_file);
  if (!config) return tl::make_unexpected(config.error());
  options.config_file = config->file;
  const auto endpoints = io::EndpointsIn(options.data_directory + "/run");
  if (!endpoints) return tl::make_unexpected(endpoints.error());
  if (auto ok = MakeFolders(options.data_directory); !ok) return ok;
  const auto lock = io::InstanceLock::Acquire(options.data_directory, "nightshift");
  if (!lock) return tl::make_unexpected(lock.error());
  auto ears = Ears::Connect(*endpoints);
  if (!ears) return tl::make_unexpected(ears.error());

  HearSignals();
  if (auto alone = AwaitOrphans(options.data_directory); !alone) return alone;
  Crew crew(ProgramsOf(options, OwnFolder()));
  if (auto started = crew.Start(); !started) return started;
  const core::Result<void> ran = Watch(crew, *ears, options);
  fmt::print("stopping: the arm comes to rest, then everything ends in order\n");
  std::fflush(stdout);
  crew.Stop(*endpoints);
  if (const auto summary = SummaryOf(options.data_directory)) fmt::print("\n{}", *summary);
  return ran;
}

}  // namespace nightshift::runtime::cli
