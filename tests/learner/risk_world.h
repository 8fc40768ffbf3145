// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>

#include "core/random.h"
#include "core/transition.h"
#include "skills/risk_model.h"
#include "skills/scene.h"

namespace nightshift::tests {

/// A tip over a floor, and a restless hand: whoever keeps pressing down on the floor is stopped. The smallest world in
/// which there is a risk to foresee: low and going down it is near, high up it is not.
class RiskWorld {
 public:
  static constexpr int kSteps = 30;
  static constexpr double kFloorM = 0.03;
  static constexpr int kPressesMax = 4;  // In a row: then safety stops the arm.

  explicit RiskWorld(std::uint64_t seed) : random_(seed) {}

  /// The next episode that is (or is not) one of those held out.
  enum class Group { kAny, kControl, kOwn };
  core::Episode Practise(Group group = Group::kAny) {
    do ++id_;
    while (group != Group::kAny && skills::IsRiskControl(id_) != (group == Group::kControl));
    core::Episode episode;
    episode.id = id_;
    episode.task = "reach";
    episode.outcome = core::Outcome::kTimeout;
    core::Observation seen = Start();
    const double bias = random_.Uniform(-1, 0.6);  // Some hands go down.
    int presses = 0;
    for (int i = 0; i < kSteps && presses < kPressesMax; ++i) {
      core::Transition step;
      step.before = seen;
      for (float& part : step.proposed) part = static_cast<float>(random_.Uniform(-1, 1));
      step.proposed[2] = static_cast<float>(std::clamp(bias + random_.Normal(0, 0.3), -1.0, 1.0));
      const double z_m = seen.tip_m.z + 0.02 * static_cast<double>(step.proposed[2]);
      presses = z_m < kFloorM ? presses + 1 : 0;
      seen.tip_m.z = std::clamp(z_m, kFloorM, 0.2);
      seen.commanded_tip_m.z = std::clamp(z_m, kFloorM - 0.02, 0.2);
      step.after = seen;
      step.strain = static_cast<float>(presses) / kPressesMax;
      if (presses == kPressesMax) {
        step.stop = core::StopCause::kStall;
        step.verdict = core::Verdict::kStopped;
        episode.outcome = step.ended = core::Outcome::kFailure;
      }
      episode.steps.push_back(step);
    }
    return episode;
  }

  const skills::Scene& scene() const { return scene_; }

 private:
  core::Observation Start() {
    core::Observation seen;
    seen.object_count = 1;
    seen.objects[0].position_m = {0.2, 0, 0.013};
    seen.objects[0].confidence = 1;
    seen.tip_m = {random_.Uniform(0.13, 0.27), random_.Uniform(-0.09, 0.09), random_.Uniform(0.05, 0.2)};
    seen.commanded_tip_m = seen.tip_m;
    return seen;
  }

  core::Random random_;
  skills::Scene scene_;
  std::int64_t id_ = 0;
};

}  // namespace nightshift::tests
