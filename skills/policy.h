// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/action.h"
#include "core/fault.h"
#include "core/random.h"
#include "skills/features.h"

namespace nightshift::skills {

/// Bounds of the log standard deviation: narrower and exploration dies, wider and everything saturates.
inline constexpr float kLogStdMin = -5;
inline constexpr float kLogStdMax = 2;

/// One dense layer: y = W x + b, W row by row.
struct DenseLayer {
  int inputs = 0;
  int outputs = 0;
  std::vector<float> weights;
  std::vector<float> biases;
};

/// A squashed-Gaussian actor (ReLU hidden layers; the last layer yields mean and log standard deviation of each action,
/// tanh applied to the sample), Haarnoja et al. 2018. Everything needed to act; nothing of how it was trained.
struct PolicyWeights {
  std::vector<DenseLayer> layers;
};

/// A policy snapshot as it is on disk: who it is, and the weights.
struct Snapshot {
  std::int64_t version = 0;  // Increases over all tasks; never reused.
  std::string task;
  std::int64_t updates = 0;  // Learner updates behind it.
  PolicyWeights weights;
};

/// File format (little endian): magic "NSPOLICY", u32 schema, u32 length of the header, header (JSON: version, task,
/// updates, layer sizes), all floats, SHA-256 (32 bytes) of everything before it. Written to a temporary name, synced,
/// renamed. Faults: kIoFailed, kDiskFull.
core::Result<void> WriteSnapshot(const std::string& path, const Snapshot& snapshot);

/// Faults: kMissingFile, kCorruptSnapshot (checksum, shapes, not finite), kSchemaTooNew.
core::Result<Snapshot> ReadSnapshot(const std::string& path);

/// Acts. Pure given its random numbers; no allocation after the first call. Thread: one at a time.
class LearnedPolicy {
 public:
  /// Faults: kCorruptSnapshot when layer sizes do not chain from kFeatureSize to 2 * kActionSize, or a number is not
  /// finite.
  static core::Result<LearnedPolicy> Make(PolicyWeights weights);

  core::PolicyAction Mean(const Features& features);
  core::PolicyAction Sample(const Features& features, core::Random& random);

 private:
  explicit LearnedPolicy(PolicyWeights weights);
  void Forward(const Features& features);
  PolicyWeights weights_;
  std::vector<float> in_, out_;
};

}  // namespace nightshift::skills
