// SPDX-License-Identifier: Apache-2.0
#include "io/camera/tracker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "core/random.h"

namespace nightshift::io {
namespace {

const cv::Scalar kRed{217, 20, 15}, kBlue{15, 41, 217}, kGrey{130, 128, 120};

/// A picture of the table as the nominal camera would see it.
class Table {
 public:
  Table() : picture_(120, 160, CV_8UC3, cv::Scalar(84, 86, 89)) {
    Fill({Corner(0.115, -0.1, 0), Corner(0.285, -0.1, 0), Corner(0.285, 0.1, 0), Corner(0.115, 0.1, 0)},
         {184, 179, 158});
  }

  Table& Cube(core::Vec3 centre, double half_m, double yaw_rad, const cv::Scalar& colour) {
    std::vector<cv::Point2f> corners;
    for (int i = 0; i < 8; ++i) {
      const double x = (i & 1) ? half_m : -half_m, y = (i & 2) ? half_m : -half_m, z = (i & 4) ? half_m : -half_m;
      corners.push_back(Corner(centre.x + x * std::cos(yaw_rad) - y * std::sin(yaw_rad),
                               centre.y + x * std::sin(yaw_rad) + y * std::cos(yaw_rad), centre.z + z));
    }
    std::vector<cv::Point2f> outline;
    cv::convexHull(corners, outline);
    Fill(outline, colour);
    return *this;
  }

  /// A finger across the picture, `width_px` wide, over a point.
  Table& Finger(core::Vec3 over, int width_px, int shift_px) {
    const auto p = Project({}, over);
    const int x = static_cast<int>(p->x_px) + shift_px;
    cv::rectangle(picture_, {x - width_px / 2, 0}, {x + (width_px - 1) / 2, static_cast<int>(p->y_px) + 12},
                  {51, 51, 51}, cv::FILLED);
    return *this;
  }

  Table& Noise(double sigma, core::Random& random) {
    for (auto it = picture_.begin<cv::Vec3b>(); it != picture_.end<cv::Vec3b>(); ++it)
      for (int c = 0; c < 3; ++c) (*it)[c] = cv::saturate_cast<std::uint8_t>((*it)[c] + random.Normal(0, sigma));
    return *this;
  }

  Table& Dim(double factor) {
    picture_.convertTo(picture_, -1, factor);
    return *this;
  }

  core::Frame At(double t_s) const {
    core::Frame frame{.captured = core::Instant(core::Seconds(t_s)),
                      .sequence = static_cast<std::uint64_t>(t_s * 10),
                      .width = 160,
                      .height = 120,
                      .rgb = {}};
    frame.rgb.assign(picture_.data, picture_.data + picture_.total() * 3);
    return frame;
  }

 private:
  static cv::Point2f Corner(double x, double y, double z) {
    const auto p = Project({}, {x, y, z});
    return {static_cast<float>(p->x_px - 0.5), static_cast<float>(p->y_px - 0.5)};
  }
  void Fill(const std::vector<cv::Point2f>& outline, const cv::Scalar& colour) {
    constexpr int kSubpixel = 4;
    std::vector<cv::Point> fixed;
    for (const cv::Point2f& p : outline)
      fixed.emplace_back(cvRound(p.x * (1 << kSubpixel)), cvRound(p.y * (1 << kSubpixel)));
    cv::fillConvexPoly(picture_, fixed, colour, cv::LINE_AA, kSubpixel);
  }
  cv::Mat picture_;
};

ArmView OpenAt(double t_s, core::Vec3 tip = {0.14, 0.01, 0.12}) {
  return {.now = core::Instant(core::Seconds(t_s)), .tip_m = tip, .jaw_rad = 0.93, .jaw_command_rad = 0.9};
}

ArmView HoldingAt(double t_s, core::Vec3 tip) {
  return {.now = core::Instant(core::Seconds(t_s)), .tip_m = tip, .jaw_rad = 0.43, .jaw_command_rad = 0.0};
}

Table Usual() {
  Table table;
  table.Cube({0.18, -0.04, 0.014}, 0.014, 0.3, kRed).Cube({0.24, 0.05, 0.013}, 0.013, 0.9, kBlue);
  return table;
}

TEST(Tracker, FindsBothObjectsOnTheTableWithinTwoMillimetresAtTheMedian) {
  core::Random random(3);
  Tracker tracker{PerceptionConfig{}};
  std::vector<double> errors;
  for (int i = 0; i < 300; ++i) {
    const core::Vec3 red{random.Uniform(0.13, 0.27), random.Uniform(-0.085, -0.02), 0.014};
    const core::Vec3 blue{random.Uniform(0.13, 0.27), random.Uniform(0.02, 0.085), 0.013};
    Table table;
    table.Cube(red, 0.014, random.Uniform(0, 1.57), kRed).Cube(blue, 0.013, random.Uniform(0, 1.57), kBlue);
    table.Noise(4, random);
    const Sighting seen = tracker.See(table.At(i * 0.1), OpenAt(i * 0.1));
    ASSERT_EQ(seen.frame, core::FrameHealth::kGood);
    ASSERT_EQ(seen.object_count, 2);
    EXPECT_EQ(seen.objects[0].age, core::Duration(0));
    EXPECT_GT(seen.objects[0].confidence, 0.7);
    errors.push_back(core::Norm(seen.objects[0].position_m - red));
    errors.push_back(core::Norm(seen.objects[1].position_m - blue));
  }
  std::sort(errors.begin(), errors.end());
  EXPECT_LT(errors[errors.size() / 2], 0.002);
  EXPECT_LT(errors.back(), 0.008);
}

TEST(Tracker, FindsObjectsInDimAndBrightPictures) {
  for (const double factor : {0.5, 0.75, 1.25}) {
    Tracker tracker{PerceptionConfig{}};
    const Sighting seen = tracker.See(Usual().Dim(factor).At(0.1), OpenAt(0.1));
    EXPECT_EQ(seen.frame, core::FrameHealth::kGood) << factor;
    EXPECT_LT(core::Norm(seen.objects[0].position_m - core::Vec3{0.18, -0.04, 0.014}), 0.004) << factor;
    EXPECT_LT(core::Norm(seen.objects[1].position_m - core::Vec3{0.24, 0.05, 0.013}), 0.004) << factor;
  }
}

TEST(Tracker, AnObjectNeverSeenHasNoConfidence) {
  Table only_red;
  only_red.Cube({0.18, -0.04, 0.014}, 0.014, 0, kRed);
  Tracker tracker{PerceptionConfig{}};
  const Sighting seen = tracker.See(only_red.At(5), OpenAt(5));
  EXPECT_EQ(seen.objects[1].confidence, 0);
  EXPECT_EQ(seen.objects[1].age, core::Seconds(5));
}

TEST(Tracker, AHiddenObjectKeepsItsPlaceAndGrowsOlder) {
  Tracker tracker{PerceptionConfig{}};
  tracker.See(Usual().At(0.1), OpenAt(0.1));
  const Sighting seen = tracker.See(Usual().Finger({0.24, 0.05, 0.013}, 24, 0).At(0.6), OpenAt(0.6));
  EXPECT_EQ(seen.objects[1].age, core::Seconds(0.5));
  EXPECT_LT(core::Norm(seen.objects[1].position_m - core::Vec3{0.24, 0.05, 0.013}), 0.004);
  EXPECT_EQ(seen.objects[0].age, core::Duration(0));
}

TEST(Tracker, AFingerAcrossAnObjectLowersConfidenceAndBarelyMovesIt) {
  Tracker tracker{PerceptionConfig{}};
  const core::Vec3 blue{0.24, 0.05, 0.013};
  const double whole = tracker.See(Usual().At(0.1), OpenAt(0.1)).objects[1].confidence;
  const Sighting seen = tracker.See(Usual().Finger(blue, 8, -3).At(0.2), OpenAt(0.2));
  EXPECT_LT(seen.objects[1].confidence, whole);
  EXPECT_LT(core::Norm(seen.objects[1].position_m - blue), 0.006);
}

TEST(Tracker, AnObjectInTwoPiecesBehindAFingerIsOneObject) {
  const core::Vec3 blue{0.24, 0.05, 0.013};
  Tracker tracker{PerceptionConfig{}};
  const Sighting seen = tracker.See(Usual().Finger(blue, 4, 0).At(0.1), OpenAt(0.1));
  EXPECT_LT(core::Norm(seen.objects[1].position_m - blue), 0.005);
}

TEST(Tracker, ALiftedObjectIsOnItsRayAtTheGraspPoint) {
  const core::Vec3 up{0.20, 0.02, 0.11};
  Table table;
  table.Cube(up + core::Vec3{0, 0, -0.004}, 0.014, 0.2, kRed);
  Tracker holding{PerceptionConfig{}}, open{PerceptionConfig{}};
  EXPECT_LT(core::Norm(holding.See(table.At(0.1), HoldingAt(0.1, up)).objects[0].position_m - up), 0.010);
  EXPECT_NEAR(open.See(table.At(0.1), OpenAt(0.1, up)).objects[0].position_m.z, 0.014, 1e-9);
}

TEST(Tracker, ACubeGraspedAcrossItsDiagonalIsLiftedToo) {
  const core::Vec3 up{0.20, 0.02, 0.11};
  Table table;
  table.Cube(up, 0.014, 0.785, kRed);
  Tracker tracker{PerceptionConfig{}};
  ArmView wide = HoldingAt(0.1, up);
  wide.jaw_rad = 0.72;
  EXPECT_LT(core::Norm(tracker.See(table.At(0.1), wide).objects[0].position_m - up), 0.010);
}

TEST(Tracker, JawsClosedOnNothingAboveAnObjectDoNotLiftIt) {
  Tracker tracker{PerceptionConfig{}};
  const auto pixel = Project({}, {0.18, -0.04, 0.014});
  ArmView empty = HoldingAt(0.1, *CrossHeight(Unproject({}, *pixel), 0.08));
  empty.jaw_rad = 0.02;
  EXPECT_NEAR(tracker.See(Usual().At(0.1), empty).objects[0].position_m.z, 0.014, 1e-9);
}

TEST(Tracker, JawsThatAreStillClosingAboveAnObjectDoNotLiftIt) {
  Tracker tracker{PerceptionConfig{}};
  const auto pixel = Project({}, {0.18, -0.04, 0.014});
  ArmView closing = HoldingAt(0.1, *CrossHeight(Unproject({}, *pixel), 0.08));
  closing.jaw_rad_s = -3;
  EXPECT_NEAR(tracker.See(Usual().At(0.1), closing).objects[0].position_m.z, 0.014, 1e-9);
}

TEST(Tracker, AnObjectBehindTheHeldOneStaysOnTheTable) {
  const core::Vec3 up{0.20, 0.02, 0.11};
  const core::Vec3 behind = *CrossHeight(Unproject({}, {Project({}, up)->x_px + 10, Project({}, up)->y_px}), 0.013);
  Table table;
  table.Cube(behind, 0.013, 0.2, kBlue).Cube(up, 0.014, 0.2, kRed);
  Tracker tracker{PerceptionConfig{}};
  const Sighting seen = tracker.See(table.At(0.1), HoldingAt(0.1, up));
  EXPECT_LT(core::Norm(seen.objects[0].position_m - up), 0.008);
  EXPECT_NEAR(seen.objects[1].position_m.z, 0.013, 1e-9);
}

TEST(Tracker, AHeldObjectThatGlareHidesFollowsTheGraspPoint) {
  const core::Vec3 up{0.20, 0.02, 0.11}, on{0.22, 0.06, 0.11};
  Table table;
  table.Cube(up, 0.014, 0.2, kRed);
  Tracker tracker{PerceptionConfig{}};
  tracker.See(table.At(0.1), HoldingAt(0.1, up));
  const Sighting seen = tracker.See(Table().At(0.2), HoldingAt(0.2, on));
  EXPECT_LT(core::Norm(seen.objects[0].position_m - on), 0.010);
  EXPECT_EQ(seen.objects[0].age, core::Seconds(0.1));
}

TEST(Tracker, ABlackOrEvenPictureIsBlindAndMovesNothing) {
  for (const double level : {0.0, 200.0}) {
    Tracker tracker{PerceptionConfig{}};
    const Sighting before = tracker.See(Usual().At(0.1), OpenAt(0.1));
    core::Frame dark = Usual().At(0.3);
    std::fill(dark.rgb.begin(), dark.rgb.end(), static_cast<std::uint8_t>(level));
    const Sighting seen = tracker.See(dark, OpenAt(0.3));
    EXPECT_EQ(seen.frame, core::FrameHealth::kBlind) << level;
    EXPECT_EQ(seen.objects[0].position_m, before.objects[0].position_m);
    EXPECT_EQ(seen.objects[0].age, core::Seconds(0.2));
    EXPECT_EQ(seen.frame_age, core::Seconds(0.2));
  }
}

TEST(Tracker, ThePictureThatStaysWhileTheArmMovesIsFrozen) {
  Tracker tracker{PerceptionConfig{}};
  core::FrameHealth health = core::FrameHealth::kGood;
  for (int i = 1; i <= 6; ++i)
    health = tracker.See(Usual().At(i * 0.1), OpenAt(i * 0.1, {0.14, 0.01, 0.12 - 0.015 * i})).frame;
  EXPECT_EQ(health, core::FrameHealth::kFrozen);
  EXPECT_EQ(tracker.See(Table(Usual()).Finger({0.2, 0, 0.01}, 3, 0).At(0.7), OpenAt(0.7)).frame,
            core::FrameHealth::kGood);
}

TEST(Tracker, ThePictureThatStaysWhileTheArmRestsIsGood) {
  Tracker tracker{PerceptionConfig{}};
  for (int i = 1; i <= 30; ++i)
    EXPECT_EQ(tracker.See(Usual().At(i * 0.1), OpenAt(i * 0.1)).frame, core::FrameHealth::kGood);
}

TEST(Tracker, AFrameThatDoesNotComeOrHasTheWrongSizeIsAbsent) {
  Tracker tracker{PerceptionConfig{}};
  tracker.See(Usual().At(0.1), OpenAt(0.1));
  const Sighting none =
      tracker.SeeNothing(core::Instant(core::Seconds(0.4)), {core::FaultCode::kCameraTimeout, "gone"});
  EXPECT_EQ(none.frame, core::FrameHealth::kAbsent);
  EXPECT_EQ(none.objects[0].age, core::Seconds(0.3));
  EXPECT_EQ(none.why_absent->code, core::FaultCode::kCameraTimeout);
  core::Frame small = Usual().At(0.5);
  small.width = 80;
  const Sighting odd = tracker.See(small, OpenAt(0.5));
  EXPECT_EQ(odd.frame, core::FrameHealth::kAbsent);
  EXPECT_EQ(odd.why_absent->code, core::FaultCode::kMalformedMessage);
}

TEST(Tracker, TakesLittleOfAPolicyPeriod) {
  constexpr int kFrames = 500;
  constexpr double kMeanMsMax = 5;  // Twenty times the usual: this also runs under sanitizers and load.
  Tracker tracker{PerceptionConfig{}};
  const core::Frame frame = Usual().At(0.1);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kFrames; ++i) tracker.See(frame, OpenAt(0.1 * i));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  RecordProperty("mean_ms", std::to_string(took.count() / kFrames));
  EXPECT_LT(took.count() / kFrames, kMeanMsMax);
}

}  // namespace
}  // namespace nightshift::io
