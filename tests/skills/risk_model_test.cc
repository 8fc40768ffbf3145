// SPDX-License-Identifier: Apache-2.0
#include "skills/risk_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "core/random.h"
#include "skills/sealed_file.h"

namespace nightshift::skills {
namespace {

using core::FaultCode;
using testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

DenseLayer Layer(int inputs, int outputs, float weight, float bias) {
  DenseLayer layer{inputs, outputs, {}, {}};
  layer.weights.assign(static_cast<std::size_t>(inputs) * static_cast<std::size_t>(outputs), weight);
  layer.biases.assign(static_cast<std::size_t>(outputs), bias);
  return layer;
}

RiskSnapshot Small() {
  RiskSnapshot snapshot;
  snapshot.report = {.standing = RiskStanding::kTrusted,
                     .updates = 900,
                     .episodes = 120,
                     .steps = 3600,
                     .near_misses = 55,
                     .near_misses_needed = 50,
                     .auc = 0.95,
                     .auc_low = 0.91,
                     .auc_high = 0.98,
                     .calibration_error = 0.02,
                     .slowed_share = 0.1,
                     .slowed_predicted = 0.6,
                     .slowed_observed = 0.5,
                     .advised = {.episodes = 30, .solved = 20, .near_misses = 2},
                     .control = {.episodes = 10, .solved = 7, .near_misses = 1}};
  snapshot.log_odds_shift = -2.5;
  snapshot.layers = {Layer(kRiskInputs, 3, 0.02f, 0.1f), Layer(3, 1, 0.5f, -0.2f)};
  return snapshot;
}

// ---- From a probability to a scale ----

TEST(RiskScaleOf, IsFullSpeedUpToWhatIsToleratedThenAsMuchLessAsTheRiskIsHigherThenNone) {
  const RiskRule rule{.tolerated = 0.2, .refused_from = 0.8, .scale_min = 0.1};
  for (const double p : {0.0, 0.1, 0.2}) EXPECT_EQ(ScaleOf(p, rule), 1) << p;
  EXPECT_DOUBLE_EQ(ScaleOf(0.4, rule), 0.5);
  EXPECT_DOUBLE_EQ(ScaleOf(0.799, rule), 0.2 / 0.799);
  for (const double p : {0.8, 1.0}) EXPECT_EQ(ScaleOf(p, rule), 0) << p;
}

TEST(RiskScaleOf, IsNotLessThanTheSmallestScaleUntilItRefuses) {
  const RiskRule rule{.tolerated = 0.05, .refused_from = 0.9, .scale_min = 0.25};
  EXPECT_EQ(ScaleOf(0.6, rule), 0.25);
}

TEST(RiskScaleOf, WhatIsNotANumberIsRefused) { EXPECT_EQ(ScaleOf(kNan, {}), 0); }

/// Whatever the rule and whatever the critic says.
TEST(RiskScaleOf, IsNeverMoreThanOneAndNeverRisesWithTheRisk) {
  core::Random random(3);
  for (int i = 0; i < 20000; ++i) {
    const RiskRule rule{
        .tolerated = random.Uniform(-1, 2), .refused_from = random.Uniform(-1, 2), .scale_min = random.Uniform(0, 1)};
    const double p = random.Uniform(-1, 2), more = p + random.Uniform(0, 1);
    const double scale = ScaleOf(p, rule);
    ASSERT_TRUE(scale == 0 || (scale >= rule.scale_min && scale <= 1)) << scale;
    ASSERT_LE(ScaleOf(more, rule), scale) << "p " << p << " and " << more;
  }
}

// ---- Who is left alone ----

TEST(RiskControl, IsEveryFourthEpisodeByItsIdAloneAndNotInStep) {
  int controls = 0, changes = 0;
  for (std::int64_t id = 1; id <= 4000; ++id) {
    controls += IsRiskControl((std::int64_t{7} << 32) + id);
    changes += IsRiskControl(id) && IsRiskControl(id + 4);
  }
  EXPECT_NEAR(controls, 1000, 120);
  EXPECT_NEAR(changes, 250, 80) << "what comes every four episodes must not always be its own";
}

// ---- Acting ----

TEST(RiskModel, ComputesByHandWhatTheLayersAndTheShiftSay) {
  auto model = RiskModel::Make(Small());
  ASSERT_TRUE(model) << model.error().detail;
  Features features{};
  features[4] = 2;
  const core::PolicyAction action{0, 0, 0, 1};
  const double hidden = 0.02 * 3 + 0.1, log_odds = 3 * 0.5 * hidden - 0.2 - 2.5;
  EXPECT_NEAR(model->Probability(features, action), 1 / (1 + std::exp(-log_odds)), 1e-6);
}

TEST(RiskModel, JudgesAnActionBeyondThePossibleAsThePossible) {
  auto model = RiskModel::Make(Small());
  EXPECT_EQ(model->Probability({}, {0, 0, -7, 9}), model->Probability({}, {0, 0, -1, 1}));
  EXPECT_NE(model->Probability({}, {0, 0, -7, 9}), model->Probability({}, {0, 0, 0.5f, 1}));
}

TEST(RiskModel, SaysNoNumberForWhatIsNone) {
  auto model = RiskModel::Make(Small());
  Features features{};
  features[0] = std::nanf("");
  EXPECT_TRUE(std::isnan(model->Probability(features, {})));
  EXPECT_TRUE(std::isnan(model->Probability({}, {0, std::nanf(""), 0, 0})));
  EXPECT_EQ(ScaleOf(model->Probability(features, {}), {}), 0);
}

TEST(RiskModel, RefusesLayersThatDoNotFitAndNumbersThatAreNotFinite) {
  const auto refused = [](auto spoil) {
    RiskSnapshot snapshot = Small();
    spoil(snapshot);
    const auto model = RiskModel::Make(std::move(snapshot));
    return !model && model.error().code == FaultCode::kCorruptSnapshot;
  };
  EXPECT_TRUE(refused([](RiskSnapshot& s) { s.layers.clear(); }));
  EXPECT_TRUE(refused([](RiskSnapshot& s) { s.layers[0] = Layer(kRiskInputs + 1, 3, 0, 0); }));
  EXPECT_TRUE(refused([](RiskSnapshot& s) { s.layers[1] = Layer(3, 2, 0, 0); }));
  EXPECT_TRUE(refused([](RiskSnapshot& s) { s.layers[1].weights[0] = std::nanf(""); }));
  EXPECT_TRUE(refused([](RiskSnapshot& s) { s.log_odds_shift = kNan; }));
  EXPECT_TRUE(refused([](RiskSnapshot& s) { s.report.auc_low = HUGE_VAL; }));
}

// ---- In words ----

TEST(RiskWords, SayWhetherItActsAndWhyNot) {
  RiskReport report = Small().report;
  EXPECT_EQ(InWords(report), "on, AUC 0.95 [0.91, 0.98] over 55 near misses held out");
  report.near_misses = 12;
  report.standing = RiskStanding::kGathering;
  EXPECT_EQ(InWords(report), "off, 12 of 50 near misses seen");
  report.standing = RiskStanding::kBlind;
  EXPECT_THAT(InWords(report), HasSubstr("off, it cannot tell near misses surely enough: AUC 0.95"));
  report.standing = RiskStanding::kCriesWolf;
  EXPECT_THAT(InWords(report), HasSubstr("where it foretells 60 % near misses 50 % happen"));
  report.standing = RiskStanding::kUseless;
  EXPECT_THAT(InWords(report), HasSubstr("near misses in 7 % of 30 episodes with it, 10 % of 10 without"));
  report.standing = RiskStanding::kHarmful;
  EXPECT_THAT(InWords(report), HasSubstr("67 % of 30 episodes solved with it, 70 % of 10 without"));
}

// ---- On disk ----

class RiskFile : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + ".nsrisk";
    std::filesystem::remove(path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::string Bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void Put(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }

  std::string path_;
};

TEST_F(RiskFile, IsReadBackAsWritten) {
  ASSERT_TRUE(WriteRiskSnapshot(path_, Small()));
  const auto back = ReadRiskSnapshot(path_);
  ASSERT_TRUE(back) << back.error().detail;
  const RiskReport &r = back->report, wrote = Small().report;
  EXPECT_EQ(InWords(r), InWords(wrote));
  EXPECT_EQ(r.standing, wrote.standing);
  EXPECT_EQ(r.updates, wrote.updates);
  EXPECT_EQ(r.episodes, wrote.episodes);
  EXPECT_EQ(r.steps, wrote.steps);
  EXPECT_EQ(r.near_misses_needed, wrote.near_misses_needed);
  EXPECT_EQ(r.calibration_error, wrote.calibration_error);
  EXPECT_EQ(r.slowed_share, wrote.slowed_share);
  EXPECT_EQ(r.slowed_predicted, wrote.slowed_predicted);
  EXPECT_EQ(r.slowed_observed, wrote.slowed_observed);
  EXPECT_EQ(r.advised.near_misses, wrote.advised.near_misses);
  EXPECT_EQ(r.control.solved, wrote.control.solved);
  EXPECT_EQ(back->log_odds_shift, Small().log_odds_shift);
  EXPECT_EQ(back->layers[0].weights, Small().layers[0].weights);
  EXPECT_EQ(back->layers[1].biases, Small().layers[1].biases);
}

TEST_F(RiskFile, IsRefusedWithAReasonWhereverOneBitFlips) {
  ASSERT_TRUE(WriteRiskSnapshot(path_, Small()));
  const std::string good = Bytes();
  for (std::size_t at = 0; at < good.size(); at += 7) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    Put(bad);
    const auto back = ReadRiskSnapshot(path_);
    ASSERT_FALSE(back) << "byte " << at;
    EXPECT_EQ(back.error().code, FaultCode::kCorruptSnapshot);
    EXPECT_THAT(back.error().detail, HasSubstr(path_));
  }
}

TEST_F(RiskFile, IsRefusedWhenCutShort) {
  ASSERT_TRUE(WriteRiskSnapshot(path_, Small()));
  const std::string good = Bytes();
  for (const std::size_t length : {std::size_t{0}, std::size_t{12}, good.size() / 2, good.size() - 1}) {
    Put(good.substr(0, length));
    ASSERT_FALSE(ReadRiskSnapshot(path_)) << length;
  }
}

TEST_F(RiskFile, WithANonsenseHeaderIsRefusedEvenWithAGoodChecksum) {
  ASSERT_TRUE(WriteRiskSnapshot(path_, Small()));
  std::string bytes = Bytes();
  bytes.resize(bytes.size() - kSealBytes);
  const auto at = bytes.find("trusted");
  ASSERT_NE(at, std::string::npos);
  ASSERT_TRUE(WriteSealed(path_, bytes.replace(at, 7, "TRUSTED")));
  const auto back = ReadRiskSnapshot(path_);
  ASSERT_FALSE(back) << "a standing that does not exist is no permission";
  EXPECT_EQ(back.error().code, FaultCode::kCorruptSnapshot);
  EXPECT_THAT(back.error().detail, HasSubstr("no standing is called TRUSTED"));
}

TEST_F(RiskFile, OfALaterVersionIsRefused) {
  ASSERT_TRUE(WriteSealed(path_, std::string("NSRISKCR") + std::string("\x02\0\0\0", 4)));
  const auto back = ReadRiskSnapshot(path_);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, FaultCode::kSchemaTooNew);
}

TEST_F(RiskFile, OfAPolicyIsNoRiskCritic) {
  ASSERT_TRUE(WriteSealed(path_, std::string("NSPOLICY") + std::string("\x01\0\0\0", 4)));
  const auto back = ReadRiskSnapshot(path_);
  ASSERT_FALSE(back);
  EXPECT_THAT(back.error().detail, HasSubstr("not a risk critic"));
}

TEST_F(RiskFile, IsNotWrittenWithNumbersThatAreNotFinite) {
  RiskSnapshot snapshot = Small();
  snapshot.layers[0].biases[0] = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(WriteRiskSnapshot(path_, snapshot));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(RiskFile, ThatIsMissingSaysSo) {
  const auto back = ReadRiskSnapshot(path_);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, FaultCode::kMissingFile);
}

}  // namespace
}  // namespace nightshift::skills
