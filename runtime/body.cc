// SPDX-License-Identifier: Apache-2.0
#include "runtime/body.h"

#include <algorithm>
#include <cmath>

#include "core/kinematics.h"

namespace nightshift::runtime {
namespace {

using core::Vec3;

constexpr float kGripHysteresis = 0.25f;                  // CELL.md: keeps an unsure policy from chattering.
constexpr core::Duration kDeadline = core::Seconds(0.2);  // Two policy periods.
constexpr double kTipZMinM = 0.006;                       // Fingertips are a little below the grasp point.
constexpr double kTipZMaxM = 0.20;
constexpr double kRoomM = 0.08;      // Around tray and bin: what fell over a wall is within it, and nothing else is.
constexpr double kAxisRoomM = 0.08;  // From the pan axis: nearer, a small step of the tip is a long way for the joints.
constexpr double kJointLeadRad = 0.35;  // Of a target before its joint: below the tracking error that stops the arm.
constexpr double kArrivedM = 0.008;

double Clamped(double value, double middle, double lead) { return std::clamp(value, middle - lead, middle + lead); }

/// Where a policy may send the tip: a policy that has lost its way stays where it can find it again.
Vec3 InRoom(Vec3 tip, const skills::Scene& scene) {
  const skills::Zone &tray = scene.tray, &bin = scene.bin;
  tip.x = std::clamp(tip.x, std::min(tray.x_min_m, bin.x_min_m) - kRoomM, std::max(tray.x_max_m, bin.x_max_m) + kRoomM);
  tip.y = std::clamp(tip.y, std::min(tray.y_min_m, bin.y_min_m) - kRoomM, std::max(tray.y_max_m, bin.y_max_m) + kRoomM);
  tip.z = std::clamp(tip.z, kTipZMinM, kTipZMaxM);
  const double radius = std::max(NormXy(tip), 1e-6);
  const double outward = std::max(1.0, kAxisRoomM / radius);
  return {tip.x * outward, tip.y * outward, tip.z};
}

double Toward(double now, double wanted, double step) { return now + std::clamp(wanted - now, -step, step); }

}  // namespace

core::Result<Body::Moved> Body::Rest() { return Exchange(std::nullopt); }

/// What stands in the way of the arm is not pushed at with all its might.
Vec3 Body::Led(Vec3 wanted) const {
  const double lead = scene_.command_lead_m_max;
  return {Clamped(wanted.x, seen_.tip_m.x, lead), Clamped(wanted.y, seen_.tip_m.y, lead),
          Clamped(wanted.z, seen_.tip_m.z, lead)};
}

Vec3 Body::NextTip(const core::PolicyAction& action) const {
  const auto share = [&action](std::size_t i) {
    return std::isfinite(action[i]) ? std::clamp(static_cast<double>(action[i]), -1.0, 1.0) : 0.0;
  };
  const Vec3 from = seen_.commanded_tip_m;
  return InRoom(Led(from + Vec3{share(0), share(1), share(2)} * scene_.step_m_max), scene_);
}

core::ProposedAction Body::Addressed() {
  core::ProposedAction proposal;
  proposal.epoch = report_.latch.epoch;
  proposal.sequence = ++sequence_;
  proposal.deadline = report_.joints.time + kDeadline;
  proposal.axes = core::kArmAxes;
  return proposal;
}

core::Result<Body::Moved> Body::Nudge(int axis, double by_rad) {
  core::ProposedAction proposal = Addressed();
  proposal.target_q_rad = report_.commanded_q_rad;
  proposal.target_q_rad[static_cast<std::size_t>(axis)] += by_rad;
  return Exchange(proposal);
}

core::ProposedAction Body::Proposal(Vec3 tip_m) {
  core::ProposedAction proposal = Addressed();
  // Out of reach: the joints stay where they were told to be; only the jaw may move.
  if (auto q = core::InverseKinematics(scene_.arm, tip_m, 0))
    target_q_rad_ = *q;
  else
    target_q_rad_ = report_.commanded_q_rad;
  for (std::size_t i = 0; i < core::kJaw; ++i)
    target_q_rad_[i] = Clamped(target_q_rad_[i], report_.joints.q_rad[i], kJointLeadRad);
  target_q_rad_[core::kJaw] = jaw_closed_ ? scene_.jaw_closed_rad : scene_.jaw_open_rad;
  proposal.target_q_rad = target_q_rad_;
  return proposal;
}

core::Result<Body::Moved> Body::Act(const core::PolicyAction& action, double risk_scale) {
  if (action[3] > kGripHysteresis) jaw_closed_ = true;
  if (action[3] < -kGripHysteresis) jaw_closed_ = false;
  core::ProposedAction proposal = Proposal(NextTip(action));
  proposal.risk_scale = risk_scale;
  return Exchange(proposal);
}

core::Result<Body::Moved> Body::GoTo(Vec3 to, bool jaw_closed, int periods_max) {
  jaw_closed_ = jaw_closed;
  core::Result<Moved> moved = Moved{seen_, {}, report_};
  for (int i = 0; i < periods_max && moved; ++i) {
    const Vec3 from = seen_.commanded_tip_m;
    const double step = scene_.step_m_max;
    moved =
        Exchange(Proposal(Led({Toward(from.x, to.x, step), Toward(from.y, to.y, step), Toward(from.z, to.z, step)})));
    if (moved && (Norm(seen_.tip_m - to) < kArrivedM || report_.latch.latched())) break;
  }
  return moved;
}

/// A picture with an object at no number shows nothing that can be believed: what was seen before it has grown older.
void Body::TakeSight(const io::Sighting& sighting, core::Duration since) {
  const auto finite = [](const core::TrackedObject& object) {
    const Vec3 p = object.position_m;
    return std::isfinite(p.x) && std::isfinite(p.y) && std::isfinite(p.z) && std::isfinite(object.confidence);
  };
  const auto tracked = sighting.tracked();
  if (std::all_of(tracked.begin(), tracked.end(), finite)) {
    seen_.frame = sighting.frame;
    seen_.frame_age = sighting.frame_age;
    seen_.object_count = sighting.object_count;
    seen_.objects = sighting.objects;
    return;
  }
  seen_.frame = core::FrameHealth::kBlind;
  seen_.frame_age += since;
  for (core::TrackedObject& object : seen_.objects) object.age += since;
}

core::Result<Body::Moved> Body::Exchange(const std::optional<core::ProposedAction>& proposal) {
  const Vec3 from = seen_.commanded_tip_m;
  auto report = arm_.Exchange(proposal);
  if (!report) return tl::make_unexpected(report.error());
  report_ = *report;
  sequence_ = std::max(sequence_, report_.sequence);
  Moved moved;
  const core::Duration since = report_.joints.time - seen_.time;
  seen_.time = report_.joints.time;
  seen_.joints = report_.joints;
  seen_.tip_m = core::ForwardKinematics(scene_.arm, report_.joints.q_rad).position_m;
  seen_.commanded_tip_m = core::ForwardKinematics(scene_.arm, report_.commanded_q_rad).position_m;
  seen_.jaw_rad = report_.joints.q_rad[core::kJaw];
  seen_.jaw_command_rad = jaw_closed_ ? scene_.jaw_closed_rad : scene_.jaw_open_rad;
  seen_.jaw_torque_nm = report_.joints.torque_nm[core::kJaw];
  const io::Sighting sighting = eyes_.Look({.now = seen_.time,
                                            .tip_m = seen_.tip_m,
                                            .jaw_rad = seen_.jaw_rad,
                                            .jaw_command_rad = seen_.jaw_command_rad,
                                            .jaw_rad_s = seen_.joints.dq_rad_s[core::kJaw]});
  TakeSight(sighting, since);
  const Vec3 step = (seen_.commanded_tip_m - from) * (1 / scene_.step_m_max);
  moved.after = seen_;
  moved.applied = {static_cast<float>(std::clamp(step.x, -1.0, 1.0)), static_cast<float>(std::clamp(step.y, -1.0, 1.0)),
                   static_cast<float>(std::clamp(step.z, -1.0, 1.0)), jaw_closed_ ? 1.0f : -1.0f};
  moved.report = report_;
  return moved;
}

}  // namespace nightshift::runtime
