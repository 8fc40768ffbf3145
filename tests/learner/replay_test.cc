// SPDX-License-Identifier: Apache-2.0
#include "learner/replay.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <set>
#include <vector>

namespace nightshift::learner {
namespace {

constexpr Sizes kSizes{3, 2};

struct Numbered {
  explicit Numbered(float number) : reward(number) {}

  SampleView view() const { return {before, action, reward, after, 0.9f}; }

  std::array<float, 3> before{1, 2, 3}, after{4, 5, 6};
  std::array<float, 2> action{7, 8};
  float reward;
};

std::set<float> AllDrawn(const Replay& replay, int draws) {
  Dice dice(7);
  Batch batch(kSizes, 1);
  std::set<float> seen;
  for (int i = 0; i < draws; ++i) {
    replay.Draw(dice, batch, 0);
    seen.insert(batch.reward[0]);
  }
  return seen;
}

TEST(Replay, GivesBackWhatItWasGiven) {
  Replay replay(kSizes, 5);
  replay.Add(Numbered(0.5f).view());
  Dice dice(7);
  Batch batch(kSizes, 2);
  replay.Draw(dice, batch, 1);
  const auto second_row = [](const std::vector<float>& values) {
    return std::vector<float>(values.begin() + std::ssize(values) / 2, values.end());
  };
  EXPECT_EQ(second_row(batch.before), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(second_row(batch.before_action), (std::vector<float>{1, 2, 3, 7, 8}));
  EXPECT_EQ(second_row(batch.after), (std::vector<float>{4, 5, 6}));
  EXPECT_EQ(batch.reward[1], 0.5f);
  EXPECT_EQ(batch.discount[1], 0.9f);
}

TEST(Replay, DrawsEverySampleItHolds) {
  Replay replay(kSizes, 5);
  for (int i = 0; i < 3; ++i) replay.Add(Numbered(static_cast<float>(i)).view());
  EXPECT_EQ(AllDrawn(replay, 200), (std::set<float>{0, 1, 2}));
}

TEST(Replay, ForgetsTheOldestWhenFullAndCountsIt) {
  Replay replay(kSizes, 3);
  for (int i = 0; i < 5; ++i) replay.Add(Numbered(static_cast<float>(i)).view());
  EXPECT_EQ(replay.size(), 3u);
  EXPECT_EQ(replay.overflowed(), 2u);
  EXPECT_EQ(AllDrawn(replay, 200), (std::set<float>{2, 3, 4}));
}

TEST(Replay, RefusesWhatIsNotFiniteAndCountsIt) {
  Replay replay(kSizes, 3);
  Numbered in_state(1), in_reward(std::numeric_limits<float>::infinity());
  in_state.after[2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(replay.Add(in_state.view()));
  EXPECT_FALSE(replay.Add(in_reward.view()));
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
