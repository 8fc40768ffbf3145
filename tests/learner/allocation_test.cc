// SPDX-License-Identifier: Apache-2.0
// A program of its own, since it replaces operator new.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <new>

#include "learner/actor_critic.h"
#include "learner/product.h"
#include "learner/replay.h"

namespace {

std::atomic<std::size_t> largest_bytes{0};

void* Take(std::size_t bytes) {
  std::size_t known = largest_bytes;
  while (known < bytes && !largest_bytes.compare_exchange_weak(known, bytes)) {}
  if (void* at = std::malloc(bytes)) return at;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) { return Take(bytes); }
void* operator new[](std::size_t bytes) { return Take(bytes); }
void operator delete(void* at) noexcept { std::free(at); }
void operator delete[](void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t) noexcept { std::free(at); }
void operator delete[](void* at, std::size_t) noexcept { std::free(at); }

namespace nightshift::learner {
namespace {

constexpr std::size_t kArgumentListBytesMax = 512;  // What oneDNN makes for each product that it is asked for.

std::size_t LargestOfLaterUpdates(int threads, Precision precision) {
  constexpr Sizes kSizes{7, 3};
  AgentConfig config;
  config.actor_every = 1;
  Replay practice(kSizes, 100), none(kSizes, 1);
  const std::array<float, 7> state{1, 2, 3};
  const std::array<float, 3> action{};
  for (int i = 0; i < 100; ++i) practice.Add({state, action, 1, state, 0.9f});
  ActorCritic learner(config, kSizes, 1, {std::make_shared<Crew>(threads), precision});
  learner.Update(Phase::kLearning, practice, none);
  largest_bytes = 0;
  for (int i = 0; i < 10; ++i) learner.Update(Phase::kLearning, practice, none);
  return largest_bytes;
}

TEST(Updates, AllocateNothingButArgumentListsAfterTheFirst) {
  for (const int threads : {1, 2}) {
    EXPECT_LE(LargestOfLaterUpdates(threads, Precision::kFp32), kArgumentListBytesMax);
    const Precision best = HasBf16() ? Precision::kBf16 : Precision::kFp32;
    EXPECT_LE(LargestOfLaterUpdates(threads, best), kArgumentListBytesMax);
  }
}

}  // namespace
}  // namespace nightshift::learner
