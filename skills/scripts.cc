// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <deque>

#include "skills/facts.h"
#include "skills/skill.h"

namespace nightshift::skills {
namespace {

using core::Observation;
using core::PolicyAction;
using core::Vec3;

constexpr int kIdlePeriodsMax = 4;           // After the last move: what it did may still show its effect.
constexpr double kArrivedM = 0.008;          // Near enough to go on: the arm sags by up to five millimetres.
constexpr int kMovePeriodsMax = 18;          // A move that has not arrived by then never will.
constexpr double kGraspHeightM = 0.012;      // Of the grasp point: about the middle of an object.
constexpr double kFingerClearanceM = 0.004;  // The fixed finger stays clear of the object; the jaw pulls it over.
constexpr double kNudgeM = 0.004;            // Standard deviation: what failed in one spot is not tried there again.
constexpr double kReleaseHeightM = 0.055;    // Above the bin's floor: a short fall.
constexpr double kSetDownHeightM = 0.03;     // Above the tray's floor.
constexpr double kNoRoomM = 0.010;       // To the left or right of an object: no finger fits between it and the wall.
constexpr double kDragM = 0.05;          // How far an object is pulled off a wall or off its neighbour.
constexpr double kPressM = 0.005;        // How deep the fingers are sent into an object's top to press on it.
constexpr double kFingerBelowM = 0.010;  // Fingertips below the grasp point,
constexpr double kClosedAsideM = 0.015;  // and, closed, beside it: the fixed finger's face.
constexpr double kFree = 1.0;            // Speed as a share of the largest step: nothing in hand,
constexpr double kCareful = 0.6;         // near an object,
constexpr double kCarrying = 0.25;       // with an object in hand: what one would choose who fears to drop it,
constexpr double kHasty = 0.8;           // or who only wants it somewhere else before the grip fades.
constexpr int kGraspPeriods = 4;         // The jaw needs about 0.3 s to close.
constexpr int kReleasePeriods = 4;

enum class Jaw { kOpen, kClosed };

/// Go there, then stay for a while.
struct Move {
  Vec3 to;
  Jaw jaw;
  double speed;
  int dwell_periods = 0;
};

/// Plans a list of moves from what is seen, follows it, and plans again when it is done and the script persists.
class Script : public Skill {
 public:
  Script(const Scene& scene, const core::Target& target, Persistence persistence, core::Random& random)
      : scene_(scene), target_(target), persistence_(persistence), random_(random) {}

  PolicyAction Act(const Observation& seen, const Observation&) final {
    if (!started_) at_ = seen.commanded_tip_m;
    if (moves_.empty() && (!started_ || persistence_ == Persistence::kRetry)) Plan(seen);
    started_ = true;
    Advance(seen);
    if (moves_.empty()) {
      ++idle_periods_;
      return Hold();
    }
    return Toward(moves_.front(), seen);
  }

  bool Finished() const final { return persistence_ == Persistence::kOnce && idle_periods_ > kIdlePeriodsMax; }

 protected:
  virtual void Plan(const Observation& seen) = 0;

  void Add(Vec3 to, Jaw jaw, double speed, int dwell_periods = 0) {
    moves_.push_back({to, jaw, speed, dwell_periods});
    at_ = to;
  }

  /// Fetch the object from where it is seen, and lift it.
  void AddGrasp(const Observation& seen) {
    const Vec3 nudge{random_.Normal(0, kNudgeM), random_.Normal(0, kNudgeM) - kFingerClearanceM, 0};
    const Vec3 p = Object(seen) + nudge;
    if (seen.tip_m.z < scene_.carry_height_m)
      Add({seen.tip_m.x, seen.tip_m.y, scene_.carry_height_m}, Jaw::kOpen, kFree);
    Add({p.x, p.y, scene_.carry_height_m}, Jaw::kOpen, kFree);
    Add({p.x, p.y, kGraspHeightM}, Jaw::kOpen, kCareful);
    Add({p.x, p.y, kGraspHeightM}, Jaw::kClosed, kCareful, kGraspPeriods);
    Add({p.x, p.y, scene_.carry_height_m}, Jaw::kClosed, kCareful);
  }

  /// Carry what is held over `to`, lower it, let go, rise.
  void AddDelivery(Vec3 to, double release_z_m, double speed) {
    Add({at_.x, at_.y, scene_.carry_height_m}, Jaw::kClosed, speed);
    Add({to.x, to.y, scene_.carry_height_m}, Jaw::kClosed, speed);
    Add({to.x, to.y, release_z_m}, Jaw::kClosed, speed);
    Add({to.x, to.y, release_z_m}, Jaw::kOpen, kCareful, kReleasePeriods);
    Add({to.x, to.y, scene_.carry_height_m}, Jaw::kOpen, kFree);
  }

  /// Press on the object's top with closed fingers and pull it along.
  void AddDrag(const Observation& seen, Vec3 direction) {
    const Vec3 p = Object(seen) + Vec3{0, kClosedAsideM, 0};
    const double length = std::max(NormXy(direction), 1e-6);
    const double top_m = 2 * scene_.object_half_m + kFingerBelowM - kPressM;
    const Vec3 to{p.x + direction.x / length * kDragM, p.y + direction.y / length * kDragM, top_m};
    Add({p.x, p.y, scene_.carry_height_m}, Jaw::kClosed, kFree);
    Add({p.x, p.y, top_m}, Jaw::kClosed, kCareful);
    Add(to, Jaw::kClosed, kCarrying);
    Add({to.x, to.y, scene_.carry_height_m}, Jaw::kOpen, kFree);
  }

  bool retries() const { return persistence_ == Persistence::kRetry; }
  Facts Now(const Observation& seen) const { return FactsOf(seen, target_, scene_); }
  bool Held(const Observation& seen) const { return Get(Now(seen), Fact::kHeld) != 0; }
  Vec3 Object(const Observation& seen) const { return Lying(seen, target_.object); }
  /// Where an object lies: what the camera puts into a wall lies at it.
  Vec3 Lying(const Observation& seen, int object) const {
    const Vec3 p = seen.objects[static_cast<std::size_t>(object)].position_m;
    const Zone& tray = scene_.tray;
    const double half_m = scene_.object_half_m;
    if (!tray.Contains(p, scene_.wall_tolerance_m)) return p;
    return {std::clamp(p.x, tray.x_min_m + half_m, tray.x_max_m - half_m),
            std::clamp(p.y, tray.y_min_m + half_m, tray.y_max_m - half_m), p.z};
  }
  const Scene& scene() const { return scene_; }
  const core::Target& target() const { return target_; }

 private:
  void Advance(const Observation& seen) {
    while (!moves_.empty()) {
      Move& move = moves_.front();
      // By what is measured, never by counting: a demonstration that waits for reasons nobody can see teaches waiting.
      const bool here = Norm(move.to - seen.tip_m) < kArrivedM || ++periods_ > kMovePeriodsMax;
      if (!here || move.dwell_periods-- > 0) return;
      jaw_ = move.jaw;
      moves_.pop_front();
      periods_ = 0;
    }
  }

  PolicyAction Toward(const Move& move, const Observation& seen) {
    jaw_ = move.jaw;
    const Vec3 missing = move.to - seen.commanded_tip_m;
    const double largest = std::max({std::abs(missing.x), std::abs(missing.y), std::abs(missing.z), 1e-9});
    const double scale = std::min(1.0, move.speed * scene_.step_m_max / largest) / scene_.step_m_max;
    return {static_cast<float>(missing.x * scale), static_cast<float>(missing.y * scale),
            static_cast<float>(missing.z * scale), Grip()};
  }

  PolicyAction Hold() const { return {0, 0, 0, Grip()}; }
  float Grip() const { return jaw_ == Jaw::kClosed ? 1.0f : -1.0f; }

  Scene scene_;
  core::Target target_;
  Persistence persistence_;
  core::Random& random_;
  std::deque<Move> moves_;
  Vec3 at_;  // Where the planned moves end.
  Jaw jaw_ = Jaw::kOpen;
  int periods_ = 0;
  int idle_periods_ = 0;
  bool started_ = false;
};

/// A single try grasps where it is. One that has time for several first pulls away what lies at a wall on the left or
/// right, where the fingers go.
class Pick : public Script {
 public:
  using Script::Script;

 private:
  void Plan(const Observation& seen) override {
    if (Held(seen))
      Add({seen.tip_m.x, seen.tip_m.y, scene().carry_height_m}, Jaw::kClosed, kCareful);
    else if (retries() && !FingersFit(seen))
      AddDrag(seen, scene().tray.Centre(0) - Object(seen));
    else
      AddGrasp(seen);
  }
  bool FingersFit(const Observation& seen) const {
    const Zone& tray = scene().tray;
    const double y = Object(seen).y;
    return !tray.Contains(Object(seen), scene().wall_tolerance_m) ||
           std::min(y - tray.y_min_m, tray.y_max_m - y) - scene().object_half_m > kNoRoomM;
  }
};

class Place : public Script {
 public:
  using Script::Script;

 private:
  void Plan(const Observation& seen) override {
    if (!Held(seen)) AddGrasp(seen);
    AddDelivery(target().goal_m, kReleaseHeightM, kCarrying);
  }
};

class Unload : public Script {
 public:
  using Script::Script;

 private:
  void Plan(const Observation& seen) override {
    if (!Held(seen)) AddGrasp(seen);
    AddDelivery(target().goal_m, kSetDownHeightM, kHasty);
  }
};

class Unwedge : public Script {
 public:
  using Script::Script;

 private:
  void Plan(const Observation& seen) override { AddDrag(seen, scene().tray.Centre(0) - Object(seen)); }
};

class Separate : public Script {
 public:
  using Script::Script;

 private:
  void Plan(const Observation& seen) override {
    Vec3 away = scene().tray.Centre(0) - Object(seen);
    double nearest_m = 1;
    for (int i = 0; i < seen.object_count; ++i) {
      const Vec3 off = Object(seen) - Lying(seen, i);
      if (i == target().object || NormXy(off) > nearest_m) continue;
      nearest_m = NormXy(off);
      away = off;
    }
    AddDrag(seen, away);
  }
};

/// Straight up, out of the way, and wait: for whatever is cured by looking again.
class Retreat : public Script {
 public:
  using Script::Script;

 private:
  void Plan(const Observation& seen) override {
    const Jaw jaw = Held(seen) ? Jaw::kClosed : Jaw::kOpen;
    Add({seen.tip_m.x, seen.tip_m.y, scene().home_m.z}, jaw, kCareful);
    Add(scene().home_m, jaw, kFree, kReleasePeriods);
  }
};

template <typename T>
std::unique_ptr<Skill> New(const Scene& scene, const core::Target& target, Persistence persistence,
                           core::Random& random) {
  return std::make_unique<T>(scene, target, persistence, random);
}

struct Entry {
  const char* name;
  std::unique_ptr<Skill> (*make)(const Scene&, const core::Target&, Persistence, core::Random&);
};

constexpr Entry kScripts[] = {
    {"pick", New<Pick>},       {"place", New<Place>},       {"unload", New<Unload>},
    {"unwedge", New<Unwedge>}, {"separate", New<Separate>}, {"retreat", New<Retreat>},
};

}  // namespace

std::vector<std::string> ScriptNames() {
  std::vector<std::string> names;
  for (const auto& entry : kScripts) names.emplace_back(entry.name);
  return names;
}

core::Result<std::unique_ptr<Skill>> MakeScript(const std::string& name, const Scene& scene, const core::Target& target,
                                                Persistence persistence, core::Random& random) {
  std::string known;
  for (const auto& entry : kScripts) {
    if (name == entry.name) return entry.make(scene, target, persistence, random);
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  return core::Fail(core::FaultCode::kInvalidConfig,
                    "there is no scripted motion \"" + name + "\"; there are " + known);
}

}  // namespace nightshift::skills
