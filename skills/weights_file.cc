// SPDX-License-Identifier: Apache-2.0
#include "skills/weights_file.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "skills/sealed_file.h"

namespace nightshift::skills {
namespace {

using core::Fail;
using core::FaultCode;

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

/// nlohmann throws on what does not fit; the caller turns that into a fault.
DenseLayers LayersIn(std::string_view text) {
  const auto header = nlohmann::json::parse(text);
  DenseLayers layers;
  for (const auto& size : header.at("layers")) {
    DenseLayer layer;
    layer.inputs = size.at(0).get<int>();
    layer.outputs = size.at(1).get<int>();
    if (layer.inputs < 1 || layer.inputs > kUnitsMax || layer.outputs < 1 || layer.outputs > kUnitsMax)
      throw std::out_of_range("layer size");
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace

core::Result<void> WriteWeights(const std::string& path, const WeightsFormat& format, const WeightsFile& file) {
  nlohmann::json header = nlohmann::json::parse(file.header);
  header["layers"] = nlohmann::json::array();
  for (const DenseLayer& layer : file.layers) header["layers"].push_back({layer.inputs, layer.outputs});
  const std::string text = header.dump();
  std::string content(format.magic);
  Put(content, format.schema);
  Put(content, static_cast<std::uint32_t>(text.size()));
  content += text;
  for (const DenseLayer& layer : file.layers) {
    PutFloats(content, layer.weights);
    PutFloats(content, layer.biases);
  }
  return WriteSealed(path, content);
}

core::Result<WeightsFile> ReadWeights(const std::string& path, const WeightsFormat& format) {
  const auto refuse = [&](FaultCode code, const std::string& why) { return Fail(code, path + ": " + why); };
  const auto content = ReadSealed(path, FaultCode::kCorruptSnapshot);
  if (!content) return tl::make_unexpected(content.error());
  Taker taker(*content);
  if (taker.Bytes(format.magic.size()) != format.magic)
    return refuse(FaultCode::kCorruptSnapshot,
                  "does not begin with " + std::string(format.magic) + ": not a " + std::string(format.thing));
  const std::uint32_t schema = taker.Number();
  if (schema > format.schema)
    return refuse(FaultCode::kSchemaTooNew, "schema " + std::to_string(schema) + ", this program reads up to " +
                                                std::to_string(format.schema) + "; use the Nightshift that wrote it");
  WeightsFile file;
  file.header = taker.Bytes(taker.Number());
  if (taker.cut_short()) return refuse(FaultCode::kCorruptSnapshot, "ends within its header");
  try {
    file.layers = LayersIn(file.header);
  } catch (const std::exception& error) {
    return refuse(FaultCode::kCorruptSnapshot, std::string("unreadable header: ") + error.what());
  }
  for (DenseLayer& layer : file.layers) {
    taker.Floats(layer.weights, static_cast<std::size_t>(layer.inputs) * static_cast<std::size_t>(layer.outputs));
    taker.Floats(layer.biases, static_cast<std::size_t>(layer.outputs));
  }
  if (!taker.whole()) return refuse(FaultCode::kCorruptSnapshot, "has more or fewer numbers than its header says");
  return file;
}

}  // namespace nightshift::skills
