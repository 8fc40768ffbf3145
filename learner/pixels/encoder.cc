// SPDX-License-Identifier: Apache-2.0
#include "learner/pixels/encoder.h"

#include <torch/script.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <sstream>
#include <utility>

#include "core/check.h"

namespace nightshift::learner {

namespace {

using core::Fail;
using core::FaultCode;

std::string Text(const ImageShape& s) {
  return std::to_string(s.channels) + " x " + std::to_string(s.height_px) + " x " + std::to_string(s.width_px);
}

std::string Text(const torch::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes();
  return text.str();
}

struct NetworkImpl : torch::nn::Module {
  NetworkImpl(const PixelsConfig& config, const ImageShape& shape) {
    const auto convolution = [](int from, int to, int stride) {
      return torch::nn::Conv2d(torch::nn::Conv2dOptions(from, to, 3).stride(stride));
    };
    first = register_module("first", convolution(shape.channels, config.filters, 2));
    second = register_module("second", convolution(config.filters, config.filters, 2));
    third = register_module("third", convolution(config.filters, config.filters, 1));
    const std::int64_t flat = Convolve(torch::zeros({1, shape.channels, shape.height_px, shape.width_px})).size(1);
    dense = register_module("dense", torch::nn::Linear(flat, config.features));
    norm = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({config.features})));
  }

  torch::Tensor Convolve(const torch::Tensor& images) {
    const auto one = torch::relu(first(images - 0.5));
    return torch::relu(third(torch::relu(second(one)))).flatten(1);
  }
  torch::Tensor forward(const torch::Tensor& images) { return torch::tanh(norm(dense(Convolve(images)))); }

  torch::nn::Conv2d first{nullptr}, second{nullptr}, third{nullptr};
  torch::nn::Linear dense{nullptr};
  torch::nn::LayerNorm norm{nullptr};
};
TORCH_MODULE(Network);

}  // namespace

struct ImageEncoder::Inside {
  ImageShape shape;
  std::int64_t features = 0;
  std::string name;  // In faults.
  Network network{nullptr};
  std::unique_ptr<torch::optim::Adam> adam;
  std::optional<torch::jit::Module> module;
  torch::Tensor to_learn;  // Of the last EncodeToLearn.

  torch::Tensor Forward(std::span<const std::uint8_t> images, int count) {
    NIGHTSHIFT_CHECK(images.size() == shape.bytes() * static_cast<std::size_t>(count));
    const auto bytes = torch::from_blob(const_cast<std::uint8_t*>(images.data()),
                                        {count, shape.height_px, shape.width_px, shape.channels}, torch::kUInt8);
    const auto input = bytes.permute({0, 3, 1, 2}).to(torch::kFloat).contiguous() / 255;
    return module ? module->forward({input}).toTensor().to(torch::kFloat) : network(input);
  }

  core::Result<torch::Tensor> TryForward(std::span<const std::uint8_t> images, int count) {
    try {
      auto out = Forward(images, count);
      if (out.dim() != 2 || out.size(0) != count || out.size(1) < 1 || (features > 0 && out.size(1) != features))
        return Fail(FaultCode::kCorruptSnapshot, name + ": given " + std::to_string(count) + " images of " +
                                                     Text(shape) + " it yields " + Text(out) +
                                                     "; must be images x features");
      if (!torch::isfinite(out).all().item<bool>())
        return Fail(FaultCode::kNotFinite, name + ": a feature is not finite");
      return out;
    } catch (const std::exception& e) {
      return Fail(FaultCode::kCorruptSnapshot, name + ": fails on images of " + Text(shape) + ": " + e.what());
    }
  }
};

ImageEncoder::ImageEncoder(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
ImageEncoder::ImageEncoder(ImageEncoder&&) noexcept = default;
ImageEncoder& ImageEncoder::operator=(ImageEncoder&&) noexcept = default;
ImageEncoder::~ImageEncoder() = default;

core::Result<ImageEncoder> ImageEncoder::Convolutional(const PixelsConfig& config, const ImageShape& shape,
                                                       std::uint64_t seed) {
  const auto refuse = [](const std::string& why) { return Fail(FaultCode::kInvalidConfig, why); };
  if (config.filters < 1 || config.filters > 512) return refuse("pixels.filters must be in [1, 512]");
  if (config.features < 2 || config.features > 4096) return refuse("pixels.features must be in [2, 4096]");
  if (!(config.learning_rate > 0 && config.learning_rate <= 0.1))
    return refuse("pixels.learning_rate must be in (0, 0.1]");
  if (std::min(shape.height_px, shape.width_px) < 16 || shape.channels < 1)
    return refuse("an image of " + Text(shape) + " is too small to encode; at least 1 x 16 x 16");
  torch::set_num_threads(1);
  torch::manual_seed(seed);
  auto inside = std::make_unique<Inside>();
  inside->shape = shape;
  inside->features = config.features;
  inside->name = "the convolutional encoder";
  inside->network = Network(config, shape);
  inside->adam = std::make_unique<torch::optim::Adam>(inside->network->parameters(),
                                                      torch::optim::AdamOptions(config.learning_rate));
  return ImageEncoder(std::move(inside));
}

core::Result<ImageEncoder> ImageEncoder::FromTorchScript(const std::string& file, const ImageShape& shape) {
  if (!std::filesystem::is_regular_file(file))
    return Fail(FaultCode::kMissingFile, "pixels.encoder_file = \"" + file + "\": there is no such file");
  torch::set_num_threads(1);
  auto inside = std::make_unique<Inside>();
  inside->shape = shape;
  inside->name = "pixels.encoder_file = \"" + file + "\"";
  try {
    inside->module = torch::jit::load(file);
    inside->module->eval();
  } catch (const std::exception& e) {
    return Fail(FaultCode::kCorruptSnapshot, inside->name + ": is no TorchScript module: " + e.what());
  }
  torch::NoGradGuard frozen;
  const auto tried = inside->TryForward(std::vector<std::uint8_t>(shape.bytes()), 1);
  if (!tried) return tl::make_unexpected(tried.error());
  inside->features = tried->size(1);
  return ImageEncoder(std::move(inside));
}

core::Result<ImageEncoder> ImageEncoder::Make(const PixelsConfig& config, const ImageShape& shape, std::uint64_t seed) {
  return config.encoder_file.empty() ? Convolutional(config, shape, seed) : FromTorchScript(config.encoder_file, shape);
}

EncoderTraining ImageEncoder::training() const {
  return inside_->module ? EncoderTraining::kFrozen : EncoderTraining::kByCritics;
}
const ImageShape& ImageEncoder::shape() const { return inside_->shape; }
int ImageEncoder::features() const { return static_cast<int>(inside_->features); }

core::Result<std::vector<float>> ImageEncoder::Encode(std::span<const std::uint8_t> images, int count) {
  torch::NoGradGuard no_gradient;
  const auto out = inside_->TryForward(images, count);
  if (!out) return tl::make_unexpected(out.error());
  const auto flat = out->contiguous();
  return std::vector<float>(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
}

core::Result<std::vector<float>> ImageEncoder::EncodeToLearn(std::span<const std::uint8_t> images, int count) {
  NIGHTSHIFT_CHECK(training() == EncoderTraining::kByCritics);
  const auto out = inside_->TryForward(images, count);
  if (!out) return tl::make_unexpected(out.error());
  inside_->to_learn = *out;
  const auto flat = out->detach().contiguous();
  return std::vector<float>(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
}

core::Result<void> ImageEncoder::Learn(std::span<const float> d_features) {
  NIGHTSHIFT_CHECK(inside_->to_learn.defined() &&
                   d_features.size() == static_cast<std::size_t>(inside_->to_learn.numel()));
  const auto gradient = torch::from_blob(const_cast<float*>(d_features.data()), inside_->to_learn.sizes());
  inside_->adam->zero_grad();
  inside_->to_learn.backward(gradient);
  inside_->to_learn.reset();
  for (const auto& parameter : inside_->network->parameters())
    if (!torch::isfinite(parameter.grad()).all().item<bool>())
      return Fail(FaultCode::kNotFinite, inside_->name + ": a gradient is not finite; the step was not made");
  inside_->adam->step();
  return {};
}

std::vector<float> ImageEncoder::Parameters() const {
  std::vector<float> all;
  if (inside_->module) return all;
  for (const auto& parameter : inside_->network->parameters()) {
    const auto flat = parameter.detach().contiguous();
    all.insert(all.end(), flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
  }
  return all;
}

core::Result<void> ImageEncoder::Restore(std::span<const float> parameters) {
  if (parameters.size() != Parameters().size())
    return Fail(FaultCode::kCorruptState, inside_->name + ": has " + std::to_string(Parameters().size()) +
                                              " numbers, " + std::to_string(parameters.size()) + " were saved");
  if (!std::all_of(parameters.begin(), parameters.end(), [](float v) { return std::isfinite(v); }))
    return Fail(FaultCode::kCorruptState, inside_->name + ": a saved number is not finite");
  torch::NoGradGuard no_gradient;
  const float* from = parameters.data();
  if (inside_->module) return {};
  for (auto& parameter : inside_->network->parameters()) {
    parameter.copy_(torch::from_blob(const_cast<float*>(from), parameter.sizes()));
    from += parameter.numel();
  }
  return {};
}

}  // namespace nightshift::learner
