// SPDX-License-Identifier: Apache-2.0
#include "learner/replay.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace nightshift::learner {
namespace {

Sample Numbered(float number) {
  Sample sample;
  sample.reward = number;
  return sample;
}

std::set<float> AllDrawn(const Replay& replay, int draws) {
  Dice dice(7);
  std::set<float> seen;
  for (int i = 0; i < draws; ++i) seen.insert(replay.Draw(dice).reward);
  return seen;
}

TEST(Replay, DrawsEverySampleItHolds) {
  Replay replay(5);
  for (int i = 0; i < 3; ++i) replay.Add(Numbered(static_cast<float>(i)));
  EXPECT_EQ(AllDrawn(replay, 200), (std::set<float>{0, 1, 2}));
}

TEST(Replay, ForgetsTheOldestWhenFullAndCountsIt) {
  Replay replay(3);
  for (int i = 0; i < 5; ++i) replay.Add(Numbered(static_cast<float>(i)));
  EXPECT_EQ(replay.size(), 3u);
  EXPECT_EQ(replay.overflowed(), 2u);
  EXPECT_EQ(AllDrawn(replay, 200), (std::set<float>{2, 3, 4}));
}

TEST(Replay, RefusesWhatIsNotFiniteAndCountsIt) {
  Replay replay(3);
  Sample in_state = Numbered(1), in_reward = Numbered(std::numeric_limits<float>::infinity());
  in_state.after[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(replay.Add(in_state));
  EXPECT_FALSE(replay.Add(in_reward));
  EXPECT_EQ(replay.size(), 0u);
  EXPECT_EQ(replay.refused(), 2u);
}

TEST(Dice, ContinuesFromASavedState) {
  Dice first(3);
  first.Draw();
  Dice second(99);
  second.Restore(first.state());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(first.Draw(), second.Draw());
}

TEST(Dice, DrawsNormalsWithMeanZeroAndDeviationOne) {
  Dice dice(5);
  double sum = 0, squares = 0;
  constexpr int kPairs = 20000;
  for (int i = 0; i < kPairs; ++i) {
    float a = 0, b = 0;
    dice.Normals(a, b);
    sum += a + b;
    squares += a * a + b * b;
  }
  EXPECT_NEAR(sum / (2 * kPairs), 0, 0.02);
  EXPECT_NEAR(squares / (2 * kPairs), 1, 0.03);
}

}  // namespace
}  // namespace nightshift::learner
