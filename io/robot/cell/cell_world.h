// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/fault.h"
#include "core/observation.h"
#include "io/robot/cell/cell_config.h"
#include "io/robot/cell/cell_drives.h"
#include "io/robot/cell/cell_fault.h"

struct mjModel_;
struct mjData_;

namespace nightshift::io::cell {

/// Where an object really is. For tests, evaluation and quick training runs; a robot never sees it.
struct ObjectTruth {
  core::Vec3 position_m;  // Of its centre.
  double yaw_rad = 0;     // About z, in (-pi/4, pi/4]: a cube looks the same after a quarter turn.
  bool held = false;      // Touches both fingers.
  double friction = 0;
  double mass_kg = 0;
};
using Truth = std::array<ObjectTruth, kObjects>;

/// The simulated bench: arm, gripper, tray, bin and two cubes in MuJoCo, and the drives that move the arm.
///
/// Deterministic: the same configuration, seed and calls give the same states. No wall clock, no socket.
/// Nothing is ever put back by itself; PutBack is the person who does it.
/// Thread: one at a time.
class CellWorld {
 public:
  /// @param config already validated. The arm is at home, drives unpowered, the objects at random in the tray.
  /// Faults: kMissingFile, kInvalidConfig (the model file is not of this cell, with MuJoCo's words).
  static core::Result<CellWorld> Load(const CellConfig& config);
  CellWorld(CellWorld&&) noexcept;
  CellWorld& operator=(CellWorld&&) noexcept;
  ~CellWorld();

  /// Advances by one tick (4 ms). No command: nothing arrived from the host in this tick.
  void Step(const std::optional<DriveCommand>& command);

  std::uint64_t tick() const;
  core::Instant time() const;
  /// Arms the drives' command time-out; a power cut forgets it.
  void Arm(double command_timeout_s);
  std::optional<double> command_timeout_s() const;

  /// The host's clock is ahead (messages were lost): counts on without moving anything. Never back.
  void SkipTo(std::uint64_t tick);

  /// As the encoders and drives report it, with their constant zero errors; sequence is the tick.
  core::JointState Joints() const;
  Truth Objects() const;
  /// Where the grasp point really is; forward kinematics of Joints() is off by the assembly errors.
  core::Vec3 TrueTip() const;
  DriveState drive_state(int axis) const;
  double grip_share() const;

  /// A fresh scene for one evaluation episode: every object at random in the tray (some against a wall, as the mess
  /// says), friction and mass drawn anew, all from `seed` alone. The arm stays where it is.
  void Stage(std::uint64_t seed);
  /// The person puts an object back in the tray, clear of walls and other objects. Faults: kRefused for no such object.
  core::Result<void> PutBack(int object);
  /// For tests: puts an object at a place. Faults: kRefused for no such object, kNotFinite.
  core::Result<void> Place(int object, core::Vec3 position_m, double yaw_rad);

  /// Faults: kRefused, with the range, for an index or a duration that makes no sense.
  core::Result<void> Inject(const FaultRequest& request);
  bool Active(CellFault fault) const;

  /// Everything that survives a power cut, as one checksummed blob: places, friction, mass, warmth, tick.
  std::string SaveState() const;
  /// Drives are unpowered afterwards. Faults: kCorruptState; the world is then unchanged.
  core::Result<void> RestoreState(const std::string& blob);

  /// For the renderer.
  const mjModel_& model() const;
  mjData_& data();
  const CellConfig& config() const;

 private:
  struct State;
  explicit CellWorld(std::unique_ptr<State> state);
  std::unique_ptr<State> s_;
};

}  // namespace nightshift::io::cell
