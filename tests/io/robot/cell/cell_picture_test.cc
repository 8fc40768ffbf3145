// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_picture.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nightshift::io::cell {
namespace {

core::Frame Grey() {
  return {.captured = {},
          .sequence = 1,
          .width = 160,
          .height = 120,
          .rgb = std::vector<std::uint8_t>(std::size_t{160} * 120 * 3, 100)};
}

std::uint8_t At(const core::Frame& frame, int x, int y) {
  return frame.rgb[static_cast<std::size_t>(3 * (y * frame.width + x))];
}

TEST(CellPicture, IsUntouchedInACleanWorld) {
  core::Random random(1);
  core::Frame frame = Grey();
  const ImagePoint object{80, 60};
  Spoil(frame, MessConfig{}, {&object, 1}, random);
  EXPECT_EQ(frame.rgb, Grey().rgb);
}

TEST(CellPicture, HidesAnObjectInTheGivenShareOfFrames) {
  core::Random random(1);
  MessConfig mess;
  mess.glare_share = 0.10;
  const ImagePoint object{80, 60};
  int hidden = 0;
  for (int i = 0; i < 2000; ++i) {
    core::Frame frame = Grey();
    Spoil(frame, mess, {&object, 1}, random);
    hidden += At(frame, 80, 60) > 200;
  }
  EXPECT_NEAR(hidden / 2000.0, 0.10, 0.025);
}

TEST(CellPicture, GlareBeyondTheEdgeLeavesThePictureWhole) {
  core::Random random(1);
  MessConfig mess;
  mess.glare_share = 1;
  for (const ImagePoint object : {ImagePoint{-5, -5}, ImagePoint{159, 119}, ImagePoint{1e6, -1e6}}) {
    core::Frame frame = Grey();
    Spoil(frame, mess, {&object, 1}, random);
    EXPECT_EQ(frame.rgb.size(), Grey().rgb.size());
  }
}

TEST(CellPicture, HasNoiseOfTheGivenStrength) {
  core::Random random(1);
  MessConfig mess;
  mess.pixel_noise = 3;
  core::Frame frame = Grey();
  Spoil(frame, mess, {}, random);
  double squares = 0;
  for (const std::uint8_t level : frame.rgb) squares += (level - 100.0) * (level - 100.0);
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(frame.rgb.size())), 3, 0.3);
}

}  // namespace
}  // namespace nightshift::io::cell
