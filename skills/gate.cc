// SPDX-License-Identifier: Apache-2.0
#include "skills/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace nightshift::skills {

namespace {

constexpr float kSaturated = 0.99f;

double LogOddsOf(bool solved, const TestedRates& rates) {
  return solved ? std::log(rates.worse / rates.as_good) : std::log((1 - rates.worse) / (1 - rates.as_good));
}

bool AllFinite(const core::PolicyAction& action) {
  return std::all_of(action.begin(), action.end(), [](float part) { return std::isfinite(part); });
}

std::string Percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

}  // namespace

std::string_view Name(Ruling ruling) {
  switch (ruling) {
    case Ruling::kPromoted: return "promoted";
    case Ruling::kRejected: return "rejected";
    case Ruling::kRefused: return "refused";
    case Ruling::kRolledBack: return "rolled back";
  }
  return "?";
}

TestedRates RatesFor(double level, const JudgingRule& rule) {
  const double as_good = std::clamp(level, 0.05, 0.95);
  return {as_good, std::max(as_good - rule.regression, as_good / 2)};
}

double LogOddsOfRegression(const AttemptCounts& counts, const TestedRates& rates) {
  const auto solved = static_cast<double>(counts.solved), failed = static_cast<double>(counts.attempts) - solved;
  return solved * LogOddsOf(true, rates) + failed * LogOddsOf(false, rates);
}

TestBounds BoundsFor(const JudgingRule& rule) {
  return {std::log(rule.beta / (1 - rule.alpha)), std::log((1 - rule.beta) / rule.alpha)};
}

CanaryRuling JudgeCanary(const CanaryEvidence& e, const JudgingRule& rule) {
  const TestedRates rates = RatesFor(e.level, rule);
  const double log_odds = LogOddsOfRegression(e.candidate, rates);
  const TestBounds bounds = BoundsFor(rule);
  const std::string seen = fmt::format("{} of {} solved", e.candidate.solved, e.candidate.attempts);
  if (log_odds >= bounds.worse)
    return {Ruling::kRejected, fmt::format("{}, which is {:.0f} times likelier at {} than at the promoted policy's {}",
                                           seen, std::exp(log_odds), Percent(rates.worse), Percent(rates.as_good))};
  const std::string going_on =
      fmt::format("on trial: {}, promoted policy {}, odds of a regression {:.2g}; ends at {:.2g} or {:.2g}", seen,
                  Percent(e.promoted_share), std::exp(log_odds), std::exp(bounds.as_good), std::exp(bounds.worse));
  if (e.candidate.attempts < rule.attempts) return {std::nullopt, going_on};
  const std::string against = fmt::format("{} ({} with forgetting) against {} of the promoted policy", seen,
                                          Percent(e.candidate_share), Percent(e.promoted_share));
  if (!(e.candidate_share >= e.promoted_share - rule.margin)) return {Ruling::kRejected, against};
  if (log_odds > bounds.as_good && e.candidate.attempts < rule.attempts_max) return {std::nullopt, going_on};
  return {Ruling::kPromoted, against};
}

double WatchPromoted(double log_odds, bool solved, const TestedRates& rates) {
  return std::max(0.0, log_odds + LogOddsOf(solved, rates));
}

double RollbackAt(const JudgingRule& rule) { return -std::log(rule.rollback_alpha); }

Shadow AskInShadow(LearnedPolicy& candidate, LearnedPolicy& promoted, std::span<const Features> visited) {
  Shadow shadow;
  double both = 0, own_square = 0, other_square = 0, difference = 0;
  int saturated = 0, promoted_saturated = 0;
  for (const Features& features : visited) {
    const core::PolicyAction own = candidate.Mean(features), other = promoted.Mean(features);
    if (!AllFinite(other)) continue;
    ++shadow.states;
    shadow.finite = shadow.finite && AllFinite(own);
    for (std::size_t i = 0; i < own.size(); ++i) {
      both += static_cast<double>(own[i]) * static_cast<double>(other[i]);
      own_square += static_cast<double>(own[i]) * static_cast<double>(own[i]);
      other_square += static_cast<double>(other[i]) * static_cast<double>(other[i]);
      difference += std::pow(static_cast<double>(own[i]) - static_cast<double>(other[i]), 2);
      saturated += std::abs(own[i]) > kSaturated;
      promoted_saturated += std::abs(other[i]) > kSaturated;
    }
  }
  const double parts = std::max(1.0, static_cast<double>(shadow.states) * static_cast<double>(core::kActionSize));
  shadow.distance = std::sqrt(difference / parts);
  shadow.direction = both / std::max(1e-12, std::sqrt(own_square * other_square));
  shadow.saturated = saturated / parts;
  shadow.promoted_saturated = promoted_saturated / parts;
  return shadow;
}

std::optional<std::string> ShadowTrouble(const Shadow& shadow, double level, const JudgingRule& rule) {
  if (!shadow.finite) return "in shadow, an action was not finite";
  if (shadow.states < rule.shadow_states_min) return std::nullopt;
  if (shadow.saturated > rule.saturated_max && shadow.saturated > shadow.promoted_saturated + rule.saturated_more_max)
    return fmt::format(
        "in shadow, {} of its actions are saturated in {} states that the promoted policy visited, {} of "
        "the promoted policy's",
        Percent(shadow.saturated), shadow.states, Percent(shadow.promoted_saturated));
  if (level >= rule.shadow_level_min && !(shadow.direction >= rule.direction_min))
    return fmt::format(
        "in shadow, it acts against the promoted policy in {} states which that visited: cosine {:.2f}, "
        "below {:.2f}; root mean square difference {:.2f}",
        shadow.states, shadow.direction, rule.direction_min, shadow.distance);
  return std::nullopt;
}

std::optional<std::string> HeldOutTrouble(const std::optional<HeldOutValue>& value, const JudgingRule& rule) {
  if (!value || value->episodes < rule.held_out_episodes_min) return std::nullopt;
  const double limit = rule.value_error_max * value->value_range;
  if (value->error_rms <= limit) return std::nullopt;  // NaN is trouble.
  return fmt::format(
      "its critics' values are off by {:.2f} (root mean square, at most {:.2f}) from the returns of {} "
      "episodes held out, {:+.2f} on average",
      value->error_rms, limit, value->episodes, value->bias);
}

}  // namespace nightshift::skills
