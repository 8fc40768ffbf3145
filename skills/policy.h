// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <utility>

#include "core/action.h"
#include "core/fault.h"
#include "core/random.h"
#include "skills/dense_network.h"
#include "skills/features.h"

namespace nightshift::skills {

/// Bounds of the log standard deviation: narrower and exploration dies, wider and everything saturates.
inline constexpr float kLogStdMin = -5;
inline constexpr float kLogStdMax = 2;

/// A squashed-Gaussian actor (ReLU hidden layers; the last layer yields mean and log standard deviation of each action,
/// tanh applied to the sample), Haarnoja et al. 2018. Everything needed to act; nothing of how it was trained.
struct PolicyWeights {
  DenseLayers layers;
};

/// A policy snapshot as it is on disk: who it is, and the weights.
struct Snapshot {
  std::int64_t version = 0;  // Increases over all tasks; never reused.
  std::string task;
  std::int64_t updates = 0;  // Learner updates behind it.
  PolicyWeights weights;
};

/// File format: skills/weights_file.h with magic "NSPOLICY"; the header says version, task, updates.
/// Faults: kIoFailed, kDiskFull.
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
  explicit LearnedPolicy(DenseNetwork network) : network_(std::move(network)) {}
  DenseNetwork network_;
};

}  // namespace nightshift::skills
