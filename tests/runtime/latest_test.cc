// SPDX-License-Identifier: Apache-2.0
#include "runtime/latest.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

namespace nightshift::runtime {
namespace {

TEST(Latest, HasNothingBeforeAnythingWasPutAndEachItemOnce) {
  Latest<int> latest;
  EXPECT_EQ(latest.Take(), nullptr);
  latest.Put(7);
  ASSERT_NE(latest.Take(), nullptr);
  EXPECT_EQ(latest.Take(), nullptr);
}

TEST(Latest, GivesTheNewestAndForgetsWhatWasNotTakenInTime) {
  Latest<int> latest;
  for (int i = 1; i <= 10; ++i) latest.Put(i);
  EXPECT_EQ(*latest.Take(), 10);
  latest.Put(11);
  EXPECT_EQ(*latest.Take(), 11);
}

TEST(Latest, WhatWasTakenStaysWhileMoreIsPut) {
  Latest<int> latest;
  latest.Put(1);
  const int* taken = latest.Take();
  for (int i = 2; i < 100; ++i) latest.Put(i);
  EXPECT_EQ(*taken, 1);
}

/// Torn reads would show as two halves that differ; the sanitizer looks for the rest.
TEST(Latest, BetweenTwoThreadsNothingIsTornAndNothingGoesBack) {
  using Wide = std::array<std::uint64_t, 64>;
  constexpr std::uint64_t kPuts = 20'000;
  Latest<Wide> latest;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint64_t i = 1; i <= kPuts; ++i) {
      Wide wide;
      wide.fill(i);
      latest.Put(wide);
    }
    done = true;
  });
  std::uint64_t last = 0;
  for (bool finished = false; !finished;) {
    finished = done;
    const Wide* wide = latest.Take();
    if (wide == nullptr) continue;
    ASSERT_EQ(wide->front(), wide->back());
    ASSERT_GT(wide->front(), last);
    last = wide->front();
  }
  writer.join();
  EXPECT_EQ(last, kPuts);
}

}  // namespace
}  // namespace nightshift::runtime
