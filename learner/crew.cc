// SPDX-License-Identifier: Apache-2.0
#include "learner/crew.h"

#include <chrono>

#include "core/check.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace nightshift::learner {

namespace {

constexpr std::chrono::microseconds kSpin(100);  // The parts of an update that one thread does alone are shorter.
constexpr int kLooksPerClock = 64;

void Relax() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

/// Returns once `value` is no longer `old`.
void AwaitChange(const std::atomic<unsigned>& value, unsigned old) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < kLooksPerClock; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      Relax();
    }
  } while (std::chrono::steady_clock::now() < end);
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

Crew::Crew(int threads) {
  NIGHTSHIFT_CHECK(threads >= 1);
  for (int i = 1; i < threads; ++i) helpers_.emplace_back([this, i] { Help(i); });
}

Crew::~Crew() {
  dismissed_ = true;
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

/// Every so many-th job, beginning with the `first`: which thread does which is always the same.
void Crew::Share(int first) const {
  for (int job = first; job < work_.jobs; job += threads()) work_.call(work_.context, job);
}

void Crew::RunAll(const Work& work) {
  work_ = work;
  if (helpers_.empty() || work.jobs < 2) {
    for (int job = 0; job < work.jobs; ++job) work.call(work.context, job);
    return;
  }
  busy_.store(static_cast<unsigned>(helpers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  Share(0);
  for (unsigned left = busy_.load(std::memory_order_acquire); left != 0; left = busy_.load(std::memory_order_acquire))
    AwaitChange(busy_, left);
}

void Crew::Help(int index) {
  unsigned seen = 0;
  while (true) {
    AwaitChange(round_, seen);
    seen = round_.load(std::memory_order_acquire);
    if (dismissed_) return;
    Share(index);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_all();
  }
}

}  // namespace nightshift::learner
