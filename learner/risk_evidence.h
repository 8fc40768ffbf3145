// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <vector>

#include "learner/config.h"
#include "skills/risk_model.h"

/// How good the risk critic is, from episodes that it was not trained on, and whether that is enough to let it act.
/// Pure.
namespace nightshift::learner {

/// What was said of a step, and what came.
struct RiskScore {
  double probability = 0;
  bool near_miss = false;  // Within the horizon.
};
/// The steps of one episode: they belong together, and count as one where it is asked how sure a figure is.
using ScoredEpisode = std::vector<RiskScore>;

/// The chance that a step before a near miss is given a higher probability than an ordinary one, with its 95 % interval
/// (Obuchowski 1997: DeLong's variance where observations come in clusters). 0.5 in [0, 1] where one kind is missing.
struct Area {
  double auc = 0.5, low = 0, high = 1;
};
Area AreaUnderCurve(std::span<const ScoredEpisode> episodes);

/// Fills in all of a report that follows from scores: counts, AUC, calibration.
void Measure(std::span<const ScoredEpisode> episodes, const skills::RiskRule& rule, skills::RiskReport& report);

/// May it act? By the first rule of config.h that is not met; a critic that was of no use, or did harm, stays off.
skills::RiskStanding StandingOf(const skills::RiskReport& report, const RiskEvidence& rule);

}  // namespace nightshift::learner
