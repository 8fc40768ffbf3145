// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nightshift::runtime {

inline constexpr int kWaitMs = 20000;  // Bounds a test that fails.

/// A child process whose error output goes to a file.
class Child {
 public:
  Child(std::vector<std::string> arguments, const std::filesystem::path& log, const std::string& notify_socket = "") {
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      if (!notify_socket.empty()) setenv("NOTIFY_SOCKET", notify_socket.c_str(), 1);
      if (!freopen(log.c_str(), "w", stderr)) _exit(99);
      execv(argv[0], argv.data());
      _exit(98);
    }
  }
  ~Child() {
    if (!pid_) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  void Signal(int signal) const { kill(pid_, signal); }

  /// The exit status, if it ends in time.
  std::optional<int> Ended() {
    pollfd ended{static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)), POLLIN, 0};
    const bool in_time = poll(&ended, 1, kWaitMs) == 1;
    close(ended.fd);
    if (!in_time) return std::nullopt;
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = 0;
};

}  // namespace nightshift::runtime
