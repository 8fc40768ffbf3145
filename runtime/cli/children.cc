// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/children.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/exit_codes.h"

namespace nightshift::runtime::cli {
namespace {

constexpr std::chrono::milliseconds kReapEvery{10};
constexpr std::chrono::milliseconds kKillWait{2000};
constexpr int kExecFailed = 127;

/// In the new process: from here on only calls that are safe after fork.
[[noreturn]] void Become(const char* path, char* const* arguments, int log, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(kExecFailed);  // The parent died before the line above.
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(path, arguments);
  ::_exit(kExecFailed);
}

}  // namespace

std::chrono::milliseconds BackOff(int quick_deaths) {
  std::chrono::milliseconds wait = kBackOffMin;
  for (int i = 1; i < quick_deaths && wait < kBackOffMax; ++i) wait *= 2;
  return std::min(wait, kBackOffMax);
}

Child::~Child() {
  if (!running()) return;
  Signal(SIGKILL);
  AwaitEnd(kKillWait);
}

core::Result<void> Child::Start(Wall::time_point now) {
  if (::access(program_.path.c_str(), X_OK) != 0)
    return core::Fail(core::FaultCode::kMissingFile,
                      program_.path + ": no such program; build all of them with script/build");
  const int log = ::open(program_.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (log < 0)
    return core::Fail(core::FaultCode::kIoFailed, program_.log_file + ": cannot be written: " + std::strerror(errno));
  std::vector<char*> arguments{program_.path.data()};
  for (std::string& argument : program_.arguments) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) Become(program_.path.c_str(), arguments.data(), log, parent);
  const int trouble = errno;
  ::close(log);
  if (pid < 0)
    return core::Fail(core::FaultCode::kIoFailed, "cannot start " + program_.path + ": " + std::strerror(trouble));
  pid_ = pid;
  started_ = now;
  exit_code_.reset();
  return {};
}

void Child::Reap() {
  int status = 0;
  if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  pid_ = 0;
  death_unheard_ = true;
}

core::Result<void> Child::Mourn(Wall::time_point now) {
  death_unheard_ = false;
  if (*exit_code_ == kExitDone) return {};
  const std::string reason = "its reason stands at the end of " + program_.log_file;
  if (*exit_code_ == kExitRefused || *exit_code_ == kExecFailed)
    return core::Fail(core::FaultCode::kRefused, program_.role + " refused to start; " + reason);
  quick_deaths_ = now - started_ < kLivedLong ? quick_deaths_ + 1 : 1;
  if (quick_deaths_ > kQuickDeathsMax)
    return core::Fail(core::FaultCode::kRefused, fmt::format("{} died {} times in a row (last exit code {}); {}",
                                                             program_.role, quick_deaths_, *exit_code_, reason));
  restart_at_ = now + BackOff(quick_deaths_);
  return {};
}

core::Result<void> Child::Tend(Wall::time_point now) {
  Reap();
  if (running() || let_go_) return {};
  if (death_unheard_) return Mourn(now);
  if (!exit_code_ || *exit_code_ == kExitDone || now < restart_at_) return {};
  ++restarts_;
  return Start(now);
}

void Child::Signal(int signal) const {
  if (running()) ::kill(pid_, signal);
}

bool Child::AwaitEnd(std::chrono::milliseconds wait) {
  const auto end = Wall::now() + wait;
  Reap();
  while (running() && Wall::now() < end) {
    std::this_thread::sleep_for(kReapEvery);
    Reap();
  }
  return !running();
}

}  // namespace nightshift::runtime::cli
