// SPDX-License-Identifier: Apache-2.0
// With one in ten published snapshots corrupted, negated or made worse on purpose, what is deployed hardly suffers.
// Real slot, and a real folder with real files for what is damaged there; only the success rates of the policies are
// made up, so that they are known.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>

#include "runtime/snapshot_folder.h"
#include "skills/policy_slot.h"
#include "tests/fakes/sabotage.h"

namespace nightshift::runtime {
namespace {

constexpr int kSnapshots = 90;
constexpr int kAttemptsEach = 10;  // Between two snapshots: 1,000 updates at ratio 4, attempts of 25 steps.
constexpr double kSabotaged = 0.1;

/// How the policies of a learner succeed over its life.
struct Learner {
  const char* name;
  double from, to;  // Success rate of its first and of its last snapshots; in between it rises for two thirds.
  double swing;     // Standard deviation from one snapshot to the next.
};

/// A policy that looks at what it sees, and whose successors resemble it.
skills::PolicyWeights Weights(core::Random& random) {
  skills::DenseLayers layers;
  for (const auto& [inputs, outputs] : {std::pair<int, int>{skills::kFeatureSize, 16}, {16, 2 * core::kActionSize}}) {
    skills::DenseLayer layer{.inputs = inputs, .outputs = static_cast<int>(outputs)};
    for (int i = 0; i < layer.inputs * layer.outputs; ++i)
      layer.weights.push_back(static_cast<float>(random.Normal(0, 1 / std::sqrt(layer.inputs))));
    layer.biases.assign(static_cast<std::size_t>(layer.outputs), 0.0f);
    layers.push_back(std::move(layer));
  }
  return {std::move(layers)};
}

/// What came of one life of practice.
struct Deployed {
  double success = 0;  // True rate of the promoted policy, averaged over all attempts; 0 while there is none.
  int refused = 0, damaged = 0, rolled_back = 0;
};

class Life {
 public:
  Life(const Learner& learner, double sabotaged, std::uint64_t seed, const std::filesystem::path& folder)
      : learner_(learner),
        sabotaged_(sabotaged),
        path_(folder),
        folder_(folder,
                [this](const core::Fault& fault) { damaged_ += fault.code == core::FaultCode::kCorruptSnapshot; }),
        world_(seed),
        luck_(seed + 1),
        saboteur_(seed + 2),
        weights_(Weights(world_)) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
  }
  ~Life() { std::filesystem::remove_all(path_); }

  Deployed Run() {
    Deployed deployed;
    for (int version = 1; version <= kSnapshots; ++version) {
      Publish(version);
      Screen(deployed);
      for (int i = 0; i < kAttemptsEach; ++i) Attempt(deployed);
    }
    deployed.success /= kSnapshots * kAttemptsEach;
    deployed.damaged = damaged_;
    return deployed;
  }

 private:
  void Publish(int version) {
    const double risen = std::min(1.0, 1.5 * version / kSnapshots);
    const double rate = learner_.from + (learner_.to - learner_.from) * risen + world_.Normal(0, learner_.swing);
    success_[version] = std::clamp(rate, 0.02, 0.98);
    tests::Shake(weights_, 0.05, world_);
    skills::Snapshot snapshot{.version = version, .task = "pick", .updates = version, .weights = weights_};
    const bool sabotage = saboteur_.Chance(sabotaged_);
    const int kind = static_cast<int>(saboteur_.Uniform(0, 3));
    if (sabotage && kind == 1) {
      tests::Negate(snapshot.weights);
      success_[version] = 0;
    }
    if (sabotage && kind == 2) {
      tests::Shake(snapshot.weights, 0.5, saboteur_);
      success_[version] = std::max(0.0, success_[version] - saboteur_.Uniform(0.2, 0.6));
    }
    if (!sabotage || kind != 0) {
      EXPECT_TRUE(slot_.Stage(snapshot));
      return;
    }
    const std::filesystem::path file = path_ / ("pick-" + std::to_string(version) + ".nspolicy");
    ASSERT_TRUE(skills::WriteSnapshot(file.string(), snapshot));
    tests::FlipABit(file, saboteur_);
    for (const skills::Snapshot& read : folder_.New()) EXPECT_TRUE(slot_.Stage(read));
  }

  void Attempt(Deployed& deployed) {
    deployed.success += slot_.promoted_version() ? success_.at(slot_.promoted_version()) : 0;
    if (slot_.acting() == nullptr) return;
    skills::Features seen{};
    for (int i = 0; i < 25; ++i) {
      for (float& feature : seen) feature = static_cast<float>(luck_.Normal(0, 1));
      slot_.Visit(seen);
    }
    const auto verdict = slot_.Record(luck_.Chance(success_.at(slot_.acting_version())));
    deployed.rolled_back += verdict && verdict->ruling == skills::Ruling::kRolledBack;
    Screen(deployed);
  }

  void Screen(Deployed& deployed) {
    while (slot_.Screen()) ++deployed.refused;
  }

  Learner learner_;
  double sabotaged_;
  std::filesystem::path path_;
  SnapshotFolder folder_;
  core::Random world_, luck_, saboteur_;
  skills::PolicyWeights weights_;
  skills::PolicySlot slot_{skills::JudgingRule{}};
  std::map<std::int64_t, double> success_;
  int damaged_ = 0;
};

class Sabotaged : public testing::TestWithParam<Learner> {};

TEST_P(Sabotaged, SnapshotsCostWhatIsDeployedLessThanThreePoints) {
  constexpr int kLives = 20;
  Deployed clean, sabotaged;
  const auto folder = std::filesystem::path(testing::TempDir()) / ("gate_" + std::string(GetParam().name));
  for (std::uint64_t seed = 1; seed <= kLives; ++seed) {
    const Deployed without = Life(GetParam(), 0, 10 * seed, folder).Run();
    const Deployed with = Life(GetParam(), kSabotaged, 10 * seed, folder).Run();
    EXPECT_EQ(without.damaged + without.refused, 0) << "nothing sound is refused";
    clean.success += without.success / kLives;
    sabotaged.success += with.success / kLives;
    sabotaged.refused += with.refused;
    sabotaged.damaged += with.damaged;
    sabotaged.rolled_back += with.rolled_back;
    clean.rolled_back += without.rolled_back;
  }
  RecordProperty("clean", std::to_string(clean.success));
  std::printf(
      "%s: deployed success %.3f without, %.3f with sabotage; %d damaged, %d refused, %d rolled back (%d without)\n",
      GetParam().name, clean.success, sabotaged.success, sabotaged.damaged, sabotaged.refused, sabotaged.rolled_back,
      clean.rolled_back);
  EXPECT_LE(clean.success - sabotaged.success, 0.03);
  EXPECT_GT(sabotaged.damaged, 0);
  EXPECT_GT(sabotaged.refused, 0);
}

INSTANTIATE_TEST_SUITE_P(Learners, Sabotaged,
                         testing::Values(Learner{"rising", 0.3, 0.9, 0.12}, Learner{"good", 0.9, 0.9, 0.05},
                                         Learner{"poor", 0.35, 0.35, 0.12}),
                         [](const auto& learner) { return learner.param.name; });

}  // namespace
}  // namespace nightshift::runtime
