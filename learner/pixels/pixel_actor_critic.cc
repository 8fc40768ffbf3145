// SPDX-License-Identifier: Apache-2.0
#include "learner/pixels/pixel_actor_critic.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/check.h"

namespace nightshift::learner {

class PixelActorCritic::Rows final : public Experience {
 public:
  Rows(const Batch& batch, std::size_t size) : batch_(batch), size_(size) {}
  std::size_t size() const override { return size_; }
  void Draw(Dice&, Batch& to, int row) const override {
    const auto r = static_cast<std::size_t>(row), state = static_cast<std::size_t>(to.sizes.state),
               both = static_cast<std::size_t>(to.sizes.both());
    to.Put(row, {{batch_.before.data() + r * state, state},
                 {batch_.before_action.data() + r * both + state, both - state},
                 batch_.reward[r],
                 {batch_.after.data() + r * state, state},
                 batch_.discount[r]});
  }

 private:
  const Batch& batch_;
  std::size_t size_;
};

PixelActorCritic::PixelActorCritic(const PixelsConfig& config, const AgentConfig& agent, const Sizes& beside,
                                   ImageEncoder encoder, std::uint64_t seed)
    : config_(config),
      agent_(agent),
      beside_(beside),
      encoder_(std::move(encoder)),
      core_(agent, {beside.state + encoder_.features(), beside.action}, seed),
      losses_(agent, core_.sizes()),
      dice_(seed ^ 0x9e3779b97f4a7c15u) {
  const auto rows = static_cast<std::size_t>(agent.batch);
  drawn_.resize(rows);
  images_before_.resize(rows * encoder_.shape().bytes());
  images_after_.resize(images_before_.size());
  d_q_.resize(rows * static_cast<std::size_t>(agent.critics));
  d_input_.resize(rows * static_cast<std::size_t>(core_.sizes().both()));
  d_features_.resize(rows * static_cast<std::size_t>(encoder_.features()));
}

core::Result<UpdateFacts> PixelActorCritic::Update(const ImageReplay& practice) {
  NIGHTSHIFT_CHECK(practice.size() > 0 && practice.shape() == encoder_.shape());
  if (auto drawn = Draw(practice); !drawn) return tl::make_unexpected(drawn.error());
  if (encoder_.training() == EncoderTraining::kByCritics) {
    DifferentiateFeatures();
    if (auto learned = encoder_.Learn(d_features_); !learned) return tl::make_unexpected(learned.error());
  }
  const Rows rows(losses_.batch(), drawn_.size()), none(losses_.batch(), 0);
  return core_.Update(Phase::kLearning, rows, none);
}

core::Result<void> PixelActorCritic::Draw(const ImageReplay& practice) {
  const std::size_t bytes = encoder_.shape().bytes();
  for (std::size_t row = 0; row < drawn_.size(); ++row) {
    drawn_[row] = dice_.Index(practice.size());
    const ImageSampleView sample = practice.At(drawn_[row]);
    ShiftAtRandom(encoder_.shape(), config_.shift_px, dice_, sample.before.image,
                  {images_before_.data() + row * bytes, bytes});
    ShiftAtRandom(encoder_.shape(), config_.shift_px, dice_, sample.after.image,
                  {images_after_.data() + row * bytes, bytes});
  }
  const int count = agent_.batch;
  const auto after = encoder_.Encode(images_after_, count);
  if (!after) return tl::make_unexpected(after.error());
  const bool trained = encoder_.training() == EncoderTraining::kByCritics;
  const auto before = trained ? encoder_.EncodeToLearn(images_before_, count) : encoder_.Encode(images_before_, count);
  if (!before) return tl::make_unexpected(before.error());
  FillBatch(practice, *before, *after);
  return {};
}

void PixelActorCritic::FillBatch(const ImageReplay& practice, const std::vector<float>& before,
                                 const std::vector<float>& after) {
  const auto features = static_cast<std::size_t>(encoder_.features());
  const auto with = [&](std::span<const float> state, const std::vector<float>& encoded, std::size_t row) {
    std::vector<float> whole(state.begin(), state.end());
    whole.insert(whole.end(), encoded.data() + row * features, encoded.data() + (row + 1) * features);
    return whole;
  };
  for (std::size_t row = 0; row < drawn_.size(); ++row) {
    const ImageSampleView sample = practice.At(drawn_[row]);
    const auto here = with(sample.before.state, before, row), there = with(sample.after.state, after, row);
    losses_.batch().Put(static_cast<int>(row), {here, sample.action, sample.reward, there, sample.discount});
  }
}

/// Of the critics' loss, as it is before they are moved.
void PixelActorCritic::DifferentiateFeatures() {
  const AgentState& state = core_.state();
  const CriticShape& shape = losses_.critic_shape();
  losses_.DrawNoise(dice_);
  const auto& target = losses_.ComputeTargets(state.actor.data(), state.targets.data());
  Forward(shape, state.critics.data(), losses_.batch().before_action.data(), agent_.batch, critic_trace_);
  const auto members = static_cast<std::size_t>(agent_.critics), both = static_cast<std::size_t>(shape.inputs),
             features = static_cast<std::size_t>(encoder_.features()), first = static_cast<std::size_t>(beside_.state);
  for (std::size_t i = 0; i < d_q_.size(); ++i)
    d_q_[i] = 2 / static_cast<float>(agent_.batch) * (critic_trace_.q[i] - target[i / members]);
  BackwardToInput(shape, state.critics.data(), agent_.batch, critic_trace_, d_q_.data(), shape.inputs, d_input_.data());
  for (std::size_t row = 0; row < drawn_.size(); ++row)
    std::copy_n(d_input_.data() + row * both + first, features, d_features_.data() + row * features);
}

core::Result<std::vector<float>> PixelActorCritic::Mean(const ImageView& seen) {
  const auto encoded = encoder_.Encode(seen.image, 1);
  if (!encoded) return tl::make_unexpected(encoded.error());
  std::vector<float> whole(seen.state.begin(), seen.state.end());
  whole.insert(whole.end(), encoded->begin(), encoded->end());
  Forward(losses_.actor_shape(), core_.state().deployed.data(), whole.data(), 1, actor_trace_);
  std::vector<float> action(static_cast<std::size_t>(beside_.action));
  for (std::size_t i = 0; i < action.size(); ++i) action[i] = std::tanh(actor_trace_.out[i]);
  return action;
}

}  // namespace nightshift::learner
