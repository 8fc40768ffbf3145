// SPDX-License-Identifier: Apache-2.0
#include "learner/backward_target.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "learner/replay.h"

namespace nightshift::learner {
namespace {

constexpr Sizes kSizes{1, 1};

Replay Between(float low, float high) {
  Replay replay(kSizes, 2000);
  Dice dice(3);
  for (int i = 0; i < 2000; ++i) {
    const std::array<float, 1> state{low + (high - low) * dice.Unit()}, action{0};
    replay.Add({state, action, 0, state, 1});
  }
  return replay;
}

double RewardAt(BackwardTarget& target, float x) { return target.Reward(std::array{x}); }

TEST(BackwardTarget, PaysWhatTheBestClassifierOfTheTwoDistributionsWould) {
  BackwardTarget target({.width = 32, .batch = 128, .learning_rate = 2e-3, .mixup = Mixup::kOff}, kSizes, 1);
  const Replay demonstrated = Between(0, 1), visited = Between(-1, 1);
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(target.Update(demonstrated, visited));
  // Densities 1 and 1/2 to the right of 0: D = 2/3; to the left nothing was demonstrated.
  EXPECT_NEAR(RewardAt(target, 0.5f), -std::log(1 - 2.0 / 3), 0.1);
  EXPECT_NEAR(RewardAt(target, -0.5f), 0, 0.05);
}

TEST(BackwardTarget, MixedUpStillPrefersWhereDemonstrationsWereAndIsLessSure) {
  BackwardTarget target({.width = 32, .batch = 128, .learning_rate = 2e-3}, kSizes, 1);
  const Replay demonstrated = Between(0.5f, 1), visited = Between(-1, -0.5f);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(target.Update(demonstrated, visited));
  EXPECT_GT(RewardAt(target, 0.7f), RewardAt(target, 0.0f) + 0.3);
  EXPECT_GT(RewardAt(target, 0.0f), RewardAt(target, -0.7f) + 0.3);
  EXPECT_LE(RewardAt(target, 1000), BackwardTargetConfig{}.reward_max);
}

TEST(BackwardTarget, RefusesWhatIsNoNumberAndPaysNothingForIt) {
  BackwardTarget target({.width = 8, .batch = 16}, kSizes, 1);
  struct Broken final : Experience {
    std::size_t size() const override { return 1; }
    void Draw(Dice&, Batch& batch, int row) const override {
      const std::array<float, 1> nan{std::numeric_limits<float>::quiet_NaN()};
      batch.Put(row, {nan, nan, 0, nan, 1});
    }
  };
  const double before = RewardAt(target, 0.3f);
  const auto updated = target.Update(Broken{}, Broken{});
  ASSERT_FALSE(updated);
  EXPECT_EQ(updated.error().code, core::FaultCode::kNotFinite);
  EXPECT_EQ(RewardAt(target, 0.3f), before);
  EXPECT_EQ(RewardAt(target, std::numeric_limits<float>::quiet_NaN()), 0);
}

}  // namespace
}  // namespace nightshift::learner
