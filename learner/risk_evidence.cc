// SPDX-License-Identifier: Apache-2.0
#include "learner/risk_evidence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace nightshift::learner {
namespace {

using skills::RiskGroup;
using skills::RiskReport;
using skills::RiskStanding;

constexpr double kTwoSided95 = 1.959964;  // Quantile of the standard normal distribution.
constexpr std::size_t kBins = 10;         // Of the probability, for calibration.

struct Placed {
  double probability;
  bool near_miss;
  std::size_t episode;
};

std::vector<Placed> InOrder(std::span<const ScoredEpisode> episodes) {
  std::vector<Placed> all;
  for (std::size_t e = 0; e < episodes.size(); ++e)
    for (const RiskScore& score : episodes[e]) all.push_back({score.probability, score.near_miss, e});
  std::sort(all.begin(), all.end(), [](const Placed& a, const Placed& b) { return a.probability < b.probability; });
  return all;
}

/// Of one episode: its steps of each kind, and the sum of their placements among the other kind.
struct Cluster {
  double near = 0, ordinary = 0;                // Steps.
  double near_placed = 0, ordinary_placed = 0;  // A tie is half a placement.
};

/// One pass over groups of equal probability.
std::vector<Cluster> Place(std::span<const ScoredEpisode> episodes, double near_all, double ordinary_all) {
  const std::vector<Placed> all = InOrder(episodes);
  std::vector<Cluster> clusters(episodes.size());
  double near_below = 0, ordinary_below = 0;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin;
    double near = 0, ordinary = 0;
    for (; end < all.size() && !(all[end].probability > all[begin].probability); ++end)
      (all[end].near_miss ? near : ordinary) += 1;
    for (std::size_t i = begin; i < end; ++i) {
      Cluster& cluster = clusters[all[i].episode];
      (all[i].near_miss ? cluster.near : cluster.ordinary) += 1;
      if (all[i].near_miss)
        cluster.near_placed += (ordinary_below + ordinary / 2) / ordinary_all;
      else
        cluster.ordinary_placed += (near_all - near_below - near / 2) / near_all;
    }
    near_below += near;
    ordinary_below += ordinary;
    begin = end;
  }
  return clusters;
}

double VarianceOf(const std::vector<Cluster>& clusters, double auc, double near_all, double ordinary_all) {
  double with_near = 0, with_ordinary = 0, near_squares = 0, ordinary_squares = 0, products = 0;
  for (const Cluster& c : clusters) {
    const double near_off = c.near_placed - c.near * auc, ordinary_off = c.ordinary_placed - c.ordinary * auc;
    with_near += c.near > 0;
    with_ordinary += c.ordinary > 0;
    near_squares += near_off * near_off;
    ordinary_squares += ordinary_off * ordinary_off;
    products += near_off * ordinary_off;
  }
  const auto count = static_cast<double>(clusters.size());
  if (with_near < 2 || with_ordinary < 2) return 1;  // Of one episode nothing is known about others.
  return with_near / (with_near - 1) * near_squares / (near_all * near_all) +
         with_ordinary / (with_ordinary - 1) * ordinary_squares / (ordinary_all * ordinary_all) +
         2 * count / (count - 1) * products / (near_all * ordinary_all);
}

/// Mean of what was said and of what came, of some of the steps.
struct Mean {
  double steps = 0, predicted = 0, observed = 0;

  void Add(const RiskScore& score) {
    steps += 1;
    predicted += score.probability;
    observed += score.near_miss;
  }
  double said() const { return steps > 0 ? predicted / steps : 0; }
  double came() const { return steps > 0 ? observed / steps : 0; }
};

/// How much more often something happens in the first group, and how sure that is.
struct Difference {
  double mean = 0, deviation = 1;
};

double Share(std::int64_t part, std::int64_t of) { return static_cast<double>(part) / static_cast<double>(of); }

/// With one success and one failure more in each group, so that a group without any is not taken to be sure.
Difference More(std::int64_t part, std::int64_t of, std::int64_t other_part, std::int64_t other_of) {
  const double p = Share(part + 1, of + 2), q = Share(other_part + 1, other_of + 2);
  return {p - q,
          std::sqrt(p * (1 - p) / static_cast<double>(of + 2) + q * (1 - q) / static_cast<double>(other_of + 2))};
}

}  // namespace

Area AreaUnderCurve(std::span<const ScoredEpisode> episodes) {
  double near_all = 0, ordinary_all = 0;
  for (const ScoredEpisode& episode : episodes)
    for (const RiskScore& score : episode) (score.near_miss ? near_all : ordinary_all) += 1;
  if (near_all == 0 || ordinary_all == 0) return {};
  const std::vector<Cluster> clusters = Place(episodes, near_all, ordinary_all);
  double placed = 0;
  for (const Cluster& cluster : clusters) placed += cluster.near_placed;
  const double auc = placed / near_all;
  const double half = kTwoSided95 * std::sqrt(std::max(0.0, VarianceOf(clusters, auc, near_all, ordinary_all)));
  return {auc, std::max(0.0, auc - half), std::min(1.0, auc + half)};
}

void Measure(std::span<const ScoredEpisode> episodes, const skills::RiskRule& rule, RiskReport& report) {
  std::array<Mean, kBins> bins;
  Mean slowed;
  report.episodes = static_cast<std::int64_t>(episodes.size());
  report.steps = report.near_misses = 0;
  for (const ScoredEpisode& episode : episodes) {
    report.steps += static_cast<std::int64_t>(episode.size());
    report.near_misses += std::any_of(episode.begin(), episode.end(), [](const RiskScore& s) { return s.near_miss; });
    for (const RiskScore& score : episode) {
      bins[std::min(kBins - 1, static_cast<std::size_t>(score.probability * kBins))].Add(score);
      if (ScaleOf(score.probability, rule) < 1) slowed.Add(score);
    }
  }
  const Area area = AreaUnderCurve(episodes);
  report.auc = area.auc;
  report.auc_low = area.low;
  report.auc_high = area.high;
  const auto steps = static_cast<double>(std::max<std::int64_t>(1, report.steps));
  report.calibration_error = 0;
  for (const Mean& bin : bins) report.calibration_error += std::abs(bin.predicted - bin.observed) / steps;
  report.slowed_share = slowed.steps / steps;
  report.slowed_predicted = slowed.said();
  report.slowed_observed = slowed.came();
}

RiskStanding StandingOf(const RiskReport& r, const RiskEvidence& rule) {
  if (r.near_misses < rule.near_misses_min) return RiskStanding::kGathering;
  if (!(r.auc_low >= rule.auc_low_min)) return RiskStanding::kBlind;
  if (!(r.slowed_predicted <= rule.overstated_max * r.slowed_observed)) return RiskStanding::kCriesWolf;
  const RiskGroup &with = r.advised, &without = r.control;
  const Difference solved = More(with.solved, with.episodes, without.solved, without.episodes);
  if (solved.mean + rule.sureness * solved.deviation < 0) return RiskStanding::kHarmful;
  const Difference near_misses = More(with.near_misses, with.episodes, without.near_misses, without.episodes);
  const bool tried = std::min(with.episodes, without.episodes) >= rule.trial_episodes;
  if (tried && !(near_misses.mean + rule.sureness * near_misses.deviation < 0)) return RiskStanding::kUseless;
  return RiskStanding::kTrusted;
}

}  // namespace nightshift::learner
