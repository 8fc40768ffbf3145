// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/kinematics.h"
#include "io/robot/cell/cell_control.h"

namespace nightshift::storm {

using Moment = io::cell::CellControl::Moment;

/// No valid command of the stand-in ever turns the roll axis; those that must not be carried out all turn it far.
inline constexpr double kForbiddenRollRad = 2.0;
inline constexpr double kRollRadMax = 0.1;  // What measuring it anew may make of zero.

/// What an arm may do while processes die around it.
struct Bounds {
  core::AxisArray speed_rad_s_max{};                  // Of the command, from the configuration.
  double rest_rad_s = 0.15;                           // Slower counts as at rest: safety.rest_speed_rad_s_max.
  double seed_rad = 0.05;                             // From the arm to a setpoint that is taken from it.
  core::Duration tick{std::chrono::milliseconds(4)};  // Of the cell.
  core::Duration overrun{
      std::chrono::milliseconds(40)};  // So long a silence the command goes on through: overrun_s_max.
  bool rolls = false;                  // The real supervisor turns the hand as it likes.
};

/// Holds what the cell recorded against the rules that hold at every instant, and answers questions about stretches of
/// it. The jaw is looked at for its command only: what it holds may slip. Pure. Thread: one at a time.
class Judge {
 public:
  explicit Judge(const Bounds& bounds) : bounds_(bounds) {}

  /// The next tick. Complains when the command jumps away from the arm, or a forbidden command shows.
  void See(const Moment& moment);
  /// Forgets all ticks but the newest ones; complaints stay.
  void Forget();

  const std::vector<std::string>& complaints() const { return complaints_; }
  bool empty() const { return moments_.empty(); }
  core::Instant now() const { return moments_.back().time; }

  /// The last tick in which the drives heard anything.
  std::optional<core::Instant> LastHeard() const;
  /// The first tick after `from` in which they did.
  std::optional<core::Instant> HeardAfter(core::Instant from) const;
  /// The last tick in (from, to] in which a drive acted on a command; `from` if there is none.
  core::Instant LastFollowing(core::Instant from, core::Instant to) const;
  /// Fastest joint in (from, to].
  double FastestRadS(core::Instant from, core::Instant to) const;
  /// The last tick in (from, to] in which a joint was not at rest; `from` if there is none.
  core::Instant LastMoving(core::Instant from, core::Instant to) const;
  /// Had the drives been told to let go at `from`, or were they in (from, to]? Then the arm may sink.
  bool LetGo(core::Instant from, core::Instant to) const;
  /// How far any joint got in (from, to] from where it was at the first tick after `from`.
  double TravelRad(core::Instant from, core::Instant to) const;

  /// What it still knows, a line for each tick and joint, for a person who looks for the reason of a complaint.
  std::string Table() const;

 private:
  void Complain(const Moment& moment, const std::string& what);
  void CheckRoll(const Moment& moment);
  void CheckCommand(const Moment& moment);
  template <typename Look>
  void Each(core::Instant from, core::Instant to, Look look) const;

  Bounds bounds_;
  std::deque<Moment> moments_;
  std::optional<Moment> last_heard_;
  std::vector<std::string> complaints_;
};

}  // namespace nightshift::storm
