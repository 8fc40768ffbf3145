// SPDX-License-Identifier: Apache-2.0
#include "learner/risk_critic.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "core/check.h"
#include "learner/layers.h"
#include "skills/features.h"

namespace nightshift::learner {

// ---- What is to be foreseen ----

bool IsNearMiss(const core::Transition& step, const RiskConfig& config) {
  switch (step.stop) {
    case core::StopCause::kStall:
    case core::StopCause::kTrackingError:
    case core::StopCause::kHot:
    case core::StopCause::kContact: return true;
    case core::StopCause::kNoCommand:
    case core::StopCause::kPersonNear:
    case core::StopCause::kOverrun:
    case core::StopCause::kWorn:
    case core::StopCause::kDriverLost:
    case core::StopCause::kRestarted:
    case core::StopCause::kOperator: return false;
    case core::StopCause::kNone: break;
  }
  return step.strain >= config.near_miss_strain;
}

namespace {

bool WasCut(const core::Episode& episode) {
  return episode.outcome == core::Outcome::kInterrupted || episode.steps.back().verdict == core::Verdict::kStopped;
}

bool WasSlowed(const core::Transition& step) { return step.risk_scale && *step.risk_scale < 1; }

}  // namespace

std::vector<Foresight> ForesightsOf(const core::Episode& episode, const RiskConfig& config) {
  const int count = static_cast<int>(episode.steps.size());
  std::vector<Foresight> foresights(episode.steps.size());
  std::optional<int> near_miss, slowed;  // The next one from here on, walking back from the end.
  for (int i = count - 1; i >= 0; --i) {
    const auto at = static_cast<std::size_t>(i);
    const core::Transition& step = episode.steps[at];
    if (IsNearMiss(step, config)) near_miss = i;
    if (WasSlowed(step)) slowed = i;
    const auto within = [&](int then) { return then - i < config.horizon_steps; };
    const bool unknown = (slowed && within(*slowed)) || (within(count - 1) && WasCut(episode));
    if (near_miss && within(*near_miss))
      foresights[at] = Foresight::kNearMiss;
    else
      foresights[at] = unknown ? Foresight::kUnknown : Foresight::kOrdinary;
  }
  return foresights;
}

namespace {

std::optional<RiskInputs> InputsOf(const core::Episode& episode, std::size_t i, const skills::Scene& scene) {
  const core::Transition& step = episode.steps[i];
  const core::Observation& previous = i > 0 ? episode.steps[i - 1].before : step.before;
  const skills::Features features = skills::FeaturesOf(step.before, previous, episode.target, scene);
  const RiskInputs inputs = skills::RiskInputsOf(features, step.proposed);
  const bool finite = std::all_of(inputs.begin(), inputs.end(), [](float v) { return std::isfinite(v); });
  return finite ? std::optional(inputs) : std::nullopt;
}

bool KnowsItsObject(const core::Episode& episode) {
  return std::all_of(episode.steps.begin(), episode.steps.end(), [&episode](const core::Transition& step) {
    return episode.target.object >= 0 && episode.target.object < step.before.object_count;
  });
}

bool HasNearMiss(const core::Episode& episode, const RiskConfig& config) {
  return std::any_of(episode.steps.begin(), episode.steps.end(),
                     [&config](const core::Transition& step) { return IsNearMiss(step, config); });
}

double LogOdds(double share) { return std::log(share / (1 - share)); }

float Logistic(float log_odds) { return 1 / (1 + std::exp(-log_odds)); }

std::vector<float> FreshParameters(const ActorShape& s, Dice& dice) {
  std::vector<float> p(s.size(), 0.0f);
  DrawWeights(dice, s.inputs, 1, p.data() + s.w1(), s.b1() - s.w1());
  DrawWeights(dice, s.width, 1, p.data() + s.w2(), s.b2() - s.w2());
  DrawWeights(dice, s.width, 0.1f, p.data() + s.w3(), s.b3() - s.w3());  // Begins near even odds.
  return p;
}

}  // namespace

// ---- What it is made of ----

void RiskRing::Add(const RiskInputs& inputs) {
  if (inputs_.size() < inputs_max_) return inputs_.push_back(inputs);
  inputs_[oldest_] = inputs;
  oldest_ = (oldest_ + 1) % inputs_max_;
}

RiskCritic::RiskCritic(const RiskConfig& config, std::uint64_t seed)
    : config_(config),
      shape_{skills::kRiskInputs, config.width, 1},
      dice_(seed),
      near_(config.near_max),
      ordinary_(config.ordinary_max),
      batch_(static_cast<std::size_t>(config.batch) * skills::kRiskInputs),
      d_out_(static_cast<std::size_t>(config.batch)),
      gradient_(shape_.size()) {
  state_.parameters = FreshParameters(shape_, dice_);
  state_.dice = dice_.state();
}

// ---- Episodes come in ----

void RiskCritic::Ingest(const core::Episode& episode, const skills::Scene& scene, Reading reading) {
  if (episode.steps.empty() || !KnowsItsObject(episode)) return;
  if (reading == Reading::kNew) {
    state_.steps += static_cast<std::int64_t>(episode.steps.size());
    CountTrial(episode);
  }
  std::vector<Foresight> foresights = ForesightsOf(episode, config_);
  std::vector<RiskInputs> steps(episode.steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto inputs = InputsOf(episode, i, scene);
    if (inputs)
      steps[i] = *inputs;
    else
      foresights[i] = Foresight::kUnknown;
  }
  if (skills::IsRiskControl(episode.id)) return HoldOut(steps, foresights);
  Learn(steps, foresights);
}

void RiskCritic::Learn(const std::vector<RiskInputs>& steps, const std::vector<Foresight>& foresights) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (foresights[i] == Foresight::kUnknown) continue;
    const bool near = foresights[i] == Foresight::kNearMiss;
    (near ? near_ : ordinary_).Add(steps[i]);
    labelled_ = std::min<std::int64_t>(labelled_ + 1, config_.ordinary_max);
    near_share_ += ((near ? 1 : 0) - near_share_) / static_cast<double>(labelled_);
  }
}

void RiskCritic::HoldOut(const std::vector<RiskInputs>& steps, const std::vector<Foresight>& foresights) {
  HeldOut kept;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (foresights[i] == Foresight::kUnknown) continue;
    kept.steps.push_back(steps[i]);
    kept.near_miss.push_back(foresights[i] == Foresight::kNearMiss);
  }
  held_out_steps_ += kept.steps.size();
  held_out_.push_back(std::move(kept));
  while (held_out_steps_ > static_cast<std::size_t>(config_.held_out_max)) {
    held_out_steps_ -= held_out_.front().steps.size();
    held_out_.pop_front();
  }
}

/// While it acts, one episode in four is left alone: what happens there is what would have happened.
void RiskCritic::CountTrial(const core::Episode& episode) {
  const bool control = skills::IsRiskControl(episode.id);
  if (!control)
    state_.advises = std::any_of(episode.steps.begin(), episode.steps.end(),
                                 [](const core::Transition& step) { return step.risk_scale.has_value(); });
  if (!state_.advises || episode.outcome == core::Outcome::kInterrupted) return;
  skills::RiskGroup& group = control ? state_.control : state_.advised;
  ++group.episodes;
  group.solved += episode.outcome == core::Outcome::kSuccess;
  group.near_misses += HasNearMiss(episode, config_);
}

// ---- Learning ----

double RiskCritic::Backlog() const {
  if (near_.size() == 0 || ordinary_.size() == 0) return 0;
  const double due = config_.update_ratio * static_cast<double>(state_.steps);
  return std::max(0.0, due - static_cast<double>(state_.updates));
}

/// Cross entropy, one Adam step, decoupled weight decay (Loshchilov and Hutter 2019).
void RiskCritic::Update() {
  NIGHTSHIFT_CHECK(near_.size() > 0 && ordinary_.size() > 0);
  const int near_rows = static_cast<int>(config_.near_miss_share * config_.batch + 0.5);
  for (int row = 0; row < config_.batch; ++row) {
    const RiskInputs& inputs = (row < near_rows ? near_ : ordinary_).Draw(dice_);
    std::copy(inputs.begin(), inputs.end(), batch_.begin() + static_cast<std::ptrdiff_t>(row) * skills::kRiskInputs);
  }
  Forward(shape_, state_.parameters.data(), batch_.data(), config_.batch, trace_);
  for (int row = 0; row < config_.batch; ++row) {
    const auto r = static_cast<std::size_t>(row);
    d_out_[r] = (Logistic(trace_.out[r]) - (row < near_rows ? 1.0f : 0.0f)) / static_cast<float>(config_.batch);
  }
  Backward(shape_, state_.parameters.data(), batch_.data(), config_.batch, trace_, d_out_.data(), gradient_.data());
  ++state_.updates;
  state_.dice = dice_.state();
  if (!std::isfinite(NormOf(gradient_))) return;  // This batch teaches nothing.
  AdamStep(state_.adam, static_cast<float>(config_.learning_rate), 1, gradient_, state_.parameters);
  const auto kept = static_cast<float>(1 - config_.learning_rate * config_.weight_decay);
  for (float& parameter : state_.parameters) parameter *= kept;
}

// ---- What it has come to ----

/// From the share of near misses in a batch to that in practice.
double RiskCritic::LogOddsShift() const {
  if (labelled_ == 0) return 0;
  const auto least = 1 / static_cast<double>(labelled_ + 1);  // None seen does not mean never.
  return LogOdds(std::clamp(near_share_, least, 1 - least)) - LogOdds(config_.near_miss_share);
}

std::vector<ScoredEpisode> RiskCritic::Score() const {
  const double shift = LogOddsShift();
  ActorTrace trace;
  std::vector<ScoredEpisode> scored;
  for (const HeldOut& episode : held_out_) {
    ScoredEpisode scores;
    const int count = static_cast<int>(episode.steps.size());
    if (count > 0) Forward(shape_, state_.parameters.data(), episode.steps[0].data(), count, trace);
    for (std::size_t i = 0; i < episode.steps.size(); ++i)
      scores.push_back({1 / (1 + std::exp(-(trace.out[i] + shift))), episode.near_miss[i]});
    scored.push_back(std::move(scores));
  }
  return scored;
}

skills::RiskSnapshot RiskCritic::Snapshot() const {
  skills::RiskSnapshot snapshot;
  snapshot.report.updates = state_.updates;
  snapshot.report.near_misses_needed = config_.evidence.near_misses_min;
  snapshot.report.advised = state_.advised;
  snapshot.report.control = state_.control;
  Measure(Score(), {}, snapshot.report);
  snapshot.report.standing = StandingOf(snapshot.report, config_.evidence);
  snapshot.log_odds_shift = LogOddsShift();
  snapshot.layers = LayersOf(shape_, state_.parameters.data());
  return snapshot;
}

core::Result<void> RiskCritic::Restore(RiskState state) {
  const auto refuse = [](const std::string& why) { return core::Fail(core::FaultCode::kCorruptState, why); };
  if (state.parameters.size() != shape_.size())
    return refuse("the saved risk critic has another size than learner.risk.width = " + std::to_string(config_.width) +
                  " asks for, or policies see other features than when it was saved; restore the old value or begin "
                  "with a fresh data folder");
  const AdamState& adam = state.adam;
  if (adam.first.size() != adam.second.size() || (!adam.first.empty() && adam.first.size() != shape_.size()))
    return refuse("the saved risk critic's optimiser moments do not fit it");
  for (const double norm : {NormOf(state.parameters), NormOf(adam.first), NormOf(adam.second)})
    if (!std::isfinite(norm)) return refuse("a saved weight of the risk critic is not finite");
  state_ = std::move(state);
  dice_.Restore(state_.dice);
  return {};
}

}  // namespace nightshift::learner
