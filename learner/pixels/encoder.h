// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/fault.h"
#include "learner/pixels/config.h"

namespace nightshift::learner {

/// Turns images into features: a convolutional network that is trained, or a TorchScript module that is not.
/// Images of all calls: `count` of the shape, one after the other. Results: count x features(), row by row.
/// Thread: one at a time; one core. LibTorch stays in encoder.cc; what it throws becomes a fault.
class ImageEncoder {
 public:
  /// Three 3 x 3 convolutions (strides 2, 2, 1; ReLU), dense, LayerNorm, tanh (Yarats, Kostrikov, Fergus: DrQ, ICLR
  /// 2021, appendix; fewer layers). Faults: kInvalidConfig, when a number is out of range or the image is too small.
  static core::Result<ImageEncoder> Convolutional(const PixelsConfig& config, const ImageShape& shape,
                                                  std::uint64_t seed);

  /// `file` takes count x channels x height x width floats in [0, 1] and yields count x features. Tried out here on a
  /// black image. Faults: kMissingFile, kCorruptSnapshot (no TorchScript, no tensor of that form, not finite), all
  /// naming the file and what shape was given and got.
  static core::Result<ImageEncoder> FromTorchScript(const std::string& file, const ImageShape& shape);

  /// As the configuration says: from encoder_file, or of our own.
  static core::Result<ImageEncoder> Make(const PixelsConfig& config, const ImageShape& shape, std::uint64_t seed);

  ImageEncoder(ImageEncoder&&) noexcept;
  ImageEncoder& operator=(ImageEncoder&&) noexcept;
  ~ImageEncoder();

  EncoderTraining training() const;
  const ImageShape& shape() const;
  int features() const;

  /// Faults: kNotFinite; kCorruptSnapshot when the module fails.
  core::Result<std::vector<float>> Encode(std::span<const std::uint8_t> images, int count);

  /// As Encode, and remembers the way for Learn. Only one that is trained.
  core::Result<std::vector<float>> EncodeToLearn(std::span<const std::uint8_t> images, int count);
  /// One step of Adam, given the loss's gradient by the features of the last EncodeToLearn. Faults: kNotFinite; no step
  /// is made then.
  core::Result<void> Learn(std::span<const float> d_features);

  /// All trained numbers, to be saved; none of a TorchScript module. Adam's moments are not among them.
  std::vector<float> Parameters() const;
  /// Faults: kCorruptState, when they are not as many or not finite.
  core::Result<void> Restore(std::span<const float> parameters);

 private:
  struct Inside;
  explicit ImageEncoder(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace nightshift::learner
