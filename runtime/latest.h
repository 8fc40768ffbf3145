// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <atomic>

namespace nightshift::runtime {

/// The newest of what one thread tells another; what was not taken in time is replaced. Three places: one that is being
/// written, one that is being read, one between. Thread: Put from one, Take from one other. Both real-time: no lock, no
/// allocation, no waiting.
template <typename T>
class Latest {
 public:
  void Put(const T& item) {
    places_[writing_] = item;
    writing_ = between_.exchange(writing_ | kFresh, std::memory_order_acq_rel) & kPlace;
  }

  /// Null if nothing was put since the last call; else valid until the next one.
  const T* Take() {
    if ((between_.load(std::memory_order_relaxed) & kFresh) == 0) return nullptr;
    reading_ = between_.exchange(reading_, std::memory_order_acq_rel) & kPlace;
    return &places_[reading_];
  }

 private:
  static constexpr unsigned kPlace = 3, kFresh = 4;
  std::array<T, 3> places_{};
  unsigned writing_ = 0;  // The writer's.
  unsigned reading_ = 1;  // The reader's.
  std::atomic<unsigned> between_{2};
};

}  // namespace nightshift::runtime
