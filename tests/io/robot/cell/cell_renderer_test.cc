// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_renderer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <optional>

#include "io/robot/cell/cell_picture.h"
#include "tests/io/robot/cell/bench.h"

namespace nightshift::io::cell {
namespace {

/// Centre of the pixels that are clearly red; nothing when glare hides them.
std::optional<ImagePoint> CentreOfRed(const core::Frame& frame) {
  ImagePoint sum;
  int count = 0;
  for (int y = 0; y < frame.height; ++y) {
    for (int x = 0; x < frame.width; ++x) {
      const std::uint8_t* pixel = frame.rgb.data() + 3 * (y * frame.width + x);
      if (pixel[0] < 80 || pixel[1] > pixel[0] / 2 || pixel[2] > pixel[0] / 2) continue;
      sum.x_px += x + 0.5, sum.y_px += y + 0.5, ++count;
    }
  }
  if (count < 20) return std::nullopt;
  return ImagePoint{sum.x_px / count, sum.y_px / count};
}

/// The nominal camera of configs/cell/tabletop.xml and configs/tabletop.toml, written out.
ImagePoint ByNominalCamera(core::Vec3 p) {
  const core::Vec3 d = p - core::Vec3{0.470, 0.070, 0.400};
  const double right = d.y, up = -0.8 * d.x + 0.6 * d.z, ahead = -0.6 * d.x - 0.8 * d.z;
  const double focal_px = 60 / std::tan(23 * std::numbers::pi / 180);
  return {80 + focal_px * right / ahead, 60 - focal_px * up / ahead};
}

class Renderer : public testing::Test {
 protected:
  static CellConfig Quiet() {
    CellConfig config = CellWith("clean");
    return config;
  }
  Bench bench_{Quiet()};
  CellRenderer renderer_{*CellRenderer::Create(bench_.world)};
};

TEST_F(Renderer, ShowsAnObjectWhereTheNominalCalibrationSays) {
  for (const core::Vec3 place : {core::Vec3{0.15, -0.07, 0.014}, {0.25, 0.07, 0.014}, {0.15, 0.19, 0.016}}) {
    ASSERT_TRUE(bench_.world.Place(0, place, 0));
    const auto seen = CentreOfRed(renderer_.Render(bench_.world));
    const ImagePoint expected = ByNominalCamera(place);
    ASSERT_TRUE(seen);
    EXPECT_NEAR(seen->x_px, expected.x_px, 1.5);
    EXPECT_NEAR(seen->y_px, expected.y_px, 1.5);
  }
}

TEST_F(Renderer, CarriesRobotTimeAndCountsFrames) {
  bench_.Wait(0.1);
  const core::Frame first = renderer_.Render(bench_.world);
  EXPECT_EQ(first.captured, bench_.world.time());
  EXPECT_EQ(renderer_.Render(bench_.world).sequence, first.sequence + 1);
  EXPECT_EQ(first.rgb.size(), std::size_t{160} * 120 * 3);
}

TEST_F(Renderer, KeepsShowingTheSameWhileFrozen) {
  const core::Frame before = renderer_.Render(bench_.world);
  ASSERT_TRUE(bench_.world.Inject({.fault = CellFault::kFreezeCamera, .duration_s = 0.5}));
  ASSERT_TRUE(bench_.world.Place(0, {0.25, 0.07, 0.014}, 0));
  const core::Frame frozen = renderer_.Render(bench_.world);
  EXPECT_EQ(frozen.rgb, before.rgb);
  EXPECT_GT(frozen.sequence, before.sequence);
  bench_.Wait(0.6);
  EXPECT_NE(renderer_.Render(bench_.world).rgb, before.rgb);
}

TEST_F(Renderer, ShowsNothingWhileBlinded) {
  ASSERT_TRUE(bench_.world.Inject({.fault = CellFault::kBlindCamera, .duration_s = 0.5}));
  const core::Frame blind = renderer_.Render(bench_.world);
  EXPECT_TRUE(std::all_of(blind.rgb.begin(), blind.rgb.end(), [](std::uint8_t level) { return level == 0; }));
}

TEST(CellRenderer, SeesItsOwnMisplacementInTheFullMess) {
  Bench bench(CellWith("full"));
  auto renderer = CellRenderer::Create(bench.world);
  ASSERT_TRUE(renderer) << renderer.error().detail;
  ASSERT_TRUE(bench.world.Place(0, {0.15, -0.07, 0.014}, 0));
  double nearest_px = 1e9;  // Over several frames, since glare may hide the object in one.
  for (int i = 0; i < 5; ++i) {
    const core::Frame frame = renderer->Render(bench.world);
    const ImagePoint expected = ByNominalCamera({0.15, -0.07, 0.014});
    const auto seen = CentreOfRed(frame);
    if (seen) nearest_px = std::min(nearest_px, std::hypot(seen->x_px - expected.x_px, seen->y_px - expected.y_px));
  }
  EXPECT_GT(nearest_px, 1.0);
  EXPECT_LT(nearest_px, 8.0);
}

}  // namespace
}  // namespace nightshift::io::cell
