// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>

namespace nightshift::learner {

/// Of images: bytes, row by row, the channels of a pixel side by side, as OpenCV has them.
struct ImageShape {
  int height_px = 64, width_px = 64, channels = 3;

  std::size_t bytes() const { return std::size_t(height_px) * width_px * channels; }
  bool operator==(const ImageShape&) const = default;
};

/// Whether the critics' loss also trains the encoder.
enum class EncoderTraining { kFrozen, kByCritics };

/// Learning from images (learner/pixels/pixel_actor_critic.h).
struct PixelsConfig {
  std::string encoder_file;  // A TorchScript module to use, frozen; empty: a convolutional encoder of our own, trained.
  int filters = 32;          // Of each of its three convolutions, 3 x 3; DrQ's.
  int features = 50;         // What it yields; DrQ's.
  int shift_px = 4;  // Each image is shifted at random by up to so many pixels either way, for 64 to 84 px wide.
  double learning_rate = 1e-3;  // Of the encoder; DrQ's.
};

}  // namespace nightshift::learner
