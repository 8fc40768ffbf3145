// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/fault.h"

namespace nightshift::skills {

/// One dense layer: y = W x + b, W row by row.
struct DenseLayer {
  int inputs = 0;
  int outputs = 0;
  std::vector<float> weights;
  std::vector<float> biases;
};
using DenseLayers = std::vector<DenseLayer>;

inline constexpr int kLayersMax = 8;
inline constexpr int kUnitsMax = 4096;

/// What a network takes and yields, and what it is called in a fault.
struct NetworkShape {
  std::string name;  // "policy weights"
  int inputs = 0;
  int outputs = 0;
  std::string outputs_mean;  // Why so many: for whoever reads the fault.
};

/// Faults: kCorruptSnapshot when the layers do not chain from the inputs to the outputs, or a number is not finite.
core::Result<void> CheckNetwork(const DenseLayers& layers, const NetworkShape& shape);

/// Dense layers with ReLU between them; the last one is linear. No allocation after construction.
/// Thread: one at a time.
class DenseNetwork {
 public:
  /// @param layers checked, not empty.
  explicit DenseNetwork(DenseLayers layers);

  /// The outputs, valid until the next call. `inputs` has as many numbers as the first layer takes.
  std::span<const float> Forward(std::span<const float> inputs);

 private:
  DenseLayers layers_;
  std::vector<float> in_, out_;
};

}  // namespace nightshift::skills
