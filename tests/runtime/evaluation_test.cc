// SPDX-License-Identifier: Apache-2.0
#include "runtime/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nightshift::runtime {
namespace {

using testing::HasSubstr;

TEST(WilsonShare, KnowsNothingBeforeTheFirstAttempt) {
  const Share share = WilsonShare(0, 0);
  EXPECT_EQ(share.low, 0);
  EXPECT_EQ(share.high, 1);
  EXPECT_EQ(share.mean(), 0);
}

TEST(WilsonShare, AgreesWithPublishedIntervals) {
  const Share most = WilsonShare(81, 263);  // Newcombe 1998, table I, method 3.
  EXPECT_NEAR(most.low, 0.2553, 5e-5);
  EXPECT_NEAR(most.high, 0.3662, 5e-5);
  const Share none = WilsonShare(0, 20);
  EXPECT_NEAR(none.low, 0, 1e-12);
  EXPECT_NEAR(none.high, 0.1611, 5e-5);
  const Share one = WilsonShare(1, 29);
  EXPECT_NEAR(one.low, 0.0061, 5e-5);
  EXPECT_NEAR(one.high, 0.1718, 5e-5);
}

TEST(WilsonShare, StaysWithinZeroAndOneAndContainsTheMean) {
  for (int attempts = 1; attempts <= 50; ++attempts)
    for (int solved = 0; solved <= attempts; ++solved) {
      const Share share = WilsonShare(solved, attempts);
      EXPECT_GE(share.low, 0);
      EXPECT_LE(share.high, 1);
      EXPECT_LE(share.low, share.mean() + 1e-12);
      EXPECT_GE(share.high, share.mean() - 1e-12);
    }
}

TEST(WilsonShare, NarrowsWithMoreAttempts) {
  const Share few = WilsonShare(5, 10), many = WilsonShare(500, 1000);
  EXPECT_LT(many.high - many.low, few.high - few.low);
}

TEST(ContenderFrom, UnderstandsEveryNameItGives) {
  for (const Contender one : {Contender::kLearned, Contender::kScriptedOnce, Contender::kScriptedRetry})
    EXPECT_EQ(ContenderFrom(std::string(Name(one))), one);
}

TEST(ContenderFrom, NamesTheChoicesWhenItDoesNotUnderstand) {
  const auto contender = ContenderFrom("best");
  ASSERT_FALSE(contender);
  EXPECT_EQ(contender.error().code, core::FaultCode::kInvalidConfig);
  EXPECT_THAT(contender.error().detail, HasSubstr("learned, scripted-once or scripted-retry"));
}

}  // namespace
}  // namespace nightshift::runtime
