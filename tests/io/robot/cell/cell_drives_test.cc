// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_drives.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/kinematics.h"

namespace nightshift::io::cell {
namespace {

/// Six drives on a shaft that does not move, hand-driven tick by tick.
class Drives : public testing::Test {
 protected:
  Drives() { drives_.Arm(kTimeoutS); }
  static MessConfig Fading() {
    MessConfig mess;
    mess.grip_fade_after_s = 1.0, mess.grip_fade_tau_s = 0.5, mess.grip_fade_floor = 0.1;
    return mess;
  }
  void Hear(double seconds, double target_rad) {
    DriveCommand command;
    command.q_rad.fill(target_rad);
    for (double s = 0; s < seconds; s += kTickS) torque_ = drives_.Tick(command, q_);
  }
  void HearNothing(double seconds) {
    for (double s = 0; s < seconds; s += kTickS) torque_ = drives_.Tick(std::nullopt, q_);
  }

  static constexpr double kTimeoutS = 0.2;
  DriveConfig config_;
  DriveBank drives_{config_, Fading()};
  core::AxisArray q_{};
  core::AxisArray torque_{};
};

TEST_F(Drives, HoldNoTorqueUntilTheyAreCommanded) {
  HearNothing(1);
  EXPECT_FALSE(drives_.powered());
  for (int i = 0; i < kAxes; ++i) EXPECT_EQ(torque_[static_cast<std::size_t>(i)], 0);
  Hear(kTickS, 0.1);
  EXPECT_TRUE(drives_.powered());
  EXPECT_GT(torque_[core::kLift], 0);
}

TEST_F(Drives, NeverExceedTheirTorqueLimit) {
  Hear(0.1, 100);
  for (int i = 0; i < kAxes; ++i)
    EXPECT_LE(torque_[static_cast<std::size_t>(i)], config_.torque_limit_nm[static_cast<std::size_t>(i)]);
}

TEST_F(Drives, FollowTheirLastCommandForEverWhileNoTimeoutIsArmed) {
  drives_ = DriveBank(config_, Fading());  // As after a power cut.
  EXPECT_EQ(drives_.command_timeout_s(), std::nullopt);
  Hear(0.1, 0.5);
  HearNothing(100);
  EXPECT_EQ(drives_.state(core::kLift), DriveState::kFollowing);
  EXPECT_GT(torque_[core::kLift], 0);
}

TEST_F(Drives, HoldWhereTheyAreWhenCommandsCeaseForTheTimeoutThatIsArmed) {
  drives_.Arm(0.4);
  Hear(0.1, 0.5);
  HearNothing(0.39);
  EXPECT_EQ(drives_.state(core::kLift), DriveState::kFollowing);
  HearNothing(0.02);
  EXPECT_EQ(drives_.state(core::kLift), DriveState::kHolding);
}

TEST_F(Drives, HoldWhereTheyAreWhenCommandsCease) {
  Hear(0.1, 0.5);
  HearNothing(0.19);
  EXPECT_EQ(drives_.state(core::kLift), DriveState::kFollowing);
  HearNothing(0.02);
  EXPECT_EQ(drives_.state(core::kLift), DriveState::kHolding);
  EXPECT_NEAR(torque_[core::kLift], 0, 1e-9);  // The wish to go to 0.5 is gone.
}

TEST_F(Drives, LetGoAfterHoldingLongAndFollowAgainWhenCommanded) {
  Hear(0.1, 0.5);
  HearNothing(kTimeoutS + config_.relax_after_s + 0.1);
  EXPECT_EQ(drives_.state(core::kLift), DriveState::kRelaxed);
  EXPECT_FALSE(drives_.powered());
  Hear(kTickS, 0.5);
  EXPECT_EQ(drives_.state(core::kLift), DriveState::kFollowing);
}

TEST_F(Drives, TakeACommandThatIsNotFiniteAsNone) {
  Hear(0.1, 0.5);
  Hear(0.3, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(drives_.state(core::kLift), DriveState::kHolding);
  for (int i = 0; i < kAxes; ++i) EXPECT_TRUE(std::isfinite(torque_[static_cast<std::size_t>(i)]));
}

TEST_F(Drives, LoseTheirTorqueOnCommand) {
  Hear(0.1, 0.5);
  DriveCommand off{.q_rad = {}, .power = core::PowerMode::kOff};
  torque_ = drives_.Tick(off, q_);
  EXPECT_FALSE(drives_.powered());
  EXPECT_EQ(torque_[core::kLift], 0);
}

TEST_F(Drives, WarmWithTheSquareOfTheCurrentTowardASteadyTemperature) {
  Hear(10 * config_.heating_tau_s, 0.04);  // 1 Nm, 1 A.
  EXPECT_NEAR(drives_.current_a(core::kLift), 1.0, 1e-6);
  EXPECT_NEAR(drives_.temperature_c(core::kLift), config_.ambient_c + config_.heating_c_per_a2, 0.1);
}

TEST_F(Drives, LetGoWhenTooHotAndFollowAgainWhenCooled) {
  drives_.SetTemperature(core::kLift, config_.overheat_c + 1);
  Hear(kTickS, 0.5);
  EXPECT_EQ(drives_.state(core::kLift), DriveState::kOverheated);
  EXPECT_EQ(torque_[core::kLift], 0);
  Hear(1, 0.5);
  EXPECT_EQ(drives_.state(core::kLift), DriveState::kOverheated);
  drives_.SetTemperature(core::kLift, config_.overheat_clear_c - 1);
  Hear(kTickS, 0.5);
  EXPECT_EQ(drives_.state(core::kLift), DriveState::kFollowing);
}

TEST_F(Drives, FadeTheGripUnderLoadUntilTheJawIsOpened) {
  q_[kJaw] = 0.43;  // Stopped by a cube.
  Hear(0.9, 0);
  EXPECT_EQ(drives_.grip_share(), 1);
  Hear(1, 0);
  EXPECT_LT(drives_.grip_share(), 0.25);
  Hear(10, 0);
  EXPECT_NEAR(drives_.grip_share(), 0.1, 1e-9);
  Hear(kTickS, 0.9);
  EXPECT_EQ(drives_.grip_share(), 1);
}

TEST_F(Drives, DoNotFadeTheGripOfAJawThatIsClosedOnNothing) {
  q_[kJaw] = 0;
  Hear(10, 0);
  EXPECT_EQ(drives_.grip_share(), 1);
}

}  // namespace
}  // namespace nightshift::io::cell
