// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/devices.h"
#include "core/kinematics.h"
#include "io/camera/object_source.h"
#include "skills/scene.h"

namespace nightshift::tests {

/// A tabletop without physics: the arm is where it was sent one period later, the jaw takes what lies between its
/// fingers when it closes, and what it lets go falls straight down. Accidents happen only when a test asks for them.
class ScriptedWorld : public core::ArmPort, public io::ObjectSource, public core::Attendant {
 public:
  explicit ScriptedWorld(const skills::Scene& scene) : scene_(scene) {
    q_rad_ = core::InverseKinematics(scene_.arm, scene_.home_m, 0).value();
    q_rad_[core::kJaw] = scene_.jaw_open_rad;
  }

  // ---- What a test arranges ----
  int PutsObject(double x_m, double y_m) {
    objects_.push_back({x_m, y_m, scene_.object_half_m});
    shown_.push_back({.position_m = objects_.back(), .confidence = 1});
    hidden_.push_back(false);
    return static_cast<int>(objects_.size()) - 1;
  }
  void MovesObject(int object, double x_m, double y_m) {
    if (held_ == object) held_.reset();
    objects_.at(static_cast<std::size_t>(object)) = {x_m, y_m, scene_.object_half_m};
  }
  void Hides(int object, bool hidden = true) { hidden_.at(static_cast<std::size_t>(object)) = hidden; }
  void Blinds(bool blind = true) { blind_ = blind; }
  /// A held object slips out as soon as the hand carries it beyond this y.
  void DropsBeyond(std::optional<double> y_m) { drops_beyond_y_m_ = y_m; }
  enum class ClearedBy { kSupervisor, kPerson };
  void Latches(core::StopCause cause, ClearedBy by = ClearedBy::kSupervisor) {
    latch_ = {cause, cause, latch_.id + 1, latch_.id + 100, latch_.epoch + 1, by == ClearedBy::kPerson};
  }
  /// Nearer to its base than it may be: nothing is accepted but what leads away from there.
  void RefusesUntilOutwardsOf(double radius_m) { outwards_of_m_ = radius_m; }
  void RefusesToClear(bool refuses = true) { refuses_to_clear_ = refuses; }
  /// Something heavy is in the way: the arm is told, and stays where it is.
  void BlocksTheArm(bool blocked = true) { blocked_ = blocked; }
  /// It pushes and is near a stop: how near, in each report from now on.
  void Strains(double strain) { strain_ = strain; }
  /// Without power for a while: the arm hangs as it fell, its hand no longer upright.
  void Falls() {
    q_rad_[core::kLift] += 0.9;
    q_rad_[core::kWrist] += 0.6;
  }
  /// Pushed together: the hand is near the arm's own base.
  void Folds() { q_rad_[core::kElbow] += 0.8; }
  void LosesTheArmAfter(int periods) { periods_left_ = periods; }
  void FindsTheArm() { periods_left_.reset(); }
  /// A new session of the driver: robot time begins again.
  void RestartsClock() { now_ = core::Instant{}; }

  // ---- What a test asserts ----
  core::Vec3 Tip() const { return core::ForwardKinematics(scene_.arm, q_rad_).position_m; }
  core::Vec3 Where(int object) const { return objects_.at(static_cast<std::size_t>(object)); }
  std::optional<int> held() const { return held_; }
  core::Instant now() const { return now_; }
  std::vector<std::pair<std::string, int>> asked;
  std::vector<core::ProposedAction> proposals;

  // ---- What the runtime sees ----
  core::Result<core::PeriodReport> Exchange(const std::optional<core::ProposedAction>& proposal) override {
    if (periods_left_ && (*periods_left_)-- <= 0)
      return core::Fail(core::FaultCode::kPeerTimeout, "safety did not answer");
    now_ += core::Seconds(0.1);
    if (proposal) proposals.push_back(*proposal);
    const bool refused = proposal && (RefusesFromHere(*proposal) || !(proposal->risk_scale > 0));
    if (proposal && !latch_.latched() && !blocked_ && !refused) Move(*proposal);
    core::PeriodReport report;
    report.verdict = refused ? core::Verdict::kRefused : core::Verdict::kPass;
    report.joints.time = now_;
    report.joints.axes = core::kArmAxes;
    report.joints.q_rad = q_rad_;
    report.joints.powered = true;
    report.commanded_q_rad = proposal && blocked_ ? proposal->target_q_rad : q_rad_;
    report.sequence = proposal ? proposal->sequence : 0;
    report.latch = latch_;
    report.strain = strain_;
    return report;
  }
  core::Result<void> Clear(const core::LatchReport& report) override {
    if (refuses_to_clear_ || report.nonce != latch_.nonce)
      return core::Fail(core::FaultCode::kRefused, "a person must clear this stop");
    latch_.first = latch_.worst = core::StopCause::kNone;
    return {};
  }
  io::Sighting Look(const io::ArmView& arm) override {
    io::Sighting told;
    if (!blind_) last_picture_ = arm.now;
    told.frame = blind_ ? core::FrameHealth::kBlind : core::FrameHealth::kGood;
    told.frame_age = arm.now - last_picture_;
    told.object_count = static_cast<int>(objects_.size());
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      shown_[i].age += core::Seconds(0.1);
      if (!blind_ && !hidden_[i]) shown_[i] = {.position_m = objects_[i], .confidence = 1};
      told.objects[i] = shown_[i];
    }
    return told;
  }
  void Ask(const std::string& reason, int object) override { asked.emplace_back(reason, object); }

 private:
  static constexpr double kBetweenFingersM = 0.030;
  static constexpr double kOnObjectRad = 0.45;  // Where the jaw comes to rest on an object.

  bool RefusesFromHere(const core::ProposedAction& proposal) const {
    const double radius_m = NormXy(Tip());
    const double to_m = NormXy(core::ForwardKinematics(scene_.arm, proposal.target_q_rad).position_m);
    return outwards_of_m_ && radius_m < *outwards_of_m_ && to_m < radius_m + 0.002;
  }
  void Move(const core::ProposedAction& proposal) {
    const bool was_closed = closed_;
    q_rad_ = proposal.target_q_rad;
    closed_ = q_rad_[core::kJaw] < scene_.jaw_wide_rad;
    if (closed_ && !was_closed) Grasp();
    if (held_ && (!closed_ || (drops_beyond_y_m_ && Tip().y > *drops_beyond_y_m_))) Drop();
    if (held_) Object() = Tip();
    if (held_) q_rad_[core::kJaw] = kOnObjectRad;
  }
  void Grasp() {
    for (std::size_t i = 0; i < objects_.size(); ++i)
      if (Norm(objects_[i] - Tip()) < kBetweenFingersM) held_ = static_cast<int>(i);
  }
  void Drop() {
    Object() = {Tip().x, Tip().y, scene_.object_half_m};
    held_.reset();
  }
  core::Vec3& Object() { return objects_.at(static_cast<std::size_t>(*held_)); }

  skills::Scene scene_;
  core::Instant now_;
  core::Instant last_picture_;
  core::AxisArray q_rad_{};
  core::LatchReport latch_;
  double strain_ = 0;
  bool closed_ = false, blind_ = false, refuses_to_clear_ = false, blocked_ = false;
  std::optional<int> held_, periods_left_;
  std::optional<double> drops_beyond_y_m_, outwards_of_m_;
  std::vector<core::Vec3> objects_;
  std::vector<core::TrackedObject> shown_;
  std::vector<bool> hidden_;
};

}  // namespace nightshift::tests
