// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>

#include "runtime/safety_mail.h"
#include "safety/config.h"

namespace nightshift::runtime {

/// What the text of a GPIO line's value file says. Anything but a plain 0 or 1 (a line end may follow), nothing
/// included, is somebody.
SwitchBox::Reading SwitchReading(std::string_view text, const safety::PresenceConfig& config);

/// Reads a presence switch over and over, on a thread of its own: a file may take as long as it likes. While reading
/// hangs nothing new arrives, and that is silence; what cannot be read is somebody.
class PresenceSwitch {
 public:
  /// @param config already validated, with source = gpio.
  explicit PresenceSwitch(const safety::PresenceConfig& config) : config_(config) {}
  PresenceSwitch(const PresenceSwitch&) = delete;
  PresenceSwitch& operator=(const PresenceSwitch&) = delete;
  ~PresenceSwitch() { Stop(); }

  void Start();
  void Stop();

  /// One look; the thread's, or a test's.
  void Look();

  const SwitchBox& box() const { return box_; }

 private:
  void Run();

  safety::PresenceConfig config_;
  SwitchBox box_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;  // Under mutex_.
};

}  // namespace nightshift::runtime
