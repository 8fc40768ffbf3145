// SPDX-License-Identifier: Apache-2.0
#include "runtime/notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

namespace nightshift::runtime {
namespace {

/// Stands in for the service manager.
class Listener {
 public:
  Listener() : path_((std::filesystem::temp_directory_path() / ("nightshift-notify-" + std::to_string(getpid())))) {
    socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  }
  ~Listener() {
    unsetenv("NOTIFY_SOCKET");
    close(socket_);
    std::filesystem::remove(path_);
  }
  /// What came; empty when nothing has.
  std::string Heard() const {
    std::array<char, 512> text{};
    const auto size = recv(socket_, text.data(), text.size(), MSG_DONTWAIT);
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "";
  }

 private:
  const std::string path_;
  int socket_ = -1;
};

TEST(Notify, EachCallIsOneMessageThatSystemdUnderstands) {
  const Listener systemd;
  NotifyReady();
  EXPECT_EQ(systemd.Heard(), "READY=1");
  NotifyProgress();
  EXPECT_EQ(systemd.Heard(), "WATCHDOG=1");
  NotifyStatus("practising pick");
  EXPECT_EQ(systemd.Heard(), "STATUS=practising pick");
  NotifyStopping();
  EXPECT_EQ(systemd.Heard(), "STOPPING=1");
  EXPECT_EQ(systemd.Heard(), "");
}

TEST(Notify, AStatusOfSeveralLinesCannotSmuggleInAnotherMessage) {
  const Listener systemd;
  NotifyStatus("one\nMAINPID=1");
  EXPECT_EQ(systemd.Heard(), "STATUS=one MAINPID=1");
}

TEST(Notify, WithoutAServiceManagerNothingHappens) {
  unsetenv("NOTIFY_SOCKET");
  NotifyReady();
  setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
  NotifyProgress();
  EXPECT_STREQ(getenv("NOTIFY_SOCKET"), "/nowhere/at/all");
  unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace nightshift::runtime
