// SPDX-License-Identifier: Apache-2.0
#include "skills/policy.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "skills/sealed_file.h"

namespace nightshift::skills {

namespace {

using core::Fail;
using core::FaultCode;

constexpr std::string_view kMagic = "NSPOLICY";
constexpr std::uint32_t kSchema = 1;
constexpr int kLayersMax = 8;
constexpr int kUnitsMax = 4096;

core::Result<void> CheckShapes(const PolicyWeights& weights) {
  const auto refuse = [](const std::string& why) {
    return Fail(FaultCode::kCorruptSnapshot, "policy weights: " + why);
  };
  const auto number = [](auto value) { return std::to_string(value); };
  if (weights.layers.empty() || weights.layers.size() > kLayersMax)
    return refuse(number(weights.layers.size()) + " layers; 1 to " + number(kLayersMax) + " are allowed");
  int inputs = kFeatureSize;
  for (const DenseLayer& layer : weights.layers) {
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
  if (inputs != 2 * core::kActionSize)
    return refuse("the last layer has " + number(inputs) + " units, " + number(2 * core::kActionSize) +
                  " are needed (mean and log deviation of each action)");
  return {};
}

bool AllFinite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

core::Result<void> CheckWeights(const PolicyWeights& weights) {
  if (auto shapes = CheckShapes(weights); !shapes) return shapes;
  for (const DenseLayer& layer : weights.layers)
    if (!AllFinite(layer.weights) || !AllFinite(layer.biases))
      return Fail(FaultCode::kCorruptSnapshot, "policy weights: a number is not finite");
  return {};
}

template <typename T>
void Put(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void PutFloats(std::string& out, const std::vector<float>& values) {
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

/// Takes bytes off the front; knows when there were too few.
class Taker {
 public:
  explicit Taker(std::string_view rest) : rest_(rest) {}

  std::string_view Bytes(std::size_t count) {
    if (count > rest_.size()) {
      short_ = true;
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint32_t Number() {
    std::uint32_t value = 0;
    const std::string_view bytes = Bytes(sizeof(value));
    if (bytes.size() == sizeof(value)) std::memcpy(&value, bytes.data(), sizeof(value));
    return value;
  }
  void Floats(std::vector<float>& values, std::size_t count) {
    const std::string_view bytes = Bytes(count * sizeof(float));
    if (short_) return;
    values.resize(count);
    std::memcpy(values.data(), bytes.data(), bytes.size());
  }
  bool whole() const { return !short_ && rest_.empty(); }
  bool cut_short() const { return short_; }

 private:
  std::string_view rest_;
  bool short_ = false;
};

nlohmann::json HeaderOf(const Snapshot& snapshot) {
  nlohmann::json sizes = nlohmann::json::array();
  for (const DenseLayer& layer : snapshot.weights.layers) sizes.push_back({layer.inputs, layer.outputs});
  return {{"version", snapshot.version}, {"task", snapshot.task}, {"updates", snapshot.updates}, {"layers", sizes}};
}

/// nlohmann throws on what does not fit; the caller turns that into a fault.
Snapshot ReadHeader(std::string_view text) {
  const auto header = nlohmann::json::parse(text);
  Snapshot snapshot;
  snapshot.version = header.at("version").get<std::int64_t>();
  snapshot.task = header.at("task").get<std::string>();
  snapshot.updates = header.at("updates").get<std::int64_t>();
  for (const auto& size : header.at("layers")) {
    DenseLayer layer;
    layer.inputs = size.at(0).get<int>();
    layer.outputs = size.at(1).get<int>();
    if (layer.inputs < 1 || layer.inputs > kUnitsMax || layer.outputs < 1 || layer.outputs > kUnitsMax)
      throw std::out_of_range("layer size");
    snapshot.weights.layers.push_back(std::move(layer));
  }
  return snapshot;
}

core::Result<Snapshot> Decode(std::string_view content, const std::string& path) {
  const auto refuse = [&](FaultCode code, const std::string& why) { return Fail(code, path + ": " + why); };
  Taker taker(content);
  if (taker.Bytes(kMagic.size()) != kMagic)
    return refuse(FaultCode::kCorruptSnapshot, "does not begin with NSPOLICY: not a policy snapshot");
  const std::uint32_t schema = taker.Number();
  if (schema > kSchema)
    return refuse(FaultCode::kSchemaTooNew, "schema " + std::to_string(schema) + ", this program reads up to " +
                                                std::to_string(kSchema) + "; use the Nightshift that wrote it");
  const std::string_view header = taker.Bytes(taker.Number());
  if (taker.cut_short()) return refuse(FaultCode::kCorruptSnapshot, "ends within its header");
  Snapshot snapshot;
  try {
    snapshot = ReadHeader(header);
  } catch (const std::exception& error) {
    return refuse(FaultCode::kCorruptSnapshot, std::string("unreadable header: ") + error.what());
  }
  for (DenseLayer& layer : snapshot.weights.layers) {
    taker.Floats(layer.weights, static_cast<std::size_t>(layer.inputs) * static_cast<std::size_t>(layer.outputs));
    taker.Floats(layer.biases, static_cast<std::size_t>(layer.outputs));
  }
  if (!taker.whole()) return refuse(FaultCode::kCorruptSnapshot, "has more or fewer numbers than its header says");
  if (auto good = CheckWeights(snapshot.weights); !good) return refuse(good.error().code, good.error().detail);
  return snapshot;
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

core::Result<void> WriteSnapshot(const std::string& path, const Snapshot& snapshot) {
  if (auto good = CheckWeights(snapshot.weights); !good) return good;
  const std::string header = HeaderOf(snapshot).dump();
  std::string content(kMagic);
  Put(content, kSchema);
  Put(content, static_cast<std::uint32_t>(header.size()));
  content += header;
  for (const DenseLayer& layer : snapshot.weights.layers) {
    PutFloats(content, layer.weights);
    PutFloats(content, layer.biases);
  }
  return WriteSealed(path, content);
}

core::Result<Snapshot> ReadSnapshot(const std::string& path) {
  const auto content = ReadSealed(path, FaultCode::kCorruptSnapshot);
  if (!content) return tl::make_unexpected(content.error());
  return Decode(*content, path);
}

core::Result<LearnedPolicy> LearnedPolicy::Make(PolicyWeights weights) {
  if (auto good = CheckWeights(weights); !good) return tl::make_unexpected(good.error());
  return LearnedPolicy(std::move(weights));
}

LearnedPolicy::LearnedPolicy(PolicyWeights weights) : weights_(std::move(weights)) {
  std::size_t widest = kFeatureSize;
  for (const DenseLayer& layer : weights_.layers) widest = std::max(widest, static_cast<std::size_t>(layer.outputs));
  in_.resize(widest);
  out_.resize(widest);
}

void LearnedPolicy::Forward(const Features& features) {
  std::copy(features.begin(), features.end(), out_.begin());
  for (std::size_t l = 0; l < weights_.layers.size(); ++l) {
    in_.swap(out_);
    if (l > 0)
      for (float& unit : in_) unit = std::max(unit, 0.0f);
    Dense(weights_.layers[l], in_, out_);
  }
}

core::PolicyAction LearnedPolicy::Mean(const Features& features) {
  Forward(features);
  core::PolicyAction action;
  for (std::size_t i = 0; i < action.size(); ++i) action[i] = std::tanh(out_[i]);
  return action;
}

core::PolicyAction LearnedPolicy::Sample(const Features& features, core::Random& random) {
  Forward(features);
  core::PolicyAction action;
  for (std::size_t i = 0; i < action.size(); ++i) {
    const float log_std = std::clamp(out_[core::kActionSize + i], kLogStdMin, kLogStdMax);
    const float noise = static_cast<float>(random.Normal(0, 1));
    action[i] = std::tanh(out_[i] + std::exp(log_std) * noise);
  }
  return action;
}

}  // namespace nightshift::skills
