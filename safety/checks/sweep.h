// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "safety/checks/clearance.h"
#include "safety/checks/stop_motion.h"

/// Hazard: the arm strikes what stands around it, or itself, while it follows a command or stops after it. The tick and
/// the stop are checked to the end, between the looks too, by conservative advancement: from a distance and the speed
/// that no point of a part can exceed follows the time until which the two cannot meet; then it is looked at again.
namespace nightshift::safety {

/// 0 < slack_m < margin_m, which must hold the errors of model and tracking besides.
struct SweepLimits {
  double margin_m = 0.003;    // Wherever it is looked at.
  double slack_m = 0.001;     // Of the margin, what may be lost between two looks: smaller needs more of them.
  int evaluations_max = 100;  // Looks at the whole arm in one sweep. Bounds the time that a sweep takes.
};

enum class SweepOutcome {
  kClear,
  kTooClose,   // Seen nearer than the margin.
  kExhausted,  // Out of evaluations.
  kNotFinite,  // The stop says something that is not a number, or never ends.
};

struct SweepVerdict {
  SweepOutcome outcome = SweepOutcome::kExhausted;
  double least_m = 0;  // Least distance that was looked at; of parts far away only a lower bound is worked out.
  int least_pair = 0;  // Index into the model's pairs: the one that is nearest, or that decided.
  int evaluations = 0;
  int near_pairs = 0;  // Within the margin at the start. Above zero: an escape, which the caller must make slow.

  bool clear() const { return outcome == SweepOutcome::kClear; }
};

/// May the arm carry out the tick, given the stop that would follow it? kClear promises, for all of [0, duration]:
/// - pairs that keep the margin at the start stay at least margin_m - slack_m apart;
/// - pairs that do not (the arm was switched on there, or pushed there) are no nearer at the end of the tick and of the
///   stop than at the start, and on the way lose at most kEscapeLossM of what is below margin_m - slack_m. Tick by
///   tick nothing goes deeper; only a stop that is taken up again at its lowest point could lose that much once more.
/// Rests where it is: always clear. Pure; real-time; 20 KiB of stack.
SweepVerdict Sweep(const ClearanceModel& model, const ArmStop& stop, const SweepLimits& limits);

inline constexpr double kEscapeLossM = 1e-4;

}  // namespace nightshift::safety
