// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// How the critics behind a snapshot did on finished episodes that nothing was learned from: what they foretold of an
/// action less the discounted return that followed it. In units of reward.
struct HeldOutValue {
  std::int64_t episodes = 0;
  std::int64_t steps = 0;
  double error_rms = 0;
  double bias = 0;         // Mean of (value - return): above 0 it expects too much.
  double value_range = 0;  // Between the lowest and the highest value that is possible.
};

/// A policy snapshot as it is on disk: who it is, what speaks for it, and the weights.
struct Snapshot {
  std::int64_t version = 0;  // Increases over all tasks; never reused.
  std::string task;
  std::int64_t updates = 0;  // Learner updates behind it.
  PolicyWeights weights;
  std::optional<HeldOutValue> held_out = {};  // None: there was nothing held out yet.
};

/// What a snapshot's file is called: "<task>-<version>.nspolicy". A task's name may hold "-" itself.
struct SnapshotName {
  std::string task;
  std::int64_t version = 0;
};
std::string FileNameOf(const SnapshotName& name);
/// None where a file is not called so.
std::optional<SnapshotName> SnapshotNameIn(std::string_view file_name);

/// What a policy does on fixed made-up observations: the mean actions, one after the other. What was saved and what is
/// loaded must do the same (LeRobot #4560: a resume that went on with a random actor and told nobody).
class LearnedPolicy;
using Probe = std::vector<float>;
Probe ProbeOf(LearnedPolicy& policy);
/// What differs, in words; nothing where no action differs by more than 1e-4: rounding differs between processors.
std::optional<std::string> ProbeTrouble(const Probe& saved, const Probe& loaded);

/// File format: skills/weights_file.h with magic "NSPOLICY"; the header says version, task, updates, probe and, where
/// there is one, held_out. Faults: kIoFailed, kDiskFull.
core::Result<void> WriteSnapshot(const std::string& path, const Snapshot& snapshot);

/// Faults: kMissingFile, kCorruptSnapshot (checksum, shapes, not finite, acts otherwise than when it was written),
/// kSchemaTooNew. Files from before there were probes are not probed.
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
