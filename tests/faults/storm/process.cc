// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/storm/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

namespace nightshift::storm {

Process::Process(Process&& other) noexcept
    : role_(std::move(other.role_)),
      command_(std::move(other.command_)),
      log_file_(std::move(other.log_file_)),
      pid_(std::exchange(other.pid_, 0)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

Process::~Process() { Kill(); }

core::Result<void> Process::Start() {
  std::vector<char*> argv;
  for (std::string& word : command_) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int log = open(log_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return core::Fail(core::FaultCode::kIoFailed, "cannot write " + log_file_);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(log);
  if (pid_ < 0) return core::Fail(core::FaultCode::kIoFailed, "cannot fork for " + role_);
  descriptor_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  return {};
}

void Process::Kill() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (descriptor_ >= 0) close(descriptor_);
  pid_ = 0;
  descriptor_ = -1;
}

bool Process::Stop() {
  kill(pid_, SIGSTOP);
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WEXITED | WNOWAIT) == 0 &&
         info.si_code == CLD_STOPPED;
}

void Process::Continue() const { kill(pid_, SIGCONT); }

bool Process::Died() {
  if (pid_ <= 0) return false;
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
}

}  // namespace nightshift::storm
