// SPDX-License-Identifier: Apache-2.0
#include "skills/risk_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "skills/weights_file.h"

namespace nightshift::skills {
namespace {

using core::Fail;
using core::FaultCode;
using nlohmann::json;

constexpr WeightsFormat kFormat{.magic = "NSRISKCR", .schema = 1, .thing = "risk critic"};
constexpr std::uint64_t kControlEvery = 4;  // Enough to judge by within a night, and most episodes are still its own.

constexpr std::array kStandings{RiskStanding::kGathering, RiskStanding::kBlind,   RiskStanding::kCriesWolf,
                                RiskStanding::kUseless,   RiskStanding::kHarmful, RiskStanding::kTrusted};

RiskStanding StandingNamed(const std::string& name) {
  for (const RiskStanding standing : kStandings)
    if (Name(standing) == name) return standing;
  throw std::out_of_range("no standing is called " + name);
}

core::Result<void> Check(const RiskSnapshot& snapshot) {
  const RiskReport& r = snapshot.report;
  for (const double number : {snapshot.log_odds_shift, r.auc, r.auc_low, r.auc_high, r.calibration_error,
                              r.slowed_share, r.slowed_predicted, r.slowed_observed})
    if (!std::isfinite(number)) return Fail(FaultCode::kCorruptSnapshot, "risk critic: a number is not finite");
  return CheckNetwork(
      snapshot.layers,
      {.name = "risk critic", .inputs = kRiskInputs, .outputs = 1, .outputs_mean = "the log odds of a near miss"});
}

json JsonOf(const RiskGroup& group) { return {group.episodes, group.solved, group.near_misses}; }

RiskGroup GroupIn(const json& from) {
  return {from.at(0).get<std::int64_t>(), from.at(1).get<std::int64_t>(), from.at(2).get<std::int64_t>()};
}

json HeaderOf(const RiskSnapshot& snapshot) {
  const RiskReport& r = snapshot.report;
  return {{"standing", Name(r.standing)},
          {"updates", r.updates},
          {"episodes", r.episodes},
          {"steps", r.steps},
          {"near_misses", r.near_misses},
          {"near_misses_needed", r.near_misses_needed},
          {"auc", {r.auc, r.auc_low, r.auc_high}},
          {"calibration_error", r.calibration_error},
          {"slowed", {r.slowed_share, r.slowed_predicted, r.slowed_observed}},
          {"advised", JsonOf(r.advised)},
          {"control", JsonOf(r.control)},
          {"log_odds_shift", snapshot.log_odds_shift}};
}

/// nlohmann throws on what does not fit; the caller turns that into a fault.
RiskSnapshot SnapshotIn(const std::string& text) {
  const json header = json::parse(text);
  RiskReport r;
  r.standing = StandingNamed(header.at("standing").get<std::string>());
  r.updates = header.at("updates").get<std::int64_t>();
  r.episodes = header.at("episodes").get<std::int64_t>();
  r.steps = header.at("steps").get<std::int64_t>();
  r.near_misses = header.at("near_misses").get<std::int64_t>();
  r.near_misses_needed = header.at("near_misses_needed").get<std::int64_t>();
  r.auc = header.at("auc").at(0).get<double>();
  r.auc_low = header.at("auc").at(1).get<double>();
  r.auc_high = header.at("auc").at(2).get<double>();
  r.calibration_error = header.at("calibration_error").get<double>();
  r.slowed_share = header.at("slowed").at(0).get<double>();
  r.slowed_predicted = header.at("slowed").at(1).get<double>();
  r.slowed_observed = header.at("slowed").at(2).get<double>();
  r.advised = GroupIn(header.at("advised"));
  r.control = GroupIn(header.at("control"));
  return {.report = r, .log_odds_shift = header.at("log_odds_shift").get<double>(), .layers = {}};
}

}  // namespace

/// SplitMix64's finish: neighbours in time do not share a group.
bool IsRiskControl(std::int64_t episode_id) {
  auto z = static_cast<std::uint64_t>(episode_id) + 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return (z ^ (z >> 31)) % kControlEvery == 0;
}

double ScaleOf(double probability, const RiskRule& rule) {
  if (!(probability < rule.refused_from)) return 0;
  if (!(probability > rule.tolerated)) return 1;
  return std::clamp(rule.tolerated / probability, rule.scale_min, 1.0);
}

std::string_view Name(RiskStanding standing) {
  switch (standing) {
    case RiskStanding::kGathering: return "gathering";
    case RiskStanding::kBlind: return "blind";
    case RiskStanding::kCriesWolf: return "cries_wolf";
    case RiskStanding::kUseless: return "useless";
    case RiskStanding::kHarmful: return "harmful";
    case RiskStanding::kTrusted: return "trusted";
  }
  return "?";
}

std::string InWords(const RiskReport& r) {
  const auto percent = [](std::int64_t part, std::int64_t of) { return of > 0 ? 100.0 * part / of : 0.0; };
  const std::string auc = fmt::format("AUC {:.2f} [{:.2f}, {:.2f}] over {} near misses held out", r.auc, r.auc_low,
                                      r.auc_high, r.near_misses);
  switch (r.standing) {
    case RiskStanding::kGathering:
      return fmt::format("off, {} of {} near misses seen", r.near_misses, r.near_misses_needed);
    case RiskStanding::kBlind: return "off, it cannot tell near misses surely enough: " + auc;
    case RiskStanding::kCriesWolf:
      return fmt::format("off, it cries wolf: where it foretells {:.0f} % near misses {:.0f} % happen; {}",
                         100 * r.slowed_predicted, 100 * r.slowed_observed, auc);
    case RiskStanding::kUseless:
      return fmt::format(
          "off, it was of no use: near misses in {:.0f} % of {} episodes with it, {:.0f} % of {} without",
          percent(r.advised.near_misses, r.advised.episodes), r.advised.episodes,
          percent(r.control.near_misses, r.control.episodes), r.control.episodes);
    case RiskStanding::kHarmful:
      return fmt::format("off, it did harm: {:.0f} % of {} episodes solved with it, {:.0f} % of {} without",
                         percent(r.advised.solved, r.advised.episodes), r.advised.episodes,
                         percent(r.control.solved, r.control.episodes), r.control.episodes);
    case RiskStanding::kTrusted: return "on, " + auc;
  }
  return "?";
}

core::Result<void> WriteRiskSnapshot(const std::string& path, const RiskSnapshot& snapshot) {
  if (auto good = Check(snapshot); !good) return good;
  return WriteWeights(path, kFormat, {.header = HeaderOf(snapshot).dump(), .layers = snapshot.layers});
}

core::Result<RiskSnapshot> ReadRiskSnapshot(const std::string& path) {
  auto file = ReadWeights(path, kFormat);
  if (!file) return tl::make_unexpected(file.error());
  RiskSnapshot snapshot;
  try {
    snapshot = SnapshotIn(file->header);
  } catch (const std::exception& error) {
    return Fail(FaultCode::kCorruptSnapshot, path + ": unreadable header: " + error.what());
  }
  snapshot.layers = std::move(file->layers);
  if (auto good = Check(snapshot); !good) return Fail(good.error().code, path + ": " + good.error().detail);
  return snapshot;
}

core::Result<RiskModel> RiskModel::Make(RiskSnapshot snapshot) {
  if (auto good = Check(snapshot); !good) return tl::make_unexpected(good.error());
  return RiskModel(std::move(snapshot));
}

RiskInputs RiskInputsOf(const Features& features, const core::PolicyAction& action) {
  RiskInputs inputs{};
  auto next = std::copy(features.begin(), features.end(), inputs.begin());
  for (const float part : action) *next++ = std::clamp(part, -1.0f, 1.0f);  // Not a number stays none.
  return inputs;
}

double RiskModel::Probability(const Features& features, const core::PolicyAction& action) {
  const double log_odds = static_cast<double>(network_.Forward(RiskInputsOf(features, action))[0]) + shift_;
  return 1 / (1 + std::exp(-log_odds));
}

}  // namespace nightshift::skills
