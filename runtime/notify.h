// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

/// Tells the service manager (systemd, or whoever listens at NOTIFY_SOCKET) how this process is. Without a listener
/// these do nothing. Thread: any; a call takes some 10 us.
namespace nightshift::runtime {

/// Once, when the process does its work.
void NotifyReady();

/// Strokes the watchdog. Call only when every thread has made progress, never from a timer.
void NotifyProgress();

/// One line for `systemctl status`.
void NotifyStatus(const std::string& text);

/// The end was asked for and has begun.
void NotifyStopping();

}  // namespace nightshift::runtime
