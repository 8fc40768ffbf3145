// SPDX-License-Identifier: Apache-2.0
#include "tests/safety/other_suites.h"

#include <gtest/gtest.h>

namespace nightshift::safety {
namespace {

constexpr double kWhole = 1 + 1e-9;  // Of a bound.

TEST(LimitJerk, HoldsABangBangAtAThousandHertzWithinTheLimitsOfACommonArm) {
  for (const JerkBounds& bounds : FrankaJoints())
    for (const int each_way : kBangBangTicks) {
      const SuiteDrive suite = DriveBangBang(bounds, each_way, 12000);
      EXPECT_EQ(suite.drive.tally.violations(), 0) << "every " << each_way << " " << suite.drive.tally.Text();
      EXPECT_LE(suite.ratios.worst(), kWhole) << "every " << each_way;
    }
}

TEST(LimitJerk, ReachesNoMoreThanItsLimitsUnderTheRandomActionsOfOthersTests) {
  const std::uint64_t seed = 1;
  core::Random random(seed);
  Ratios ratios;
  int sets = 0;
  ForEachKlimitsSet(kKlimitsRandomJerks, [&](const KlimitsSet& set) {
    ++sets;
    for (std::size_t joint = 0; joint < kKlimitsJoints; ++joint)
      ratios.Add(DriveRandomActions(KlimitsJoint(set, joint), 30, random).ratios);
  });
  EXPECT_EQ(sets, 162);
  EXPECT_LE(ratios.worst(), kWhole) << "theirs are allowed 1.002";
  EXPECT_GT(ratios.speed, 0.999) << "and all that is allowed is used";
  EXPECT_GT(ratios.acceleration, 0.999);
}

TEST(LimitJerk, PushedOneWayForGoodEndsAtTheEndOfTheRange) {
  ForEachKlimitsSet(kKlimitsConstantJerks, [&](const KlimitsSet& set) {
    for (std::size_t joint = 0; joint < kKlimitsJoints; ++joint)
      for (const double way : {-1.0, 1.0}) {
        const JerkBounds bounds = KlimitsJoint(set, joint);
        const SuiteDrive suite = DriveConstantAction(bounds, 20, way);
        ASSERT_LE(suite.ratios.worst(), kWhole);
        ASSERT_GT(way * suite.drive.now.q_rad / bounds.q_rad_max, 0.999) << "theirs have to be at 0.96";
      }
  });
}

TEST(JointStop, IsRightToABillionthFromAnyStateUnderAnyLimits) {
  const std::uint64_t seed = 42;
  core::Random random(seed);
  for (int state = 0; state < 300'000; ++state)
    ASSERT_LE(StopFromAnywhere(random).worst(), 1e-9) << "seed " << seed << " state " << state;
}

}  // namespace
}  // namespace nightshift::safety
