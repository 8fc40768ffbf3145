// SPDX-License-Identifier: Apache-2.0
#include "runtime/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace nightshift::runtime {
namespace {

constexpr int kDraws = 4000;

std::vector<int> Draws(const std::vector<Option>& options) {
  core::Random random(3);
  std::vector<int> chosen(options.size());
  for (int i = 0; i < kDraws; ++i) ++chosen[Choose(options, random).index];
  return chosen;
}

TEST(Scheduler, ChoosesWhatIsLeftToLearnMoreOften) {
  const auto chosen = Draws({{"mastered", 0, 0.95, 100}, {"new", 0, 0.2, 100}});
  EXPECT_GT(chosen[1], 2 * chosen[0]);
}

TEST(Scheduler, StillPractisesWhatIsMastered) {
  const auto chosen = Draws({{"mastered", 0, 1.0, 1000}, {"hard", 0, 0.0, 1000}});
  EXPECT_GT(chosen[0], kDraws / 50);
}

TEST(Scheduler, PrefersTheNeglectedOfTwoThatAreEquallyGood) {
  const auto chosen = Draws({{"often", 0, 0.5, 1000}, {"seldom", 0, 0.5, 2}});
  EXPECT_GT(chosen[1], chosen[0]);
}

TEST(Scheduler, TakesTheOnlyOption) {
  core::Random random(1);
  const std::vector<Option> one{{"pick", 1, 1.0, 5}};
  EXPECT_EQ(Choose(one, random).index, 0u);
}

TEST(Scheduler, SaysWhy) {
  core::Random random(1);
  const std::vector<Option> one{{"pick", 0, 0.75, 12}};
  EXPECT_EQ(Choose(one, random).why,
            "pick has 25 % left to learn after 12 attempts; chosen with probability 1.00 among 1");
}

TEST(Scheduler, OneSeedReplaysItsChoices) {
  const std::vector<Option> options{{"a", 0, 0.5, 3}, {"b", 0, 0.5, 3}, {"c", 0, 0.5, 3}};
  core::Random first(9), second(9);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Choose(options, first).index, Choose(options, second).index);
}

}  // namespace
}  // namespace nightshift::runtime
