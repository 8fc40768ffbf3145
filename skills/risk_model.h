// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/action.h"
#include "core/fault.h"
#include "skills/dense_network.h"
#include "skills/features.h"

/// What the risk critic has learned, as a file and as something that is asked before each policy step. It says how
/// likely a near miss is; from that follows a scale of at most 1 for speed and acceleration. It can slow or refuse; the
/// safety filter takes nothing else from it (SAFETY.md, rule 11).
namespace nightshift::skills {

/// One episode in four is kept from the critic: it is not trained on it and does not act in it. They are what it is
/// judged by, and with what its own episodes are compared. By the id alone, so that learner and supervisor agree.
bool IsRiskControl(std::int64_t episode_id);

/// From a probability to a scale: at `tolerated` full speed, at twice that half the speed.
struct RiskRule {
  double tolerated = 0.3;  // Of a near miss within the horizon: three times as likely as in ordinary practice.
  double refused_from =
      0.6;  // More likely than not: giving up here averts most stops for few successes (docs/results.md).
  double scale_min = 0.1;  // As the safety process has it: below, it refuses.
};

/// 0 (refused), or within [scale_min, 1]. Falls as the probability rises; 0 for what is not a number.
double ScaleOf(double probability, const RiskRule& rule);

/// Whether the critic may act, and if not, why. Further down is nearer to acting.
enum class RiskStanding {
  kGathering,  // Too few near misses among the episodes that are held out.
  kBlind,      // It does not tell near misses from ordinary steps surely enough.
  kCriesWolf,  // What it would slow down is far less often followed by a near miss than it says.
  kUseless,    // Episodes in which it acted had as many near misses as those in which it did not.
  kHarmful,    // They succeeded less often.
  kTrusted,
};
std::string_view Name(RiskStanding standing);

/// What happened in a group of episodes.
struct RiskGroup {
  std::int64_t episodes = 0, solved = 0, near_misses = 0;  // Near misses: episodes with at least one.
  bool operator==(const RiskGroup&) const = default;
};

/// All that is known of how good the critic is. Held out: episodes that it was not trained on.
struct RiskReport {
  RiskStanding standing = RiskStanding::kGathering;
  std::int64_t updates = 0;
  std::int64_t episodes = 0, steps = 0;                  // Held out, of those still remembered.
  std::int64_t near_misses = 0, near_misses_needed = 0;  // Episodes with at least one, held out.
  double auc = 0.5, auc_low = 0, auc_high = 1;           // With its 95 % interval.
  double calibration_error = 0;                          // Mean distance of what it says from what happens.
  double slowed_share = 0;                               // Of held-out steps, what it would slow down or refuse,
  double slowed_predicted = 0, slowed_observed = 0;      // and the near misses it foretells there, and those seen.
  RiskGroup advised, control;                            // While it acted: episodes with it and without.
};

/// "off, 12 of 50 near misses seen": what a person reads.
std::string InWords(const RiskReport& report);

inline constexpr std::string_view kRiskFileName = "critic.nsrisk";  // Beside the policies' snapshots; one, replaced.

/// The critic as it is on disk.
struct RiskSnapshot {
  RiskReport report;
  double log_odds_shift = 0;  // Added to the output: near misses are rarer than in the batches it was trained on.
  DenseLayers layers;         // From features and action to log odds.
};

/// File format: skills/weights_file.h with magic "NSRISKCR". Faults: kCorruptSnapshot (not finite), kIoFailed,
/// kDiskFull.
core::Result<void> WriteRiskSnapshot(const std::string& path, const RiskSnapshot& snapshot);

/// Faults: kMissingFile, kCorruptSnapshot (checksum, shapes, not finite), kSchemaTooNew.
core::Result<RiskSnapshot> ReadRiskSnapshot(const std::string& path);

/// What the network sees, in learning as in acting: features, then the action as it is carried out (beyond [-1, 1] as
/// the nearer end).
inline constexpr int kRiskInputs = kFeatureSize + core::kActionSize;
using RiskInputs = std::array<float, kRiskInputs>;
RiskInputs RiskInputsOf(const Features& features, const core::PolicyAction& action);

/// Is asked before each policy step. No allocation after the first call. Thread: one at a time.
class RiskModel {
 public:
  /// Faults: kCorruptSnapshot when the layers do not fit, or a number is not finite.
  static core::Result<RiskModel> Make(RiskSnapshot snapshot);

  /// Of a near miss within the horizon, if this is done here. NaN for what is not finite.
  double Probability(const Features& features, const core::PolicyAction& action);

  const RiskReport& report() const { return report_; }

 private:
  explicit RiskModel(RiskSnapshot snapshot)
      : report_(snapshot.report), shift_(snapshot.log_odds_shift), network_(std::move(snapshot.layers)) {}

  RiskReport report_;
  double shift_;
  DenseNetwork network_;
};

}  // namespace nightshift::skills
