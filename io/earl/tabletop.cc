// SPDX-License-Identifier: Apache-2.0
// The kinematic tabletop: a gripper that moves in the plane and carries a mug. All distances in its own unit.
#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "io/earl/world.h"

namespace nightshift::io::earl {

namespace {

constexpr float kStepLength = 0.2f;  // Of a full action.
constexpr float kEdge = 2.8f;        // Gripper and mug stay within +- this.
constexpr float kGraspReach = 0.4f;
constexpr float kFree = -1, kAttached = 0;  // The pair of flags.
const State kStart{0, 0, 2.5f, 0, kFree, kFree};

class Tabletop final : public World {
 public:
  Tabletop() : World(Scene::kTabletop) {}

  void Reset(std::uint64_t) override { state_ = kStart; }
  State DrawInitial(std::uint64_t) const override { return kStart; }
  const State& state() const override { return state_; }

  core::Result<void> Step(std::span<const float> action) override {
    NIGHTSHIFT_CHECK(std::ssize(action) == rules().action);
    for (const float a : action)
      if (!std::isfinite(a))
        return core::Fail(core::FaultCode::kNotFinite, "tabletop: an action holds a number that is not finite");
    const bool closed = action[2] > 0;
    bool attached = state_[4] == kAttached;
    if (closed && !attached)
      attached = std::hypot(state_[0] - state_[2], state_[1] - state_[3]) < kGraspReach;
    else if (!closed)
      attached = false;
    for (std::size_t i = 0; i < 2; ++i) {
      const float before = state_[i];
      state_[i] = std::clamp(before + std::clamp(action[i], -1.0f, 1.0f) * kStepLength, -kEdge, kEdge);
      if (attached) state_[2 + i] = std::clamp(state_[2 + i] + (state_[i] - before), -kEdge, kEdge);
    }
    state_[4] = state_[5] = attached ? kAttached : kFree;
    return {};
  }

  std::vector<double> Save() const override { return {state_.begin(), state_.end()}; }

  core::Result<void> Restore(std::span<const double> saved) override {
    const auto finite = [](double v) { return std::isfinite(v); };
    if (saved.size() != state_.size() || !std::all_of(saved.begin(), saved.end(), finite))
      return core::Fail(core::FaultCode::kCorruptState, "tabletop: a saved world of six finite numbers is wanted");
    for (std::size_t i = 0; i < saved.size(); ++i) state_[i] = static_cast<float>(saved[i]);
    return {};
  }

 private:
  State state_ = kStart;
};

}  // namespace

std::unique_ptr<World> MakeTabletop() { return std::make_unique<Tabletop>(); }

}  // namespace nightshift::io::earl
