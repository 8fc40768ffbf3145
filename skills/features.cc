// SPDX-License-Identifier: Apache-2.0
#include "skills/features.h"

#include <algorithm>

#include "skills/facts.h"

namespace nightshift::skills {
namespace {

constexpr double kNearM = 0.10;     // Scale of displacements between tip, object and goal,
constexpr double kFineM = 0.03;     // and once more around a grasp, which a finger's width decides.
constexpr double kWorkM = 0.20;     // Scale of places on the table.
constexpr double kStepM = 0.03;     // Scale of motion within one policy period.
constexpr double kTorqueNm = 0.25;  // The jaw's rated torque.
constexpr double kAgeS = 1.0;

float Clip(double value) { return static_cast<float>(std::clamp(value, -3.0, 3.0)); }
double Near(double value_m) { return std::clamp(value_m / kFineM, -1.5, 1.5); }

class Writer {
 public:
  explicit Writer(Features& out) : out_(out) {}
  void Put(double value) { out_[next_++] = Clip(value); }
  void Put(core::Vec3 v, double scale) {
    Put(v.x / scale);
    Put(v.y / scale);
    Put(v.z / scale);
  }

 private:
  Features& out_;
  std::size_t next_ = 0;
};

core::Vec3 NearestOther(const core::Observation& seen, int object, core::Vec3 p) {
  core::Vec3 nearest{3 * kNearM, 3 * kNearM, 0};  // Clipped: "none near".
  for (int i = 0; i < seen.object_count; ++i) {
    const auto& other = seen.objects[static_cast<std::size_t>(i)];
    if (i == object || other.confidence <= 0) continue;
    if (NormXy(other.position_m - p) < NormXy(nearest)) nearest = other.position_m - p;
  }
  return nearest;
}

}  // namespace

Features FeaturesOf(const core::Observation& seen, const core::Observation& previous, const core::Target& target,
                    const Scene& scene) {
  Features features{};
  Writer out(features);
  const auto& object = seen.objects[static_cast<std::size_t>(target.object)];
  const core::Vec3 p = object.position_m;
  const core::Vec3 middle = scene.tray.Centre(0);
  out.Put(seen.tip_m - middle, kWorkM);
  out.Put(p - seen.tip_m, kNearM);
  out.Put((p.x - middle.x) / kNearM);
  out.Put((p.y - middle.y) / kNearM);
  out.Put(seen.tip_m - previous.tip_m, kStepM);
  out.Put(seen.commanded_tip_m - seen.tip_m, kStepM);
  out.Put(2 * seen.jaw_rad / scene.jaw_open_rad - 1);
  out.Put(seen.jaw_command_rad > scene.jaw_wide_rad ? 1 : -1);
  out.Put(seen.jaw_torque_nm / kTorqueNm);
  out.Put(core::ToSeconds(object.age) / kAgeS);
  out.Put(target.goal_m - p, kNearM);
  const core::Vec3 other = NearestOther(seen, target.object, p);
  out.Put(other.x / kNearM);
  out.Put(other.y / kNearM);
  out.Put(Get(FactsOf(seen, target, scene), Fact::kHeld));
  out.Put(Near(p.x - seen.tip_m.x));
  out.Put(Near(p.y - seen.tip_m.y));
  out.Put(Near(p.z - seen.tip_m.z));
  out.Put(Near(seen.tip_m.z));
  return features;
}

}  // namespace nightshift::skills
