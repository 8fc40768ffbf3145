// SPDX-License-Identifier: Apache-2.0
#include "io/camera/tracker.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace nightshift::io {
namespace {

constexpr double kYawMeanWidening = 1.27;  // Mean width of a square seen from the side, over all yaws, by its edge.
constexpr double kWholeShare = 0.85;       // This share of the expected area counts as seen whole.
constexpr double kWeightMin = 0.08;        // A sliver still moves the estimate a little.
constexpr double kWeightShareZero = 0.3;   // Below this share of the area, only the minimum weight.
constexpr double kWeightShareSpan = 0.55;
constexpr double kSettleEdges = 1.0;  // A jump beyond this many edges is a move, not occlusion.
constexpr double kGatherEdges = 1.2;  // Patches this near to the largest belong to the same object.
constexpr int kPatchesMax = 64;       // More patches of one colour than this: the rest is ignored.
constexpr std::uint64_t kHashSeed = 1469598103934665603ULL;
constexpr std::uint64_t kHashPrime = 1099511628211ULL;

/// One colour's share of a picture.
struct Patch {
  Pixel centre;
  double area_px = 0;
};

std::uint64_t HashOf(const std::vector<std::uint8_t>& bytes) {
  std::uint64_t hash = kHashSeed;
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    hash = (hash ^ word) * kHashPrime;
  }
  for (; i < bytes.size(); ++i) hash = (hash ^ bytes[i]) * kHashPrime;
  return hash;
}

cv::Scalar Low(double hue_deg, const ObjectLook& look) {
  return {hue_deg / 2, look.saturation_min * 255, look.value_min * 255};
}

cv::Scalar High(double hue_deg) { return {hue_deg / 2, 255, 255}; }

}  // namespace

struct Tracker::Eye {
  explicit Eye(const PerceptionConfig& c) : config(c), seen(c.objects.size()) {}

  struct Known {
    core::TrackedObject object;
    core::Instant last_seen;
    bool held = false;
    core::Vec3 from_tip_m;  // While held.
  };

  core::FrameHealth HealthOf(const core::Frame& frame, const cv::Mat& picture, const ArmView& arm);
  bool Blind(const cv::Mat& picture) const;
  bool Frozen(const core::Frame& frame, const ArmView& arm);
  void Mask(const ObjectLook& look);
  std::optional<Patch> Find(const ObjectLook& look);
  Patch Gather(int count, int largest, double radius_px) const;
  double ExpectedArea(const Ray& ray, double depth_m, const ObjectLook& look) const;
  std::optional<std::size_t> Held(const std::vector<std::optional<Patch>>& patches, const ArmView& arm) const;
  void Place(Known& known, const ObjectLook& look, const Patch& patch, const ArmView& arm);
  static void Miss(Known& known, const ArmView& arm);
  bool Holding(const ArmView& arm) const;
  Sighting Tell(core::FrameHealth health, core::Instant now);

  PerceptionConfig config;
  std::vector<Known> seen;
  core::Instant newest_capture;
  bool any_frame = false;

  std::uint64_t hash = 0;
  int same_frames = 0;
  double travel_m = 0;
  std::optional<core::Vec3> last_tip_m;

  cv::Mat hsv, mask, mask_low, labels, stats, centroids;
};

bool Tracker::Eye::Blind(const cv::Mat& picture) const {
  cv::Scalar mean, deviation;
  cv::meanStdDev(picture, mean, deviation);
  const double brightness = (mean[0] + mean[1] + mean[2]) / 3 / 255;
  const double contrast = std::max({deviation[0], deviation[1], deviation[2]}) / 255;
  return brightness < config.blind_brightness_max || contrast < config.blind_contrast_max;
}

bool Tracker::Eye::Frozen(const core::Frame& frame, const ArmView& arm) {
  const std::uint64_t now_hash = HashOf(frame.rgb);
  if (now_hash != hash || same_frames == 0) {
    hash = now_hash;
    same_frames = 1;
    travel_m = 0;
  } else {
    ++same_frames;
    if (last_tip_m) travel_m += core::Norm(arm.tip_m - *last_tip_m);
  }
  last_tip_m = arm.tip_m;
  return same_frames >= config.frozen_frames_min && travel_m >= config.frozen_travel_m_min;
}

core::FrameHealth Tracker::Eye::HealthOf(const core::Frame& frame, const cv::Mat& picture, const ArmView& arm) {
  const bool frozen = Frozen(frame, arm);
  if (Blind(picture)) return core::FrameHealth::kBlind;
  return frozen ? core::FrameHealth::kFrozen : core::FrameHealth::kGood;
}

void Tracker::Eye::Mask(const ObjectLook& look) {
  if (look.hue_deg_min <= look.hue_deg_max) {
    cv::inRange(hsv, Low(look.hue_deg_min, look), High(look.hue_deg_max), mask);
    return;
  }
  cv::inRange(hsv, Low(look.hue_deg_min, look), High(360), mask);
  cv::inRange(hsv, Low(0, look), High(look.hue_deg_max), mask_low);
  cv::bitwise_or(mask, mask_low, mask);
}

std::optional<Patch> Tracker::Eye::Find(const ObjectLook& look) {
  Mask(look);
  const int count = cv::connectedComponentsWithStats(mask, labels, stats, centroids, 8, CV_16U);
  int largest = 0;
  for (int i = 1; i < count; ++i)
    if (largest == 0 || stats.at<int>(i, cv::CC_STAT_AREA) > stats.at<int>(largest, cv::CC_STAT_AREA)) largest = i;
  if (largest == 0) return std::nullopt;
  const Pixel centre{centroids.at<double>(largest, 0) + 0.5, centroids.at<double>(largest, 1) + 0.5};
  const auto on_table = CrossHeight(Unproject(config.camera, centre), look.half_m);
  if (!on_table) return std::nullopt;
  const double edge_px =
      2 * look.half_m * FocalLengthPx(config.camera) / core::Norm(*on_table - config.camera.position_m);
  const Patch patch = Gather(count, largest, kGatherEdges * edge_px);
  if (patch.area_px < config.area_px_min) return std::nullopt;
  return patch;
}

Patch Tracker::Eye::Gather(int count, int largest, double radius_px) const {
  const double cx = centroids.at<double>(largest, 0), cy = centroids.at<double>(largest, 1);
  double area = 0, x = 0, y = 0;
  for (int i = 1; i < std::min(count, kPatchesMax); ++i) {
    const double ix = centroids.at<double>(i, 0), iy = centroids.at<double>(i, 1);
    const double ia = stats.at<int>(i, cv::CC_STAT_AREA);
    if (i != largest && (std::hypot(ix - cx, iy - cy) > radius_px || ia < 2)) continue;
    area += ia;
    x += ia * ix;
    y += ia * iy;
  }
  return {{x / area + 0.5, y / area + 0.5}, area};
}

double Tracker::Eye::ExpectedArea(const Ray& ray, double depth_m, const ObjectLook& look) const {
  const double edge_px = 2 * look.half_m * FocalLengthPx(config.camera) / depth_m;
  const double level = std::hypot(ray.direction.x, ray.direction.y);
  return edge_px * edge_px * (std::abs(ray.direction.z) + kYawMeanWidening * level);
}

bool Tracker::Eye::Holding(const ArmView& arm) const {
  return arm.jaw_command_rad < config.jaw_closed_command_rad_max && arm.jaw_rad > config.jaw_empty_rad &&
         arm.jaw_rad < config.jaw_wide_rad && std::abs(arm.jaw_rad_s) < config.jaw_still_rad_s_max;
}

/// The one object that the jaw holds off the table: the one it held before, otherwise the one whose ray passes nearest.
std::optional<std::size_t> Tracker::Eye::Held(const std::vector<std::optional<Patch>>& patches,
                                              const ArmView& arm) const {
  if (!Holding(arm) || arm.tip_m.z <= config.lifted_tip_m_min) return std::nullopt;
  std::optional<std::size_t> held;
  double nearest_m = config.lifted_ray_m_max;
  for (std::size_t i = 0; i < patches.size(); ++i) {
    if (!patches[i]) {
      if (seen[i].held) return i;
      continue;
    }
    const core::Vec3 offset = NearestOn(Unproject(config.camera, patches[i]->centre), arm.tip_m) - arm.tip_m;
    if (core::Norm(offset) > config.lifted_ray_m_max) continue;
    if (seen[i].held) return i;
    if (core::Norm(offset) > nearest_m) continue;
    nearest_m = core::Norm(offset);
    held = i;
  }
  return held;
}

void Tracker::Eye::Place(Known& known, const ObjectLook& look, const Patch& patch, const ArmView& arm) {
  const Ray ray = Unproject(config.camera, patch.centre);
  const core::Vec3 near_tip = NearestOn(ray, arm.tip_m);
  const auto on_table = CrossHeight(ray, look.half_m);
  const core::Vec3 measured = known.held || !on_table ? near_tip : *on_table;
  const double share = patch.area_px / ExpectedArea(ray, core::Norm(measured - config.camera.position_m), look);
  const bool settled = known.object.confidence > 0 && !known.held &&
                       core::Norm(measured - known.object.position_m) < kSettleEdges * 2 * look.half_m;
  const double weight = settled ? std::clamp((share - kWeightShareZero) / kWeightShareSpan, kWeightMin, 1.0) : 1.0;
  known.object.position_m = known.object.position_m * (1 - weight) + measured * weight;
  known.object.confidence = std::min(1.0, share / kWholeShare);
  known.from_tip_m = known.object.position_m - arm.tip_m;
  known.last_seen = arm.now;
}

void Tracker::Eye::Miss(Known& known, const ArmView& arm) {
  if (known.held) known.object.position_m = arm.tip_m + known.from_tip_m;
}

Sighting Tracker::Eye::Tell(core::FrameHealth health, core::Instant now) {
  Sighting told;
  told.frame = health;
  told.frame_age = any_frame ? std::max(core::Duration(0), now - newest_capture) : now.time_since_epoch();
  told.object_count = static_cast<int>(seen.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const bool ever = seen[i].object.confidence > 0;
    told.objects[i] = seen[i].object;
    told.objects[i].age = ever ? now - seen[i].last_seen : now.time_since_epoch();
  }
  return told;
}

Tracker::Tracker(const PerceptionConfig& config) : eye_(std::make_unique<Eye>(config)) {
  cv::setNumThreads(1);  // A pool that spins would take the learner's core.
}
Tracker::Tracker(Tracker&&) noexcept = default;
Tracker& Tracker::operator=(Tracker&&) noexcept = default;
Tracker::~Tracker() = default;

Sighting Tracker::See(const core::Frame& frame, const ArmView& arm) {
  Eye& eye = *eye_;
  const int width = eye.config.camera.width_px, height = eye.config.camera.height_px;
  if (frame.width != width || frame.height != height ||
      frame.rgb.size() != static_cast<std::size_t>(width * height * 3))
    return SeeNothing(
        arm.now, {core::FaultCode::kMalformedMessage, "camera: frame of " + std::to_string(frame.width) + " x " +
                                                          std::to_string(frame.height) + " pixels; [camera] expects " +
                                                          std::to_string(width) + " x " + std::to_string(height)});
  const cv::Mat picture(height, width, CV_8UC3, const_cast<std::uint8_t*>(frame.rgb.data()));
  const core::FrameHealth health = eye.HealthOf(frame, picture, arm);
  if (health != core::FrameHealth::kGood) return eye.Tell(health, arm.now);
  eye.any_frame = true;
  eye.newest_capture = frame.captured;
  cv::cvtColor(picture, eye.hsv, cv::COLOR_RGB2HSV);
  std::vector<std::optional<Patch>> patches;
  for (const ObjectLook& look : eye.config.objects) patches.push_back(eye.Find(look));
  const auto held = eye.Held(patches, arm);
  for (std::size_t i = 0; i < eye.seen.size(); ++i) {
    eye.seen[i].held = held == i;
    if (patches[i])
      eye.Place(eye.seen[i], eye.config.objects[i], *patches[i], arm);
    else
      Eye::Miss(eye.seen[i], arm);
  }
  return eye.Tell(health, arm.now);
}

Sighting Tracker::SeeNothing(core::Instant now, core::Fault why) {
  Sighting told = eye_->Tell(core::FrameHealth::kAbsent, now);
  told.why_absent = std::move(why);
  return told;
}

}  // namespace nightshift::io
