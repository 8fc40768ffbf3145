// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace nightshift::io::cell {
namespace {

constexpr double kGlareRadiusPxMin = 10, kGlareRadiusPxMax = 14;  // A cube covers about 12 pixels, corner to corner.
constexpr double kGlareOffsetPx = 2;
constexpr std::uint8_t kGlareLevel = 250;
constexpr std::size_t kNoiseTable = 4096;  // A power of two; drawing each pixel anew would cost more than rendering.

std::uint8_t Clip(double level) { return static_cast<std::uint8_t>(std::clamp(level, 0.0, 255.0)); }

void Glare(core::Frame& frame, ImagePoint at, double radius_px) {
  for (int y = 0; y < frame.height; ++y) {
    for (int x = 0; x < frame.width; ++x) {
      if (std::hypot(x + 0.5 - at.x_px, y + 0.5 - at.y_px) > radius_px) continue;
      std::uint8_t* pixel = frame.rgb.data() + 3 * (y * frame.width + x);
      std::fill_n(pixel, 3, kGlareLevel);
    }
  }
}

void AddNoise(core::Frame& frame, double sigma, double brightness, core::Random& random) {
  std::array<float, kNoiseTable> noise;
  for (float& value : noise) value = static_cast<float>(random.Normal(0, sigma));
  std::uint64_t hash = random.Seed() | 1;
  for (std::uint8_t& level : frame.rgb) {
    hash = hash * 6364136223846793005ull + 1442695040888963407ull;
    level = Clip(level * brightness + noise[(hash >> 33) % kNoiseTable] + 0.5);
  }
}

}  // namespace

void Spoil(core::Frame& frame, const MessConfig& mess, std::span<const ImagePoint> objects, core::Random& random) {
  for (const ImagePoint& object : objects) {
    if (!random.Chance(mess.glare_share)) continue;
    const ImagePoint at{object.x_px + random.Normal(0, kGlareOffsetPx), object.y_px + random.Normal(0, kGlareOffsetPx)};
    Glare(frame, at, random.Uniform(kGlareRadiusPxMin, kGlareRadiusPxMax));
  }
  if (mess.pixel_noise <= 0 && mess.brightness_variation <= 0) return;
  AddNoise(frame, mess.pixel_noise, std::max(0.0, random.Normal(1, mess.brightness_variation)), random);
}

}  // namespace nightshift::io::cell
