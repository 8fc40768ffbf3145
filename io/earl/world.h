// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/fault.h"
#include "io/earl/rules.h"

namespace nightshift::io::earl {

/// Where the peg truly is, which no observation says: its axis may have turned.
struct PegPlace {
  std::array<double, 3> head{};    // The benchmark's site near the tip, metres.
  std::array<double, 3> axis{};    // Unit vector from the end to the head.
  std::array<double, 3> across{};  // Unit vectors that its square section lies along.
  std::array<double, 3> upward{};

  /// The largest reach of its section at the head from the hole's axis, less the hole's half width, metres: at most 0
  /// where all four edges are within the channel.
  double overlap() const;
  /// The head is beyond the face and its section within the channel, `slack` being forgiven to a soft contact.
  bool InHole(double slack = 0) const;
};

/// One of the benchmark's worlds, stepped as the benchmark does. It never resets itself.
/// Deterministic: the same seed and actions give the same states, bit by bit. Thread: one at a time.
class World {
 public:
  virtual ~World() = default;

  Scene scene() const { return scene_; }
  const Rules& rules() const { return RulesOf(scene_); }

  /// Puts everything where an attempt of the benchmark begins: one draw from the initial distribution.
  virtual void Reset(std::uint64_t seed) = 0;
  /// The state that Reset would lead to, the world being left alone: what the reverse task is asked to restore.
  virtual State DrawInitial(std::uint64_t seed) const = 0;

  /// One policy step; actions are clipped to [-1, 1].
  /// Faults: kNotFinite, the action (nothing moves) or the physics (Restore or Reset before the next step).
  virtual core::Result<void> Step(std::span<const float> action) = 0;
  virtual const State& state() const = 0;
  virtual std::optional<PegPlace> peg() const { return std::nullopt; }

  /// Everything the future depends on.
  virtual std::vector<double> Save() const = 0;
  /// Faults: kCorruptState when it is of another scene or not finite; then nothing has changed.
  virtual core::Result<void> Restore(std::span<const double> saved) = 0;

 protected:
  explicit World(Scene scene) : scene_(scene) {}

 private:
  Scene scene_;
};

/// @param data_directory holds <scene>/model.xml of the benchmark; the tabletop needs none.
/// Faults: kMissingFile; kInvalidConfig, naming what a model lacks.
core::Result<std::unique_ptr<World>> MakeWorld(Scene scene, const std::string& data_directory);

/// As MakeWorld, of one kind.
std::unique_ptr<World> MakeTabletop();
core::Result<std::unique_ptr<World>> MakeSawyer(Scene scene, const std::string& model_file);

}  // namespace nightshift::io::earl
