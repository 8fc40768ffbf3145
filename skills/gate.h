// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "skills/policy.h"

/// What stands between a snapshot and the arm (docs/learner-gate.md). Pure: each answer is a function of its arguments
/// and says why, in words.
namespace nightshift::skills {

/// When a candidate has been tried enough, how much worse it may look, and how often the tests may err.
struct JudgingRule {
  int attempts = 10;         // Of the candidate, at least, before it is promoted.
  int attempts_max = 20;     // Then it is decided by what was seen.
  int control_every = 3;     // While it is judged, every third attempt is the promoted policy's.
  double margin = 0;         // By how much it may look worse and still be promoted.
  double forgetting = 0.95;  // Of what the promoted policy did, per attempt of its own: remembers about 20.
  bool practises_on = true;  // A first candidate that never succeeds; false: it is rejected, another policy may act.

  // The sequential tests: "as good as the level" against "worse by `regression`".
  double regression = 0.3;  // Successive snapshots swing by 0.1 to 0.2: a smaller fall is not told apart within 20.
  double alpha = 0.05;      // As good, and its trial is ended: it costs one snapshot of many, another comes at once.
  double beta = 0.1;        // Worse by that much, and promoted: what is promoted stays on trial.
  // As good, and rolled back: fewer than one in so many attempts. A policy makes some hundred before it is replaced.
  double rollback_alpha = 0.005;

  // In shadow.
  int shadow_states = 256;        // The latest that the promoted policy visited: about five attempts.
  int shadow_states_min = 128;    // With fewer nothing is said.
  double direction_min = -0.25;   // Cosine of all actions of both: 1 the same, 0 unrelated, -1 negated.
  double shadow_level_min = 0.2;  // Of what hardly ever succeeds the opposite may be right.
  double saturated_max = 0.9;     // Share of action parts beyond 0.99: bang-bang, it no longer answers to what it sees
  double saturated_more_max = 0.3;  // ... if the promoted policy's are fewer by so much: a jaw is always saturated.

  // Held-out value.
  int held_out_episodes_min = 5;  // With fewer nothing is said.
  double value_error_max = 0.5;   // Root mean square, as a share of all values that are possible: a constant guess
                                  // in the middle is never worse.
};

struct AttemptCounts {
  std::int64_t attempts = 0;
  std::int64_t solved = 0;
};

/// The success rates that a sequential test tells apart.
struct TestedRates {
  double as_good = 0, worse = 0;
};
/// Kept away from 0 and 1, where one attempt would decide; below `regression` half of the level counts as a regression.
TestedRates RatesFor(double level, const JudgingRule& rule);

/// log(likelihood if worse / likelihood if as good), of attempts in any order. Above 0 it speaks for a regression.
double LogOddsOfRegression(const AttemptCounts& counts, const TestedRates& rates);

/// Wald (1945), Sequential Tests of Statistical Hypotheses: at or beyond these the test ends. By Wald's inequality at
/// most alpha / (1 - beta) of the candidates that are as good are called worse, at most beta / (1 - alpha) of the worse
/// ones as good.
struct TestBounds {
  double as_good = 0, worse = 0;
};
TestBounds BoundsFor(const JudgingRule& rule);

enum class Ruling {
  kPromoted,
  kRejected,    // After canary episodes.
  kRefused,     // Before it acted.
  kRolledBack,  // After it had been promoted.
};
std::string_view Name(Ruling ruling);

/// What there is to compare when a candidate is judged.
struct CanaryEvidence {
  AttemptCounts candidate;
  double candidate_share = 0;  // With forgetting, as that of the promoted policy.
  double promoted_share = 0;
  double level = 0;  // What the promoted one is taken to succeed at: the share, drawn towards a half by two attempts.
};
struct CanaryRuling {
  std::optional<Ruling> ruling;  // None: it goes on.
  std::string why;
};
/// For a candidate beside a promoted policy.
CanaryRuling JudgeCanary(const CanaryEvidence& evidence, const JudgingRule& rule);

/// One more attempt of a promoted policy: the test's new state. It never falls below 0, so that a long good record does
/// not hide a later fall (Page 1954, Continuous Inspection Schemes).
double WatchPromoted(double log_odds, bool solved, const TestedRates& rates);
/// At or above it a regression is established. As good a policy gets here in fewer than one of 1 / rollback_alpha
/// attempts on average (Lorden 1971).
double RollbackAt(const JudgingRule& rule);

/// A candidate beside the promoted policy, asked about the same states.
struct Shadow {
  int states = 0;  // Those in which the promoted policy's action is finite: others are no measure.
  bool finite = true;
  double distance = 0;                           // Root mean square difference of an action part, 0 to 2.
  double direction = 0;                          // Cosine of all actions taken together.
  double saturated = 0, promoted_saturated = 0;  // Shares of action parts beyond 0.99.
};
Shadow AskInShadow(LearnedPolicy& candidate, LearnedPolicy& promoted, std::span<const Features> visited);

/// Why a candidate may not act; none: it may. @param level as above.
std::optional<std::string> ShadowTrouble(const Shadow& shadow, double level, const JudgingRule& rule);
std::optional<std::string> HeldOutTrouble(const std::optional<HeldOutValue>& value, const JudgingRule& rule);

}  // namespace nightshift::skills
