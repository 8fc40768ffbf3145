// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "core/fault.h"
#include "learner/actor_critic.h"
#include "learner/pixels/encoder.h"
#include "learner/pixels/image_replay.h"

namespace nightshift::learner {

/// Soft actor-critic from images (Yarats, Kostrikov, Fergus: Image Augmentation Is All You Need, DrQ, ICLR 2021, with
/// one shift per image): the state of an ActorCritic is (what is known beside the image, the encoder's features of it).
///
/// Each update shifts the images of a batch at random, encodes them, and updates the actor-critic on the features. An
/// encoder that is trained is moved by the critics' loss alone, by the gradient with respect to its features (kernel.h,
/// BackwardToInput); the actor and the targets take features as they are.
/// Deterministic given its seed and the samples in their order. Thread: one at a time; one core.
class PixelActorCritic {
 public:
  /// @param beside sizes of what is known beside the image, and of the action; beside.state may be 0.
  PixelActorCritic(const PixelsConfig& config, const AgentConfig& agent, const Sizes& beside, ImageEncoder encoder,
                   std::uint64_t seed);

  /// One update; not when `practice` is empty. Where the actor-critic's part diverges facts.diverged says so, and it
  /// has the weights again that it began with: none are marked healthy here, and the encoder stays as it is. Faults:
  /// kNotFinite (nothing is changed then), kCorruptSnapshot from a module that fails.
  core::Result<UpdateFacts> Update(const ImageReplay& practice);

  /// The mean action. Faults: those of ImageEncoder::Encode.
  core::Result<std::vector<float>> Mean(const ImageView& seen);

  const ActorCritic& core() const { return core_; }
  const ImageEncoder& encoder() const { return encoder_; }

 private:
  /// Hands the actor-critic the rows of an update, one after the other.
  class Rows;
  core::Result<void> Draw(const ImageReplay& practice);
  void FillBatch(const ImageReplay& practice, const std::vector<float>& before, const std::vector<float>& after);
  void DifferentiateFeatures();

  PixelsConfig config_;
  AgentConfig agent_;
  Sizes beside_;
  ImageEncoder encoder_;
  ActorCritic core_;
  Losses losses_;  // Its batch is the one that core_ is updated with; its targets are what the encoder's loss asks for.
  Dice dice_;
  std::vector<std::size_t> drawn_;
  std::vector<std::uint8_t> images_before_, images_after_;
  std::vector<float> d_q_, d_input_, d_features_;
  CriticTrace critic_trace_;
  ActorTrace actor_trace_;
};

}  // namespace nightshift::learner
