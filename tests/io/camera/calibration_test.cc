// SPDX-License-Identifier: Apache-2.0
#include "io/camera/calibration.h"

#include <gtest/gtest.h>

#include "core/random.h"
#include "io/camera/config.h"

namespace nightshift::io {
namespace {

TEST(CameraCalibration, ProjectAndUnprojectAreInverse) {
  const CameraCalibration camera;
  core::Random random(7);
  for (int i = 0; i < 10000; ++i) {
    const core::Vec3 point{random.Uniform(0.05, 0.4), random.Uniform(-0.2, 0.3), random.Uniform(0, 0.2)};
    const auto pixel = Project(camera, point);
    ASSERT_TRUE(pixel);
    EXPECT_LT(core::Norm(NearestOn(Unproject(camera, *pixel), point) - point), 1e-9);
  }
}

TEST(CameraCalibration, TheMiddleOfTheImageLooksAlongTheOpticalAxis) {
  const Ray ray = Unproject({}, {80, 60});
  EXPECT_NEAR(ray.direction.x, -0.6, 1e-12);
  EXPECT_NEAR(ray.direction.y, 0, 1e-12);
  EXPECT_NEAR(ray.direction.z, -0.8, 1e-12);
}

TEST(CameraCalibration, WhatLiesToTheLeftOfTheRobotAppearsOnTheRightOfTheImage) {
  EXPECT_GT(Project({}, {0.2, 0.17, 0})->x_px, 80);
  EXPECT_LT(Project({}, {0.2, -0.03, 0})->x_px, 80);
}

TEST(CameraCalibration, ProjectsNothingFromBehindTheCamera) { EXPECT_FALSE(Project({}, {0.9, 0.07, 0.9})); }

TEST(CameraCalibration, ARayThatRisesCrossesNoPlaneBelow) {
  EXPECT_FALSE(CrossHeight({.origin_m = {0, 0, 0.4}, .direction = {0, 0, 1}}, 0.0));
  EXPECT_FALSE(CrossHeight({.origin_m = {0, 0, 0.4}, .direction = {1, 0, 0}}, 0.0));
}

TEST(PerceptionConfig, TheDefaultIsValid) { EXPECT_TRUE(Validate(PerceptionConfig{})); }

TEST(PerceptionConfig, RefusesSkewedAxesAndNumbersOutOfRangeByName) {
  PerceptionConfig skewed;
  skewed.camera.up = {0, 1, 0};
  EXPECT_EQ(Validate(skewed).error().code, core::FaultCode::kInvalidConfig);
  PerceptionConfig blind;
  blind.objects[1].half_m = std::nan("");
  EXPECT_NE(Validate(blind).error().detail.find("objects.blue.half_m"), std::string::npos);
}

}  // namespace
}  // namespace nightshift::io
