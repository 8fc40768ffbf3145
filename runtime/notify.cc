// SPDX-License-Identifier: Apache-2.0
#include "runtime/notify.h"

#include <algorithm>

#include <systemd/sd-daemon.h>

namespace nightshift::runtime {
namespace {

// A listener that is gone is no reason to fail: the service manager finds that out by itself.
void Notify(const std::string& state) { static_cast<void>(sd_notify(0, state.c_str())); }

}  // namespace

void NotifyReady() { Notify("READY=1"); }
void NotifyProgress() { Notify("WATCHDOG=1"); }
void NotifyStopping() { Notify("STOPPING=1"); }

void NotifyStatus(const std::string& text) {
  std::string line = text;
  std::replace(line.begin(), line.end(), '\n', ' ');  // A newline would begin another assignment.
  Notify("STATUS=" + line);
}

}  // namespace nightshift::runtime
