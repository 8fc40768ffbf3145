// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "core/fault.h"

namespace nightshift::runtime::cli {

using Wall = std::chrono::steady_clock;

inline constexpr int kQuickDeathsMax = 6;                      // In a row; then restarting it is no use.
inline constexpr std::chrono::seconds kLivedLong{20};          // A process that lived so long begins a new row.
inline constexpr std::chrono::milliseconds kBackOffMin{200};   // Before a restart; doubles with each quick death ...
inline constexpr std::chrono::milliseconds kBackOffMax{5000};  // ... up to this.

/// How long to wait before a restart after so many quick deaths in a row. Pure.
std::chrono::milliseconds BackOff(int quick_deaths);

/// What to start.
struct Program {
  std::string role;  // "safety": for people, and the name of its log file.
  std::string path;
  std::vector<std::string> arguments;
  std::string log_file;  // Its standard output and error, appended.
};

/// One program that is kept alive. It dies with this process (PR_SET_PDEATHSIG) and does not hear the terminal's
/// Ctrl-C, since its end has an order.
/// Thread: the main thread only, the one whose death the kernel reports.
class Child {
 public:
  explicit Child(Program program) : program_(std::move(program)) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  /// Faults: kIoFailed, kMissingFile.
  core::Result<void> Start(Wall::time_point now);

  /// Notices its death, and restarts it when its back-off is over. To be called a few times a second.
  /// Faults: kRefused when it is no use: it said so, or died too often; names the log file.
  core::Result<void> Tend(Wall::time_point now);

  /// Sends a signal, if it runs.
  void Signal(int signal) const;
  /// No more restarts.
  void LetGo() { let_go_ = true; }
  /// Waits for its end; true when it has ended.
  bool AwaitEnd(std::chrono::milliseconds wait);

  const std::string& role() const { return program_.role; }
  const std::string& log_file() const { return program_.log_file; }
  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  int restarts() const { return restarts_; }
  std::optional<int> exit_code() const { return exit_code_; }  // Of the last end; 128 + signal when it was killed.

 private:
  void Reap();
  core::Result<void> Mourn(Wall::time_point now);

  Program program_;
  pid_t pid_ = 0;
  bool let_go_ = false;
  bool death_unheard_ = false;  // Ended, and Tend has not yet dealt with it.
  int restarts_ = 0;
  int quick_deaths_ = 0;
  std::optional<int> exit_code_;
  Wall::time_point started_;
  Wall::time_point restart_at_;
};

}  // namespace nightshift::runtime::cli
