// SPDX-License-Identifier: Apache-2.0
// Reaching for a coloured dot that is only to be seen in pictures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <set>
#include <utility>

#include "learner/pixels/pixel_actor_critic.h"
#include "tests/learner/small_problems.h"

namespace nightshift::learner {
namespace {

using core::FaultCode;
using testing::AllOf;
using testing::HasSubstr;

constexpr ImageShape kShape{32, 32, 3};
constexpr Sizes kBeside{20, 2};  // Where the tip is, beside much that says nothing; and where it goes.
constexpr float kStride = 0.5f, kNear = 0.2f;

using Place = std::array<float, 2>;
using Image = std::vector<std::uint8_t>;

std::array<float, 20> Known(const Place& tip) { return {tip[0], tip[1]}; }

/// A red dot on a grey, noisy ground; places between -1 and 1.
Image Picture(const Place& dot, Dice& dice) {
  cv::Mat image(kShape.height_px, kShape.width_px, CV_8UC3, cv::Scalar(60, 60, 60));
  const auto pixel = [](float v) { return static_cast<int>(std::lround(16 + 13 * v)); };
  cv::circle(image, {pixel(dot[0]), pixel(dot[1])}, 2, cv::Scalar(20, 20, 230), cv::FILLED);
  Image bytes(image.data, image.data + kShape.bytes());
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(byte + dice.Index(16));
  return bytes;
}

Place Drawn(Dice& dice) { return {1.8f * dice.Unit() - 0.9f, 1.8f * dice.Unit() - 0.9f}; }

Place Moved(const Place& tip, std::span<const float> action) {
  return {std::clamp(tip[0] + kStride * action[0], -1.0f, 1.0f), std::clamp(tip[1] + kStride * action[1], -1.0f, 1.0f)};
}

float Apart(const Place& one, const Place& other) { return std::hypot(one[0] - other[0], one[1] - other[1]); }

/// Aimless moves, each with what was seen before it and after; the reward is how near the dot the tip came.
ImageReplay Logged(int samples) {
  ImageReplay replay(kShape, kBeside, static_cast<std::size_t>(samples));
  Dice dice(1);
  for (int i = 0; i < samples; ++i) {
    const Place dot = Drawn(dice), tip = Drawn(dice), action{2 * dice.Unit() - 1, 2 * dice.Unit() - 1};
    const Place next = Moved(tip, action);
    const Image before = Picture(dot, dice), after = Picture(dot, dice);
    replay.Add({{before, Known(tip)}, action, -Apart(next, dot), {after, Known(next)}, 0.5f});
  }
  return replay;
}

AgentConfig Reaching() {
  AgentConfig config = tests::QuickAgent();
  config.value_min = -6;
  config.value_max = 1e-6;
  return config;
}

/// Share of 60 dots that are reached in six moves of `act`.
template <typename Act>
double Success(Act act) {
  Dice dice(99);
  int reached = 0;
  for (int i = 0; i < 60; ++i) {
    const Place dot = Drawn(dice);
    Place tip = Drawn(dice);
    for (int step = 0; step < 6; ++step) tip = Moved(tip, act(Picture(dot, dice), tip));
    reached += Apart(tip, dot) < kNear ? 1 : 0;
  }
  return reached / 60.0;
}

double SuccessOf(PixelActorCritic& learner) {
  return Success([&](const Image& image, const Place& tip) { return *learner.Mean({image, Known(tip)}); });
}

PixelsConfig Small() { return {.filters = 16, .features = 16, .shift_px = 1}; }

TEST(Pixels, AConvolutionalEncoderTrainedByTheCriticsReachesWhatIsOnlySeenInPictures) {
  PixelActorCritic learner(Small(), Reaching(), kBeside, *ImageEncoder::Convolutional(Small(), kShape, 1), 1);
  const ImageReplay logged = Logged(3000);
  for (int i = 0; i < 1500; ++i) ASSERT_TRUE(learner.Update(logged));
  EXPECT_GT(SuccessOf(learner), 0.8);
}

TEST(Pixels, APolicyWithoutThePicturesDoesNot) {
  ActorCritic blind(Reaching(), kBeside, 1);
  const ImageReplay logged = Logged(3000);
  Replay numbers(kBeside, 3000), none(kBeside, 1);
  for (std::size_t i = 0; i < logged.size(); ++i) {
    const auto sample = logged.At(i);
    numbers.Add({sample.before.state, sample.action, sample.reward, sample.after.state, sample.discount});
  }
  for (int i = 0; i < 1500; ++i) blind.Update(Phase::kLearning, numbers, none);
  EXPECT_LT(Success([&](const Image&, const Place& tip) {
              const auto known = Known(tip);
              return tests::MeanAction(blind.state().deployed, tests::ActorOf(Reaching(), kBeside),
                                       {known.begin(), known.end()});
            }),
            0.2);
}

/// TorchScript modules made here and now.
class TorchScript : public testing::Test {
 protected:
  void SetUp() override { file_ = testing::TempDir() + "ns-encoder-" + std::to_string(getpid()) + ".pt"; }
  void TearDown() override { std::remove(file_.c_str()); }

  void Write(const std::string& forward) const {
    torch::jit::Module module("encoder");
    module.define("def forward(self, x: Tensor) -> Tensor:\n" + forward);
    module.save(file_);
  }
  core::Fault Refused() const {
    const auto encoder = ImageEncoder::FromTorchScript(file_, kShape);
    EXPECT_FALSE(encoder);
    return encoder ? core::Fault{} : encoder.error();
  }

  std::string file_;
};

/// Where the red is: the third channel above the others, weighed by columns and rows.
constexpr char kCentreOfRed[] =
    "    red = torch.relu(x[:, 2] - x[:, 0] - 0.3)\n"
    "    at = torch.linspace(-1.0, 1.0, 32)\n"
    "    sum = red.sum([1, 2]) + 1e-6\n"
    "    right = (red.sum(1) * at).sum(1) / sum\n"
    "    down = (red.sum(2) * at).sum(1) / sum\n"
    "    return torch.stack([right, down], 1)\n";

TEST_F(TorchScript, AFrozenEncoderFromAFileJoinsTheState) {
  Write(kCentreOfRed);
  PixelsConfig config = Small();
  config.encoder_file = file_;
  auto encoder = ImageEncoder::Make(config, kShape, 1);
  ASSERT_TRUE(encoder) << encoder.error().detail;
  EXPECT_EQ(encoder->features(), 2);
  EXPECT_EQ(encoder->training(), EncoderTraining::kFrozen);
  PixelActorCritic learner(config, Reaching(), kBeside, std::move(*encoder), 1);
  const ImageReplay logged = Logged(2000);
  for (int i = 0; i < 1500; ++i) ASSERT_TRUE(learner.Update(logged));
  EXPECT_GT(SuccessOf(learner), 0.8);
}

TEST_F(TorchScript, AFileThatIsNotThereIsNamed) {
  const auto fault = Refused();
  EXPECT_EQ(fault.code, FaultCode::kMissingFile);
  EXPECT_THAT(fault.detail, AllOf(HasSubstr(file_), HasSubstr("encoder_file")));
}

TEST_F(TorchScript, AFileThatIsNoTorchScriptIsNamed) {
  std::ofstream(file_) << "no module at all";
  const auto fault = Refused();
  EXPECT_EQ(fault.code, FaultCode::kCorruptSnapshot);
  EXPECT_THAT(fault.detail, AllOf(HasSubstr(file_), HasSubstr("TorchScript")));
}

TEST_F(TorchScript, OneThatYieldsAnotherShapeIsNamedWithBothShapes) {
  Write("    return x\n");
  const auto fault = Refused();
  EXPECT_EQ(fault.code, FaultCode::kCorruptSnapshot);
  EXPECT_THAT(fault.detail, AllOf(HasSubstr(file_), HasSubstr("3 x 32 x 32"), HasSubstr("[1, 3, 32, 32]")));
}

TEST_F(TorchScript, OneThatWantsAnotherImageIsNamedWithTheShapeItWasGiven) {
  Write("    return x.reshape(1, 3, 64, 64).flatten(1)\n");
  const auto fault = Refused();
  EXPECT_EQ(fault.code, FaultCode::kCorruptSnapshot);
  EXPECT_THAT(fault.detail, AllOf(HasSubstr(file_), HasSubstr("3 x 32 x 32")));
}

TEST_F(TorchScript, OneThatYieldsWhatIsNoNumberIsRefused) {
  Write("    return x.flatten(1) / 0.0\n");
  EXPECT_EQ(Refused().code, FaultCode::kNotFinite);
}

TEST(ImageEncoder, ItsGradientIsThatOfTheFeatures) {
  auto encoder = ImageEncoder::Convolutional(Small(), kShape, 1);
  Dice dice(1);
  const Image image = Picture({0.3f, -0.2f}, dice);
  const auto feature = [&] { return (*encoder->Encode(image, 1))[3]; };
  const float before = feature();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(encoder->EncodeToLearn(image, 1));
    std::vector<float> up(16, 0.0f);
    up[3] = -1;  // Descent by it raises the feature.
    ASSERT_TRUE(encoder->Learn(up));
  }
  EXPECT_GT(feature(), before + 0.1);
}

TEST(ImageEncoder, IsNotMovedByAGradientThatIsNoNumber) {
  auto encoder = ImageEncoder::Convolutional(Small(), kShape, 1);
  Dice dice(1);
  ASSERT_TRUE(encoder->EncodeToLearn(Picture({0, 0}, dice), 1));
  const auto parameters = encoder->Parameters();
  const auto learned = encoder->Learn(std::vector<float>(16, std::numeric_limits<float>::quiet_NaN()));
  ASSERT_FALSE(learned);
  EXPECT_EQ(learned.error().code, FaultCode::kNotFinite);
  EXPECT_EQ(encoder->Parameters(), parameters);
}

TEST(ImageEncoder, IsRestoredFromItsParametersAndRefusesOthers) {
  auto one = ImageEncoder::Convolutional(Small(), kShape, 1), other = ImageEncoder::Convolutional(Small(), kShape, 2);
  Dice dice(1);
  const Image image = Picture({0, 0}, dice);
  EXPECT_NE(*one->Encode(image, 1), *other->Encode(image, 1));
  ASSERT_TRUE(other->Restore(one->Parameters()));
  EXPECT_EQ(*one->Encode(image, 1), *other->Encode(image, 1));
  EXPECT_EQ(other->Restore(std::vector<float>(3)).error().code, FaultCode::kCorruptState);
}

TEST(ImageEncoder, RefusesAnImageTooSmallToEncode) {
  const auto encoder = ImageEncoder::Convolutional(Small(), {8, 8, 3}, 1);
  ASSERT_FALSE(encoder);
  EXPECT_EQ(encoder.error().code, FaultCode::kInvalidConfig);
}

TEST(ShiftAtRandom, MovesByNoMoreThanToldAndRepeatsTheEdge) {
  const ImageShape shape{16, 16, 1};
  Image image(shape.bytes(), 7), shifted(shape.bytes());
  image[8 * 16 + 8] = 200;
  Dice dice(1);
  std::set<std::pair<int, int>> moves;
  for (int i = 0; i < 500; ++i) {
    ShiftAtRandom(shape, 2, dice, image, shifted);
    const auto at = std::find(shifted.begin(), shifted.end(), 200) - shifted.begin();
    ASSERT_LT(at, 256);
    moves.emplace(static_cast<int>(at / 16) - 8, static_cast<int>(at % 16) - 8);
    EXPECT_EQ(std::count(shifted.begin(), shifted.end(), 7), 255);
  }
  EXPECT_EQ(moves.size(), 25u) << "two either way, in both directions";
  EXPECT_LE(std::abs(moves.begin()->first), 2);
}

TEST(ImageReplay, ForgetsTheOldestImagesWithTheirNumbersAndTakesNoNan) {
  const ImageShape shape{2, 2, 1};
  ImageReplay replay(shape, {1, 1}, 3);
  for (int i = 0; i < 5; ++i) {
    const Image image(shape.bytes(), static_cast<std::uint8_t>(i));
    const std::array<float, 1> number{static_cast<float>(i)};
    EXPECT_TRUE(replay.Add({{image, number}, number, 0, {image, number}, 1}));
  }
  ASSERT_EQ(replay.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_GE(replay.At(i).before.state[0], 2) << "the first two are gone";
    EXPECT_EQ(replay.At(i).before.image[0], replay.At(i).before.state[0]);
    EXPECT_EQ(replay.At(i).after.image[3], replay.At(i).after.state[0]);
  }
  const Image image(shape.bytes());
  const std::array<float, 1> nan{std::numeric_limits<float>::quiet_NaN()};
  EXPECT_FALSE(replay.Add({{image, nan}, nan, 0, {image, nan}, 1}));
  EXPECT_EQ(replay.refused(), 1u);
}

}  // namespace
}  // namespace nightshift::learner
