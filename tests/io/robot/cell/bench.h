// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/kinematics.h"
#include "io/robot/cell/cell_world.h"

namespace nightshift::io::cell {

inline CellConfig CellWith(std::string_view mess) {
  CellConfig config;
  config.model_file = CELL_MODEL_FILE;
  config.mess = *MessNamed(mess);
  config.mess_name = mess;
  return config;
}

/// A hand on the simulated arm, as a small language for tests: straight moves of the grasp point at `speed`.
class Bench {
 public:
  explicit Bench(const CellConfig& config) : world(*CellWorld::Load(config)), command_(world.Joints().q_rad) {
    world.Arm(0.2);  // As a driver does.
  }

  core::Vec3 tip() const { return core::ForwardKinematics(arm_, world.Joints().q_rad).position_m; }
  double jaw() const { return world.Joints().q_rad[kJaw]; }
  core::Vec3 object(int i) const { return world.Objects()[static_cast<std::size_t>(i)].position_m; }
  bool held(int i) const { return world.Objects()[static_cast<std::size_t>(i)].held; }

  void Wait(double seconds) {
    for (double s = 0; s < seconds; s += kTickS) world.Step(DriveCommand{.q_rad = command_});
  }
  void WaitSilently(double seconds) {
    for (double s = 0; s < seconds; s += kTickS) world.Step(std::nullopt);
  }
  void Jaw(double angle_rad, double seconds) {
    command_[kJaw] = angle_rad;
    Wait(seconds);
  }
  void Go(core::Vec3 to, double speed_m_s = 0.25) {
    const core::Vec3 from = core::ForwardKinematics(arm_, command_).position_m;
    const int ticks = std::max(1, static_cast<int>(core::Norm(to - from) / speed_m_s / kTickS));
    for (int i = 1; i <= ticks; ++i) {
      const auto q = core::InverseKinematics(arm_, from + (to - from) * (static_cast<double>(i) / ticks), 0);
      ASSERT_TRUE(q) << q.error().detail;
      std::copy_n(q->begin(), kJaw, command_.begin());
      world.Step(DriveCommand{.q_rad = command_});
    }
    Wait(0.2);
  }
  /// A top grasp with the object in the middle of the open jaw, which opens further to the left.
  void Pick(int i) {
    const core::Vec3 at = object(i) - core::Vec3{0, 0.005, 0};
    Jaw(kJawOpenRad, 0.3);
    Go({at.x, at.y, 0.08});
    Go({at.x, at.y, 0.014});
    Jaw(kJawClosedRad, 0.4);
    Go({at.x, at.y, 0.10});
  }

  CellWorld world;

 private:
  core::ArmGeometry arm_;
  core::AxisArray command_;
};

}  // namespace nightshift::io::cell
