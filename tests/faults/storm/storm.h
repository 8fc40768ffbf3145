// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/random.h"
#include "io/robot/cell/cell_control.h"
#include "safety/config.h"
#include "tests/faults/storm/judge.h"
#include "tests/faults/storm/process.h"
#include "tests/faults/storm/view.h"

namespace nightshift::storm {

enum class Victim { kSupervisor, kLearner, kSafety };
enum class Blow { kKill, kStop };
struct Kind {
  Victim victim = Victim::kSupervisor;
  Blow blow = Blow::kKill;
};
inline constexpr int kKinds = 6;
constexpr int NumberOf(Kind kind) { return 2 * static_cast<int>(kind.victim) + static_cast<int>(kind.blow); }
std::string Name(Kind kind);

/// What came of the events of one kind.
struct Tally {
  int events = 0;
  int rests = 0;   // In which the arm was watched until it rested, and on.
  int let_go = 0;  // In which power had just gone for another cause: it sinks, and nobody commands that.
  core::Duration rest_max{0}, rest_sum{0}, rest_allowed{0};
  int stills = 0;             // In which it was watched from its rest to the first motion that was allowed.
  double travel_rad_max = 0;  // In these.
};

/// A promise was broken, or the robot did not go on.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Kills and stops the programs of a robot in the simulated cell, one at a time, at random moments of motion, and holds
/// what the cell recorded meanwhile against what is promised. The cell itself is never touched: it is the witness.
/// Thread: the main thread only.
class Storm {
 public:
  struct Parts {
    io::cell::CellControl cell;
    std::unique_ptr<View> view;
    std::vector<Process> processes;  // Started; the cell first.
    safety::Limits limits;
    core::Duration silence{0};  // Wall time after which the cell goes on alone.
    Bounds bounds;
  };
  Storm(Parts parts, std::uint64_t seed);

  /// Waits until the arm moves. Throws Broken.
  void AwaitMotion();
  /// One event, until the arm moves again with right. Throws Broken.
  void Strike(Kind kind);

  const Tally& tally(Kind kind) const { return tallies_[static_cast<std::size_t>(NumberOf(kind))]; }
  std::string Table() const { return judge_.Table(); }
  std::string Figures() const { return parts_.view->Figures(); }

 private:
  Tally& TallyOf(Kind kind) { return tallies_[static_cast<std::size_t>(NumberOf(kind))]; }
  Process& ProcessOf(Victim victim);
  void Hit(Kind kind);
  void Revive(Kind kind);
  void StrikeSupervisor(Kind kind);
  void StrikeLearner(Kind kind);
  void StrikeSafety(Kind kind);
  void CheckHolding(Kind kind, core::Instant cut) const;
  void CheckRest(Kind kind, core::Instant from, core::Duration allowed);
  void CheckStill(Kind kind, core::Instant from, core::Instant until);

  void Pump();
  void Await(const std::string& what, const std::function<bool()>& condition);
  void AwaitRobotTime(core::Instant until);
  void AwaitWall(std::chrono::milliseconds wall);
  void Breathe() const;
  core::Duration Braking() const;
  [[noreturn]] void Break(const std::string& what) const;

  Parts parts_;
  core::Random random_;
  Judge judge_;
  std::uint64_t seen_tick_ = 0;
  const Process* down_ = nullptr;  // Ended or stopped by us.
  std::array<Tally, kKinds> tallies_;
};

}  // namespace nightshift::storm
