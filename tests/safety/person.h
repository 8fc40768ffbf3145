// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/random.h"
#include "safety/config.h"
#include "tests/safety/hostile_joint.h"

/// Arms beside which persons walk.
namespace nightshift::safety {

/// An arm as it is by default, told by a program where people are.
inline Limits WatchedLimits() {
  Limits limits;
  limits.presence.source = PresenceSource::kTopic;
  return limits;
}

/// High above its table, so that nothing but its own limits keeps it from moving as fast as it can; any of those.
inline Limits AnyMovingLimits(core::Random& random) {
  Limits limits = WatchedLimits();
  limits.arm.base_height_m = 1.5;
  limits.workspace_m_min = {-2, -2, 0};
  limits.workspace_m_max = {2, 2, 3};
  limits.q_rad_min = {-1.5, -0.6, 0.2, -0.5, -1.5, 0};
  limits.q_rad_max = {1.5, 0.6, 1.4, 0.7, 1.5, 1};
  for (std::size_t i = 0; i < static_cast<std::size_t>(limits.axes); ++i) {
    limits.speed_rad_s_max[i] = LogUniform(random, 0.5, 6);
    limits.acceleration_rad_s2_max[i] = LogUniform(random, 5, 60);
    limits.jerk_rad_s3_max[i] = LogUniform(random, 300, 2e4);
  }
  if (random.Chance(0.2)) {  // One that takes long to stop, among quick ones.
    limits.speed_rad_s_max = {2, 6, 6, 6, 6, 6};
    limits.acceleration_rad_s2_max = {2.5, 60, 60, 60, 60, 60};
    limits.jerk_rad_s3_max.fill(2e4);
  }
  PresenceConfig& presence = limits.presence;
  presence.sensor_delay_s = random.Uniform(0, 0.2);
  presence.arm_lag_s = random.Uniform(0, 0.1);
  presence.report_every_s = random.Uniform(0.01, 0.2);
  presence.person_speed_m_s = random.Uniform(0.3, 2.5);
  presence.intrusion_m = random.Chance(0.5) ? 0 : 0.85;
  presence.sensor_error_m = random.Uniform(0, 0.1);
  return limits;
}

}  // namespace nightshift::safety
