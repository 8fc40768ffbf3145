// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/grip.h"

#include <gtest/gtest.h>

namespace nightshift::safety {
namespace {

/// With a limit of 1 Nm; closing torques are given as they press, without their sign.
class Pressed : public testing::Test {
 protected:
  static Limits One() {
    Limits limits;
    limits.grip_torque_nm_max = 1;
    return limits;
  }
  Grip With(double closing_nm) { return limit_.Look(-closing_nm); }

  GripLimit limit_{One()};
};

TEST_F(Pressed, LessThanTheLimitIsFree) {
  EXPECT_EQ(With(0), Grip::kFree);
  EXPECT_EQ(With(0.949), Grip::kFree);
}

TEST_F(Pressed, AtTheLimitTheJawClosesNoFurther) {
  EXPECT_EQ(With(0.95), Grip::kHolds);
  EXPECT_EQ(With(1.2), Grip::kHolds);
}

TEST_F(Pressed, AFifthAboveItTheJawOpensUntilItIsBelow) {
  EXPECT_EQ(With(1.21), Grip::kOpens);
  EXPECT_EQ(With(1.1), Grip::kOpens);
  EXPECT_EQ(With(0.95), Grip::kOpens);
  EXPECT_EQ(With(0.94), Grip::kHolds);
  EXPECT_EQ(With(1.1), Grip::kHolds) << "opens only from a fifth above again";
}

TEST_F(Pressed, HoldsOnUntilItIsClearlyBelow) {
  With(1);
  EXPECT_EQ(With(0.5), Grip::kHolds);
  EXPECT_EQ(With(0.49), Grip::kFree);
  EXPECT_EQ(With(0.94), Grip::kFree);
}

TEST_F(Pressed, WhatPushesTheJawOpenIsNoGrip) { EXPECT_EQ(limit_.Look(5), Grip::kFree); }

}  // namespace
}  // namespace nightshift::safety
