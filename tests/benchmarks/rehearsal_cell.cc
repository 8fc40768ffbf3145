// SPDX-License-Identifier: Apache-2.0
#include "tests/benchmarks/rehearsal_cell.h"

#include <cstdio>
#include <cstdlib>

#include "io/camera/tracker.h"
#include "core/random.h"

#if __has_include("io/robot/cell/cell_renderer.h")
#include "io/robot/cell/cell_renderer.h"
#define HAVE_RENDERER 1
#endif

namespace nightshift::tests {
namespace {

constexpr int kTicksPerPeriod = 25;

class DirectArm : public core::ArmPort {
 public:
  explicit DirectArm(io::cell::CellWorld& world) : world_(world) { commanded_ = world.Joints().q_rad; }

  core::Result<core::PeriodReport> Exchange(const std::optional<core::ProposedAction>& proposal) override {
    const core::AxisArray from = commanded_;
    for (int tick = 1; tick <= kTicksPerPeriod; ++tick) {
      for (int axis = 0; axis < io::cell::kAxes && proposal; ++axis) {
        const auto i = static_cast<std::size_t>(axis);
        commanded_[i] = from[i] + (proposal->target_q_rad[i] - from[i]) * tick / kTicksPerPeriod;
      }
      io::cell::DriveCommand command;
      for (std::size_t i = 0; i < io::cell::kAxes; ++i) command.q_rad[i] = commanded_[i];
      command.power = core::PowerMode::kHold;
      world_.Step(command);
    }
    core::PeriodReport report;
    report.joints = world_.Joints();
    report.commanded_q_rad = commanded_;
    return report;
  }
  core::Result<void> Clear(const core::LatchReport&) override { return {}; }

 private:
  io::cell::CellWorld& world_;
  core::AxisArray commanded_{};
};

/// The simulator's truth with jitter and drop-outs.
class NoisyTruth : public io::ObjectSource {
 public:
  explicit NoisyTruth(io::cell::CellWorld& world) : world_(world) {}
  io::Sighting Look(const io::ArmView& arm) override {
    last_.frame = core::FrameHealth::kGood;
    last_.object_count = io::cell::kObjects;
    const auto truth = world_.Objects();
    for (std::size_t i = 0; i < truth.size(); ++i) {
      auto& object = last_.objects[i];
      object.age = arm.now - seen_[i];
      if (random_.Chance(0.1) && object.confidence > 0) continue;
      seen_[i] = arm.now;
      object = {truth[i].position_m + core::Vec3{random_.Normal(0, .002), random_.Normal(0, .002), random_.Normal(0, .002)}, 1.0,
                core::Duration(0)};
    }
    return last_;
  }

 private:
  io::cell::CellWorld& world_;
  core::Random random_{5};
  io::Sighting last_;
  core::Instant seen_[io::cell::kObjects];
};

#ifdef HAVE_RENDERER
class DirectEyes : public io::ObjectSource {
 public:
  DirectEyes(io::cell::CellWorld& world, io::cell::CellRenderer renderer)
      : world_(world), renderer_(std::move(renderer)), tracker_(io::PerceptionConfig{}) {}
  io::Sighting Look(const io::ArmView& arm) override { return tracker_.See(renderer_.Render(world_), arm); }

 private:
  io::cell::CellWorld& world_;
  io::cell::CellRenderer renderer_;
  io::Tracker tracker_;
};
#endif

template <typename T>
T Must(core::Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "rehearsal: %s\n", result.error().detail.c_str());
  std::exit(1);
}

io::cell::CellWorld LoadWorld(const std::string& mess, std::uint64_t seed) {
  io::cell::CellConfig config;
  config.mess = Must(io::cell::MessNamed(mess));
  config.mess_name = mess;
  config.seed = seed;
  return Must(io::cell::CellWorld::Load(config));
}

std::unique_ptr<io::ObjectSource> MakeEyes(const std::string& name, io::cell::CellWorld& world) {
#ifdef HAVE_RENDERER
  if (name == "camera") return std::make_unique<DirectEyes>(world, Must(io::cell::CellRenderer::Create(world)));
#endif
  (void)name;
  return std::make_unique<NoisyTruth>(world);
}

}  // namespace

struct RehearsalCell::Parts {
  Parts(const skills::Scene& scene, const std::string& mess, const std::string& sight, std::uint64_t seed)
      : world(LoadWorld(mess, seed)), arm(world), eyes(MakeEyes(sight, world)), body(arm, *eyes, scene) {}

  io::cell::CellWorld world;
  DirectArm arm;
  std::unique_ptr<io::ObjectSource> eyes;
  runtime::Body body;
};

RehearsalCell::RehearsalCell(const skills::Scene& scene, const std::string& mess, const std::string& eyes, std::uint64_t seed)
    : parts_(std::make_unique<Parts>(scene, mess, eyes, seed)) {
  (void)parts_->body.Rest();
}
RehearsalCell::~RehearsalCell() = default;
runtime::Body& RehearsalCell::body() { return parts_->body; }
io::cell::CellWorld& RehearsalCell::world() { return parts_->world; }
core::Instant RehearsalCell::time() const { return parts_->world.time(); }
void RehearsalCell::Stage(std::uint64_t seed) {
  parts_->world.Stage(seed);
  (void)parts_->body.Rest();
}

}  // namespace nightshift::tests
