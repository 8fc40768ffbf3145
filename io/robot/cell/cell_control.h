// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/action.h"
#include "core/fault.h"
#include "core/time.h"
#include "core/vector.h"
#include "io/link/link.h"

namespace nightshift::wire {
class CellRequest;
class CellReply;
}  // namespace nightshift::wire

namespace nightshift::io::cell {

/// The cell as the person beside the bench has it: orders trouble, sets the scene, puts things back, knows the truth.
/// Used by the command line, evaluation and tests; never by what acts on the robot. Thread: one at a time.
class CellControl {
 public:
  struct Truth {
    std::vector<core::Vec3> objects_m;
    std::vector<bool> held;
    core::Instant time;
  };
  /// One tick as the drives had it.
  struct Moment {
    std::uint64_t tick = 0;
    core::Instant time;                         // After the tick.
    std::optional<core::AxisArray> told_q_rad;  // Nothing: no command arrived.
    core::PowerMode told_power = core::PowerMode::kHold;
    core::AxisArray q_rad{}, dq_rad_s{};
    bool following = false;  // A drive still acts on a command; false: all hold by themselves, or have no power.
  };
  struct Record {
    std::vector<Moment> moments;
    bool incomplete = false;  // Ticks before the first of these were already forgotten.
  };

  /// @param wait wall time for one answer. Faults: those of Requester::Connect.
  static core::Result<CellControl> Connect(const std::string& cell_control, Wait wait);

  // All: kPeerTimeout, and what the cell refuses, in its words.
  core::Result<void> Inject(const std::string& fault, unsigned index, core::Duration duration);
  core::Result<void> Stage(std::uint64_t seed);
  core::Result<void> PutBack(unsigned object);
  /// Robot seconds per wall second at most; 0: as fast as the machine allows.
  core::Result<void> SetSpeed(double factor);
  core::Result<Truth> AskTruth();
  /// What the drives heard and did in each tick after this one, oldest first; at most 4096 of them in one answer.
  core::Result<Record> AskRecord(std::uint64_t after_tick);

 private:
  explicit CellControl(Requester cell, Wait wait);
  core::Result<wire::CellReply> Ask(wire::CellRequest& request);
  core::Result<void> Order(wire::CellRequest& request);

  Requester cell_;
  Wait wait_;
};

}  // namespace nightshift::io::cell
