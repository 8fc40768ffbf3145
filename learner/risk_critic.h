// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <vector>

#include "core/transition.h"
#include "learner/config.h"
#include "learner/dice.h"
#include "learner/kernel.h"
#include "learner/risk_evidence.h"
#include "skills/risk_model.h"
#include "skills/scene.h"

namespace nightshift::learner {

/// Did safety stop the arm for what the arm itself did, or was it near it? What operators, silence, lost drives and
/// people did says nothing about an action.
bool IsNearMiss(const core::Transition& step, const RiskConfig& config);

/// What is known of the time after a step.
enum class Foresight { kOrdinary, kNearMiss, kUnknown };

/// One for each step: kNearMiss where one comes within the horizon. Unknown where the episode was cut by something
/// else, or where the critic slowed the arm down and nothing came: it may have been averted.
std::vector<Foresight> ForesightsOf(const core::Episode& episode, const RiskConfig& config);

using skills::RiskInputs;

/// A ring of inputs; when full the oldest goes. Thread: one at a time.
class RiskRing {
 public:
  explicit RiskRing(int inputs_max) : inputs_max_(static_cast<std::size_t>(inputs_max)) {}

  void Add(const RiskInputs& inputs);
  const RiskInputs& Draw(Dice& dice) const { return inputs_[dice.Index(inputs_.size())]; }  // Not when empty.
  std::size_t size() const { return inputs_.size(); }

 private:
  std::vector<RiskInputs> inputs_;
  std::size_t inputs_max_, oldest_ = 0;
};

/// All of the critic that is saved; the rest comes back from the episodes.
struct RiskState {
  std::vector<float> parameters;
  AdamState adam;
  Dice::State dice{};
  std::int64_t updates = 0;
  std::int64_t steps = 0;  // Taken in, ever: what updates are due by.
  // The trial, ever: what it found must outlive the days that the journal keeps.
  skills::RiskGroup advised, control;
  bool advises = false;  // In the last episode that was its own.
};

/// Learns from all tasks together how likely a near miss is: logistic regression on what a small network makes of
/// features and action. Batches hold as many steps before near misses as ordinary ones; the difference to how rare they
/// are is taken off the log odds again. Every fourth episode is held out (skills::IsRiskControl).
/// Deterministic given its seed and the episodes in their order. Thread: one at a time; one core.
class RiskCritic {
 public:
  RiskCritic(const RiskConfig& config, std::uint64_t seed);

  /// Whether an episode's steps count as new; those read again after a restart do not.
  enum class Reading { kNew, kAgain };
  /// One closed episode, of any task.
  void Ingest(const core::Episode& episode, const skills::Scene& scene, Reading reading);

  /// Updates due; none before there are steps of both kinds.
  double Backlog() const;
  void Update();

  /// What is published: the network, and how it does on what was held out.
  skills::RiskSnapshot Snapshot() const;
  const RiskConfig& config() const { return config_; }

  const RiskState& state() const { return state_; }
  /// Faults: kCorruptState when the sizes are not those of this configuration, or a number is not finite.
  core::Result<void> Restore(RiskState state);

 private:
  struct HeldOut {
    std::vector<RiskInputs> steps;
    std::vector<bool> near_miss;
  };
  void HoldOut(const std::vector<RiskInputs>& steps, const std::vector<Foresight>& foresights);
  void Learn(const std::vector<RiskInputs>& steps, const std::vector<Foresight>& foresights);
  void CountTrial(const core::Episode& episode);
  double LogOddsShift() const;
  std::vector<ScoredEpisode> Score() const;

  RiskConfig config_;
  ActorShape shape_;
  RiskState state_;
  Dice dice_;
  RiskRing near_, ordinary_;
  double near_share_ = 0;      // Of steps, lately.
  std::int64_t labelled_ = 0;  // Steps behind it.
  std::deque<HeldOut> held_out_;
  std::size_t held_out_steps_ = 0;
  std::vector<float> batch_, d_out_, gradient_;
  ActorTrace trace_;
};

}  // namespace nightshift::learner
