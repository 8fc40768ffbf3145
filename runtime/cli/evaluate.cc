// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/evaluate.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/journal/reader.h"
#include "io/robot/cell/cell_control.h"
#include "runtime/arm_port.h"
#include "runtime/cli/children.h"
#include "runtime/cli/named.h"
#include "runtime/config.h"
#include "runtime/exit_codes.h"
#include "runtime/senses.h"
#include "runtime/snapshot_folder.h"

namespace nightshift::runtime::cli {
namespace {

using core::Result;
using std::chrono::milliseconds;

constexpr io::Wait kCellWait{5000};
constexpr milliseconds kEndWait{5000};
constexpr std::chrono::seconds kStartWait{30};
constexpr int kProgressEvery = 20;
constexpr double kLiftedM = 0.05;

volatile std::sig_atomic_t g_stop = 0;  // A person asked to stop.

/// A folder that goes when it is no longer needed.
class ScratchFolder {
 public:
  /// Faults: kIoFailed.
  static Result<ScratchFolder> Make() {
    std::error_code trouble;
    const auto parent = std::filesystem::temp_directory_path(trouble);
    std::string name = (parent / "nightshift-evaluate-XXXXXX").string();
    if (trouble || mkdtemp(name.data()) == nullptr || !std::filesystem::create_directory(name + "/run", trouble))
      return core::Fail(core::FaultCode::kIoFailed,
                        fmt::format("cannot make a folder for temporary files in \"{}\": {}; set TMPDIR to one that "
                                    "exists and that you may write",
                                    parent.string(), trouble ? trouble.message() : std::strerror(errno)));
    if (auto short_enough = io::EndpointsIn(name + "/run"); !short_enough)
      return core::Fail(core::FaultCode::kIoFailed, "TMPDIR: " + short_enough.error().detail + " (set TMPDIR=/tmp)");
    return ScratchFolder(name);
  }
  ~ScratchFolder() {
    std::error_code trouble;
    if (!path_.empty()) std::filesystem::remove_all(path_, trouble);
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit ScratchFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

std::string LastLine(const std::string& file) {
  std::ifstream in(file);
  std::string last;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) last = line;
  return last.empty() ? "it said nothing" : last;
}

/// A cell and its safety process, for this evaluation alone.
class PrivateCell {
 public:
  PrivateCell(const std::string& config, const std::filesystem::path& folder, std::uint64_t seed)
      : cell_(Program("cell", config, folder, {"--seed", std::to_string(seed)})),
        safety_(Program("safety", config, folder, {})) {}
  ~PrivateCell() {
    for (Child* child : {&safety_, &cell_}) {
      child->LetGo();
      child->Signal(SIGTERM);
    }
    for (Child* child : {&safety_, &cell_})
      if (!child->AwaitEnd(kEndWait)) child->Signal(SIGKILL);
  }

  Result<void> Start() {
    for (Child* child : {&cell_, &safety_})
      if (auto started = child->Start(Wall::now()); !started) return started;
    return {};
  }

  /// Faults: kRefused once one of them has ended, with the last that it said.
  Result<void> Alive() {
    for (Child* child : {&cell_, &safety_})
      if (child->AwaitEnd(milliseconds(0)))
        return core::Fail(core::FaultCode::kRefused,
                          fmt::format("the evaluation's {} process ended (exit code {}): {}", child->role(),
                                      child->exit_code().value_or(0), LastLine(child->log_file())));
    return {};
  }

 private:
  static cli::Program Program(const std::string& role, const std::string& config, const std::filesystem::path& folder,
                              std::vector<std::string> more) {
    std::vector<std::string> arguments{"--config", config, "--data", folder.string(), "--speed", "max"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    return {role, (here / ("nightshift-" + role)).string(), arguments, (folder / (role + ".log")).string()};
  }
  Child cell_, safety_;
};

/// The evaluation's arm: no answer is waited for from processes that have ended, nor when a person wants no more.
class TendedArm final : public core::ArmPort {
 public:
  TendedArm(RemoteArm& arm, PrivateCell& own) : arm_(arm), own_(own) {}
  Result<core::PeriodReport> Exchange(const std::optional<core::ProposedAction>& proposal) override {
    if (g_stop)
      return core::Fail(core::FaultCode::kRefused, "stopped by a signal; an unfinished measurement says nothing");
    if (auto alive = own_.Alive(); !alive) return tl::make_unexpected(alive.error());
    return arm_.Exchange(proposal);
  }
  Result<void> Clear(const core::LatchReport& report) override { return arm_.Clear(report); }

 private:
  RemoteArm& arm_;
  PrivateCell& own_;
};

/// The promoted policies that the catalogue names, and the recovery tasks it knows.
Result<std::map<std::string, skills::LearnedPolicy>> LoadPolicies(const std::filesystem::path& data,
                                                                  std::vector<core::TaskSpec>& tasks) {
  auto catalogue = io::JournalReader(data).Load();
  if (!catalogue) return tl::make_unexpected(catalogue.error());
  tasks.insert(tasks.end(), catalogue->recovery_tasks.begin(), catalogue->recovery_tasks.end());
  SnapshotFolder folder(data / "snapshots", [](const core::Fault& fault) { fmt::print(stderr, "{}\n", fault.detail); });
  std::map<std::string, std::int64_t> newest;
  for (const core::SnapshotRecord& record : catalogue->snapshots)
    if (record.state == "promoted") newest[record.task] = std::max(newest[record.task], record.version);
  std::map<std::string, skills::LearnedPolicy> policies;
  for (const auto& [task, version] : newest) {
    auto snapshot = folder.Find(task, version);
    if (!snapshot) {
      fmt::print(stderr, "policy {} of task {} was promoted and is not in {}: it was deleted or damaged\n", version,
                 task, (data / "snapshots").string());
      continue;
    }
    auto policy = skills::LearnedPolicy::Make(std::move(snapshot->weights));
    if (!policy) return tl::make_unexpected(policy.error());
    policies.emplace(task, std::move(*policy));
  }
  for (const core::TaskSpec& spec : tasks)  // As in practice: a recovery task without a policy borrows its parent's.
    if (spec.recovery() && !policies.contains(spec.name) && policies.contains(spec.inherits_from))
      policies.emplace(spec.name, policies.at(spec.inherits_from));
  return policies;
}

/// Waits until safety answers and the start-up stop is cleared.
Result<void> Wake(Body& body) {
  const auto until = Wall::now() + kStartWait;
  Result<Body::Moved> rested = body.Rest();
  while (Wall::now() < until) {
    if (rested && !body.report().latch.latched()) return {};
    if (!rested && rested.error().code == core::FaultCode::kRefused) break;
    if (rested) (void)body.Clear();
    rested = body.Rest();
  }
  if (!rested) return tl::make_unexpected(rested.error());
  return core::Fail(core::FaultCode::kRefused,
                    "the evaluation's safety process stays stopped: " + std::string(Name(body.report().latch.worst)));
}

Stage StageOf(io::cell::CellControl& cell, const skills::Scene& scene) {
  return {.set = [&cell](std::uint64_t seed) { return cell.Stage(seed); },
          .confirm = [&cell, scene](const std::string& task, int object) -> Result<bool> {
            auto truth = cell.AskTruth();
            if (!truth) return tl::make_unexpected(truth.error());
            const auto i = static_cast<std::size_t>(object);
            const core::Vec3 at = truth->objects_m.at(i);
            if (task == "pick") return truth->held.at(i) && at.z > kLiftedM;
            if (task == "place") return scene.bin.Contains(at) && !truth->held.at(i);
            if (task == "unload") return scene.tray.Contains(at) && !truth->held.at(i);
            return true;
          }};
}

void Print(const EvaluateOptions& options, const EvaluationResult& r, const std::string& perception) {
  const nlohmann::ordered_json line{{"task", options.plan.task},        {"policy", options.policy},
                                    {"seed", options.plan.seed},        {"episodes", r.judged.attempts},
                                    {"solved", r.judged.solved},        {"success_ratio", r.judged.mean()},
                                    {"low_95", r.judged.low},           {"high_95", r.judged.high},
                                    {"confirmed_by_cell", r.confirmed}, {"scenes", r.scenes},
                                    {"interrupted", r.interrupted},     {"mean_steps", r.mean_steps},
                                    {"perception", perception}};
  fmt::print(
      "{}\n{} {}: {:.1f} % of {} attempts solved (95 % interval {:.1f} to {:.1f} %), {} of {} confirmed by the cell\n",
      line.dump(), options.policy, options.plan.task, 100 * r.judged.mean(), r.judged.attempts, 100 * r.judged.low,
      100 * r.judged.high, r.confirmed, r.judged.solved);
}

}  // namespace

Result<void> Evaluate(const EvaluateOptions& options) {
  auto contender = ContenderFrom(options.policy);
  if (!contender) return tl::make_unexpected(contender.error());
  auto config = LoadConfig(options.config);
  if (!config) return tl::make_unexpected(config.error());
  std::vector<core::TaskSpec> tasks = config->tasks;
  auto policies = LoadPolicies(options.data, tasks);
  if (!policies) return tl::make_unexpected(policies.error());

  auto scratch = ScratchFolder::Make();
  if (!scratch) return tl::make_unexpected(scratch.error());
  auto endpoints = io::EndpointsIn((scratch->path() / "run").string());
  if (!endpoints) return tl::make_unexpected(endpoints.error());
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { g_stop = 1; });
  PrivateCell own(config->file, scratch->path(), options.plan.seed);
  if (auto started = own.Start(); !started) return started;
  auto arm = RemoteArm::Connect(endpoints->safety_command);
  if (!arm) return tl::make_unexpected(arm.error());
  auto eyes = MakeEyes(*config, *endpoints);
  if (!eyes) return tl::make_unexpected(eyes.error());
  auto cell = io::cell::CellControl::Connect(endpoints->cell_control, kCellWait);
  if (!cell) return tl::make_unexpected(cell.error());

  TendedArm tended(*arm, own);
  Body body(tended, **eyes, config->scene);
  if (auto awake = Wake(body); !awake) return awake;
  Evaluation evaluation({.body = body,
                         .scene = config->scene,
                         .tasks = tasks,
                         .policies = *policies,
                         .stage = StageOf(*cell, config->scene),
                         .progress = [&](int done, int solved) {
                           if (done % kProgressEvery == 0)
                             fmt::print(stderr, "{} of {} attempts, {} solved\n", done, options.plan.episodes, solved);
                         }});
  EvaluationPlan plan = options.plan;
  plan.contender = *contender;
  auto result = evaluation.Run(plan);
  if (!result) return tl::make_unexpected(result.error());
  Print(options, *result, config->perception.source == io::PerceptionSource::kCamera ? "camera" : "ground_truth");
  return {};
}

void AddEvaluate(CLI::App& app, std::function<int()>& action) {
  auto options = std::make_shared<EvaluateOptions>();
  auto* command = app.add_subcommand("evaluate", "Measure a policy on a fresh cell; nothing is recorded or learned");
  command->add_option("--config", options->config, "Configuration file")->capture_default_str()->check(RefuseEmpty);
  command->add_option("--data", options->data, "Data directory whose promoted policies are measured")
      ->capture_default_str()
      ->check(RefuseEmpty);
  command->add_option("--task", options->plan.task, "pick, place, unload, or a recovery task")->required();
  command->add_option("--policy", options->policy, "learned, scripted-once or scripted-retry")->capture_default_str();
  command->add_option("--episodes", options->plan.episodes, "Attempts")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--seed", options->plan.seed, "Of the scenes")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->callback([options, &action] {
    action = [options] {
      const auto done = Evaluate(*options);
      if (done) return kExitDone;
      fmt::print(stderr, "nightshift evaluate: {}: {}\n", core::Name(done.error().code), done.error().detail);
      return ExitCodeOf(done.error().code);
    };
  });
}

}  // namespace nightshift::runtime::cli
