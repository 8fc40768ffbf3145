// SPDX-License-Identifier: Apache-2.0
// nightshift-safety: owns the robot. --config FILE --data DIR [--speed max|1]
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "io/link/link.h"
#include "monitoring/log.h"
#include "monitoring/metrics.h"
#include "monitoring/safety_metrics.h"
#include "runtime/audit_writer.h"
#include "runtime/config.h"
#include "runtime/control_loop.h"
#include "runtime/degraded.h"
#include "runtime/devices.h"
#include "runtime/exit_codes.h"
#include "runtime/metrics_sender.h"
#include "runtime/notify.h"
#include "runtime/presence_switch.h"
#include "runtime/real_time.h"
#include "runtime/safety_service.h"
#include "runtime/state_keeper.h"
#include "safety/audit.h"
#include "safety/safety_state.h"
#include "safety/state_file.h"

namespace nightshift::runtime {
namespace {

std::atomic<bool> g_asked_to_end{false};  // Set by a signal handler, which can reach nothing else.

struct Options {
  std::string config, data, speed = "max";
};

std::int64_t UtcNanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

safety::Moment Now(const std::string& boot_id) {
  timespec since_boot{};
  clock_gettime(CLOCK_BOOTTIME, &since_boot);
  return {.boot_id = boot_id,
          .since_boot_ns = since_boot.tv_sec * 1'000'000'000 + since_boot.tv_nsec,
          .utc_ns = UtcNanoseconds()};
}

/// Commands to an earlier process must not be mistaken for commands to this one.
safety::Monitor::Seed SeedOf(const safety::Resumption& resumed) {
  std::random_device source;
  const auto word = [&source] { return (static_cast<std::uint64_t>(source()) << 32) | source(); };
  return {.epoch = word() >> 16,
          .nonce_source = word(),
          .after_reboot = resumed.after_reboot,
          .clears = resumed.state.clears};
}

/// What earlier lives have left. That this one begins is on the disk before anything moves, or a process that dies
/// soon could begin as often as it likes; where it cannot be written, a person has to look as after a boot.
safety::Resumption ResumeFrom(const std::string& file, const safety::Moment& now, const safety::Limits& limits) {
  if (now.boot_id.empty())
    monitoring::LogWarning(std::string(kBootIdFile) + " cannot be read: each start counts as the first after a boot");
  const auto stored = safety::ReadStateFile(file);
  if (!stored) monitoring::LogFault("reading what earlier lives have left", stored.error());
  safety::Resumption resumed = safety::Resume(stored ? *stored : std::nullopt, now, limits);
  safety::SafetyState begun = resumed.state;
  begun.clears.Add(core::Duration(0));
  const auto written = safety::WriteStateFile(file, {.at = now, .state = begun});
  if (!written) monitoring::LogFault("writing that this life begins", written.error());
  resumed.after_reboot = resumed.after_reboot || !written;
  return resumed;
}

std::string WhoClears(const safety::Resumption& resumed, const safety::Limits& limits) {
  const bool person = resumed.after_reboot && !limits.arm_after_reboot;
  return std::string("holding the robot; stopped until ") +
         (person ? "a person has looked at it after the boot: nightshift clear" : "the supervisor clears the restart");
}

/// Tells of the first write that fails after one that did not. On the keeper's thread.
class WriteWatch {
 public:
  explicit WriteWatch(monitoring::Metrics& metrics) : metrics_(metrics) {}
  void See(const core::Result<void>& written) {
    if (!written) metrics_.CountFault(written.error().code);
    if (!written && works_) monitoring::LogFault("writing the safety state", written.error());
    works_ = written.has_value();
  }

 private:
  monitoring::Metrics& metrics_;
  bool works_ = true;
};

/// What outlives the process: read at its start, written while it lives.
class OutlivingState {
 public:
  OutlivingState(std::string file, const safety::Limits& limits, monitoring::Metrics& metrics)
      : limits_(limits),
        boot_id_(ReadBootId(kBootIdFile)),
        resumed_(ResumeFrom(file, Now(boot_id_), limits)),
        watch_(metrics),
        keeper_({.path = std::move(file),
                 .now = [this] { return Now(boot_id_); },
                 .written = [this](const auto& written) { watch_.See(written); }}) {}

  const safety::Resumption& resumed() const { return resumed_; }
  StateBox& box() { return box_; }

  /// Keeps what the control thread has put last; what of each budget it has used. Nothing where that is kept already.
  std::optional<std::vector<core::BudgetUse>> Take() {
    const safety::SafetyState* state = box_.Take();
    if (state == nullptr) return std::nullopt;
    keeper_.Keep(*state);
    return safety::UsesOf(state->spent, limits_);
  }

 private:
  const safety::Limits& limits_;
  std::string boot_id_;
  safety::Resumption resumed_;
  WriteWatch watch_;
  StateBox box_;
  StateKeeper keeper_;  // Last: its thread uses the others.
};

/// Copies the other threads' counters to the metrics, and names what we do without. On the service thread.
class Bookkeeping {
 public:
  Bookkeeping(monitoring::Metrics& metrics, monitoring::SafetyMetrics& figures, const safety::Audit& audit,
              DegradedModes& degraded)
      : metrics_(metrics), figures_(figures), audit_(audit), degraded_(degraded) {}

  void Beat(const ControlLoop::Counters& counters, std::uint64_t malformed) {
    Copy(counters.driver_timeouts, &timeouts_, core::FaultCode::kDriverTimeout);
    Copy(counters.driver_losses, &losses_, core::FaultCode::kDriverLost);
    Copy(counters.driver_garbled, &garbled_, core::FaultCode::kMalformedMessage);
    metrics_.SetMalformed(static_cast<double>(malformed));
    figures_.SetTotals({.ticks_missed = counters.ticks_missed,
                        .readings_old = counters.readings_old,
                        .audit_written = audit_.written(),
                        .audit_lost = audit_.dropped()});
    SeeLosses(std::chrono::steady_clock::now());
    SeeDriver(counters.driver_unheard);
    std::vector<monitoring::SafetyMetrics::Mode> modes;
    for (const DegradedMode mode : kDegradedModes) modes.push_back({std::string(Name(mode)), degraded_.has(mode)});
    figures_.SetDegraded(modes);
  }

 private:
  static constexpr std::chrono::minutes kLossTold{1};  // Since the last one.

  void Copy(std::uint64_t total, std::uint64_t* seen, core::FaultCode code) {
    for (; *seen < total; ++*seen) figures_.CountBusError(code);
  }
  void SeeLosses(std::chrono::steady_clock::time_point now) {
    if (audit_.dropped() > lost_) {
      if (!degraded_.has(DegradedMode::kAuditLosesRecords))
        monitoring::LogWarning("the audit's queue is full: records are lost; is the disk slow or full?");
      degraded_.Begin(DegradedMode::kAuditLosesRecords);
      lost_ = audit_.dropped();
      lost_at_ = now;
    } else if (now - lost_at_ > kLossTold) {
      degraded_.End(DegradedMode::kAuditLosesRecords);
    }
  }

  void SeeDriver(bool unheard) {
    if (unheard == degraded_.has(DegradedMode::kDriverUnheard)) return;
    if (!unheard) return degraded_.End(DegradedMode::kDriverUnheard);
    degraded_.Begin(DegradedMode::kDriverUnheard);
    monitoring::LogWarning(std::string(Name(DegradedMode::kDriverUnheard)) +
                           ": no reading of the arm yet; nothing is sent to it before there is one. Check its power "
                           "and cable, and its driver");
  }

  monitoring::Metrics& metrics_;
  monitoring::SafetyMetrics& figures_;
  const safety::Audit& audit_;
  DegradedModes& degraded_;
  std::uint64_t timeouts_ = 0, losses_ = 0, garbled_ = 0, lost_ = 0;
  std::chrono::steady_clock::time_point lost_at_{};
};

/// Tells of an audit that cannot be written: each try in the metrics, the first in the log. On the writer's thread.
class AuditLog {
 public:
  explicit AuditLog(monitoring::Metrics& metrics) : metrics_(metrics) {}
  void Hear(const core::Result<void>& flushed) {
    if (!flushed) metrics_.CountFault(flushed.error().code);
    if (!flushed && works_) monitoring::LogFault("writing the audit", flushed.error());
    works_ = flushed.has_value();
  }

 private:
  monitoring::Metrics& metrics_;
  bool works_ = true;
};

/// Tells of each new stop once.
class LatchLog {
 public:
  void See(const core::LatchReport& latch) {
    if (latch.id == id_) return;
    id_ = latch.id;
    if (latch.latched())
      monitoring::LogWarning("stopped: " + std::string(core::Name(latch.worst)) + " (first " +
                             std::string(core::Name(latch.first)) + "), stop " + std::to_string(latch.id));
  }

 private:
  std::uint64_t id_ = 0;
};

core::Result<void> Serve(const Options& options, const Config& config, const io::Endpoints& endpoints) {
  auto replier = io::Replier::Bind(endpoints.safety_command);
  if (!replier) return tl::make_unexpected(replier.error());
  auto publisher = io::Publisher::Bind(endpoints.safety_state);
  if (!publisher) return tl::make_unexpected(publisher.error());
  auto audit = safety::Audit::Open({.folder = options.data + "/audit", .utc_ns = UtcNanoseconds});
  if (!audit) return tl::make_unexpected(audit.error());
  auto robot = MakeRobot(config, endpoints);
  if (!robot) return tl::make_unexpected(robot.error());

  monitoring::Metrics metrics("safety", NIGHTSHIFT_VERSION);
  monitoring::SafetyMetrics figures(metrics);
  DegradedModes degraded;
  Bookkeeping bookkeeping(metrics, figures, *audit, degraded);
  AuditLog audit_log(metrics);
  LatchLog latch_log;
  MetricsSender sender(endpoints.metrics, {"safety", [&metrics] { return metrics.Exposition(); }});

  Mailbox mailbox;
  AnswerBox answers;
  SteadyWallClock wall;
  OutlivingState outliving(options.data + "/safety/state", config.safety, metrics);
  safety::Filter filter(config.safety, SeedOf(outliving.resumed()), outliving.resumed().state.spent);
  const auto count_tick = [&figures](const TickFacts& tick) {
    figures.CountTick({tick.verdict, tick.limit, tick.took, tick.late, tick.missed});
  };
  PresenceSwitch presence_switch(config.safety.presence);
  if (config.safety.presence.source == safety::PresenceSource::kGpio) presence_switch.Start();
  ControlLoop loop(
      {**robot, filter, mailbox, answers, wall, &*audit, count_tick, &outliving.box(), &presence_switch.box()},
      config.safety, options.speed == "max" ? LoopSpeed::kMax : LoopSpeed::kRealTime);
  std::unique_ptr<SafetyService> service;
  const auto take_state = [&] {
    const auto uses = outliving.Take();
    if (!uses) return;
    figures.SetBudgets(*uses);
    service->Tell(*uses);
  };
  SafetyService::Hooks hooks;
  hooks.on_period = [&](const core::PeriodReport& report) {
    figures.SetPeriod(report);
    latch_log.See(report.latch);
  };
  hooks.on_beat = [&] {
    bookkeeping.Beat(loop.counters(), service->malformed());
    take_state();
    if (g_asked_to_end) loop.Stop();
  };
  hooks.on_progress = NotifyProgress;
  hooks.degraded = [&degraded] { return degraded.Names(); };
  service = std::make_unique<SafetyService>(std::move(*replier), std::move(*publisher), mailbox, answers,
                                            loop.counters(), std::move(hooks));
  const AuditWriter writer(*audit, [&audit_log](const auto& flushed) { audit_log.Hear(flushed); });
  std::thread talking([&service] { service->Run(); });
  if (config.safety.presence.source == safety::PresenceSource::kNone)
    monitoring::LogWarning("no presence sensor: nobody is seen, and the arm slows for nobody");
  for (const Denied& denied : ClaimRealTime(config.real_time, (*robot)->pacing())) {
    degraded.Begin(denied.mode);
    monitoring::LogWarning(std::string(Name(denied.mode)) + ": " + denied.warning);
  }
  NotifyReady();
  monitoring::LogInfo(WhoClears(outliving.resumed(), config.safety));
  loop.Run();
  NotifyStopping();
  service->Stop();
  talking.join();
  take_state();
  return {};
}

int Fail(const core::Fault& fault) {
  monitoring::LogFault("nightshift-safety", fault);
  return ExitCodeOf(fault.code);
}

int Main(const Options& options) {
  monitoring::StartLog("safety");
  const auto config = LoadConfig(options.config);
  if (!config) return Fail(config.error());
  Options absolute = options;
  absolute.data = std::filesystem::absolute(options.data).lexically_normal().string();
  std::error_code failed;
  for (const std::string folder : {"/run", "/safety"}) {
    std::filesystem::create_directories(absolute.data + folder, failed);
    if (failed)
      return Fail({core::FaultCode::kIoFailed, "cannot create " + absolute.data + folder + ": " + failed.message()});
  }
  const auto endpoints = io::EndpointsIn(absolute.data + "/run");
  if (!endpoints) return Fail(endpoints.error());
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { g_asked_to_end = true; });
  std::signal(SIGPIPE, SIG_IGN);
  const auto served = Serve(absolute, *config, *endpoints);
  return served ? kExitDone : Fail(served.error());
}

}  // namespace
}  // namespace nightshift::runtime

int main(int argc, char** argv) {
  nightshift::runtime::Options options;
  CLI::App app("Owns the robot: every motion passes through its limits. Part of Nightshift; see nightshift(1).");
  app.add_option("--config", options.config, "Configuration file (TOML)")->required();
  app.add_option("--data", options.data, "Data directory")->required();
  app.add_option("--speed", options.speed, "Of a simulated clock: max, or 1 for real time")
      ->check(CLI::IsMember({"max", "1"}));
  CLI11_PARSE(app, argc, argv);
  return nightshift::runtime::Main(options);
}
