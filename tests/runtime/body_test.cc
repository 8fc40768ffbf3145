// SPDX-License-Identifier: Apache-2.0
#include "runtime/body.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/fakes/scripted_world.h"

namespace nightshift::runtime {
namespace {

constexpr double kIkErrorM = 0.002;

class BodyTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(body.Rest()); }

  skills::Scene scene;
  tests::ScriptedWorld world{scene};
  Body body{world, world, scene};
};

TEST_F(BodyTest, RestProposesNothingAndLooks) {
  world.PutsObject(0.2, 0.0);
  ASSERT_TRUE(body.Rest());
  EXPECT_TRUE(world.proposals.empty());
  EXPECT_EQ(body.seen().object_count, 1);
  EXPECT_EQ(body.seen().frame, core::FrameHealth::kGood);
}

TEST_F(BodyTest, AnObjectAtNoNumberIsNotBelievedAndWhatWasSeenBeforeGrowsOlder) {
  world.PutsObject(0.2, 0.0);
  ASSERT_TRUE(body.Rest());
  const core::TrackedObject before = body.seen().objects[0];
  world.PutsObject(std::numeric_limits<double>::quiet_NaN(), 0.0);
  ASSERT_TRUE(body.Rest());
  ASSERT_TRUE(body.Rest());
  EXPECT_EQ(body.seen().frame, core::FrameHealth::kBlind);
  EXPECT_EQ(body.seen().objects[0].position_m.x, before.position_m.x);
  EXPECT_GT(body.seen().objects[0].age, before.age + std::chrono::milliseconds(150));
}

TEST_F(BodyTest, AFullActionMovesTheTipByTheLargestStep) {
  const core::Vec3 before = body.seen().tip_m;
  const auto moved = body.Act({1, 0, -1, 0});
  ASSERT_TRUE(moved);
  EXPECT_NEAR(moved->after.tip_m.x, before.x + scene.step_m_max, kIkErrorM);
  EXPECT_NEAR(moved->after.tip_m.z, before.z - scene.step_m_max, kIkErrorM);
  EXPECT_NEAR(moved->applied[0], 1, 0.1);
}

TEST_F(BodyTest, NothingLeavesThatIsLargerThanAStepOrNotANumber) {
  const core::Vec3 before = body.seen().tip_m;
  ASSERT_TRUE(body.Act({50, std::numeric_limits<float>::quiet_NaN(), 0, 0}));
  EXPECT_NEAR(world.Tip().x, before.x + scene.step_m_max, kIkErrorM);
  EXPECT_NEAR(world.Tip().y, before.y, kIkErrorM);
}

TEST_F(BodyTest, TheTipStaysAboveTheTable) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(body.Act({0, 0, -1, 0}));
  EXPECT_GT(world.Tip().z, 0.004);
}

TEST_F(BodyTest, APolicyThatHasLostItsWayStaysAroundTrayAndBin) {
  const struct {
    core::PolicyAction always;
    const char* where;
  } ways[] = {{{-1, 0, 0, 0}, "toward the base"}, {{0, -1, 0, 0}, "to the right"}, {{0, 0, 1, 0}, "up"}};
  for (const auto& way : ways) {
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(body.Act(way.always));
    EXPECT_GT(NormXy(world.Tip()), 0.08 - kIkErrorM) << way.where;
    EXPECT_GT(world.Tip().y, scene.tray.y_min_m - 0.08 - kIkErrorM) << way.where;
    EXPECT_LT(world.Tip().z, 0.20 + kIkErrorM) << way.where;
  }
}

TEST_F(BodyTest, NoJointIsSentFurtherThanItFollowsInAPeriod) {
  world.Falls();  // Nothing like the posture that inverse kinematics has for this place.
  ASSERT_TRUE(body.Rest());
  const core::AxisArray fallen = body.seen().joints.q_rad;
  ASSERT_TRUE(body.Act({0, 0, 1, 0}));
  for (std::size_t i = 0; i < core::kJaw; ++i)
    EXPECT_NEAR(world.proposals.back().target_q_rad[i], fallen[i], 0.36) << "axis " << i;
}

TEST_F(BodyTest, TheGripperIgnoresSmallChangesOfMind) {
  ASSERT_TRUE(body.Act({0, 0, 0, 1}));
  EXPECT_EQ(body.seen().jaw_command_rad, scene.jaw_closed_rad);
  ASSERT_TRUE(body.Act({0, 0, 0, -0.2f}));
  EXPECT_EQ(body.seen().jaw_command_rad, scene.jaw_closed_rad);
  ASSERT_TRUE(body.Act({0, 0, 0, -0.3f}));
  EXPECT_EQ(body.seen().jaw_command_rad, scene.jaw_open_rad);
}

TEST_F(BodyTest, ProposalsAreNumberedUpwardsAndCarryTheEpochOfTheLastLatch) {
  ASSERT_TRUE(body.Act({0, 0, 0, 0}));
  world.Latches(core::StopCause::kStall);
  ASSERT_TRUE(body.Rest());
  ASSERT_TRUE(body.Clear());
  ASSERT_TRUE(body.Act({0, 0, 0, 0}));
  ASSERT_EQ(world.proposals.size(), 2u);
  EXPECT_GT(world.proposals[1].sequence, world.proposals[0].sequence);
  EXPECT_GT(world.proposals[1].epoch, world.proposals[0].epoch);
  EXPECT_GT(world.proposals[1].deadline, world.now() - core::Seconds(0.1));
}

TEST_F(BodyTest, AnActionIsAsFastAsItsRiskScaleAndOnlyThatOne) {
  ASSERT_TRUE(body.Act({1, 0, 0, 0}, 0.25));
  EXPECT_EQ(world.proposals.back().risk_scale, 0.25);
  ASSERT_TRUE(body.Act({1, 0, 0, 0}));
  EXPECT_EQ(world.proposals.back().risk_scale, 1);
}

TEST_F(BodyTest, AnActionThatIsRefusedForItsRiskIsProposedAllTheSameSoThatTheArmHoldsStill) {
  const core::Vec3 before = world.Tip();
  ASSERT_TRUE(body.Act({1, 0, 0, 0}, 0));
  ASSERT_FALSE(world.proposals.empty());
  EXPECT_EQ(world.proposals.back().risk_scale, 0);
  EXPECT_EQ(world.Tip(), before);
}

TEST_F(BodyTest, GoesToAPointAndStopsThere) {
  ASSERT_TRUE(body.GoTo({0.2, 0.05, 0.09}, false, 30));
  EXPECT_LT(Norm(world.Tip() - core::Vec3{0.2, 0.05, 0.09}), 0.009);
  EXPECT_LT(world.proposals.size(), 30u);
}

TEST_F(BodyTest, GivesUpOnAPointOutOfReachAfterTheGivenPeriods) {
  ASSERT_TRUE(body.GoTo({2, 0, 0.1}, false, 30));
  EXPECT_EQ(world.proposals.size(), 30u);
}

TEST_F(BodyTest, GoesNoFurtherThanTheFirstStop) {
  world.Latches(core::StopCause::kTrackingError);
  ASSERT_TRUE(body.GoTo({0.2, 0.05, 0.09}, false, 30));
  EXPECT_EQ(world.proposals.size(), 1u);
}

TEST_F(BodyTest, PushesNoHarderAtWhatBlocksItsWayThanAPolicyMay) {
  world.BlocksTheArm();
  ASSERT_TRUE(body.GoTo({0.25, 0.05, 0.09}, false, 30));
  const core::Vec3 ahead = body.seen().commanded_tip_m - body.seen().tip_m;
  EXPECT_LE(std::max({std::abs(ahead.x), std::abs(ahead.y), std::abs(ahead.z)}), scene.command_lead_m_max + kIkErrorM);
}

TEST_F(BodyTest, PassesOnThatSafetyIsGone) {
  world.LosesTheArmAfter(0);
  const auto moved = body.Act({0, 0, 0, 0});
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code, core::FaultCode::kPeerTimeout);
}

}  // namespace
}  // namespace nightshift::runtime
