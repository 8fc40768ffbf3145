// SPDX-License-Identifier: Apache-2.0
#include "skills/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "skills/sealed_file.h"
#include "skills/weights_file.h"

namespace nightshift::skills {
namespace {

using core::FaultCode;
using testing::HasSubstr;

DenseLayer Layer(int inputs, int outputs, float weight, float bias) {
  DenseLayer layer{inputs, outputs, {}, {}};
  layer.weights.assign(static_cast<std::size_t>(inputs) * static_cast<std::size_t>(outputs), weight);
  layer.biases.assign(static_cast<std::size_t>(outputs), bias);
  return layer;
}

PolicyWeights Small() { return {{Layer(kFeatureSize, 4, 0.01f, 0.1f), Layer(4, 2 * core::kActionSize, 0.5f, 0.05f)}}; }

/// A file that is whole but whose policy is not the one that was saved: its header is another's.
TEST(Snapshot, IsRefusedWhenItsPolicyDoesSomethingElseThanWhenItWasSaved) {
  const std::string path = testing::TempDir() + "probed.nspolicy";
  ASSERT_TRUE(WriteSnapshot(path, {1, "pick", 5, Small()}));
  constexpr WeightsFormat kFormat{.magic = "NSPOLICY", .schema = 1, .thing = "policy snapshot"};
  auto file = ReadWeights(path, kFormat);
  ASSERT_TRUE(file);
  file->layers[1].weights[2] += 0.5f;  // As a loader would that takes one number for another.
  ASSERT_TRUE(WriteWeights(path, kFormat, *file));
  const auto read = ReadSnapshot(path);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, FaultCode::kCorruptSnapshot);
  EXPECT_THAT(read.error().detail, HasSubstr("acts otherwise than when it was saved"));
}

TEST(Snapshot, KeepsWhatSpeaksForIt) {
  const std::string path = testing::TempDir() + "evidence.nspolicy";
  const HeldOutValue value{.episodes = 7, .steps = 300, .error_rms = 0.25, .bias = -0.1, .value_range = 2};
  ASSERT_TRUE(WriteSnapshot(path, {1, "pick", 5, Small(), value}));
  const auto read = ReadSnapshot(path);
  ASSERT_TRUE(read) << read.error().detail;
  ASSERT_TRUE(read->held_out);
  EXPECT_EQ(read->held_out->episodes, 7);
  EXPECT_EQ(read->held_out->error_rms, 0.25);
}

TEST(LearnedPolicy, ComputesByHandWhatTheLayersSay) {
  Features features{};
  features[0] = 3;
  auto policy = LearnedPolicy::Make(Small());
  ASSERT_TRUE(policy);
  const float hidden = 0.01f * 3 + 0.1f;
  const auto action = policy->Mean(features);
  for (const float part : action) EXPECT_NEAR(part, std::tanh(4 * 0.5f * hidden + 0.05f), 1e-6);
}

TEST(LearnedPolicy, RectifiesHiddenUnitsOnly) {
  PolicyWeights weights{{Layer(kFeatureSize, 4, 0, -1), Layer(4, 2 * core::kActionSize, 1, -0.5f)}};
  auto policy = LearnedPolicy::Make(weights);
  EXPECT_NEAR(policy->Mean({})[0], std::tanh(-0.5f), 1e-6);
}

TEST(LearnedPolicy, SamplesAroundTheMeanWithTheLearnedDeviation) {
  PolicyWeights weights{{Layer(kFeatureSize, 2 * core::kActionSize, 0, 0)}};
  for (std::size_t i = core::kActionSize; i < 2 * core::kActionSize; ++i) weights.layers[0].biases[i] = std::log(0.1f);
  auto policy = LearnedPolicy::Make(weights);
  core::Random random(1);
  double squares = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) squares += std::pow(policy->Sample({}, random)[2], 2);
  EXPECT_NEAR(std::sqrt(squares / kDraws), 0.1, 0.01);
}

TEST(LearnedPolicy, StaysInsideTheActionsRangeWhateverTheDeviation) {
  PolicyWeights weights{{Layer(kFeatureSize, 2 * core::kActionSize, 0, 50)}};
  auto policy = LearnedPolicy::Make(weights);
  core::Random random(1);
  for (int i = 0; i < 100; ++i)
    for (const float part : policy->Sample({}, random)) EXPECT_LE(std::fabs(part), 1);
}

TEST(LearnedPolicy, RefusesLayersThatDoNotChain) {
  PolicyWeights weights = Small();
  weights.layers[1] = Layer(5, 2 * core::kActionSize, 0, 0);
  const auto policy = LearnedPolicy::Make(weights);
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().code, FaultCode::kCorruptSnapshot);
  EXPECT_FALSE(LearnedPolicy::Make({{Layer(kFeatureSize, 3, 0, 0)}}));
  EXPECT_FALSE(LearnedPolicy::Make({}));
}

TEST(LearnedPolicy, RefusesNumbersThatAreNotFinite) {
  PolicyWeights weights = Small();
  weights.layers[0].weights[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(LearnedPolicy::Make(weights));
}

class SnapshotFile : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + ".nspolicy";
    std::filesystem::remove(path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  void WriteSmall() { ASSERT_TRUE(WriteSnapshot(path_, {7, "pick", 1000, Small()})); }

  std::string Bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void Put(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }

  std::string path_;
};

TEST_F(SnapshotFile, IsReadBackAsWritten) {
  WriteSmall();
  const auto snapshot = ReadSnapshot(path_);
  ASSERT_TRUE(snapshot) << snapshot.error().detail;
  EXPECT_EQ(snapshot->version, 7);
  EXPECT_EQ(snapshot->task, "pick");
  EXPECT_EQ(snapshot->updates, 1000);
  EXPECT_EQ(snapshot->weights.layers[1].weights, Small().layers[1].weights);
  EXPECT_EQ(snapshot->weights.layers[1].biases, Small().layers[1].biases);
}

TEST_F(SnapshotFile, LeavesNoTemporaryFileBehind) {
  WriteSmall();
  EXPECT_FALSE(std::filesystem::exists(path_ + ".tmp"));
}

TEST_F(SnapshotFile, IsRefusedWithAReasonWhereverOneBitFlips) {
  WriteSmall();
  const std::string good = Bytes();
  for (std::size_t at = 0; at < good.size(); at += 13) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    Put(bad);
    const auto snapshot = ReadSnapshot(path_);
    ASSERT_FALSE(snapshot) << "byte " << at;
    EXPECT_EQ(snapshot.error().code, FaultCode::kCorruptSnapshot);
    EXPECT_THAT(snapshot.error().detail, HasSubstr(path_));
  }
}

TEST_F(SnapshotFile, IsRefusedWhenCutShort) {
  WriteSmall();
  const std::string good = Bytes();
  for (const std::size_t length : {std::size_t{0}, std::size_t{10}, good.size() / 2, good.size() - 1}) {
    Put(good.substr(0, length));
    const auto snapshot = ReadSnapshot(path_);
    ASSERT_FALSE(snapshot) << length;
    EXPECT_EQ(snapshot.error().code, FaultCode::kCorruptSnapshot);
  }
}

TEST_F(SnapshotFile, IsRefusedWhenMissing) {
  const auto snapshot = ReadSnapshot(path_);
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().code, FaultCode::kMissingFile);
}

TEST_F(SnapshotFile, OfALaterVersionIsRefused) {
  ASSERT_TRUE(WriteSealed(path_, std::string("NSPOLICY") + std::string("\x02\0\0\0", 4)));
  const auto snapshot = ReadSnapshot(path_);
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().code, FaultCode::kSchemaTooNew);
}

TEST_F(SnapshotFile, WithAnotherShapeThanItsHeaderSaysIsRefusedEvenWithAGoodChecksum) {
  WriteSmall();
  std::string bytes = Bytes();
  bytes.resize(bytes.size() - kSealBytes - sizeof(float));
  ASSERT_TRUE(WriteSealed(path_, bytes));
  const auto snapshot = ReadSnapshot(path_);
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().code, FaultCode::kCorruptSnapshot);
}

TEST_F(SnapshotFile, IsNotWrittenWithNumbersThatAreNotFinite) {
  PolicyWeights weights = Small();
  weights.layers[0].biases[0] = std::numeric_limits<float>::infinity();
  const auto written = WriteSnapshot(path_, {1, "pick", 0, weights});
  ASSERT_FALSE(written);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SnapshotFile, CannotBeWrittenWhereThereIsNoFolder) {
  const auto written = WriteSnapshot(testing::TempDir() + "no_such_folder/pick-1.nspolicy", {1, "pick", 0, Small()});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, FaultCode::kIoFailed);
  EXPECT_THAT(written.error().detail, HasSubstr("no_such_folder"));
}

TEST_F(SnapshotFile, ThatDoesNotFitOnTheDiskIsADiskFullFault) {
  if (!std::filesystem::exists("/dev/full")) FAIL() << "this system has no /dev/full";
  std::filesystem::create_symlink("/dev/full", path_ + ".tmp");
  const auto written = WriteSnapshot(path_, {1, "pick", 0, Small()});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, FaultCode::kDiskFull);
  EXPECT_THAT(written.error().detail, HasSubstr("free space"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace nightshift::skills
