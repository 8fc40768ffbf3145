// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <functional>
#include <optional>

#include "core/devices.h"
#include "io/robot/cell/cell_renderer.h"
#include "io/robot/cell/cell_world.h"
#include "runtime/config.h"
#include "safety/filter.h"
#include "safety/period.h"

namespace nightshift::tests {

/// A cell with its safety filter and its camera, without the processes between them.
class Cell final : public core::ArmPort, public core::Camera {
 public:
  Cell(const runtime::Config& config, std::uint64_t seed)
      : limits_(config.safety),
        world_(Load(config.cell, seed)),
        renderer_(*io::cell::CellRenderer::Create(world_)),
        filter_(config.safety, {.epoch = 1, .nonce_source = seed}) {}

  core::Result<core::PeriodReport> Exchange(const std::optional<core::ProposedAction>& proposal) override {
    std::optional<core::ProposedAction> wanted = proposal;
    if (!proposal) filter_.Withdraw();
    const auto ticks = limits_.policy_period / limits_.control_period;
    core::JointState joints;
    for (std::int64_t i = 0; i < ticks; ++i) {
      joints = world_.Joints();
      const auto judged = filter_.Judge(joints, wanted, joints.time);
      tally_.Add(judged);
      if (on_tick) on_tick(joints, judged);
      wanted.reset();
      world_.Step(io::cell::DriveCommand{judged.action.q_rad(), judged.action.power()});
    }
    const core::AxisArray heat = spent().heat;
    std::transform(heat.begin(), heat.end(), heat_max_.begin(), heat_max_.begin(),
                   [](double a, double b) { return std::max(a, b); });
    return tally_.Close(world_.Joints(), filter_);
  }

  core::Result<void> Clear(const core::LatchReport& report) override {
    return Clear(report, safety::ClearedBy::kSupervisor);
  }
  core::Result<void> ClearByPerson() { return Clear(filter_.latch(), safety::ClearedBy::kPerson); }

  core::Result<core::Frame> Grab(core::Instant) override { return renderer_.Render(world_); }

  io::cell::CellWorld& world() { return world_; }
  const safety::Filter& filter() const { return filter_; }

  std::function<void(const core::JointState& seen, const safety::Judgement& judged)> on_tick;  // For who measures.
  /// What the drives' budgets have spent, and of the current's the most that there was.
  safety::SpentBudgets spent() const { return filter_.state(world_.time()).spent; }
  const core::AxisArray& heat_max() const { return heat_max_; }

 private:
  static io::cell::CellWorld Load(io::cell::CellConfig config, std::uint64_t seed) {
    config.seed = seed;
    return *io::cell::CellWorld::Load(config);
  }

  core::Result<void> Clear(const core::LatchReport& report, safety::ClearedBy by) {
    const auto cleared = filter_.Acknowledge({.latch_id = report.id, .nonce = report.nonce, .by = by}, world_.time());
    if (cleared == safety::Clearance::kCleared) return {};
    return core::Fail(core::FaultCode::kRefused, std::string(Advice(cleared)));
  }

  safety::Limits limits_;
  io::cell::CellWorld world_;
  io::cell::CellRenderer renderer_;
  safety::Filter filter_;
  safety::PeriodTally tally_;
  core::AxisArray heat_max_{};
};

/// The cell's camera belongs to the cell.
class Borrowed final : public core::Camera {
 public:
  explicit Borrowed(core::Camera& camera) : camera_(camera) {}
  core::Result<core::Frame> Grab(core::Instant not_before) override { return camera_.Grab(not_before); }

 private:
  core::Camera& camera_;
};

}  // namespace nightshift::tests
