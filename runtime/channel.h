// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <optional>

#include <boost/lockfree/spsc_queue.hpp>

#include "core/check.h"

namespace nightshift::runtime {

/// A bounded queue from one thread to one other, with a descriptor to wait at. Neither end locks or allocates.
template <typename T, std::size_t kPlaces>
class Channel {
 public:
  Channel() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { NIGHTSHIFT_CHECK(descriptor_ >= 0); }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() { close(descriptor_); }

  /// False if it is full; the item is then lost.
  bool Post(const T& item) {
    if (!queue_.push(item)) return false;
    eventfd_write(descriptor_, 1);
    return true;
  }

  std::optional<T> Take() {
    T item;
    if (queue_.pop(item)) return item;
    return std::nullopt;
  }

  /// Returns when something was posted since the last call, or the wait is over.
  void Await(std::chrono::milliseconds wait) {
    pollfd readable{descriptor_, POLLIN, 0};
    poll(&readable, 1, static_cast<int>(wait.count()));
    Acknowledge();
  }

  /// Becomes readable when something is posted; call Acknowledge before taking everything out.
  int descriptor() const { return descriptor_; }
  void Acknowledge() {
    eventfd_t count = 0;
    eventfd_read(descriptor_, &count);
  }

 private:
  boost::lockfree::spsc_queue<T, boost::lockfree::capacity<kPlaces>> queue_;
  int descriptor_;
};

}  // namespace nightshift::runtime
