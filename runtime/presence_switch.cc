// SPDX-License-Identifier: Apache-2.0
#include "runtime/presence_switch.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>

namespace nightshift::runtime {
namespace {

using Reading = SwitchBox::Reading;

constexpr std::size_t kBytesMax = 8;  // One digit and a line end; more is something else.

}  // namespace

Reading SwitchReading(std::string_view text, const safety::PresenceConfig& config) {
  const std::string_view nobody = config.active_low ? "1" : "0";
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text == nobody ? Reading::kNobody : Reading::kSomebody;
}

/// Opened each time: a line that was given back and taken again is another file.
void PresenceSwitch::Look() {
  std::array<char, kBytesMax> text{};
  const int descriptor = ::open(config_.value_file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  const ssize_t size = descriptor < 0 ? 0 : ::read(descriptor, text.data(), text.size());
  if (descriptor >= 0) ::close(descriptor);
  box_.Put(SwitchReading({text.data(), size > 0 ? static_cast<std::size_t>(size) : 0}, config_));
}

void PresenceSwitch::Start() {
  thread_ = std::thread([this] { Run(); });
}

void PresenceSwitch::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void PresenceSwitch::Run() {
  const std::chrono::duration<double> poll(config_.poll_s);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    Look();
    lock.lock();
    stopped_.wait_for(lock, poll, [this] { return stopping_; });
  }
}

}  // namespace nightshift::runtime
