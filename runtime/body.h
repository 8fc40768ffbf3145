// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/devices.h"
#include "io/camera/object_source.h"
#include "skills/scene.h"

namespace nightshift::runtime {

/// The supervisor's body: the arm behind the safety process, and the eyes. Turns policy actions into proposals, and
/// reports into observations. Thread: the supervisor's.
class Body {
 public:
  Body(core::ArmPort& arm, io::ObjectSource& eyes, const skills::Scene& scene)
      : arm_(arm), eyes_(eyes), scene_(scene) {}

  struct Moved {
    core::Observation after;
    core::PolicyAction applied{};  // By forward kinematics of what was commanded after filtering.
    core::PeriodReport report;
  };

  /// Lets one period pass without wanting anything, and looks.
  core::Result<Moved> Rest();

  /// One policy period. The action is relative to the commanded tip; the gripper has a hysteresis of +-0.25.
  /// @param risk_scale at most 1: how fast it may be, as the risk critic sees it; 0: the arm holds still instead.
  core::Result<Moved> Act(const core::PolicyAction& action, double risk_scale = 1);

  /// Straight to a point in free space, jaw open or closed, until there or `periods_max` are over. Not practice.
  core::Result<Moved> GoTo(core::Vec3 to, bool jaw_closed, int periods_max);

  /// One period: one joint of the arm by so much from where it was told to be. Not practice.
  core::Result<Moved> Nudge(int axis, double by_rad);

  /// Acknowledges a latch. Faults: kRefused.
  core::Result<void> Clear() { return arm_.Clear(report_.latch); }

  const core::Observation& seen() const { return seen_; }
  const core::PeriodReport& report() const { return report_; }

 private:
  core::ProposedAction Proposal(core::Vec3 tip_m);
  core::ProposedAction Addressed();
  void TakeSight(const io::Sighting& sighting, core::Duration since);
  core::Result<Moved> Exchange(const std::optional<core::ProposedAction>& proposal);
  core::Vec3 Led(core::Vec3 wanted) const;
  core::Vec3 NextTip(const core::PolicyAction& action) const;

  core::ArmPort& arm_;
  io::ObjectSource& eyes_;
  skills::Scene scene_;
  core::Observation seen_;
  core::PeriodReport report_;
  core::AxisArray target_q_rad_{};
  bool jaw_closed_ = false;
  std::uint64_t sequence_ = 0;
};

}  // namespace nightshift::runtime
