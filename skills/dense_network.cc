// SPDX-License-Identifier: Apache-2.0
#include "skills/dense_network.h"

#include <algorithm>
#include <cmath>

namespace nightshift::skills {
namespace {

core::Result<void> CheckShapes(const DenseLayers& layers, const NetworkShape& shape) {
  const auto refuse = [&shape](const std::string& why) {
    return core::Fail(core::FaultCode::kCorruptSnapshot, shape.name + ": " + why);
  };
  const auto number = [](auto value) { return std::to_string(value); };
  if (layers.empty() || layers.size() > kLayersMax)
    return refuse(number(layers.size()) + " layers; 1 to " + number(kLayersMax) + " are allowed");
  int inputs = shape.inputs;
  for (const DenseLayer& layer : layers) {
    if (layer.inputs != inputs)
      return refuse("a layer takes " + number(layer.inputs) + " numbers, its input has " + number(inputs) +
                    "; a snapshot of another version of Nightshift cannot act");
    if (layer.outputs < 1 || layer.outputs > kUnitsMax)
      return refuse("a layer has " + number(layer.outputs) + " units; 1 to " + number(kUnitsMax));
    const auto in = static_cast<std::size_t>(layer.inputs), out = static_cast<std::size_t>(layer.outputs);
    if (layer.weights.size() != in * out || layer.biases.size() != out)
      return refuse("a layer's numbers do not fit its shape");
    inputs = layer.outputs;
  }
  if (inputs != shape.outputs)
    return refuse("the last layer has " + number(inputs) + " units, " + number(shape.outputs) + " are needed (" +
                  shape.outputs_mean + ")");
  return {};
}

bool AllFinite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

void Dense(const DenseLayer& layer, const std::vector<float>& in, std::vector<float>& out) {
  const auto inputs = static_cast<std::size_t>(layer.inputs), outputs = static_cast<std::size_t>(layer.outputs);
  for (std::size_t o = 0; o < outputs; ++o) {
    const float* row = layer.weights.data() + o * inputs;
    float sum = layer.biases[o];
    for (std::size_t i = 0; i < inputs; ++i) sum += row[i] * in[i];
    out[o] = sum;
  }
}

}  // namespace

core::Result<void> CheckNetwork(const DenseLayers& layers, const NetworkShape& shape) {
  if (auto shapes = CheckShapes(layers, shape); !shapes) return shapes;
  for (const DenseLayer& layer : layers)
    if (!AllFinite(layer.weights) || !AllFinite(layer.biases))
      return core::Fail(core::FaultCode::kCorruptSnapshot, shape.name + ": a number is not finite");
  return {};
}

DenseNetwork::DenseNetwork(DenseLayers layers) : layers_(std::move(layers)) {
  auto widest = static_cast<std::size_t>(layers_.front().inputs);
  for (const DenseLayer& layer : layers_) widest = std::max(widest, static_cast<std::size_t>(layer.outputs));
  in_.resize(widest);
  out_.resize(widest);
}

std::span<const float> DenseNetwork::Forward(std::span<const float> inputs) {
  std::copy(inputs.begin(), inputs.end(), out_.begin());
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    in_.swap(out_);
    if (l > 0)
      for (float& unit : in_) unit = std::max(unit, 0.0f);
    Dense(layers_[l], in_, out_);
  }
  return {out_.data(), static_cast<std::size_t>(layers_.back().outputs)};
}

}  // namespace nightshift::skills
